"""What a preprocessed scan must be to be accepted: every limit in one place, each with its reason code."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from braindino.errors import Reason, ScanRefused


@dataclass(frozen=True)
class QualityLimits:
    """The limits of acceptance. Signal to noise, contrast to noise and the rest have none: they are figures only.

    Where nobody knows the age, a brain may be as small as a newborn's; the largest adult masks, with their outer CSF,
    stay under 2200 ml. Where the age is known, half and twice the mean brain of that age are the limits.
    """

    smallest_brain_ml: float = 450.0
    largest_brain_ml: float = 2200.0
    mean_brain_by_age: tuple[tuple[float, float], ...] = (
        (0.0, 350.0), (1.0, 900.0), (2.0, 1050.0), (3.0, 1150.0), (6.0, 1250.0), (12.0, 1350.0), (20.0, 1400.0),
        (60.0, 1300.0), (86.0, 1200.0),
    )  # fmt: skip
    """Years and ml, both sexes together: weights as of Dekaban and Sadowsky 1978 (doi: 10.1002/ana.410040410), rounded,
    a gram taken for a millilitre. Only halves and doubles of them count."""
    smallest_template_overlap: float = 0.80
    """Share of the template's brain inside the mask once both lie on each other (see `shape`); whole brains had 0.90 at
    least, halves and brains without their upper third 0.80 at most."""
    largest_clip_high: float = 0.10
    """Share of the brain at the largest value of the image; real scans had 0.0001 at most."""
    largest_cropped_share: float = 0.002
    """Share of the brain that may fall outside the canvas: a rim of the mask, and not a part of the brain."""
    largest_border_fraction: float = 0.25
    """Share of the mask's surface on the border of the field of view; more is a brain cut off by it."""
    fewest_slices: int = 12
    smallest_extent_mm: float = 70.0
    """Extent of the brain across the stored slices; less is a slab and not a brain."""

    def brain_ml(self, age_years: float | None) -> tuple[float, float]:
        """The smallest and the largest volume of a brain, ml; at a known age those of that age."""
        if age_years is None:
            return self.smallest_brain_ml, self.largest_brain_ml
        ages, volumes = zip(*self.mean_brain_by_age, strict=True)
        mean = float(np.interp(age_years, ages, volumes))
        return mean / 2, min(2 * mean, self.largest_brain_ml)


LIMITS = QualityLimits()

# What a person may overrule: there is a brain mask to look at, and the limit it breaks is a matter of judgement.
OVERRULABLE = frozenset(
    {
        Reason.BRAIN_TOO_SMALL, Reason.BRAIN_TOO_LARGE, Reason.BRAIN_CROPPED, Reason.TOO_FEW_SLICES, Reason.SATURATED,
        Reason.MASK_UNCERTAIN, Reason.SEGMENTATION_MISMATCH,
    }
)  # fmt: skip


class Gate:
    """Lets those refusals pass that a person overruled, and keeps what they said."""

    def __init__(self, overruled: frozenset[Reason] = frozenset()) -> None:
        self._overruled = overruled
        self.passed: list[ScanRefused] = []

    def check(self, check: Callable[..., None], *measured: Any) -> None:
        """Calls one of the checks below; what it raises, unless overruled, is raised."""
        try:
            check(*measured)
        except ScanRefused as refusal:
            self.let_pass(refusal)

    def let_pass(self, refusal: ScanRefused) -> None:
        """Notes an overruled refusal, and raises any other."""
        if refusal.reason not in self._overruled:
            raise refusal
        self.passed.append(refusal)


def check_brain_volume(
    brain_ml: float, name: str, age_years: float | None = None, limits: QualityLimits = LIMITS
) -> None:
    """Refuses a mask that is too small or too large for a whole brain, at the person's age where that is known.

    Raises:
        ScanRefused: `brain_too_small` or `brain_too_large`.
    """
    least, most = limits.brain_ml(age_years)
    text = f"The brain mask of {name} holds {brain_ml:.0f} ml"
    whose = "" if age_years is None else f" at {age_years:.0f} years"
    if brain_ml < least:
        text = f"{text}; a whole brain{whose} has {least:.0f}. Check the mask and the voxel size."
        raise ScanRefused(Reason.BRAIN_TOO_SMALL, text)
    if brain_ml > most:
        text = f"{text}; no brain{whose} exceeds {most:.0f}. Check the mask and the voxel size."
        raise ScanRefused(Reason.BRAIN_TOO_LARGE, text)


def check_shape(template_overlap: float, name: str, limits: QualityLimits = LIMITS) -> None:
    """Refuses a mask that has no brain's shape: half a brain, a brain with its neck, a tissue.

    Raises:
        ScanRefused: `mask_uncertain`.
    """
    if template_overlap < limits.smallest_template_overlap:
        text = f"The brain mask of {name} covers {template_overlap:.0%} of a brain of its size and place"
        least = f"a whole brain covers {limits.smallest_template_overlap:.0%}"
        raise ScanRefused(Reason.MASK_UNCERTAIN, f"{text}, and {least}. Check the mask and the field of view.")


def check_saturation(clip_high: float, name: str, limits: QualityLimits = LIMITS) -> None:
    """Refuses an image whose bright tissue was cut off at its source.

    Raises:
        ScanRefused: `saturated`.
    """
    if clip_high > limits.largest_clip_high:
        text = f"{clip_high:.0%} of the brain's voxels in {name} have the image's largest value"
        raise ScanRefused(Reason.SATURATED, f"{text}: it was saturated. Export it again with its full range.")


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
    ends = [np.flatnonzero(mask.any(axis=axes))[[0, -1]] for axes in ((1, 2), (0, 2), (0, 1))]
    box = np.pad(mask[tuple(slice(int(first), int(last) + 1) for first, last in ends)], 1)
    inner = box[1:-1, 1:-1, 1:-1].copy()
    for axis, size in enumerate(inner.shape):
        for start in (0, 2):  # the neighbours before and behind
            inner &= box[tuple(slice(start, start + size) if a == axis else slice(1, -1) for a in range(3))]
    total = np.count_nonzero(box)
    surface = total - np.count_nonzero(inner)
    on_border = total - np.count_nonzero(mask[1:-1, 1:-1, 1:-1])
    return on_border / surface if surface else 0.0
