"""The grid of stored slices: where each pixel lies in the world."""

from dataclasses import dataclass

import numpy as np

from braindino.imaging.components import Box, bounding_box
from braindino.imaging.recipe import Recipe
from braindino.imaging.volume import Volume
from braindino.planes import PLANE_ACROSS, PLANES


@dataclass(frozen=True)
class Grid:
    """A stack of slices in the world: `affine` maps (column, row, slice) to RAS mm, `shape` is (S, H, W)."""

    plane: str
    affine: np.ndarray
    shape: tuple[int, int, int]

    @property
    def spacing(self) -> np.ndarray:
        """(column, row, slice) spacing, mm."""
        lengths: np.ndarray = np.linalg.norm(self.affine[:3, :3], axis=0)
        return lengths

    def cut(self, first: int, last: int) -> "Grid":
        """Slices `first` to `last`, both included."""
        return self.part((slice(first, last + 1), slice(0, self.shape[1]), slice(0, self.shape[2])))

    def part(self, box: Box) -> "Grid":
        """Some of the slices, rows and columns."""
        affine = self.affine.copy()
        affine[:3, 3] += affine[:3, :3] @ [part.start for part in box[::-1]]
        slices, rows, columns = (part.stop - part.start for part in box)
        return Grid(self.plane, affine, (slices, rows, columns))


def thick_axis(spacing: np.ndarray, recipe: Recipe) -> int | None:
    """The axis along which slices are thick, if the recipe calls the stack thick; else None."""
    axis = int(np.argmax(spacing))
    in_plane = np.delete(spacing, axis).max()
    return axis if spacing[axis] >= recipe.thick_mm and spacing[axis] >= 2 * in_plane else None


def plan_grid(volume: Volume, mask: np.ndarray, recipe: Recipe) -> Grid:
    """The grid that holds the brain of a volume in RAS order: brain-centred, on the recipe's canvas.

    A volume without thick slices is resampled along the world axes. A thick stack that is to be kept keeps
    its own axes and, across slices, its own positions; only the plane is resampled. Pixel centres are put on
    voxel centres of the source where the spacings allow it, so that nothing is interpolated without need.

    Args:
        volume: voxel axes nearest to right, anterior, superior (see `orient.to_ras`).
        mask: bool [x, y, z], not empty.
        recipe: spacing, canvas, and what happens to thick stacks.
    """
    across = thick_axis(volume.spacing, recipe) if recipe.thick == "keep" else None
    plane = "axial" if across is None else PLANE_ACROSS[across]
    basis = np.eye(3) if across is None else volume.directions
    extent = _brain_extent(volume, mask, basis)
    canvas = (recipe.canvas_lr, recipe.canvas_ap, recipe.canvas_si)
    affine, counts = np.eye(4), [0, 0, 0]
    for position, (axis, sense) in enumerate(PLANES[plane]):
        low, high = extent[axis]
        origin = float(volume.affine[:3, 3] @ basis[:, axis])
        spacing = recipe.spacing_mm
        if position < 2:
            count = canvas[axis]
            start = _snap((low + high) / 2 - (count - 1) / 2 * spacing, origin, spacing)
        elif axis == across:
            spacing = float(volume.spacing[axis])
            start = _snap(low + spacing / 2, origin, spacing)
            count = round((high - low) / spacing)
        elif recipe.n_slices is not None:
            count, spacing = recipe.n_slices, (high - low) / recipe.n_slices
            start = low + spacing / 2
        else:
            start = _snap(low, origin, spacing)
            count = int(np.ceil((high - start) / spacing)) + 1
        first = start if sense > 0 else start + (count - 1) * spacing
        affine[:3, position] = basis[:, axis] * sense * spacing
        affine[:3, 3] += basis[:, axis] * first
        counts[position] = count
    return Grid(plane, affine, (counts[2], counts[1], counts[0]))


def pixels_around(volume: Volume, mask: np.ndarray, grid: Grid) -> Box:
    """The slices, rows and columns of a grid outside of which interpolation finds nothing of a mask."""
    corners = np.array(np.meshgrid(*((part.start - 1, part.stop) for part in bounding_box(mask)))).reshape(3, 8)
    to_pixel = np.linalg.inv(grid.affine) @ volume.affine
    pixels = (to_pixel[:3, :3] @ corners + to_pixel[:3, 3:])[::-1]
    low = np.clip(np.floor(pixels.min(axis=1)) - 1, 0, np.array(grid.shape) - 1).astype(int)
    high = np.clip(np.ceil(pixels.max(axis=1)) + 2, low + 1, grid.shape).astype(int)
    slices, rows, columns = (slice(int(first), int(end)) for first, end in zip(low, high, strict=True))
    return slices, rows, columns


def outside_canvas(volume: Volume, mask: np.ndarray, grid: Grid) -> int:
    """How many voxels of the mask lie outside the in-plane canvas of a grid."""
    to_pixel = np.linalg.inv(grid.affine) @ volume.affine
    points = _ends(mask)
    height, width = grid.shape[1:]
    if _inside(points, to_pixel, height, width).all():
        return 0
    return int((~_inside(np.argwhere(mask), to_pixel, height, width)).sum())


def _inside(points: np.ndarray, to_pixel: np.ndarray, height: int, width: int) -> np.ndarray:
    columns, rows = (points @ to_pixel[axis, :3] + to_pixel[axis, 3] for axis in (0, 1))
    inside: np.ndarray = (columns > -1) & (columns < width) & (rows > -1) & (rows < height)
    return inside


def _brain_extent(volume: Volume, mask: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Lowest and highest coordinate of the mask along each basis vector, voxel edges included, mm [3, 2]."""
    points = _ends(mask)
    world = points @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    along = world @ basis
    half = np.abs(volume.affine[:3, :3].T @ basis).sum(axis=0) / 2
    return np.stack([along.min(axis=0) - half, along.max(axis=0) + half], axis=1)


def _ends(mask: np.ndarray) -> np.ndarray:
    """The first and last voxel of each run along z, int [n, 3]: no extent is lost, and few points are left."""
    box = bounding_box(mask)
    inner = mask[box]
    ends = inner.copy(order="K")
    ends[:, :, 1:-1] &= ~(inner[:, :, :-2] & inner[:, :, 2:])
    # The transpose of a mask as files keep it is contiguous, and is searched several times as fast.
    points: np.ndarray = np.argwhere(ends.T)[:, ::-1] + [part.start for part in box]
    return points


def _snap(position: float, origin: float, spacing: float) -> float:
    return float(origin + np.round((position - origin) / spacing) * spacing)
