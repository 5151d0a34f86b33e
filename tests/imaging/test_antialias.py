"""Resampling moves nothing and lets no pattern finer than the pixels through as a coarse one."""

import numpy as np
import pytest

from braindino.imaging import make_volume
from braindino.imaging.grid import Grid
from braindino.imaging.resample import resample

SPACINGS = [1.0, 0.9, 0.8, 0.7, 0.6, 0.51, 0.5, 0.43, 0.33]


def pixels(affine: np.ndarray, first_mm: tuple[float, float, float], counts: tuple[int, int, int]) -> Grid:
    """A grid of 1 mm pixels along the axes of an affine."""
    out = np.eye(4)
    out[:3, :3] = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    out[:3, 3] = affine[:3, 3] + out[:3, :3] @ first_mm
    return Grid("axial", out, (counts[2], counts[1], counts[0]))


def wave_after(spacing: float, cycles_per_mm: float) -> float:
    """The amplitude that is left of a wave of amplitude 1 along one axis, sampled to 1 mm."""
    n = int(70 / spacing)
    wave = np.cos(2 * np.pi * cycles_per_mm * np.arange(n) * spacing)
    volume = make_volume(np.broadcast_to(wave, (24, 24, n)).astype(np.float32), np.diag([1.0, 1.0, spacing, 1.0]))
    out = resample(volume, pixels(volume.affine, (8, 8, 8.13), (8, 8, 50)), "linear")
    return float(np.sqrt(2 * np.mean(out[:, 4, 4] ** 2)))


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("turn", [0.0, 20.0])
def test_a_slope_stays_where_it_is(spacing: float, turn: float) -> None:
    """A linear ramp has the value of its place after resampling: averaging and smoothing shift nothing."""
    angle = np.radians(turn)
    affine = np.eye(4)
    affine[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    affine = affine @ np.diag([spacing, spacing, 4.0, 1.0])  # thick slices are averaged in their plane alone
    affine[:3, 3] = [-30, 17, 5]
    shape = (int(48 / spacing), int(44 / spacing), 12)
    world = np.einsum("ij,j...->i...", affine[:3, :3], np.indices(shape)) + affine[:3, 3].reshape(3, 1, 1, 1)
    volume = make_volume((3 * world[0] - 2 * world[1] + world[2]).astype(np.float32), affine)
    grid = Grid("axial", pixels(affine, (10.3, 10.7, 8), (20, 20, 5)).affine @ np.diag([1, 1, 4.0, 1]), (5, 20, 20))
    column, row, index = np.meshgrid(np.arange(20), np.arange(20), np.arange(5), indexing="ij")
    place = grid.affine @ np.stack([column.ravel(), row.ravel(), index.ravel(), np.ones(column.size)])
    expected = (3 * place[0] - 2 * place[1] + place[2]).reshape(20, 20, 5).T
    np.testing.assert_allclose(resample(volume, grid, "linear"), expected, atol=0.02)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_coarse_patterns_pass(spacing: float) -> None:
    assert wave_after(spacing, 0.05) > 0.97
    assert wave_after(spacing, 0.25) > 0.75


@pytest.mark.parametrize("spacing", [0.71, 0.7, 0.6, 0.51, 0.5, 0.43, 0.33])
def test_what_is_finer_than_the_pixels_does_not_come_back_as_something_else(spacing: float) -> None:
    """Pixels of 1 mm show up to 0.5 cycles a mm; of finer patterns less than half may return under a false name."""
    assert wave_after(spacing, 0.55) < 0.56  # just beyond: as much as two averaged voxels leave
    assert wave_after(spacing, 0.65) < 0.5


def test_labels_are_never_averaged() -> None:
    data = np.zeros((60, 60, 60), np.uint8)
    data[20:40, 20:40, 20:40] = 7
    volume = make_volume(data, np.diag([0.5, 0.5, 0.5, 1.0]))
    out = resample(volume, pixels(volume.affine, (2, 2, 2), (24, 24, 24)), "nearest")
    assert set(np.unique(out)) == {0.0, 7.0}
