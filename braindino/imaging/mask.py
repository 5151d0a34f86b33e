"""Which voxels are brain: a mask that came with the scan, what a stripped image shows, an atlas, or a program."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from braindino.errors import Reason, ScanRefused
from braindino.imaging import atlas
from braindino.imaging.alignment import check_alignment
from braindino.imaging.components import bounding_box, fill_holes, label_parts
from braindino.imaging.external_masks import external_mask
from braindino.imaging.quality import LIMITS, QualityLimits
from braindino.imaging.recipe import Recipe
from braindino.imaging.volume import Volume

# Real unstripped heads have 2.5 litres and more above zero; the largest brain with all its CSF has 2.2.
_LARGEST_STRIPPED_ML = 2300.0
# A brain fills nearly all of its own closing; a tissue map or a shell with holes does not.
_CLOSING_MM = 8.0
_SMALLEST_SOLIDITY = 0.75
# How much a mask given on another grid may miss the image.
_LARGEST_LOST_SHARE = 0.02


@dataclass(frozen=True)
class BrainMask:
    """A brain mask on the volume's own grid: bool [x, y, z], how it was found, and how far to trust it."""

    voxels: np.ndarray
    method: str  # provided, nonzero, atlas, or a program's identity (see `external_masks`)
    score: float | None
    components: int  # connected parts before specks were removed


def find_brain(volume: Volume, recipe: Recipe, provided: Volume | None, skull_stripped: bool | None) -> BrainMask:
    """The brain mask of a volume, by the first way that the recipe allows and the scan affords.

    Args:
        volume: the image.
        recipe: its `mask` says which ways are allowed.
        provided: the mask that came with the scan, on any grid of the same world.
        skull_stripped: what the source says; None if it says nothing, then the voxels decide.

    Raises:
        ScanRefused: `mask_mismatch` or `not_stripped`; with the mask that is in doubt, `mask_uncertain` or
            `brain_cropped`.
        ConfigError: the recipe takes its masks from a program that is not installed.
    """
    way = recipe.mask
    if way in ("synthstrip", "hd-bet"):
        return _program_mask(volume, way)
    if way == "provided" and provided is None:
        text = f"The recipe takes provided masks only and {volume.name} came without one; choose another recipe."
        raise ScanRefused(Reason.MASK_MISMATCH, text)
    if provided is not None and way in ("auto", "provided"):
        mask = provided_mask(volume, provided)
    elif way == "nonzero" or (way == "auto" and skull_stripped is not False and is_stripped(volume)):
        mask = nonzero_mask(volume)
    elif way == "auto" and skull_stripped:
        text = f"{volume.name} is said to be skull-stripped, but its background is not uniform or holds a head."
        raise ScanRefused(Reason.NOT_STRIPPED, f"{text} Correct the manifest, or provide a mask.")
    else:
        mask = _atlas_mask(volume)
    return mask


def _atlas_mask(volume: Volume) -> BrainMask:
    try:
        found = atlas.brain_mask(volume)
    except ScanRefused as refusal:
        if isinstance(refusal.attempt, atlas.AtlasMask):
            refusal.attempt = BrainMask(refusal.attempt.voxels, "atlas", refusal.attempt.score, 1)
        raise
    return BrainMask(found.voxels, "atlas", found.score, 1)


def _program_mask(volume: Volume, method: str) -> BrainMask:
    voxels, program = external_mask(volume, method)
    cleaned, components = _without_specks(voxels)
    return BrainMask(fill_holes(cleaned), program.identity, None, components)


def provided_mask(volume: Volume, provided: Volume) -> BrainMask:
    """A mask that came with the scan, carried over to the image's grid if it has another.

    Raises:
        ScanRefused: `mask_mismatch`: it is empty, lies partly outside the image, or not on its brain.
    """
    inside = provided.data > 0
    if not inside.any():
        raise ScanRefused(Reason.MASK_MISMATCH, f"The mask of {volume.name} is empty; correct or remove it.")
    same_grid = inside.shape == volume.data.shape and np.allclose(provided.affine, volume.affine, atol=1e-2)
    voxels = inside if same_grid else _onto(volume, provided.with_data(inside))
    given = float(inside.sum()) * provided.voxel_ml
    kept = float(voxels.sum()) * volume.voxel_ml
    if abs(given - kept) > _LARGEST_LOST_SHARE * given:
        text = f"The mask of {volume.name} holds {given:.0f} ml, of which {kept:.0f} lie in the image."
        raise ScanRefused(Reason.MASK_MISMATCH, f"{text} They are not aligned; provide the mask of this scan.")
    check_alignment(volume, provided, voxels)
    cleaned, components = _without_specks(voxels)
    return BrainMask(cleaned, "provided", None, components)


