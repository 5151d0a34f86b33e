"""Resampling onto the grid of stored slices, through SimpleITK on one thread."""

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name its own documentation uses

from braindino.imaging.grid import Grid
from braindino.imaging.volume import Volume

# Parallelism comes from worker processes; threads inside would only fight with them.
sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)

INTERPOLATORS = {"nearest": sitk.sitkNearestNeighbor, "linear": sitk.sitkLinear, "bspline": sitk.sitkBSpline3}

# Interpolation needs neighbours: one voxel for linear, more for the B-spline's recursive prefilter.
_MARGIN_VOXELS = 6


def to_itk(data: np.ndarray, affine: np.ndarray) -> sitk.Image:
    """A SimpleITK image of [x, y, z] voxels; its physical space is RAS mm, and not ITK's usual LPS."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    image = sitk.GetImageFromArray(np.ascontiguousarray(data.T))
    image.SetSpacing(spacing.tolist())
    image.SetDirection((affine[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    return image


def resample(volume: Volume, grid: Grid, interpolation: str) -> np.ndarray:
    """A volume's values at the pixels of a grid, float32 [S, H, W]; 0 outside the volume.

    Where pixels are at least twice as large as voxels, voxels are averaged first, in whole numbers, so that
    fine detail and noise do not alias. Labels ("nearest") are never averaged.
    """
    cropped = _crop_to(volume, grid)
    image = to_itk(cropped.data.astype(np.float32), cropped.affine)
    if interpolation != "nearest":
        factors = _shrink_factors(cropped, grid)
        if max(factors) > 1:
            image = sitk.BinShrink(image, factors)
    spacing = grid.spacing
    out = sitk.Resample(
        image,
        [grid.shape[2], grid.shape[1], grid.shape[0]],
        sitk.Transform(3, sitk.sitkIdentity),
        INTERPOLATORS[interpolation],
        grid.affine[:3, 3].tolist(),
        spacing.tolist(),
        (grid.affine[:3, :3] / spacing).ravel().tolist(),
        0.0,
        sitk.sitkFloat32,
    )
    return np.asarray(sitk.GetArrayFromImage(out))


def _crop_to(volume: Volume, grid: Grid) -> Volume:
    """The part of a volume that the grid can see; the rest would only cost time."""
    slices, height, width = grid.shape
    corners = np.array([[c, r, s, 1] for c in (0, width - 1) for r in (0, height - 1) for s in (0, slices - 1)])
    seen = (np.linalg.inv(volume.affine) @ grid.affine @ corners.T)[:3]
    low = np.clip(np.floor(seen.min(axis=1)) - _MARGIN_VOXELS, 0, np.array(volume.data.shape) - 2).astype(int)
    high = np.clip(np.ceil(seen.max(axis=1)) + _MARGIN_VOXELS + 1, low + 2, volume.data.shape).astype(int)
    affine = volume.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ low
    data = volume.data[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    return Volume(data, affine, volume.name, volume.repairs)


def _shrink_factors(volume: Volume, grid: Grid) -> list[int]:
    # Pixel size along each voxel axis: the largest grid spacing whose direction it shares.
    shared = np.abs(volume.directions.T @ (grid.affine[:3, :3] / grid.spacing))
    target = grid.spacing[shared.argmax(axis=1)]
    factors = np.floor(target / volume.spacing + 1e-3).astype(int)
    return [int(np.clip(factor, 1, size)) for factor, size in zip(factors, volume.data.shape, strict=True)]
