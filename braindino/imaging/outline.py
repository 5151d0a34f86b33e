"""From a template that lies on a brain to the outline of that brain, as the contrast of the scan asks for.

Where the brain ends is looked for near the fitted surface (see `border`). Where fluid is dark, that is the cortex;
where it is bright, the skull, and the cortex only once the fluid is darkened. The outline leaves room for the fluid
over the cortex, as masks of brains do by convention, and is kept out of the bone (see `skull`).
"""

from dataclasses import dataclass

import numpy as np

from braindino.imaging.border import find_border
from braindino.imaging.skull import reach_into_bone
from braindino.imaging.template import BANDS, BASE_MM

MARGIN_MM = 2.0  # of the scan: fluid over the cortex, where the fitted surface alone is asked
# Fluid over tissue: below the first it is dark, and the brain ends at the cortex; above the second it is bright, and
# the brain may seem to end at the skull. Between the two it looks like tissue.
_DARK_FLUID, _BRIGHT_FLUID = 0.95, 1.08
_GREY_BELOW = 4  # of the classes: on T2w the brightest tissue
# From the border that shows to the outline: from the cortex outwards, or from the skull.
_MARGIN_CORTEX_MM, _MARGIN_SKULL_MM = 3.0, 0.7
_INSIDE_FLUID_MM, _THICKEST_FLUID_MM = 3.0, 5.0
# Over tissue; with gadolinium dura lights up, and the cortex seems to reach farther out.
_DARK_DURA, _LIT_DURA, _LESS_OVER_LIT_DURA_MM = 0.50, 0.60, 1.5
_BORDER_WEIGHT = 0.7  # beside the bent outline


@dataclass(frozen=True)
class Shown:
    """What a scan shows on the template's grid of `spacing` mm, all [x, y, z].

    `image` is its brightness, of which a coil's field was taken out, `classes` the template's at each point, `seen`
    which points lie in the field of view, `heights` where they lie in the template, mm.
    """

    image: np.ndarray
    classes: np.ndarray
    seen: np.ndarray
    heights: np.ndarray
    spacing: float


def find_outline(outside: np.ndarray, shown: Shown, scale: float) -> np.ndarray:
    """A field whose zero is the outline of the brain, negative inside, in mm of the template.

    Args:
        outside: mm outside the fitted surface, negative inside.
        shown: the scan.
        scale: how large the brain is over the template; margins are mm of the scan.
    """
    bordered = _bordered(outside, shown, scale)
    outline = _BORDER_WEIGHT * bordered + (1 - _BORDER_WEIGHT) * (outside - MARGIN_MM / scale)
    vault = shown.seen & (shown.heights > BASE_MM)
    reach = reach_into_bone(outline * scale, shown.image, vault)
    moved: np.ndarray = outline + reach / scale
    return moved


def _bordered(outside: np.ndarray, shown: Shown, scale: float) -> np.ndarray:
    """The outline moved to the border that the scan shows, with the margin that its contrast asks for."""
    even, classes, seen, neck = shown.image, shown.classes, shown.seen, shown.heights < BASE_MM
    fluid, tissue = seen & (classes == 0), seen & (classes > 2) & (classes < BANDS)
    grey = seen & (classes > 0) & (classes < _GREY_BELOW)
    if not fluid.any() or not tissue.any() or not grey.any():
        return outside
    level, shade = float(np.median(even[tissue])), float(np.median(even[fluid]))
    if shade < _DARK_FLUID * level:
        cortex = find_border(outside, even, seen, neck, shown.spacing, inwards_only=True)
        return cortex - _margin_over_cortex(cortex * scale, even / level, seen & ~neck, shown.spacing) / scale
    skull = find_border(outside, even, seen, neck, shown.spacing, inwards_only=False) - _MARGIN_SKULL_MM / scale
    if shade < _BRIGHT_FLUID * level:
        return skull
    folded = _fluid_darkened(even, even[grey], even[fluid])
    # The outline lies in the fluid often; what the brain looks like is learned well inside of it.
    inner = outside + _INSIDE_FLUID_MM / scale
    cortex = find_border(inner, folded, seen, neck, shown.spacing, inwards_only=True) - _MARGIN_CORTEX_MM / scale
    # Between the two is fluid. Where they are far apart it is not: oedema and lesions are as bright.
    layer, thickest = np.maximum(cortex - skull, 0), _THICKEST_FLUID_MM / scale
    return skull + np.where(layer < thickest, layer, np.maximum(0, 2 * thickest - layer))


def _margin_over_cortex(outside: np.ndarray, image: np.ndarray, vault: np.ndarray, spacing: float) -> float:
    """Millimetres from the cortex to the outline: fewer where no dark fluid is found there but dura that lights up."""
    there = vault & (np.abs(outside - _MARGIN_CORTEX_MM) < spacing / 2)
    shown = float(np.median(image[there])) if there.any() else 0.0
    lit = (shown - _DARK_DURA) / (_LIT_DURA - _DARK_DURA)
    return _MARGIN_CORTEX_MM - _LESS_OVER_LIT_DURA_MM * float(np.clip(lit, 0, 1))


def _fluid_darkened(image: np.ndarray, grey: np.ndarray, fluid: np.ndarray) -> np.ndarray:
    """An image whose brightness falls again beyond that of grey matter, to nothing at that of fluid."""
    top, most = float(np.median(grey)), float(np.quantile(fluid, 0.95))
    beyond = np.maximum(0, top - (image - top) * top / max(most - top, 1e-6))
    folded: np.ndarray = np.where(image <= top, image, beyond)
    return folded
