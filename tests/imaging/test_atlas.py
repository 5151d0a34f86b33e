"""The atlas mask on a head made from the template itself, and on things that are no heads."""

import importlib.util
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from braindino.errors import Reason, ScanRefused
from braindino.imaging import Volume, get_recipe, make_volume, preprocess, read_volume
from braindino.imaging.atlas import brain_mask
from braindino.imaging.orient import to_ras

SPACING = 3.0


def load_template() -> nib.Nifti1Image:
    spec = importlib.util.find_spec("nilearn")
    assert spec is not None
    folder = Path((spec.submodule_search_locations or [""])[0]) / "datasets" / "data"
    return nib.load(folder / "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz")


def template_head(turn_degrees: float = 8.0, scale: float = 0.88) -> tuple[Volume, np.ndarray]:
    """The template, shrunk and turned, inside a skull and a scalp; and where its brain is."""
    image = load_template()
    angle = np.radians(turn_degrees)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    shape, centre = (72, 84, 80), np.array([0.0, -18.0, 0.0])
    affine = np.diag([SPACING, SPACING, SPACING, 1.0])
    affine[:3, 3] = centre - (np.array(shape) - 1) / 2 * SPACING
    to_template = np.eye(4)
    to_template[:3, :3] = turn.T / scale
    to_template[:3, 3] = centre - to_template[:3, :3] @ centre
    voxel = np.linalg.inv(image.affine) @ to_template @ affine
    t1 = ndimage.affine_transform(
        np.asanyarray(image.dataobj).astype(np.float32), voxel[:3, :3], voxel[:3, 3], shape, order=1
    )
    brain = ndimage.binary_fill_holes(t1 > 15)
    away = ndimage.distance_transform_edt(~brain, SPACING)
    rng = np.random.default_rng(0)
    head = np.where(brain, t1, np.where((away > 7) & (away < 14), 190.0, 12.0 * (away <= 7)))
    return make_volume(np.abs(head + rng.normal(scale=5, size=shape)).astype(np.float32), affine, "head"), brain


def test_the_brain_of_a_head_is_found_even_with_inverted_contrast() -> None:
    head, brain = template_head()
    # As on T2w: fluid is brightest, and white matter still brighter than bone.
    head = head.with_data(np.where(brain, 360 - head.data, head.data).astype(np.float32))
    found = brain_mask(head)
    overlap = 2 * (found.voxels & brain).sum() / (found.voxels.sum() + brain.sum())
    assert overlap > 0.93
    assert 0.10 < found.score < 1


@pytest.mark.parametrize("kind", ["noise", "ball"])
def test_what_is_no_head_is_refused(kind: str) -> None:
    shape, rng = (60, 60, 60), np.random.default_rng(0)
    away = np.linalg.norm(np.indices(shape) - 29.5, axis=0) * 3
    data = rng.normal(100, 10, shape) if kind == "noise" else 100.0 * (away < 80) + rng.normal(5, 2, shape)
    with pytest.raises(ScanRefused, match="No trustworthy brain mask") as caught:
        brain_mask(make_volume(data.astype(np.float32), np.diag([3.0, 3.0, 3.0, 1.0]), kind))
    assert caught.value.reason == Reason.MASK_UNCERTAIN


def test_a_brain_that_leaves_the_field_of_view_is_told_so() -> None:
    head, brain = template_head()
    first = int(np.flatnonzero(brain.any(axis=(1, 2)))[0]) + 6  # 18 mm of its left side are missing
    affine = head.affine.copy()
    affine[0, 3] += first * SPACING
    cut = make_volume(head.data[first:], affine, "cut")
    with pytest.raises(ScanRefused, match="in its field of view") as caught:
        brain_mask(cut)
    assert caught.value.reason == Reason.BRAIN_CROPPED
    assert caught.value.attempt is not None


@pytest.mark.real
def test_real_heads_and_real_non_heads(real_data: Path) -> None:
    recipe = get_recipe("isotropic_2mm")
    head = preprocess(real_data / "open_ms_data/longitudinal/raw/patient01/study1_FLAIR.nii.gz", recipe)
    assert head.facts.mask_method == "atlas"
    assert 1200 < head.facts.brain_ml < 1500
    phase = real_data / "pumi-minitest/sub-001/fmap/M1833784_gre_field_mapping_20180302190817_7_e2.nii.gz"
    with pytest.raises(ScanRefused) as caught:
        brain_mask(to_ras(read_volume(phase)))
    assert caught.value.reason == Reason.MASK_UNCERTAIN
