"""A mask or a segmentation that was given is believed where it lies on the brain, and nowhere else."""

from dataclasses import replace

import numpy as np
import pytest

from braindino.errors import Reason, ScanRefused
from braindino.imaging import Volume, make_volume, preprocess_volume
from braindino.imaging.alignment import check_segmentation
from braindino.imaging.mask import provided_mask
from tests.imaging.helpers import brain_volume, ellipsoid
from tests.imaging.test_preprocess import RECIPE

BRAIN = brain_volume()


def head() -> Volume:
    """A brain with a skull and a neck in dark air, and noise everywhere."""
    shape = BRAIN.data.shape
    skull = ellipsoid(shape, (72, 92, 70), 4.0)
    noise = np.abs(np.random.default_rng(0).normal(scale=6, size=shape))
    return BRAIN.with_data((np.where(BRAIN.data > 0, BRAIN.data, 250 * skull) + noise).astype(np.float32))


def mask(shift_mm: tuple[float, float, float] = (0, 0, 0)) -> Volume:
    affine = BRAIN.affine.copy()
    affine[:3, 3] += shift_mm
    return make_volume((BRAIN.data > 0).astype(np.uint8), affine, "mask")


@pytest.mark.parametrize("image", [BRAIN, head()], ids=["stripped", "head"])
def test_a_mask_in_its_place_is_kept(image: Volume) -> None:
    np.testing.assert_array_equal(provided_mask(image, mask()).voxels, BRAIN.data > 0)


def test_people_move_between_scans_and_masks_with_them() -> None:
    assert provided_mask(head(), mask((0, 5, 0))).voxels.any()


@pytest.mark.parametrize("shift", [(50, 0, 0), (0, -50, 0), (0, 0, 50)])
@pytest.mark.parametrize("image", [BRAIN, head()], ids=["stripped", "head"])
def test_a_mask_elsewhere_is_refused(image: Volume, shift: tuple[float, float, float]) -> None:
    with pytest.raises(ScanRefused) as caught:
        provided_mask(replace(image, data=np.pad(image.data, 12), affine=_padded(image.affine, 12)), mask(shift))
    assert caught.value.reason == Reason.MASK_MISMATCH
    with pytest.raises(ScanRefused) as caught:
        provided_mask(image, mask(shift))
    assert caught.value.reason == Reason.MASK_MISMATCH


def _padded(affine: np.ndarray, by: int) -> np.ndarray:
    out = affine.copy()
    out[:3, 3] -= out[:3, :3].sum(axis=1) * by
    return out


def ball(centre_mm: tuple[float, float, float], radius_mm: float, spacing_mm: float = 2.0, label: int = 1) -> Volume:
    """A round lesion on a grid of its own that holds nothing else."""
    size = 2 * int(radius_mm / spacing_mm) + 5
    affine = np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    affine[:3, 3] = np.array(centre_mm) - (size - 1) / 2 * spacing_mm
    labels = ellipsoid((size, size, size), (radius_mm,) * 3, spacing_mm) * np.uint8(label)
    return make_volume(labels.astype(np.uint8), affine, "lesion.nii.gz")


def judge(segmentation: Volume) -> None:
    check_segmentation(BRAIN, segmentation, BRAIN.data > 0)


@pytest.mark.parametrize(
    "segmentation",
    [
        ball((0, 20, 10), 15),  # inside
        ball((56, 0, 0), 8),  # a third of it outside, and near the surface
        ball((0, 62, 0), 25, label=4),  # a tumour of which a little lies further away
        make_volume(np.zeros((20, 20, 20), np.uint8), BRAIN.affine, "empty"),
        make_volume(ellipsoid(BRAIN.data.shape, (75, 95, 75), 4.0).astype(np.uint8), BRAIN.affine, "whole head"),
    ],
    ids=["inside", "surface", "tumour", "empty", "head"],
)  # fmt: skip
def test_a_segmentation_in_its_place_is_kept(segmentation: Volume) -> None:
    judge(segmentation)


@pytest.mark.parametrize(
    ("segmentation", "said"),
    [
        (ball((75, 0, 0), 8), "% of its labelled volume"),  # in the scalp
        (ball((0, 900, 0), 8), "100% of its labelled volume"),  # out of the field of view
        (ball((70, 0, 0), 25, label=3), "% of its labelled volume"),
        (mask((0, 0, 24)), "the image's matrix and lies up to 24 mm beside"),
    ],
    ids=["scalp", "lost", "large", "shifted"],
)
def test_a_segmentation_of_another_scan_is_refused(segmentation: Volume, said: str) -> None:
    with pytest.raises(ScanRefused, match=said) as caught:
        judge(segmentation)
    assert caught.value.reason is Reason.SEGMENTATION_MISMATCH
    assert segmentation.name in str(caught.value)
    assert BRAIN.name in str(caught.value)


def test_a_share_of_lesions_beside_the_brain_is_enough() -> None:
    """As measured: of another person's lesions most fall inside, by chance, and 15 % into the scalp and the air."""
    labels = np.zeros(BRAIN.data.shape, np.uint8)
    labels[18:24, 20:30, 18:24] = 1  # 360 voxels inside
    labels[:3, :5, :4] = 1  # 60 in the corner
    judge(BRAIN.with_data(np.where(np.indices(labels.shape).sum(axis=0) < 6, 0, labels)))
    with pytest.raises(ScanRefused, match="14%"):
        judge(BRAIN.with_data(labels))


def test_a_segmentation_of_another_scan_is_not_stored_unless_a_person_says_so() -> None:
    elsewhere = ball((75, 0, 0), 8)
    with pytest.raises(ScanRefused) as caught:
        preprocess_volume(BRAIN, RECIPE, segmentation_volume=elsewhere)
    assert caught.value.reason is Reason.SEGMENTATION_MISMATCH
    assert caught.value.attempt is not None, "the brain, to be looked at"
    accepted = preprocess_volume(
        BRAIN, RECIPE, segmentation_volume=elsewhere, overruled=frozenset({Reason.SEGMENTATION_MISMATCH})
    )
    assert accepted.facts.overruled[0].startswith("segmentation_mismatch: ")
