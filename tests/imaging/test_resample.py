"""Resampling: voxels that already lie where pixels are wanted are moved and not interpolated."""

from itertools import permutations, product

import numpy as np
import pytest

from braindino.imaging import Volume, make_volume
from braindino.imaging.grid import Grid
from braindino.imaging.resample import resample


def numbered() -> Volume:
    """Every voxel has a value of its own; its affine turns and mirrors nothing."""
    data = np.arange(1, 1 + 24 * 25 * 26, dtype=np.float32).reshape(24, 25, 26)
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = [-7.0, 5.0, 11.0]
    return make_volume(data, affine, "numbered")


def grid_along(axes: tuple[int, ...], senses: tuple[int, ...], shift: float) -> Grid:
    """8 slices of 10 rows and 40 columns that run along some world axes, partly beyond the volume."""
    affine = np.eye(4)
    affine[:3, :3] = 0
    for pixel, (axis, sense) in enumerate(zip(axes, senses, strict=True)):
        affine[axis, pixel] = 2.0 * sense
    affine[:3, 3] = np.array([11.0, 21.0, 31.0]) + shift
    return Grid("axial", affine, (8, 10, 40))


@pytest.mark.parametrize("axes", list(permutations(range(3))))
def test_moving_voxels_is_what_interpolation_at_their_centres_gives(axes: tuple[int, ...]) -> None:
    volume = numbered()
    for senses in product((1, -1), repeat=3):
        moved = resample(volume, grid_along(axes, senses, 0.0), "linear")
        interpolated = resample(volume, grid_along(axes, senses, 2e-3), "linear")
        edge = (moved == 0) != (interpolated == 0)  # what lies on the rim may fall off it by the shift
        assert (moved > 0).any()
        np.testing.assert_allclose(moved[~edge], interpolated[~edge], atol=1.0)
        assert np.isin(moved, [0, *volume.data.ravel()]).all()


def test_a_grid_beside_the_volume_is_empty() -> None:
    assert not resample(numbered(), grid_along((0, 1, 2), (1, 1, 1), 100.0), "linear").any()


@pytest.mark.parametrize("spacing", [2.0, 0.7, 4.0])
@pytest.mark.parametrize("interpolation", ["linear", "nearest", "bspline"])
def test_pixels_that_are_not_wanted_do_not_change_the_others(spacing: float, interpolation: str) -> None:
    volume = numbered()
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = [-4.3, 7.1, 13.2]
    grid = Grid("axial", affine, (7, 8, 6))
    box = (slice(2, 6), slice(1, 5), slice(0, 4))
    whole, part = resample(volume, grid, interpolation), resample(volume, grid, interpolation, box)
    np.testing.assert_allclose(part[box], whole[box], rtol=1e-5)
    part[box] = 0
    assert not part.any()
