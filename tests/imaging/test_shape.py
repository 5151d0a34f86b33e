"""A whole brain covers the template wherever and however it lies; a part of one does not."""

import importlib.util
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from braindino.imaging import Volume, make_volume
from braindino.imaging.quality import LIMITS
from braindino.imaging.shape import template_overlap


@pytest.fixture(scope="module")
def brain() -> Volume:
    """The ICBM152 brain itself on 3 mm voxels, its mask as the image."""
    spec = importlib.util.find_spec("nilearn")
    assert spec is not None
    assert spec.submodule_search_locations
    name = "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
    image = nib.load(Path(spec.submodule_search_locations[0]) / "datasets" / "data" / name)
    inside = ndimage.binary_fill_holes(np.asanyarray(image.dataobj)[::3, ::3, ::3] > 0)
    return make_volume(np.pad(inside, 20).astype(np.float32), image.affine @ np.diag([3.0, 3.0, 3.0, 1.0]))


def overlap(volume: Volume) -> float:
    return template_overlap(volume, volume.data >= 0.5)


def turned(volume: Volume, degrees: float, axes: tuple[int, int]) -> Volume:
    return volume.with_data(ndimage.rotate(volume.data, degrees, axes, reshape=False, order=1))


def test_the_template_covers_itself(brain: Volume) -> None:
    assert overlap(brain) > 0.97


@pytest.mark.parametrize("scale", [0.6, 0.8, 1.1])
def test_size_and_place_do_not_count(brain: Volume, scale: float) -> None:
    affine = brain.affine.copy()
    affine[:3, :3] *= scale
    affine[:3, 3] += [40.0, -30.0, 100.0]
    assert overlap(make_volume(brain.data, affine)) > 0.97


def test_thick_slices_do_not_count(brain: Volume) -> None:
    thick = make_volume(brain.data[:, :, ::2], brain.affine @ np.diag([1.0, 1.0, 2.0, 1.0]))
    assert overlap(thick) > 0.95


@pytest.mark.parametrize(("degrees", "axes"), [(25.0, (1, 2)), (-25.0, (1, 2)), (15.0, (0, 1)), (15.0, (0, 2))])
def test_a_head_may_nod_turn_and_tilt(brain: Volume, degrees: float, axes: tuple[int, int]) -> None:
    assert overlap(turned(brain, degrees, axes)) > 0.93


def test_a_half_and_a_brain_without_its_top_are_below_the_limit(brain: Volume) -> None:
    first, last = np.flatnonzero(brain.data.any(axis=(0, 1)))[[0, -1]]
    half, topless = brain.data.copy(), brain.data.copy()
    half[half.shape[0] // 2 :] = 0
    topless[:, :, int(first + 0.6 * (last - first)) :] = 0
    for part in (half, topless):
        assert overlap(brain.with_data(part)) < LIMITS.smallest_template_overlap


def test_a_brain_with_a_long_neck_is_below_the_limit(brain: Volume) -> None:
    neck = brain.data.copy()
    middle = [int(axis.mean()) for axis in np.nonzero(brain.data)]
    neck[middle[0] - 15 : middle[0] + 15, middle[1] - 15 : middle[1] + 15, : middle[2]] = 1
    assert overlap(brain.with_data(neck)) < LIMITS.smallest_template_overlap
