"""The figures of a scan beside their limits, for people to look at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from braindino.errors import Reason
from braindino.imaging.quality import LIMITS, QualityLimits


@dataclass(frozen=True)
class Finding:
    """One figure beside its limits; a figure without a reason refuses nothing."""

    figure: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    reason: Reason | None = None

    @property
    def passed(self) -> bool:
        """Whether the value keeps its limits."""
        return (self.low is None or self.value >= self.low) and (self.high is None or self.value <= self.high)


def findings(
    measured: Mapping[str, Any], age_years: float | None = None, limits: QualityLimits = LIMITS
) -> tuple[Finding, ...]:
    """The figures of a scan that are known, in the order they are looked at.

    Args:
        measured: by column of the table `scans`, such as a row of it.
        age_years: the person's age, if known.
        limits: the limits.
    """
    known = {name: value for name, value in measured.items() if value is not None}
    brain = known.get("brain_ml")
    if brain:
        known["cropped_share"] = known.get("cropped_ml", 0.0) / brain
    if {"n_slices", "through_plane_mm"} <= known.keys():
        known["extent_mm"] = known["n_slices"] * known["through_plane_mm"]
    least, most = limits.brain_ml(age_years)
    size = Reason.BRAIN_TOO_LARGE if brain and brain > most else Reason.BRAIN_TOO_SMALL
    rows = (
        ("brain_ml", "brain volume", "ml", least, most, size),
        ("template_overlap", "overlap with the template", "", limits.smallest_template_overlap, None,
         Reason.MASK_UNCERTAIN),
        ("cropped_share", "brain outside the canvas", "share", None, limits.largest_cropped_share,
         Reason.BRAIN_CROPPED),
        ("border_fraction", "surface on the border", "share", None, limits.largest_border_fraction,
         Reason.BRAIN_CROPPED),
        ("n_slices", "slices", "", limits.fewest_slices, None, Reason.TOO_FEW_SLICES),
        ("extent_mm", "extent across slices", "mm", limits.smallest_extent_mm, None, Reason.TOO_FEW_SLICES),
        ("clip_high", "saturated", "share", None, limits.largest_clip_high, Reason.SATURATED),
        ("clip_low", "at the lowest value", "share", None, None, None),
        ("snr", "signal to noise", "", None, None, None),
        ("cnr", "contrast to noise", "", None, None, None),
        ("mask_components", "parts of the mask", "", None, None, None),
        ("mask_score", "trust in the mask", "", None, None, None),
    )  # fmt: skip
    return tuple(
        Finding(says, float(known[name]), unit, low, high, reason)
        for name, says, unit, low, high, reason in rows
        if name in known
    )
