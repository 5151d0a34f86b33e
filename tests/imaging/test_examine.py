"""Whatever is wrong with a scan, what there is of it is shown, and what is wrong is said."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from braindino.errors import Reason
from braindino.imaging.examine import examine
from braindino.imaging.glimpse import glimpse
from tests.imaging.helpers import brain_volume, ellipsoid, save, save_volume
from tests.imaging.test_preprocess import RECIPE

VOLUME = brain_volume()


def test_a_good_scan_is_shown_with_its_mask_and_no_refusal(tmp_path: Path) -> None:
    seen = examine(save_volume(tmp_path / "brain.nii.gz", VOLUME), RECIPE)
    assert seen.refusal is None
    assert seen.volume is not None
    assert seen.mask is not None
    np.testing.assert_array_equal(seen.mask, seen.volume.data > 0)
    assert seen.measured["n_slices"] == np.count_nonzero(VOLUME.data.any(axis=(0, 1)))
    assert seen.measured["mask_method"] == "nonzero"


def test_the_segmentation_lies_where_it_came_from(tmp_path: Path) -> None:
    labels = np.zeros(VOLUME.data.shape, np.uint8)
    labels[15:20, 20:26, 18:22] = 4
    image = save_volume(tmp_path / "brain.nii.gz", VOLUME)
    seen = examine(image, RECIPE, segmentation=save_volume(tmp_path / "seg.nii.gz", VOLUME.with_data(labels)))
    assert seen.segmentation is not None
    np.testing.assert_array_equal(seen.segmentation, labels)


def test_a_limit_that_is_broken_is_the_refusal_and_the_mask_is_shown(tmp_path: Path) -> None:
    small = VOLUME.with_data(ellipsoid(VOLUME.data.shape, (38, 50, 38), 4.0).astype(np.uint8))
    image, mask = save_volume(tmp_path / "brain.nii.gz", VOLUME), save_volume(tmp_path / "mask.nii.gz", small)
    seen = examine(image, RECIPE, brain_mask=mask)
    assert seen.refusal is not None
    assert seen.refusal.reason == Reason.BRAIN_TOO_SMALL
    assert "a whole brain has 450" in str(seen.refusal)
    assert seen.mask is not None
    np.testing.assert_array_equal(seen.mask, small.data > 0)
    assert seen.result is not None


def test_a_mask_that_falls_apart_is_shown_although_nothing_can_be_stored(tmp_path: Path) -> None:
    apart = (VOLUME.data > 0).astype(np.uint8)
    apart[:, :, 18:20] = 0
    image = save_volume(tmp_path / "brain.nii.gz", VOLUME)
    seen = examine(image, RECIPE, brain_mask=save_volume(tmp_path / "mask.nii.gz", VOLUME.with_data(apart)))
    assert seen.refusal is not None
    assert (seen.refusal.reason, seen.result) == (Reason.MASK_UNCERTAIN, None)
    assert seen.mask is not None
    assert seen.mask.sum() == apart.sum()
    assert seen.measured["brain_ml"] == pytest.approx(apart.sum() * 0.064)


def truncated(path: Path) -> Path:
    save(path, VOLUME.data, VOLUME.affine)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def not_finite(path: Path) -> Path:
    data = VOLUME.data.copy()
    data[20, 25, 20] = np.nan
    return save(path, data, VOLUME.affine)


def series(path: Path) -> Path:
    return save(path, np.stack([VOLUME.data, VOLUME.data * 2], axis=3), VOLUME.affine)


def colours(path: Path) -> Path:
    rgb = np.zeros(VOLUME.data.shape, np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]))
    rgb["G"] = (VOLUME.data > 0) * 90
    return save(path, rgb, VOLUME.affine)


def complex_numbers(path: Path) -> Path:
    return save(path, (VOLUME.data * 1j).astype(np.complex64), VOLUME.affine)


def absurd(path: Path) -> Path:
    return save(path, VOLUME.data, np.diag([400.0, 400.0, 400.0, 1.0]))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (truncated, Reason.TRUNCATED),
        (not_finite, Reason.NOT_FINITE),
        (series, Reason.TIME_SERIES),
        (colours, Reason.NOT_SCALAR),
        (complex_numbers, Reason.NOT_SCALAR),
        (absurd, Reason.BAD_GEOMETRY),
    ],
)
def test_what_can_be_read_of_a_bad_file_is_shown(tmp_path: Path, make: Callable[[Path], Path], reason: Reason) -> None:
    seen = examine(make(tmp_path / "scan.nii.gz"), RECIPE)
    assert seen.refusal is not None
    assert seen.refusal.reason == reason
    assert seen.volume is not None
    assert seen.volume.data.shape == VOLUME.data.shape
    assert np.isfinite(seen.volume.data).all()
    assert seen.volume.data.any()
    assert (seen.mask, seen.result) == (None, None)


def test_a_file_that_breaks_off_is_shown_up_to_there(tmp_path: Path) -> None:
    seen = glimpse(truncated(tmp_path / "scan.nii.gz"))
    assert seen is not None
    there = np.flatnonzero(seen.data.any(axis=(0, 1)))
    wanted = np.flatnonzero(VOLUME.data.any(axis=(0, 1)))
    assert there[0] == wanted[0]
    assert there[-1] < wanted[-1]
    np.testing.assert_array_equal(seen.data[:, :, there[:-1]], VOLUME.data[:, :, there[:-1]])


def test_a_single_slice_is_one_slice(tmp_path: Path) -> None:
    seen = glimpse(save(tmp_path / "flat.nii.gz", VOLUME.data[:, :, 20], VOLUME.affine))
    assert seen is not None
    assert seen.data.shape == (*VOLUME.data.shape[:2], 1)


def test_of_what_is_no_image_nothing_is_shown(tmp_path: Path) -> None:
    (tmp_path / "scan.nii.gz").write_bytes(gzip.compress(b"not a scan" * 100))
    for path in (tmp_path / "scan.nii.gz", tmp_path / "nowhere.nii.gz", tmp_path):
        seen = examine(path, RECIPE)
        assert seen.refusal is not None
        assert seen.volume is None
