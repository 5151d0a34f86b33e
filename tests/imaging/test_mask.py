"""Where a brain mask comes from, and when it is not believed."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from braindino.errors import Reason, ScanRefused
from braindino.imaging import Volume, get_recipe, make_volume
from braindino.imaging.mask import find_brain, nonzero_mask, provided_mask
from tests.imaging.helpers import brain_volume, ellipsoid

RECIPE = get_recipe("isotropic")


def refused(act: Callable[[], object]) -> Reason:
    with pytest.raises(ScanRefused) as caught:
        act()
    return caught.value.reason


def head_volume() -> Volume:
    """A brain in a bright shell: more than a brain's volume is above zero."""
    brain = brain_volume()
    shell = ellipsoid(brain.data.shape, (78, 98, 78), 4.0) & (brain.data == 0)
    return brain.with_data(brain.data + 120 * shell.astype(np.float32))


def test_a_stripped_image_is_its_own_mask_with_holes_filled() -> None:
    brain = brain_volume()
    data = brain.data.copy()
    data[18:22, 24:27, 18:22] = 0  # a ventricle at zero
    found = find_brain(brain.with_data(data), RECIPE, None, None)
    assert (found.method, found.components) == ("nonzero", 1)
    np.testing.assert_array_equal(found.voxels, brain.data > 0)


def test_the_background_may_have_any_one_value() -> None:
    brain = brain_volume()
    shifted = brain.with_data(brain.data - 1000)
    np.testing.assert_array_equal(nonzero_mask(shifted).voxels, brain.data > 0)


def test_specks_are_removed_and_counted() -> None:
    brain = brain_volume()
    data = brain.data.copy()
    data[1, 1, 1] = data[2, 40, 3] = 50
    found = nonzero_mask(brain.with_data(data))
    assert found.components == 3
    np.testing.assert_array_equal(found.voxels, brain.data > 0)


def test_a_provided_mask_comes_first() -> None:
    head, brain = head_volume(), brain_volume()
    found = find_brain(head, RECIPE, brain.with_data((brain.data > 0).astype(np.uint8)), None)
    assert found.method == "provided"
    np.testing.assert_array_equal(found.voxels, brain.data > 0)


def test_a_provided_mask_may_have_another_grid() -> None:
    fine, coarse = brain_volume(2.0), brain_volume(4.0)
    found = provided_mask(fine, coarse.with_data((coarse.data > 0).astype(np.uint8)))
    wanted = fine.data > 0
    overlap = 2 * (found.voxels & wanted).sum() / (found.voxels.sum() + wanted.sum())
    assert overlap > 0.97


def test_masks_that_do_not_fit() -> None:
    brain = brain_volume()
    mask = brain.with_data((brain.data > 0).astype(np.uint8))
    moved = mask.affine.copy()
    moved[:3, 3] += 90
    empty = mask.with_data(np.zeros_like(mask.data))
    assert refused(lambda: provided_mask(brain, empty)) == Reason.MASK_MISMATCH
    assert refused(lambda: provided_mask(brain, make_volume(mask.data, moved))) == Reason.MASK_MISMATCH


def test_a_recipe_that_wants_provided_masks_refuses_scans_without() -> None:
    only = replace(RECIPE, mask="provided")
    assert refused(lambda: find_brain(brain_volume(), only, None, None)) == Reason.MASK_MISMATCH


def test_a_head_that_is_said_to_be_stripped() -> None:
    assert refused(lambda: find_brain(head_volume(), RECIPE, None, True)) == Reason.NOT_STRIPPED


def test_noise_around_the_brain_is_no_stripped_image() -> None:
    brain = brain_volume()
    noisy = brain.with_data(brain.data + np.random.default_rng(0).random(brain.data.shape).astype(np.float32))
    assert refused(lambda: nonzero_mask(noisy)) == Reason.NOT_STRIPPED


def test_a_hollow_thing_is_no_brain() -> None:
    brain = brain_volume()
    bars = (np.indices(brain.data.shape)[0] % 4 < 2) & (np.indices(brain.data.shape)[1] % 4 < 2)
    assert refused(lambda: nonzero_mask(brain.with_data(brain.data * bars))) == Reason.MASK_UNCERTAIN


def test_a_mask_given_as_an_image_is_refused() -> None:
    brain = brain_volume()
    assert refused(lambda: nonzero_mask(brain.with_data((brain.data > 0).astype(np.uint8)))) == Reason.CONSTANT


def test_solidity_tolerates_the_folds_of_a_brain() -> None:
    brain = brain_volume(2.0)
    rough = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=brain.data.shape), 2)
    rim = (brain.data > 0) & ~ndimage.binary_erosion(brain.data > 0, iterations=4)
    folded = brain.with_data(np.where(rim & (rough < -0.03), 0, brain.data))
    assert nonzero_mask(folded).voxels.any()
