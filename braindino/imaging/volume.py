"""One volume in memory: voxels, the map from voxel to world, and what had to be put right in its header."""

from dataclasses import dataclass, replace

import numpy as np

from braindino.errors import Reason, ScanRefused

# Below and above these the header is wrong: no brain MRI has such voxels or such a field of view.
_SPACING_LIMITS_MM = (0.1, 25.0)
_EXTENT_LIMITS_MM = (20.0, 1500.0)
# ITK refuses larger deviations from orthonormal cosines; rounding of stored quaternions stays below.
_COSINE_TOLERANCE = 1e-5
# Beyond this much shear (about 11 degrees) the nearest rotation is a guess and not a repair.
_LARGEST_REPAIR = 0.2


@dataclass(frozen=True)
class Volume:
    """Voxels `data` [x, y, z] of any real type, and `affine` (4 x 4, float64) from voxel index to RAS mm.

    Made by `read_volume` or `make_volume`, both of which guarantee orthogonal axes. `repairs` says what was
    changed.
    """

    data: np.ndarray
    affine: np.ndarray
    name: str = "volume"
    repairs: tuple[str, ...] = ()

    @property
    def spacing(self) -> np.ndarray:
        """Voxel size along the voxel axes, mm, float64 [3]."""
        lengths: np.ndarray = np.linalg.norm(self.affine[:3, :3], axis=0)
        return lengths

    @property
    def directions(self) -> np.ndarray:
        """Unit vectors of the voxel axes in world coordinates, as columns, float64 [3, 3]."""
        columns: np.ndarray = self.affine[:3, :3] / self.spacing
        return columns

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel, ml."""
        return float(np.prod(self.spacing)) / 1000

    def with_data(self, data: np.ndarray) -> "Volume":
        """The same grid with other voxels."""
        return replace(self, data=data)


def make_volume(data: np.ndarray, affine: np.ndarray, name: str = "volume", repairs: tuple[str, ...] = ()) -> Volume:
    """A volume with its geometry checked and, where the axes are sheared, repaired.

    Axes that are not orthogonal are replaced by the nearest orthogonal ones (polar decomposition; Higham
    1986), voxel sizes and the world position of the volume's centre are kept, and the repair is recorded.

    Raises:
        ScanRefused: `bad_geometry`, if no brain can have this grid or the shear is too large to repair.
    """
    affine = np.array(affine, dtype=np.float64)
    check_geometry(data.shape, affine, name)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    cosines = affine[:3, :3] / spacing
    left, _, right = np.linalg.svd(cosines)
    nearest = left @ right
    deviation = float(np.abs(cosines - nearest).max())
    if deviation > _LARGEST_REPAIR:
        text = f"The voxel axes of {name} are sheared too far to be repaired; resample it to an orthogonal grid."
        raise ScanRefused(Reason.BAD_GEOMETRY, text)
    if deviation > 0:
        centre = (np.array(data.shape[:3]) - 1) / 2
        world = affine[:3, :3] @ centre + affine[:3, 3]
        affine[:3, :3] = nearest * spacing
        affine[:3, 3] = world - affine[:3, :3] @ centre
    if deviation > _COSINE_TOLERANCE:
        repairs = (*repairs, f"direction cosines made orthonormal (largest change {deviation:.2g})")
    return Volume(data, affine, name, repairs)


def corners_apart(first: np.ndarray, second: np.ndarray, shape: tuple[int, ...]) -> float:
    """How far, in mm, two maps from voxel to world (4 x 4) place a corner of a grid apart, at most."""
    unit = np.array([[i, j, k, 1] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    corners = unit * [*np.array(shape[:3]) - 1, 1]
    return float(np.linalg.norm((corners @ (first - second).T)[:, :3], axis=1).max())


def check_geometry(shape: tuple[int, ...], affine: np.ndarray, name: str) -> None:
    """Refuses a grid that no brain scan can have.

    Raises:
        ScanRefused: `bad_geometry`: the affine is singular or not finite, or voxel sizes or extent are
            absurd.
    """
    if affine.shape != (4, 4) or not np.isfinite(affine).all():
        raise ScanRefused(Reason.BAD_GEOMETRY, f"The affine of {name} is not finite; repair its header.")
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    if spacing.min() == 0 or abs(np.linalg.det(affine[:3, :3] / np.maximum(spacing, 1e-12))) < 0.1:
        text = f"The affine of {name} is singular: its axes do not span space; repair its header."
        raise ScanRefused(Reason.BAD_GEOMETRY, text)
    low, high = _SPACING_LIMITS_MM
    sizes = " x ".join(f"{size:.3g}" for size in spacing)
    if spacing.min() < low or spacing.max() > high:
        text = f"The voxels of {name} are {sizes} mm, outside {low} to {high} mm; repair its header."
        raise ScanRefused(Reason.BAD_GEOMETRY, text)
    extent = spacing * np.array(shape[:3])
    low, high = _EXTENT_LIMITS_MM
    if extent.min() < low or extent.max() > high:
        sizes = " x ".join(f"{size:.0f}" for size in extent)
        text = f"The field of view of {name} is {sizes} mm: it cannot hold a brain, or its header is wrong."
        raise ScanRefused(Reason.BAD_GEOMETRY, text)
