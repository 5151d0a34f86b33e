"""From volume to stored slices: geometry, intensities, what is counted and what is refused."""

import hashlib
from dataclasses import asdict, replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from braindino.errors import Reason, ScanRefused
from braindino.imaging import Preprocessed, Recipe, Volume, make_volume, preprocess, preprocess_volume
from tests.imaging.helpers import brain_volume, ellipsoid, save_volume

RECIPE = Recipe("test", spacing_mm=4.0, canvas_ap=56, canvas_lr=48, canvas_si=48, thick_mm=20.0)


def values_of(result: Preprocessed) -> np.ndarray:
    return result.intensity.offset + result.intensity.scale * (result.image.astype(float) - 1)


def at_world(volume: Volume, world: np.ndarray) -> np.ndarray:
    index = np.rint((np.linalg.inv(volume.affine) @ np.c_[world, np.ones(len(world))].T)[:3]).astype(int)
    return volume.data[tuple(index)]


def test_slices_are_brain_extracted_and_every_slice_holds_brain() -> None:
    result = preprocess_volume(brain_volume(), RECIPE)
    assert result.image.shape[1:] == (56, 48)
    assert (result.image.dtype, result.brain.dtype) == (np.uint16, np.uint8)
    np.testing.assert_array_equal(result.image > 0, result.brain > 0)
    assert result.brain.any(axis=(1, 2)).all()
    assert len(result.slices) == len(result.image)


def test_the_affine_leads_every_pixel_back_to_its_voxel() -> None:
    volume = brain_volume()
    result = preprocess_volume(volume, RECIPE)
    inside = np.argwhere(result.brain > 0)
    world = (result.affine @ np.c_[inside[:, ::-1], np.ones(len(inside))].T)[:3].T
    np.testing.assert_allclose(
        values_of(result)[result.brain > 0], at_world(volume, world), atol=result.intensity.scale * 0.51
    )


def test_intensities_return_to_within_half_a_step_and_nothing_is_clipped() -> None:
    volume = brain_volume()
    data = volume.data.copy()
    data[20, 25, 20] = 60_000.0  # an outlier far beyond the 99.9th percentile
    result = preprocess_volume(volume.with_data(data), RECIPE)
    stored = np.sort(values_of(result)[result.brain > 0])
    np.testing.assert_allclose(stored, np.sort(data[data > 0]), atol=result.intensity.scale * 0.501)
    assert result.intensity.maximum == 60_000.0
    assert result.image.max() <= 65535


def test_the_step_is_a_4095th_of_the_central_range() -> None:
    volume = brain_volume()
    intensity = preprocess_volume(volume, RECIPE).intensity
    inside = volume.data[volume.data > 0]
    low, high = np.percentile(inside, [0.1, 99.9])
    assert intensity.scale == pytest.approx((high - low) / 4095, rel=1e-4)
    assert intensity.mean == pytest.approx(inside.mean(), rel=1e-4)
    assert intensity.p99_5 == pytest.approx(np.percentile(inside, 99.5), rel=1e-4)


def test_the_result_is_a_pure_function() -> None:
    one, two = (preprocess_volume(brain_volume(), RECIPE) for _ in range(2))
    np.testing.assert_array_equal(one.image, two.image)
    assert asdict(one.facts) == asdict(two.facts)


def test_the_brain_is_centred_wherever_it_lies_in_the_world() -> None:
    volume = brain_volume()
    moved = volume.affine.copy()
    moved[:3, 3] += [40.0, -80.0, 120.0]
    result = preprocess_volume(make_volume(volume.data, moved, "moved"), RECIPE)
    np.testing.assert_array_equal(result.image, preprocess_volume(volume, RECIPE).image)
    rows = np.flatnonzero(result.brain.any(axis=(0, 2)))
    assert abs((rows[0] + rows[-1]) / 2 - (56 - 1) / 2) <= 1


def test_facts_of_the_header_and_the_mask() -> None:
    volume = brain_volume()
    facts = preprocess_volume(volume, RECIPE).facts
    assert (facts.mask_method, facts.mask_score, facts.mask_components) == ("nonzero", None, 1)
    assert facts.brain_ml == pytest.approx((volume.data > 0).sum() * 0.064)
    assert (facts.matrix_x, facts.matrix_y, facts.matrix_z) == volume.data.shape
    assert (facts.spacing_x, facts.orientation, facts.oblique_degrees) == (4.0, "RAS", 0.0)
    assert (facts.cropped_ml, facts.border_fraction, facts.repairs) == (0.0, 0.0, ())