def is_stripped(volume: Volume, limits: QualityLimits = LIMITS) -> bool:
    """Whether an image shows nothing but a brain: one value around it, and no more than a brain's volume."""
    support = _support(volume)
    if support is None:
        return False
    return bool(np.count_nonzero(support) * volume.voxel_ml <= _LARGEST_STRIPPED_ML)


def nonzero_mask(volume: Volume) -> BrainMask:
    """The part of a stripped image that is not background: filled, without specks.

    Raises:
        ScanRefused: `not_stripped`, if the background is not uniform; `mask_uncertain`, if what is left is
            not the solid body that a brain is (a tissue map, a vessel image, a shell).
    """
    support = _support(volume)
    if support is None:
        text = f"The background of {volume.name} is not one value: it is not skull-stripped."
        raise ScanRefused(Reason.NOT_STRIPPED, text)
    if not _has_contrast(volume.data, support):
        text = f"{volume.name} holds one value besides its background: it is a mask and not an image."
        raise ScanRefused(Reason.CONSTANT, text)
    cleaned, components = _without_specks(support)
    filled, solidity = _fill(cleaned, volume.spacing)
    mask = BrainMask(filled, "nonzero", None, components)
    if solidity < _SMALLEST_SOLIDITY:
        text = f"What is not background in {volume.name} fills {solidity:.0%} of its outline: no whole brain."
        raise ScanRefused(Reason.MASK_UNCERTAIN, f"{text} Give the image itself, or a brain mask.", mask)
    return mask


def _support(volume: Volume) -> np.ndarray | None:
    """Where an image differs from the one value that its eight corners share; None if they share none."""
    corners = volume.data[:: volume.data.shape[0] - 1, :: volume.data.shape[1] - 1, :: volume.data.shape[2] - 1]
    if corners.min() != corners.max():
        return None
    support: np.ndarray = volume.data != corners.flat[0]
    return support


def _has_contrast(data: np.ndarray, support: np.ndarray) -> bool:
    """Whether the voxels of a support, not empty, have more than one value."""
    # The transpose of a volume as files keep it is contiguous, and is gathered from many times as fast.
    shown = data.T[support.T]
    return bool(shown.min() < shown.max())


def _without_specks(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """The mask without parts smaller than a hundredth of its largest, and the number of parts it had."""
    box = bounding_box(mask)
    labels, components = label_parts(mask[box])
    if components <= 1:
        return mask, components
    sizes = np.bincount(labels.ravel(order="K"))
    sizes[0] = 0
    cleaned = np.zeros_like(mask)
    cleaned[box] = (sizes >= sizes.max() / 100)[labels]
    return cleaned, components


def _fill(mask: np.ndarray, spacing: np.ndarray) -> tuple[np.ndarray, float]:
    """The mask with its enclosed holes filled, and the share of its closing that it filled."""
    box = bounding_box(mask)
    inner = mask[box]
    # Closing by distances on a coarser copy: a ball of 8 mm is slow to apply voxel by voxel.
    steps = [max(1, round(3.0 / size)) for size in spacing]
    coarse = inner[:: steps[0], :: steps[1], :: steps[2]]
    sampling = [size * step for size, step in zip(spacing, steps, strict=True)]
    padded = np.pad(coarse, [(int(np.ceil(_CLOSING_MM / size)) + 1,) * 2 for size in sampling])
    grown = ndimage.distance_transform_edt(~padded, sampling) <= _CLOSING_MM
    closed = ndimage.distance_transform_edt(grown, sampling) > _CLOSING_MM
    filled = mask.copy(order="K")
    filled[box] = fill_holes(inner)
    return filled, float(padded.sum() / max(1, closed.sum()))


def _onto(volume: Volume, mask: Volume) -> np.ndarray:
    """A mask carried over to the grid of a volume: linear interpolation, half counts as inside."""
    to_mask = np.linalg.inv(mask.affine) @ volume.affine
    soft = ndimage.affine_transform(
        mask.data.astype(np.float32), to_mask[:3, :3], to_mask[:3, 3], volume.data.shape, order=1
    )
    carried: np.ndarray = soft >= 0.5
    return carried
