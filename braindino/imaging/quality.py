"""What a preprocessed scan must be to be accepted: every limit in one place, each with its reason code."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from braindino.errors import Reason, ScanRefused


@dataclass(frozen=True)
class QualityLimits:
    """The limits of acceptance.

    Brain masks of newborns begin at about 450 ml; the largest adult masks, with their outer CSF, stay under
    2200 ml.
    """

    smallest_brain_ml: float = 450.0
    largest_brain_ml: float = 2200.0
    largest_cropped_share: float = 0.002
    """Share of the brain that may fall outside the canvas: a rim of the mask, and not a part of the brain."""
    largest_border_fraction: float = 0.25
    """Share of the mask's surface on the border of the field of view; more is a brain cut off by it."""
    fewest_slices: int = 12
    smallest_extent_mm: float = 70.0
    """Extent of the brain across the stored slices; less is a slab and not a brain."""


LIMITS = QualityLimits()


def check_brain_volume(brain_ml: float, name: str, limits: QualityLimits = LIMITS) -> None:
    """Refuses a mask that is too small or too large for a whole brain.

    Raises:
        ScanRefused: `brain_too_small` or `brain_too_large`.
    """
    if brain_ml < limits.smallest_brain_ml:
        least = limits.smallest_brain_ml
        text = f"The brain mask of {name} holds {brain_ml:.0f} ml; a whole brain has {least:.0f}."
        raise ScanRefused(Reason.BRAIN_TOO_SMALL, f"{text} Check the mask and the voxel size.")
    if brain_ml > limits.largest_brain_ml:
        most = limits.largest_brain_ml
        text = f"The brain mask of {name} holds {brain_ml:.0f} ml; no brain exceeds {most:.0f}."
        raise ScanRefused(Reason.BRAIN_TOO_LARGE, f"{text} Check the mask and the voxel size.")


def check_canvas(cropped_ml: float, brain_ml: float, name: str, limits: QualityLimits = LIMITS) -> None:
    """Refuses a brain that does not fit on the canvas.

    Raises:
        ScanRefused: `brain_cropped`.
    """
    if cropped_ml > limits.largest_cropped_share * brain_ml:
        text = f"{cropped_ml:.1f} ml of the brain of {name} lie outside the canvas; use a larger one."
        raise ScanRefused(Reason.BRAIN_CROPPED, text)


def check_border(fraction: float, name: str, limits: QualityLimits = LIMITS) -> None:
    """Refuses a brain that the field of view cuts off.

    Raises:
        ScanRefused: `brain_cropped`.
    """
    if fraction > limits.largest_border_fraction:
        text = f"{fraction:.0%} of the brain's surface in {name} lie on the border of the field of view"
        raise ScanRefused(Reason.BRAIN_CROPPED, f"{text}: it shows a part of the brain. Leave it out.")


def check_slices(n_slices: int, through_plane_mm: float, name: str, limits: QualityLimits = LIMITS) -> None:
    """Refuses a slab.

    Raises:
        ScanRefused: `too_few_slices`.
    """
    extent = n_slices * through_plane_mm
    if n_slices < limits.fewest_slices or extent < limits.smallest_extent_mm:
        text = f"{name} shows brain on {n_slices} slices over {extent:.0f} mm: a part of a brain at most."
        raise ScanRefused(Reason.TOO_FEW_SLICES, text)


def count_components(mask: np.ndarray) -> int:
    """Connected parts of a mask (26-neighbourhood)."""
    return int(ndimage.label(mask, np.ones((3, 3, 3)))[1])


def border_fraction(mask: np.ndarray) -> float:
    """Share of the mask's surface voxels on the border of the field of view, where the brain is cut off."""
    inner = np.zeros_like(mask)
    inner[1:-1, 1:-1, 1:-1] = mask[1:-1, 1:-1, 1:-1]
    for axis in range(3):
        inner[1:-1, 1:-1, 1:-1] &= np.roll(mask, 1, axis)[1:-1, 1:-1, 1:-1] & np.roll(mask, -1, axis)[1:-1, 1:-1, 1:-1]
    surface = int(mask.sum()) - int(inner.sum())
    on_border = int(mask.sum()) - int(mask[1:-1, 1:-1, 1:-1].sum())
    return on_border / surface if surface else 0.0