def test_slices_know_their_position_and_area() -> None:
    result = preprocess_volume(brain_volume(), RECIPE)
    positions = [s.position_mm for s in result.slices]
    np.testing.assert_allclose(np.diff(positions), 4.0)
    assert result.slices[3].brain_mm2 == pytest.approx(result.brain[3].sum() * 16)
    assert result.slices[0].lesion_mm2 is None


def test_a_segmentation_is_carried_along_with_its_labels() -> None:
    volume = brain_volume()
    labels = np.zeros(volume.data.shape, np.uint8)
    labels[15:20, 20:26, 18:22] = 4
    result = preprocess_volume(volume, RECIPE, segmentation_volume=volume.with_data(labels))
    assert result.segmentation is not None
    assert np.unique(result.segmentation).tolist() == [0, 4]
    assert int((result.segmentation == 4).sum()) == 5 * 6 * 4
    assert sum(s.lesion_mm2 or 0 for s in result.slices) == pytest.approx(5 * 6 * 4 * 16)


@pytest.mark.parametrize("foreground", [0.01, 0.9999])
def test_a_mask_of_one_fraction_is_a_mask_of_ones(foreground: float) -> None:
    volume = brain_volume()
    mask = np.zeros(volume.data.shape, dtype=np.float32)
    mask[20:25, 20:26, 20:24] = foreground
    result = preprocess_volume(volume, RECIPE, segmentation_volume=volume.with_data(mask))
    assert result.segmentation is not None
    assert np.unique(result.segmentation).tolist() == [0, 1]


def test_probabilities_are_no_segmentation() -> None:
    volume = brain_volume()
    shares = np.linspace(0, 1, volume.data.size, dtype=np.float32).reshape(volume.data.shape)
    with pytest.raises(ScanRefused) as refusal:
        preprocess_volume(volume, RECIPE, segmentation_volume=volume.with_data(shares))
    assert refusal.value.reason is Reason.SEGMENTATION_UNREADABLE


def test_a_brain_beyond_the_canvas_is_counted_and_refused() -> None:
    small = replace(RECIPE, canvas_lr=28)  # 112 mm for a brain of 124
    with pytest.raises(ScanRefused) as caught:
        preprocess_volume(brain_volume(), small)
    assert caught.value.reason == Reason.BRAIN_CROPPED
    whole = preprocess_volume(brain_volume(), RECIPE).brain
    cropped = whole[:, :, [*range(10), *range(38, 48)]].sum() * 0.064
    assert f"{cropped:.1f} ml" in str(caught.value)


def test_an_oblique_volume_is_resampled_along_the_world() -> None:
    angle = np.radians(20.0)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    volume = brain_volume()
    result = preprocess_volume(make_volume(volume.data, turn @ volume.affine, "oblique"), RECIPE)
    np.testing.assert_allclose(np.abs(result.affine[:3, :3]), np.diag([4.0, 4.0, 4.0]), atol=1e-9)
    assert result.facts.oblique_degrees == pytest.approx(20.0)
    assert result.brain.sum() * 0.064 == pytest.approx(result.facts.brain_ml, rel=0.02)


def test_a_sheared_volume_is_repaired_and_says_so() -> None:
    volume = brain_volume()
    affine = volume.affine.copy()
    affine[0, 1] = 0.1
    sheared = make_volume(volume.data, affine, "sheared")
    np.testing.assert_allclose(sheared.directions.T @ sheared.directions, np.eye(3), atol=1e-12)
    assert "orthonormal" in preprocess_volume(sheared, RECIPE).facts.repairs[0]


def test_a_thick_stack_is_kept_or_resampled_as_the_recipe_says() -> None:
    volume = brain_volume(2.0)
    affine = volume.affine @ np.diag([1.0, 1.0, 3.0, 1.0])
    thick = make_volume(volume.data[:, :, ::3], affine, "thick")
    kept = Recipe("kept", spacing_mm=2.0, canvas_ap=112, canvas_lr=96, canvas_si=96)
    result = preprocess_volume(thick, kept)
    assert (result.plane, result.facts.through_plane_mm) == ("axial", pytest.approx(6.0))
    assert len(result.image) == int((thick.data > 0).any(axis=(0, 1)).sum())
    resampled = preprocess_volume(thick, replace(kept, thick="resample"))
    assert resampled.facts.through_plane_mm == pytest.approx(2.0)


def test_a_fixed_number_of_slices_spans_the_brain() -> None:
    result = preprocess_volume(brain_volume(), replace(RECIPE, n_slices=40))
    assert result.image.shape[0] in (38, 39, 40)
    assert result.facts.through_plane_mm < 4.0


