"""One scan from file to stored slices: a pure function of voxels, affine and recipe."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from braindino.errors import Reason, ScanRefused
from braindino.imaging.alignment import check_segmentation
from braindino.imaging.bias import correct_bias
from braindino.imaging.components import bounding_box
from braindino.imaging.content import content_hash
from braindino.imaging.figures import brain_figures
from braindino.imaging.grid import Grid, outside_canvas, pixels_around, plan_grid
from braindino.imaging.mask import BrainMask, find_brain
from braindino.imaging.orient import oblique_degrees, orientation_codes, to_ras
from braindino.imaging.quality import (
    Gate,
    check_border,
    check_brain_volume,
    check_canvas,
    check_saturation,
    check_shape,
    check_slices,
)
from braindino.imaging.quantise import measure_intensity, quantise
from braindino.imaging.read import read_volume
from braindino.imaging.recipe import Recipe
from braindino.imaging.resample import resample
from braindino.imaging.result import Facts, Preprocessed, SliceFacts
from braindino.imaging.volume import Volume
from braindino.planes import PLANES


def preprocess(
    image: Path,
    recipe: Recipe,
    *,
    brain_mask: Path | None = None,
    segmentation: Path | None = None,
    skull_stripped: bool | None = None,
    orientation: str | None = None,
    age_years: float | None = None,
    overruled: frozenset[Reason] = frozenset(),
) -> Preprocessed:
    """Reads a scan and turns it into slices.

    Args:
        image: the scan's file.
        recipe: how.
        brain_mask: the mask that came with it, if any: above 0 is brain.
        segmentation: labels that came with it, if any, such as of lesions; whole numbers up to 255.
        skull_stripped: what the source says; None if it does not say.
        orientation: where the stored voxel axes point, such as "ASL", for files that do not say it themselves.
        age_years: the person's age, if known: brains of children may be smaller.
        overruled: reasons of `quality.OVERRULABLE` that a person overruled for this scan.

    Raises:
        ScanRefused: whatever is wrong with the files, the mask or the brain, with a reason code and a
            sentence.
    """
    volume = read_volume(image, recipe.four_d, orientation=orientation)
    mask = _companion(brain_mask, Reason.MASK_UNREADABLE, "brain mask", image, orientation)
    labels = _companion(segmentation, Reason.SEGMENTATION_UNREADABLE, "segmentation", image, orientation)
    return preprocess_volume(
        volume, recipe, mask_volume=mask, segmentation_volume=labels, skull_stripped=skull_stripped,
        age_years=age_years, overruled=overruled,
    )  # fmt: skip


def preprocess_volume(
    volume: Volume,
    recipe: Recipe,
    *,
    mask_volume: Volume | None = None,
    segmentation_volume: Volume | None = None,
    skull_stripped: bool | None = None,
    age_years: float | None = None,
    overruled: frozenset[Reason] = frozenset(),
) -> Preprocessed:
    """Turns a volume in memory into slices; arguments and refusals as for `preprocess`."""
    gate = Gate(overruled)
    ras = to_ras(volume)
    brain = _brain(ras, recipe, None if mask_volume is None else to_ras(mask_volume), skull_stripped, gate)
    with _bringing(brain):
        figures = brain_figures(ras, brain.voxels)
        gate.check(check_brain_volume, figures["brain_ml"], volume.name, age_years)
        bias = None
        if recipe.bias_field:
            ras, bias = correct_bias(ras, brain.voxels)
        grid, inside = _brain_slices(ras, brain.voxels, plan_grid(ras, brain.voxels, recipe), gate)
        gate.check(check_border, figures["border_fraction"], volume.name)
        gate.check(check_shape, figures["template_overlap"], volume.name)
        values = resample(ras, grid, recipe.interpolation, bounding_box(inside))
        shown = values[inside]
        if shown.min() == shown.max():
            text = f"Every brain voxel of {volume.name} has the same value; it is a mask and not an image."
            raise ScanRefused(Reason.CONSTANT, text)
        gate.check(check_saturation, figures["clip_high"], volume.name)
        intensity = measure_intensity(shown)
        labels = None
        if segmentation_volume is not None:
            coded = to_ras(_whole_labels(segmentation_volume))
            gate.check(check_segmentation, ras, coded, brain.voxels)
            labels = resample(coded, grid, "nearest").astype(np.uint8)
        content = content_hash(volume, mask_volume, segmentation_volume, brain.method)
        facts = _facts(volume, ras, brain, grid, content, {**figures, "bias_ratio": bias})
        gate.check(check_canvas, facts.cropped_ml, facts.brain_ml, volume.name)
    overruled_by_hand = tuple(f"{refusal.reason.value}: {refusal}" for refusal in gate.passed)
    return Preprocessed(
        quantise(shown, inside, intensity), inside.astype(np.uint8), labels, grid.affine, grid.plane,
        intensity, replace(facts, overruled=overruled_by_hand), _slice_facts(grid, inside, labels),
    )  # fmt: skip


@contextmanager
def _bringing(brain: BrainMask) -> Iterator[None]:
    """Lets a refusal bring the mask along, so that a person can look at it."""
    try:
        yield
    except ScanRefused as refusal:
        refusal.attempt = brain
        raise


def _brain(
    volume: Volume, recipe: Recipe, provided: Volume | None, skull_stripped: bool | None, gate: Gate
) -> BrainMask:
    """The brain mask; the best one there is where a person overruled the doubt of it."""
    try:
        return find_brain(volume, recipe, provided, skull_stripped)
    except ScanRefused as refusal:
        if not isinstance(refusal.attempt, BrainMask):
            raise
        gate.let_pass(refusal)
        return refusal.attempt


def _brain_slices(volume: Volume, brain: np.ndarray, planned: Grid, gate: Gate) -> tuple[Grid, np.ndarray]:
    """The part of a planned grid whose slices all hold brain, and the mask on it, bool [S, H, W]."""
    around = pixels_around(volume, brain, planned)
    inside = resample(volume.with_data(brain), planned, "linear", around) >= 0.5
    holding = np.flatnonzero(inside.any(axis=(1, 2)))
    through_plane = float(planned.spacing[2])
    if len(holding):
        gate.check(check_slices, len(holding), through_plane, volume.name)
    else:
        check_slices(0, through_plane, volume.name)
    first, last = int(holding[0]), int(holding[-1])
    if len(holding) != last - first + 1:
        text = f"The brain mask of {volume.name} falls apart: slices without brain lie between slices with it."
        raise ScanRefused(Reason.MASK_UNCERTAIN, f"{text} Check the mask.")
    return planned.cut(first, last), inside[first : last + 1]


def _facts(volume: Volume, ras: Volume, brain: BrainMask, grid: Grid, content: str, figures: dict[str, Any]) -> Facts:
    outside = outside_canvas(ras, brain.voxels, grid)
    spacing, matrix = ras.spacing.tolist(), ras.data.shape
    return Facts(
        content_hash=content,
        mask_method=brain.method,
        mask_score=brain.score,
        cropped_ml=outside * ras.voxel_ml,
        mask_components=brain.components,
        orientation=orientation_codes(volume.affine),
        oblique_degrees=oblique_degrees(volume.affine),
        spacing_x=spacing[0],
        spacing_y=spacing[1],
        spacing_z=spacing[2],
        matrix_x=matrix[0],
        matrix_y=matrix[1],
        matrix_z=matrix[2],
        through_plane_mm=float(grid.spacing[2]),
        repairs=volume.repairs,
        **figures,
    )


def _slice_facts(grid: Grid, inside: np.ndarray, labels: np.ndarray | None) -> tuple[SliceFacts, ...]:
    pixel_mm2 = float(grid.spacing[0] * grid.spacing[1])
    axis = PLANES[grid.plane][2][0]
    # A slice's position is that of its middle pixel, so that it means the same in an oblique stack.
    middle = np.array([(grid.shape[2] - 1) / 2, (grid.shape[1] - 1) / 2])
    start = grid.affine[axis, :2] @ middle + grid.affine[axis, 3]
    brain = inside.sum(axis=(1, 2)) * pixel_mm2
    lesion = None if labels is None else (labels > 0).sum(axis=(1, 2)) * pixel_mm2
    return tuple(
        SliceFacts(
            float(start + grid.affine[axis, 2] * index),
            float(brain[index]),
            None if lesion is None else float(lesion[index]),
        )
        for index in range(grid.shape[0])
    )


def _companion(path: Path | None, reason: Reason, role: str, image: Path, orientation: str | None) -> Volume | None:
    """A mask or segmentation beside the image, stored like it; what is wrong is refused under its own reason."""
    if path is None:
        return None
    try:
        return read_volume(path, may_be_empty=True, orientation=orientation)
    except ScanRefused as refusal:
        raise ScanRefused(reason, f"The {role} of {image.name} cannot be used: {refusal}") from refusal


def _whole_labels(segmentation: Volume) -> Volume:
    """The segmentation with labels that uint8 can hold; others would turn into other labels, and are refused.

    A mask whose one foreground value is a fraction (ATLAS has 0.01 and 0.9999) is taken for a mask of ones.
    """
    low, high = segmentation.data.min(), segmentation.data.max()
    foreground = segmentation.data > 0
    if low == 0 < high and high % 1 and segmentation.data[foreground].min() == high:
        return segmentation.with_data(foreground.astype(np.uint8))
    if low < 0 or high > 255 or not np.array_equal(segmentation.data, np.rint(segmentation.data)):
        text = f"{segmentation.name} is no segmentation: its labels must be whole numbers from 0 to 255."
        raise ScanRefused(Reason.SEGMENTATION_UNREADABLE, text)
    return segmentation
