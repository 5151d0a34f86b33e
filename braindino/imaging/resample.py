"""Resampling onto the grid of stored slices, through SimpleITK on one thread."""

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name its own documentation uses
from scipy import ndimage

from braindino.imaging.components import Box
from braindino.imaging.grid import Grid
from braindino.imaging.volume import Volume

INTERPOLATORS = {"nearest": sitk.sitkNearestNeighbor, "linear": sitk.sitkLinear, "bspline": sitk.sitkBSpline3}

# Interpolation needs neighbours: one voxel for linear, more for the B-spline's recursive prefilter.
_MARGIN_VOXELS = 6
# Pixels so many times as large as voxels alias too much by linear interpolation alone.
_SMOOTHED_FROM = 1.4
_KERNEL_RADIUS = 3  # voxels: four standard deviations of the widest Gaussian, and within the margin
# Pixels this near to voxel centres, in voxels, are those voxels: a header's rounding is larger.
_SAME_PLACE = 1e-4


def to_itk(data: np.ndarray, affine: np.ndarray) -> sitk.Image:
    """A SimpleITK image of [x, y, z] voxels; its physical space is RAS mm, and not ITK's usual LPS."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    numbers = np.ascontiguousarray(data.T)
    image = sitk.GetImageFromArray(numbers.view(np.uint8) if numbers.dtype == bool else numbers)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((affine[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    return image


def _as_float(image: sitk.Image) -> sitk.Image:
    # Here and not in numpy: whole numbers are half as large until then, and no third copy is held.
    return image if image.GetPixelID() == sitk.sitkFloat32 else sitk.Cast(image, sitk.sitkFloat32)


def resample(volume: Volume, grid: Grid, interpolation: str, within: Box | None = None) -> np.ndarray:
    """A volume's values at the pixels of a grid, float32 [S, H, W]; 0 outside the volume.

    Fine detail and noise must not alias: where pixels are at least twice as large as voxels, voxels are averaged
    first, in whole numbers, and where they then are still 1.4 times as large, smoothed (see `_smoothing`); below
    that, linear interpolation itself averages enough. Labels ("nearest") are never averaged. Where every pixel is
    a voxel, as in a volume that has the grid's spacing along the world axes, nothing is interpolated.

    Args:
        volume: what to resample.
        grid: where to.
        interpolation: one of `INTERPOLATORS`.
        within: slices, rows and columns that are wanted; 0 elsewhere. By default all.
    """
    moved = _as_stored(volume, grid)
    if moved is not None:
        return moved
    box = within or (slice(0, grid.shape[0]), slice(0, grid.shape[1]), slice(0, grid.shape[2]))
    part = grid.part(box)
    factors = [1, 1, 1] if interpolation == "nearest" else _shrink_factors(volume, grid)
    # Where voxels are averaged, and along a spline, a voxel counts far away: what is wanted must not change them.
    local = max(factors) == 1 and interpolation != "bspline"
    cropped = _crop_to(volume, part if local else grid)
    image = _as_float(to_itk(cropped.data, cropped.affine))
    if max(factors) > 1:
        image = sitk.BinShrink(image, factors)
    if interpolation != "nearest" and max(sigmas := _smoothing(volume, grid, factors)) > 0:
        image = _smoothed(image, sigmas)
    spacing = part.spacing
    resampled = sitk.Resample(
        image,
        [part.shape[2], part.shape[1], part.shape[0]],
        sitk.Transform(3, sitk.sitkIdentity),
        INTERPOLATORS[interpolation],
        part.affine[:3, 3].tolist(),
        spacing.tolist(),
        (part.affine[:3, :3] / spacing).ravel().tolist(),
        0.0,
        sitk.sitkFloat32,
    )
    out = np.zeros(grid.shape, np.float32)
    out[box] = sitk.GetArrayViewFromImage(resampled)
    return out


def _as_stored(volume: Volume, grid: Grid) -> np.ndarray | None:
    """The voxels at the pixels of a grid if each pixel lies on a voxel's centre; else None."""
    to_voxel = np.linalg.inv(volume.affine) @ grid.affine
    steps, start = np.rint(to_voxel[:3, :3]).astype(int), np.rint(to_voxel[:3, 3]).astype(int)
    far = np.array([grid.shape[2], grid.shape[1], grid.shape[0]]) - 1
    off = np.abs(to_voxel[:3, :3] - steps) @ far + np.abs(to_voxel[:3, 3] - start)
    if (np.abs(steps).sum(axis=0) != 1).any() or (np.abs(steps).sum(axis=1) != 1).any() or off.max() > _SAME_PLACE:
        return None
    order = np.abs(steps).argmax(axis=0)  # the voxel axis along which columns, rows and slices go
    out = np.zeros(grid.shape, np.float32)
    source, target = [slice(0)] * 3, [slice(0)] * 3
    for pixel, axis in enumerate(order):
        sense, first, size = int(steps[axis, pixel]), int(start[axis]), volume.data.shape[axis]
        low, high = (-first, size - first) if sense > 0 else (first - size + 1, first + 1)
        low, high = max(low, 0), min(high, int(far[pixel]) + 1)
        if low >= high:
            return out
        target[2 - pixel] = slice(low, high)
        ends = sorted((first + sense * low, first + sense * (high - 1)))
        source[axis] = slice(ends[0], ends[1] + 1)
    part = volume.data[tuple(source)].transpose(order[::-1])
    senses = [int(steps[axis, pixel]) for pixel, axis in enumerate(order)][::-1]
    out[tuple(target)] = part[tuple(slice(None, None, sense) for sense in senses)]
    return out


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


def _pixel_sizes(volume: Volume, grid: Grid) -> np.ndarray:
    """The grid's spacing along each voxel axis, mm: that of the grid axis nearest to it."""
    shared = np.abs(volume.directions.T @ (grid.affine[:3, :3] / grid.spacing))
    sizes: np.ndarray = grid.spacing[shared.argmax(axis=1)]
    return sizes


def _smoothing(volume: Volume, grid: Grid, factors: list[int]) -> list[float]:
    """The standard deviation, in averaged voxels, along each voxel axis of the Gaussian that makes them pixels' width.

    Widths are full widths at half maximum, and those of convolved Gaussians add in squares (Cardoso et al. 2015,
    IPMI, "Scale factor point spread function matching"). It is 0 where voxels, after averaging, are wide enough.
    """
    voxels, pixels = volume.spacing * factors, _pixel_sizes(volume, grid)
    sigmas = np.sqrt(np.maximum(pixels**2 - voxels**2, 0) / (8 * np.log(2))) / voxels
    return [float(sigma) for sigma in np.where(pixels >= _SMOOTHED_FROM * voxels, sigmas, 0.0)]


def _smoothed(image: sitk.Image, sigmas: list[float]) -> sitk.Image:
    # SciPy's filter takes a third of the time of ITK's, on one thread each.
    voxels = sitk.GetArrayViewFromImage(image)
    out = sitk.GetImageFromArray(ndimage.gaussian_filter(voxels, sigmas[::-1], mode="nearest", radius=_KERNEL_RADIUS))
    out.CopyInformation(image)
    return out


def _shrink_factors(volume: Volume, grid: Grid) -> list[int]:
    factors = np.floor(_pixel_sizes(volume, grid) / volume.spacing + 1e-3).astype(int)
    return [int(np.clip(factor, 1, size)) for factor, size in zip(factors, volume.data.shape, strict=True)]
