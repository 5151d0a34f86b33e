"""The brain mask of a head with its skull: the ICBM152 template is fitted to it, bent to it, and believed or not."""

from dataclasses import dataclass

import numpy as np

from braindino.errors import Reason, ScanRefused
from braindino.imaging.affine_fit import fit_affine, linear_part
from braindino.imaging.head import Head, evened, prepare
from braindino.imaging.refine import GRID_ML, onto_scan, refine
from braindino.imaging.skull import sized_by_skull
from braindino.imaging.volume import Volume


@dataclass(frozen=True)
class AtlasLimits:
    """When a fit is believed.

    Set on the real heads and the first synthetic ones of every brain in the mask benchmark, and on images that are no
    heads, judged by eye. No one figure tells a right fit from a wrong one: FLAIR shows little detail, a tumour or an
    unusual contrast a poor score, and balls and bottles score like heads. Their sum nearly does: right fits had 0.23
    at least; balls, bottles, boxes, noise and phase images 0.15 at most. What is built like a head, a smooth ellipsoid
    in a shell of skull and scalp, comes up to 0.23: a phantom of that kind can pass.
    """

    lowest_evidence: float = 0.225
    """Of score + detail + 4 x (agreement - 0.95)."""
    lowest_score: float = 0.05
    lowest_agreement: float = 0.955
    smallest_scale: float = 0.55
    largest_scale: float = 1.15
    largest_turn_degrees: float = 45.0
    smallest_visible_share: float = 0.97
    """Share of the fitted brain that must lie inside the field of view."""


@dataclass(frozen=True)
class Fit:
    """What a fit says for itself.

    `affine_score` and `score` are uncertainty coefficients, of the affine fit and once bent, 0 to 1; `detail` and
    `agreement` as in `Refined`; `scales` and `turn_degrees` belong to the affine map; `visible` is the share of the
    fitted brain inside the field of view.
    """

    affine_score: float
    score: float
    detail: float
    agreement: float
    moved_mm: float
    scales: np.ndarray
    turn_degrees: float
    visible: float

    @property
    def evidence(self) -> float:
        """What speaks for a brain in this place, in one number (see `AtlasLimits`)."""
        return self.affine_score + self.detail + _AGREEMENT_WEIGHT * (self.agreement - _NO_AGREEMENT)


@dataclass(frozen=True)
class AtlasMask:
    """A fitted brain mask on the volume's grid, bool [x, y, z], and the score of its fit, 0 to 1."""

    voxels: np.ndarray
    score: float


_NO_AGREEMENT, _AGREEMENT_WEIGHT = 0.95, 4.0
_POOR, _HOPELESS = 0.13, 0.03  # affine scores between which the image is evened out and fitted once more


def brain_mask(volume: Volume, limits: AtlasLimits | None = None) -> AtlasMask:
    """Fits the template to a head and returns the brain it outlines.

    Args:
        volume: a head in RAS order (see `orient.to_ras`), of any contrast.
        limits: when to believe the fit.

    Raises:
        ScanRefused: `mask_uncertain`: the fit is poor or implausible; `brain_cropped`: it leaves the field of view.
    """
    voxels, found = fit_brain(volume)
    _check(volume.name, voxels, found, limits or AtlasLimits())
    return AtlasMask(voxels, found.affine_score)


def fit_brain(volume: Volume) -> tuple[np.ndarray, Fit]:
    """The best fit there is, believed or not: its mask on the volume's grid and what speaks for it."""
    head, affine_score, parameters = place(volume)
    bent = refine(head, parameters)
    voxels = onto_scan(volume, parameters, bent.outside)
    whole_ml = float((bent.outside <= 0).sum()) * GRID_ML * float(np.linalg.det(linear_part(parameters)))
    return voxels, Fit(
        affine_score, bent.score, bent.detail, bent.agreement, bent.moved_mm, np.exp(parameters[6:9]),
        float(np.degrees(np.abs(parameters[3:6])).max()), float(voxels.sum()) * volume.voxel_ml / max(whole_ml, 1e-9),
    )  # fmt: skip


def place(volume: Volume) -> tuple[Head, float, np.ndarray]:
    """The prepared head, its affine score and parameters (see `affine_fit`), the brain sized by its skull.

    A poor fit is tried once more on an evened image.
    """
    head = prepare(volume)
    score, parameters = fit_affine(head)
    if _HOPELESS < score < _POOR:
        even = evened(head)
        again, other = fit_affine(even)
        if again > score:
            head, score, parameters = even, again, other
    return head, score, sized_by_skull(head, parameters)


def _check(name: str, voxels: np.ndarray, found: Fit, limits: AtlasLimits) -> None:
    doubts = []
    if found.affine_score < limits.lowest_score:
        doubts.append(f"the fit scores {found.affine_score:.2f}, below {limits.lowest_score:.2f}")
    elif found.evidence < limits.lowest_evidence:
        doubts.append(
            f"score {found.affine_score:.2f}, details {found.detail:.2f} and agreement {found.agreement:.3f} "
            f"together make {found.evidence:.2f}, below {limits.lowest_evidence:.3f}"
        )
    if found.agreement < limits.lowest_agreement:
        doubts.append(f"only {found.agreement:.0%} of the fitted brain is left once it is bent to the image")
    if found.scales.min() < limits.smallest_scale or found.scales.max() > limits.largest_scale:
        doubts.append(f"the brain would be {found.scales.min():.2f} to {found.scales.max():.2f} times the template")
    if found.turn_degrees > limits.largest_turn_degrees:
        doubts.append(f"the head would be turned by {found.turn_degrees:.0f} degrees")
    attempt = AtlasMask(voxels, found.affine_score) if voxels.any() else None
    if doubts:
        text = f"No trustworthy brain mask was found for {name}: {', and '.join(doubts)}."
        advice = "Provide a brain mask, or a skull-stripped image."
        raise ScanRefused(Reason.MASK_UNCERTAIN, f"{text} {advice}", attempt)
    if found.visible < limits.smallest_visible_share:
        text = f"Only {found.visible:.0%} of the brain that was fitted to {name} lies in its field of view"
        raise ScanRefused(Reason.BRAIN_CROPPED, f"{text}: it shows a part of the brain. Leave it out.", attempt)
