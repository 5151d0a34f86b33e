"""What preprocessing gives back. Field names are the columns of the tables `scans` and `slices`."""

from dataclasses import dataclass

import numpy as np

from braindino.intensity import Intensity


@dataclass(frozen=True)
class Facts:
    """What was found out about one scan from its header and voxels.

    "x", "y" and "z" are the world axes right, anterior and superior; spacings are mm, volumes ml.
    """

    content_hash: str
    mask_method: str  # provided, nonzero, atlas, or a program with the SHA-256 of its weights
    mask_score: float | None  # atlas: mutual information with the template as a share, 0 to 1; else None
    brain_ml: float
    cropped_ml: float  # brain outside the canvas
    mask_components: int
    border_fraction: float  # share of the mask's surface that lies on the border of the field of view
    orientation: str  # axis codes of the file, such as RAS or LPI
    oblique_degrees: float  # largest angle between a voxel axis and its nearest world axis
    spacing_x: float
    spacing_y: float
    spacing_z: float
    matrix_x: int
    matrix_y: int
    matrix_z: int
    through_plane_mm: float  # between stored slices
    repairs: tuple[str, ...]  # what was put right in the header or the voxels
    template_overlap: float | None = None  # Dice of mask and template, laid on each other (see `shape`)
    clip_high: float | None = None  # share of the brain at the image's largest value (see `tissue`, also below)
    clip_low: float | None = None  # share of the brain at its smallest value
    snr: float | None = None  # brighter tissue / noise; None where there is too little to tell
    cnr: float | None = None  # difference of two tissues / noise
    bias_ratio: float | None = None  # 99th over 1st percentile of the bias field that was divided out; None: kept
    overruled: tuple[str, ...] = ()  # refusals that a person overruled, each as "reason: sentence"


@dataclass(frozen=True)
class SliceFacts:
    """One stored slice: where it lies along its axis (world mm), and its brain and lesion (mm^2)."""

    position_mm: float
    brain_mm2: float
    lesion_mm2: float | None  # None without a segmentation


@dataclass(frozen=True)
class Preprocessed:
    """One scan as it is stored: brain-extracted slices [S, H, W] of one plane.

    `image` is uint16, 0 outside the brain and at least 1 inside; `brain` is uint8 of 0 and 1; `segmentation`
    is uint8 or None; `affine` (4 x 4, float64) maps (column, row, slice) indices to RAS millimetres. The
    directions of slices, rows and columns are those of `braindino.imaging.orient`.
    """

    image: np.ndarray
    brain: np.ndarray
    segmentation: np.ndarray | None
    affine: np.ndarray
    plane: str
    intensity: Intensity
    facts: Facts
    slices: tuple[SliceFacts, ...]
