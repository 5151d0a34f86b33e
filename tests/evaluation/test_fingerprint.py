"""The fingerprint of one scan: what changes it and what does not."""

from dataclasses import replace

import numpy as np
import pytest

from braindino.errors import StoreError
from braindino.evaluation import FINGERPRINT_VERSION, Fingerprint, fingerprint
from braindino.evaluation.fingerprint import COARSE_LENGTH, FINE_SHAPE, FINGERPRINT_BYTES
from tests.evaluation.encodings import Voxels, eight_bit, reoriented, restripped, unbiased
from tests.evaluation.textured import print_of, textured_brain


@pytest.fixture(scope="module")
def scan() -> Voxels:
    return textured_brain(seed=1)


@pytest.fixture(scope="module")
def original(scan: Voxels) -> Fingerprint:
    return print_of(scan)


def cosine(first: np.ndarray, second: np.ndarray) -> float:
    one, other = first.ravel().astype(float), second.ravel().astype(float)
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def test_it_is_small_and_comes_back_from_bytes(original: Fingerprint) -> None:
    blob = original.to_bytes()
    assert len(blob) == FINGERPRINT_BYTES < 34_000
    assert original.coarse.shape == (COARSE_LENGTH,)
    assert original.fine.shape == FINE_SHAPE
    again = Fingerprint.from_bytes(blob)
    for name in ("coarse", "fine", "axes", "size"):
        np.testing.assert_array_equal(getattr(again, name), getattr(original, name))


def test_another_version_and_a_damaged_blob_are_refused(original: Fingerprint) -> None:
    blob = original.to_bytes()
    later = blob[:4] + (FINGERPRINT_VERSION + 1).to_bytes(4, "little") + blob[8:]
    with pytest.raises(StoreError, match=f"version {FINGERPRINT_VERSION + 1}.*compute it again"):
        Fingerprint.from_bytes(later)
    for broken in (blob[:-1], b"", b"no fingerprint"):
        with pytest.raises(StoreError, match="damaged"):
            Fingerprint.from_bytes(broken)


def test_orientation_leaves_it_as_it_is(scan: Voxels, original: Fingerprint) -> None:
    other = print_of(reoriented(scan))
    assert cosine(original.coarse, other.coarse) > 0.9999
    assert cosine(original.fine, other.fine) > 0.9999


@pytest.mark.parametrize("encode", [unbiased, eight_bit, lambda scan: replace(scan, values=scan.values * 3 + 7)])
def test_gain_window_and_bias_field_hardly_change_it(scan: Voxels, original: Fingerprint, encode) -> None:  # type: ignore[no-untyped-def]
    other = print_of(encode(scan))
    assert cosine(original.coarse, other.coarse) > 0.98
    assert cosine(original.fine, other.fine) > 0.97


def test_a_tighter_mask_leaves_the_coarse_part_alike(scan: Voxels, original: Fingerprint) -> None:
    assert cosine(original.coarse, print_of(restripped(scan, 2)).coarse) > 0.8


def test_another_brain_has_another_fingerprint(original: Fingerprint) -> None:
    other = print_of(textured_brain(seed=2))
    assert cosine(original.coarse, other.coarse) < 0.3
    assert abs(cosine(original.fine, other.fine)) < 0.1


def test_the_pose_follows_the_head(scan: Voxels, original: Fingerprint) -> None:
    np.testing.assert_allclose(original.axes.T @ original.axes, np.eye(3), atol=1e-5)
    assert original.axes[1, 1] > 0.95  # the brain's long axis runs to the front
    assert original.size.argmax() == 1


def test_thick_and_coarse_stacks_have_one_too(scan: Voxels) -> None:
    sparse = scan.values[:, :, ::4], scan.brain[:, :, ::4]
    stack = fingerprint(sparse[0].transpose(2, 1, 0), sparse[1].transpose(2, 1, 0), scan.affine @ np.diag([1, 1, 4, 1]))
    assert np.abs(stack.fine).max() > 100
    assert np.abs(stack.coarse).max() > 100


def test_a_flat_image_gives_zeros_and_no_error(scan: Voxels) -> None:
    brain = scan.brain.transpose(2, 1, 0)
    flat = fingerprint(brain.astype(np.uint16), brain, scan.affine)
    assert not np.isnan(flat.coarse.astype(float)).any()
