"""Where the brain ends near an outline that is nearly right, from what the scan itself shows inside and outside of it.

A fit of the whole template can come out a few millimetres too small or too large: it weighs all tissues, and the
border is a small part of it. Here the border alone is looked for. How bright the brain is is learned well inside of
the outline and how bright the rest is well outside, so that an outline some millimetres off still teaches both; then
every piece of the surface moves along its normal to where inside and outside are told apart best.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

LEVELS = 32
_SHELL_WEIGHT = 0.9  # of the tissue near the border, mostly cortex, beside that of the core, mostly white matter
_SAFE_MM = 1.0  # nearer to the outline nothing is learned from inside
_FAR_MM = 9.0  # thickness of what is learned from outside
_NEAR_MM = 14.0
_LIKE_MM = 5.0  # so near the outline a piece of it counts for the pieces beside it
_PRIOR = 0.003  # what a move costs, per square millimetre
_SOFT_MM = 2.0
_FLOOR, _STRONGEST = 0.004, 2.0  # of a likelihood; of the log of a ratio of two


@dataclass(frozen=True)
class _Round:
    """Lengths in mm: how far from the outline is learned, how far it may move, and the width that is added up."""

    inside: float
    outside: float
    reach: float
    width: float


_ROUNDS = (_Round(6.0, 6.0, 8.0, 10.0), _Round(4.0, 5.0, 5.0, 7.0))


def find_border(
    outside: np.ndarray, image: np.ndarray, seen: np.ndarray, low: np.ndarray, spacing: float, *, inwards_only: bool
) -> np.ndarray:
    """A signed distance whose zero lies on the border of the brain.

    Args:
        outside: mm outside an outline that is a few millimetres off at most, negative inside, float32 [x, y, z].
        image: brightness on that grid, of which a coil's field was taken out.
        seen: which of it lies in the field of view, bool.
        low: which of it lies at the height of neck and face, bool: that learns its own brightness.
        spacing: mm between two points of the grid.
        inwards_only: the outline is known to be too wide rather than too tight, as where fluid is dark: it then
            cannot be told from bone, and bright dura or scalp beyond it would draw the border outwards.
    """
    for one in _ROUNDS:
        evidence = _evidence(outside, image, seen, low, one)
        outside = outside - _moves(outside, evidence, seen, spacing, one, 0.0 if inwards_only else one.reach)
    return outside


def _evidence(outside: np.ndarray, image: np.ndarray, seen: np.ndarray, low: np.ndarray, one: _Round) -> np.ndarray:
    """How much likelier each brightness is inside the brain than outside, log, where it is near enough to matter."""
    borders = np.quantile(image[(outside < _NEAR_MM) & seen], np.linspace(0, 1, LEVELS + 1)[1:-1])
    levels = np.searchsorted(borders, image)

    def shares(part: np.ndarray) -> np.ndarray:
        counts = np.bincount(levels[part & seen], minlength=LEVELS).astype(np.float64)
        smooth: np.ndarray = ndimage.gaussian_filter1d(counts, 1.0, mode="nearest")
        return smooth / max(float(smooth.sum()), 1)

    core, shell = outside < -one.inside, (outside >= -one.inside) & (outside < -_SAFE_MM)
    inside = (1 - _SHELL_WEIGHT) * shares(core) + _SHELL_WEIGHT * shares(shell)
    away = (outside > one.outside) & (outside < one.outside + _FAR_MM)
    told = [np.log((inside + _FLOOR) / (shares(away & part) + _FLOOR)) for part in (~low, low)]
    evidence = np.where(low, told[1][levels], told[0][levels])
    band = (np.abs(outside) < one.reach + _SOFT_MM) & seen
    return np.where(band, np.clip(evidence, -_STRONGEST, _STRONGEST), 0).astype(np.float32)


def _moves(
    outside: np.ndarray, evidence: np.ndarray, seen: np.ndarray, spacing: float, one: _Round, farthest: float
) -> np.ndarray:
    """How many mm outwards each piece of the surface moves: to where the evidence on both sides of it is strongest."""
    width = one.width / spacing
    band = (np.abs(outside) < one.reach + _SOFT_MM) & seen
    amount = ndimage.gaussian_filter(band.astype(np.float32), width) + 1e-3
    best = np.full(outside.shape, -np.inf, np.float32)
    move = np.zeros(outside.shape, np.float32)
    for step in np.arange(-one.reach, farthest + 0.5):
        side = np.clip((step - outside) / _SOFT_MM, -1, 1)
        told = ndimage.gaussian_filter(evidence * side, width) / amount - _PRIOR * step**2
        move[told > best] = step
        np.maximum(best, told, out=best)
    near = (np.abs(outside) < _LIKE_MM).astype(np.float32)
    smooth = _LIKE_MM / spacing
    moves: np.ndarray = ndimage.gaussian_filter(move * near, smooth) / (ndimage.gaussian_filter(near, smooth) + 1e-3)
    return moves
