"""Stored slices seen in another plane: axes exchanged and turned, nothing interpolated and no second copy stored."""

from dataclasses import dataclass

import numpy as np

from braindino.errors import StoreError
from braindino.planes import PLANES

# Voxels whose sides differ by more than this are those of thick slices, which show nothing across.
_LARGEST_RATIO = 1.5


@dataclass(frozen=True)
class Stack:
    """A scan as slices of one plane, each of which holds brain, all on one canvas.

    `image` is uint16 and `brain` uint8 (0 or 1), both [n, H, W], `segmentation` is uint8 or None; `affine` (4 x 4,
    float64) maps (column, row, slice) to RAS mm. Directions are those of `braindino.planes`.
    """

    plane: str
    image: np.ndarray
    brain: np.ndarray
    segmentation: np.ndarray | None
    affine: np.ndarray


def seen_in(stored: Stack, plane: str, canvas_si: int | None = None) -> Stack:
    """A stored stack in another plane; in its own, it is returned as it is.

    The axis of the stored slices has as many voxels as a brain is high, and becomes rows or columns: it is padded
    evenly at both ends to `canvas_si`, so that all scans of a recipe share a shape.

    Args:
        stored: a stack as it was stored.
        plane: "axial", "coronal" or "sagittal".
        canvas_si: length of that axis; by default the number of stored columns, as in all recipes of this project.

    Raises:
        StoreError: there is no such plane, the stored slices are thick, or the brain does not fit on the canvas.
    """
    if plane not in PLANES:
        raise StoreError(f"There is no plane {plane!r}; ask for {', '.join(PLANES)}.")
    if plane == stored.plane:
        return stored
    sizes = np.linalg.norm(stored.affine[:3, :3], axis=0)
    if sizes.max() / sizes.min() > _LARGEST_RATIO:
        shown = " x ".join(f"{size:.3g}" for size in sizes)
        raise StoreError(f"Voxels of {shown} mm can be seen in the {stored.plane} plane only: they are thick slices.")
    parts = {"image": stored.image, "brain": stored.brain}
    if stored.segmentation is not None:
        parts["segmentation"] = stored.segmentation
    length = stored.image.shape[2] if canvas_si is None else canvas_si
    before, after = _padding(len(stored.image), length)
    order, turned = _exchange(stored.plane, plane)
    padded = {name: np.pad(part, ((before, after), (0, 0), (0, 0))) for name, part in parts.items()}
    shape = padded["image"].shape
    flips = tuple(slice(None, None, -1 if turn else 1) for turn in turned)
    seen = {name: part.transpose(order)[flips] for name, part in padded.items()}
    holding = np.flatnonzero(seen["brain"].any(axis=(1, 2)))
    first, last = int(holding[0]), int(holding[-1]) + 1
    to_stored = _index_map(order, turned, shape, before, first)
    cut = {name: np.ascontiguousarray(part[first:last]) for name, part in seen.items()}
    return Stack(plane, cut["image"], cut["brain"], cut.get("segmentation"), stored.affine @ to_stored)


def _padding(count: int, length: int) -> tuple[int, int]:
    if count > length:
        raise StoreError(f"The brain is {count} voxels high and the canvas {length}; ask for a larger canvas_si.")
    return (length - count) // 2, length - count - (length - count) // 2


def _exchange(stored: str, wanted: str) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """For (slice, row, column) as wanted: which stored dimension it is, and whether its index runs the other way."""
    have = PLANES[stored][::-1]
    order, turned = [], []
    for axis, sense in PLANES[wanted][::-1]:
        (source,) = [dimension for dimension, (stored_axis, _) in enumerate(have) if stored_axis == axis]
        order.append(source)
        turned.append(have[source][1] != sense)
    return tuple(order), tuple(turned)


def _index_map(
    order: tuple[int, ...], turned: tuple[bool, ...], shape: tuple[int, ...], before: int, first: int
) -> np.ndarray:
    """From (column, row, slice) as seen to (column, row, slice) as stored, 4 x 4."""
    out = np.zeros((4, 4))
    out[3, 3] = 1
    for seen, (source, turn) in enumerate(zip(order, turned, strict=True)):
        row, column = 2 - source, 2 - seen  # dimensions are (slice, row, column), affines (column, row, slice)
        out[row, column] = -1 if turn else 1
        out[row, 3] = shape[source] - 1 if turn else 0
        if seen == 0:
            out[row, 3] += out[row, column] * first
        if source == 0:
            out[row, 3] -= before
    return out
