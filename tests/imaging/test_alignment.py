"""A mask that was given is believed where it lies on the brain, and nowhere else."""

from dataclasses import replace

import numpy as np
import pytest

from braindino.errors import Reason, ScanRefused
from braindino.imaging import Volume, make_volume
from braindino.imaging.mask import provided_mask
from tests.imaging.helpers import brain_volume, ellipsoid

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