def test_fine_voxels_are_averaged_and_not_aliased() -> None:
    volume = brain_volume(2.0)
    checks = np.indices(volume.data.shape).sum(axis=0) % 2
    data = np.where(volume.data > 0, 100.0 + 50.0 * checks + volume.data / 1000, 0).astype(np.float32)
    result = preprocess_volume(volume.with_data(data), RECIPE)
    inner = result.brain[20][20:36, 18:30] > 0
    assert np.ptp(values_of(result)[20][20:36, 18:30][inner]) < 5  # near the mean of 100 and 150


def test_a_slab_is_refused() -> None:
    volume = brain_volume()
    slab = make_volume(volume.data[:, :, 12:24], volume.affine, "slab")
    with pytest.raises(ScanRefused) as caught:
        preprocess_volume(slab, RECIPE, skull_stripped=True)
    assert caught.value.reason in (Reason.TOO_FEW_SLICES, Reason.NOT_STRIPPED)


def test_a_sagittal_stack_stored_without_orientation_gives_the_same_slices(tmp_path: Path) -> None:
    """As OASIS-1 comes: Analyze, voxel axes to anterior, superior and left, mask beside it; a header cannot say so."""
    volume = brain_volume()
    meant = preprocess(save_volume(tmp_path / "brain.nii.gz", volume), RECIPE, skull_stripped=True)
    for name, data in (("image.img", volume.data), ("mask.img", (volume.data > 0).astype(np.uint8))):
        sagittal = np.transpose(data, (1, 2, 0))[:, :, ::-1, None]
        nib.save(nib.AnalyzeImage(sagittal, np.diag([4.0, 4.0, 4.0, 1.0])), tmp_path / name)
    image, mask = tmp_path / "image.img", tmp_path / "mask.img"
    result = preprocess(image, RECIPE, brain_mask=mask, skull_stripped=True, orientation="ASL")
    np.testing.assert_array_equal(result.image, meant.image)
    assert result.facts.orientation == "ASL"
    assert "as the source says" in result.facts.repairs[0]
    assert preprocess(image, RECIPE, skull_stripped=True).image.shape != meant.image.shape, "a format's guess misleads"


def test_from_files_with_mask_and_segmentation(tmp_path: Path) -> None:
    volume = brain_volume()
    head = np.where(ellipsoid(volume.data.shape, (75, 95, 75), 4.0), 80, 3).astype(np.float32) + volume.data
    image = save_volume(tmp_path / "head.nii.gz", volume.with_data(head))
    mask = save_volume(tmp_path / "mask.nii.gz", volume.with_data((volume.data > 0).astype(np.uint8)))
    empty = save_volume(tmp_path / "lesion.nii.gz", volume.with_data(np.zeros(volume.data.shape, np.uint8)))
    result = preprocess(image, RECIPE, brain_mask=mask, segmentation=empty)
    assert result.facts.mask_method == "provided"
    assert result.segmentation is not None
    assert not result.segmentation.any()


@pytest.mark.parametrize(
    ("role", "reason"),
    [("brain_mask", Reason.MASK_UNREADABLE), ("segmentation", Reason.SEGMENTATION_UNREADABLE)],
)
def test_an_unreadable_companion_has_its_own_reason(tmp_path: Path, role: str, reason: Reason) -> None:
    image = save_volume(tmp_path / "brain.nii.gz", brain_volume())
    with pytest.raises(ScanRefused, match="brain\\.nii\\.gz") as caught:
        preprocess(image, RECIPE, **{role: tmp_path / "nowhere.nii.gz"})  # type: ignore[arg-type]
    assert caught.value.reason == reason


def test_golden_voxels() -> None:
    """If this fails, stored voxels changed: raise IMAGING_VERSION, then put the new figures here."""
    volume = brain_volume(4.0)
    affine = volume.affine @ np.diag([1.0, 0.9, 1.1, 1.0])
    turned = make_volume(np.rint(volume.data).astype(np.int16), affine, "golden")
    result = preprocess_volume(turned, RECIPE)
    # Rounded to 16 steps: interpolation may differ in the last bits between processors.
    coarse = (result.image.astype(np.int32) // 256).astype(np.uint8)
    assert result.image.shape == (30, 56, 48)
    assert int(result.brain.sum()) == 18568
    assert hashlib.sha256(coarse.tobytes()).hexdigest()[:16] == "b343fcae5a1841c2"
