"""One scan for a person to judge: what can be shown of it, whatever is wrong with it, and what is wrong."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from braindino.errors import Reason, ScanRefused
from braindino.imaging.figures import brain_figures
from braindino.imaging.glimpse import glimpse
from braindino.imaging.mask import BrainMask
from braindino.imaging.orient import to_ras
from braindino.imaging.preprocess import preprocess
from braindino.imaging.quality import OVERRULABLE
from braindino.imaging.read import read_volume
from braindino.imaging.recipe import Recipe
from braindino.imaging.result import Preprocessed
from braindino.imaging.volume import Volume


@dataclass(frozen=True)
class Examination:
    """What was found of a scan.

    `volume` is the image in RAS order, None if nothing of it can be read. `mask` and `segmentation` (bool and uint8)
    lie on its grid; a mask may be there although it is what the scan is refused for. `result` is there unless nothing
    can be stored of it. `refusal` is why the recipe refuses it, None if it does not. `measured` are figures by column
    of the table `scans`.
    """

    volume: Volume | None
    mask: np.ndarray | None
    segmentation: np.ndarray | None
    result: Preprocessed | None
    refusal: ScanRefused | None
    measured: dict[str, Any]


def examine(
    image: Path,
    recipe: Recipe,
    *,
    brain_mask: Path | None = None,
    segmentation: Path | None = None,
    skull_stripped: bool | None = None,
    orientation: str | None = None,
    age_years: float | None = None,
) -> Examination:
    """Looks at a scan as `preprocess` would, and goes on where that stops; arguments as there. Refusals are kept."""
    try:
        result = preprocess(
            image, recipe, brain_mask=brain_mask, segmentation=segmentation, skull_stripped=skull_stripped,
            orientation=orientation, age_years=age_years, overruled=OVERRULABLE,
        )  # fmt: skip
    except ScanRefused as refusal:
        return _without_result(image, recipe, orientation, refusal)
    volume = to_ras(read_volume(image, recipe.four_d, orientation=orientation))
    measured = {**asdict(result.facts), "n_slices": len(result.image), "plane": result.plane}
    mask, labels = stored_on_grid(volume, result.affine, result.brain, result.segmentation)
    return Examination(volume, mask, labels, result, _first_refusal(result), measured)


def _without_result(image: Path, recipe: Recipe, orientation: str | None, refusal: ScanRefused) -> Examination:
    """What is left to look at: the image as far as it goes, and the mask it was refused with, if any."""
    if isinstance(refusal.attempt, BrainMask):
        volume = to_ras(read_volume(image, recipe.four_d, orientation=orientation))
        mask, method = refusal.attempt.voxels, refusal.attempt.method
        measured = {**brain_figures(volume, mask), "mask_method": method, "mask_components": refusal.attempt.components}
        return Examination(volume, mask, None, None, refusal, measured)
    seen = glimpse(image, orientation)
    return Examination(None if seen is None else to_ras(seen), None, None, None, refusal, {})


def _first_refusal(result: Preprocessed) -> ScanRefused | None:
    """The first limit that was broken, had nobody looked away."""
    if not result.facts.overruled:
        return None
    reason, _, text = result.facts.overruled[0].partition(": ")
    return ScanRefused(Reason(reason), text)


def stored_on_grid(
    volume: Volume, affine: np.ndarray, brain: np.ndarray, segmentation: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Stored mask and segmentation, [S, H, W], carried back to the grid of the image they were made from.

    Args:
        volume: the image.
        affine: (column, row, slice) of the stored arrays to RAS mm.
        brain: the mask, 0 or 1.
        segmentation: labels, if there are any.

    Returns:
        The mask, bool [x, y, z], and the labels, uint8, on the volume's grid.
    """
    to_stored = np.linalg.inv(affine) @ volume.affine

    def carried(stored: np.ndarray, order: int) -> np.ndarray:
        voxels: np.ndarray = ndimage.affine_transform(
            stored.T, to_stored[:3, :3], to_stored[:3, 3], volume.data.shape, order=order
        )
        return voxels

    mask = carried(brain.astype(np.float32), 1) >= 0.5
    return mask, None if segmentation is None else carried(segmentation, 0)
