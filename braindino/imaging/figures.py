"""The figures of a brain mask and of the intensities inside it, measured together."""

from dataclasses import asdict
from typing import Any

import numpy as np

from braindino.imaging.quality import border_fraction
from braindino.imaging.shape import template_overlap
from braindino.imaging.tissue import tissue_figures
from braindino.imaging.volume import Volume


def brain_figures(volume: Volume, mask: np.ndarray) -> dict[str, Any]:
    """By their names in `Facts`: volume, contact with the border, overlap with the template, saturation, SNR and CNR.

    Args:
        volume: the image as acquired, in RAS order.
        mask: its brain, bool [x, y, z], not empty.
    """
    return {
        "brain_ml": np.count_nonzero(mask) * volume.voxel_ml,
        "border_fraction": border_fraction(mask),
        "template_overlap": template_overlap(volume, mask),
        **asdict(tissue_figures(volume, mask)),
    }
