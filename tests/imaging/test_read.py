"""Whatever is wrong with a file becomes one reason code and one sentence that names it."""

import contextlib
import gzip
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from braindino.errors import Reason, ScanRefused
from braindino.imaging import check_header, get_recipe, read_volume
from braindino.imaging.orient import orientation_codes, to_ras
from tests.imaging.helpers import brain_volume, save, save_volume

RECIPE = get_recipe("isotropic")


def refusal(path: Path, **options: Any) -> ScanRefused:
    with pytest.raises(ScanRefused) as caught:
        read_volume(path, **options)
    return caught.value


def ramp(*shape: int, dtype: str = "int16") -> np.ndarray:
    return (np.arange(np.prod(shape)).reshape(shape) % 1000).astype(dtype)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.img", "a.mgz", "a.mgh"])
def test_every_format_gives_the_same_voxels_and_affine(tmp_path: Path, name: str) -> None:
    data, affine = ramp(20, 24, 22), np.diag([-2.0, 3.0, 2.5, 1.0])
    image = nib.MGHImage if ".mg" in name else nib.Nifti1Pair if name.endswith("img") else nib.Nifti1Image
    nib.save(image(data, affine), tmp_path / name)
    volume = read_volume(tmp_path / name)
    np.testing.assert_array_equal(volume.data, data)
    np.testing.assert_allclose(volume.affine, affine, atol=1e-6)
    assert volume.data.dtype.isnative


def test_a_pair_can_be_named_by_either_half(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Pair(ramp(20, 20, 20), np.diag([4.0, 4, 4, 1])), tmp_path / "a.img")
    np.testing.assert_array_equal(read_volume(tmp_path / "a.hdr").data, read_volume(tmp_path / "a.img").data)


def test_nifti_that_lost_a_dot_of_its_name(tmp_path: Path) -> None:
    whole = save(tmp_path / "a.nii.gz", ramp(20, 24, 22))
    misnamed = tmp_path / "b.niigz"
    misnamed.write_bytes(whole.read_bytes())
    np.testing.assert_array_equal(read_volume(misnamed).data, read_volume(whole).data)
    misnamed.write_bytes(whole.read_bytes()[:200])
    assert refusal(misnamed).reason == Reason.TRUNCATED


def sagittal_analyze(path: Path) -> Path:
    """A pair as OASIS-1 stores its averages: voxel axes to anterior, superior and left, a fourth of length 1."""
    data = ramp(30, 28, 20, 1)
    image = nib.AnalyzeImage(data, np.diag([3.0, 3.0, 4.0, 1.0]))
    nib.save(image, path)
    return path


@pytest.mark.parametrize("half", ["a.img", "a.hdr"])
def test_analyze_is_stored_as_the_source_says(tmp_path: Path, half: str) -> None:
    sagittal_analyze(tmp_path / "a.img")
    volume = read_volume(tmp_path / half, orientation="ASL")
    assert volume.data.shape == (30, 28, 20)
    assert orientation_codes(volume.affine) == "ASL"
    np.testing.assert_allclose(volume.spacing, [3, 3, 4])
    np.testing.assert_allclose(volume.affine @ [14.5, 13.5, 9.5, 1], [0, 0, 0, 1], atol=1e-9)
    ras = to_ras(volume)
    assert ras.data.shape == (20, 30, 28)
    x, y, z = 3, 7, 11  # from the left, from behind, from below
    assert ras.data[x, y, z] == volume.data[y, z, 19 - x]
    assert volume.repairs == ("no orientation in the header, ASL, as the source says, taken",)


def test_without_that_analyze_is_taken_as_the_format_assumes(tmp_path: Path) -> None:
    volume = read_volume(sagittal_analyze(tmp_path / "a.img"))
    assert orientation_codes(volume.affine) == "LAS"
    assert "the format's default" in volume.repairs[0]


def test_a_file_that_states_its_orientation_is_believed(tmp_path: Path) -> None:
    image = save(tmp_path / "a.nii.gz", ramp(20, 24, 22), np.diag([-2.0, 3.0, 2.5, 1.0]))
    assert orientation_codes(read_volume(image, orientation="ASL").affine) == "LAS"
    assert read_volume(image, orientation="ASL").repairs == ()


def test_scaling_is_applied(tmp_path: Path) -> None:
    image = nib.Nifti1Image(ramp(20, 20, 20), np.diag([4.0, 4, 4, 1]))
    image.header.set_slope_inter(0.5, 10)
    nib.save(image, tmp_path / "a.nii.gz")
    oracle = nib.load(tmp_path / "a.nii.gz").get_fdata()
    volume = read_volume(tmp_path / "a.nii.gz")
    assert volume.data.dtype == np.float32
    np.testing.assert_allclose(volume.data, oracle, rtol=1e-6)


def test_axes_of_length_one_behind_the_third_are_dropped(tmp_path: Path) -> None:
    assert read_volume(save(tmp_path / "a.nii", ramp(20, 20, 20, 1, 1))).data.shape == (20, 20, 20)


def test_a_missing_file(tmp_path: Path) -> None:
    error = refusal(tmp_path / "sub-01_T1w.nii.gz")
    assert error.reason == Reason.MISSING_FILE
    assert "sub-01_T1w.nii.gz" in str(error)


def test_a_broken_link_is_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "a.nii.gz").symlink_to(tmp_path / "annex" / "content")
    assert refusal(tmp_path / "a.nii.gz").reason == Reason.MISSING_FILE


def test_half_a_pair(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Pair(ramp(20, 20, 20), np.diag([4.0, 4, 4, 1])), tmp_path / "a.img")
    (tmp_path / "a.img").unlink()
    assert refusal(tmp_path / "a.hdr").reason == Reason.MISSING_FILE


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.99])
def test_a_truncated_gzip_file(tmp_path: Path, keep: float) -> None:
    data = np.random.default_rng(0).integers(0, 1000, (30, 30, 30)).astype(np.int16)
    path = save(tmp_path / "a.nii.gz", data)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    assert refusal(path).reason == Reason.TRUNCATED


def test_a_truncated_plain_file(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", ramp(30, 30, 30))
    path.write_bytes(path.read_bytes()[:-1000])
    assert refusal(path).reason == Reason.TRUNCATED


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.nii.gz").touch()
    assert refusal(tmp_path / "a.nii.gz").reason == Reason.TRUNCATED


def test_damage_inside_a_gzip_file(tmp_path: Path) -> None:
    data = np.random.default_rng(0).integers(0, 1000, (30, 30, 30)).astype(np.int16)
    path = save(tmp_path / "a.nii.gz", data)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 400] = bytes(400)
    path.write_bytes(content)
    assert refusal(path).reason in (Reason.UNREADABLE, Reason.TRUNCATED)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mgz", "a.txt"])
def test_a_file_that_is_no_image(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("The scan will be sent later.\n" * 40)
    assert refusal(tmp_path / name).reason == Reason.UNSUPPORTED_FORMAT


def test_a_wrong_magic(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", ramp(20, 20, 20))
    content = bytearray(path.read_bytes())
    content[344:348] = b"abc\0"
    path.write_bytes(content)
    assert refusal(path).reason == Reason.UNSUPPORTED_FORMAT


def test_a_text_file_in_gzip(tmp_path: Path) -> None:
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(b"no image at all" * 100))
    assert refusal(tmp_path / "a.nii.gz").reason == Reason.UNSUPPORTED_FORMAT


def test_a_folder_without_an_image(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    error = refusal(tmp_path)
    assert error.reason == Reason.UNSUPPORTED_FORMAT
    assert "no DICOM file" in str(error)


@pytest.mark.parametrize("shape", [(40, 40), (40, 40, 1)])
def test_a_single_slice(tmp_path: Path, shape: tuple[int, ...]) -> None:
    assert refusal(save(tmp_path / "a.nii", ramp(*shape))).reason == Reason.NOT_3D


def test_a_time_series_is_decided_by_rule(tmp_path: Path) -> None:
    data = ramp(20, 20, 20, 3)
    path = save(tmp_path / "bold.nii.gz", data)
    assert refusal(path).reason == Reason.TIME_SERIES
    first, mean = read_volume(path, "first"), read_volume(path, "mean")
    np.testing.assert_array_equal(first.data, data[..., 0])
    np.testing.assert_allclose(mean.data, data.mean(axis=3))
    assert first.repairs == ("first of 3 volumes taken",)


def test_a_vector_image(tmp_path: Path) -> None:
    assert refusal(save(tmp_path / "a.nii", ramp(20, 20, 20, 1, 3)), four_d="first").reason == Reason.NOT_SCALAR


def test_colours_and_complex_numbers(tmp_path: Path) -> None:
    colours = np.zeros((20, 20, 20), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    assert refusal(save(tmp_path / "rgb.nii", colours)).reason == Reason.NOT_SCALAR
    waves = ramp(20, 20, 20).astype(np.complex64)
    assert refusal(save(tmp_path / "complex.nii", waves)).reason == Reason.NOT_SCALAR


@pytest.mark.parametrize(
    ("value", "reason"),
    [(0, Reason.EMPTY), (7, Reason.CONSTANT), (np.nan, Reason.NOT_FINITE), (np.inf, Reason.NOT_FINITE)],
)
def test_values_that_say_nothing(tmp_path: Path, value: float, reason: Reason) -> None:
    data = ramp(20, 20, 20, dtype="float32") if reason == Reason.NOT_FINITE else np.full((20, 20, 20), 0.0, "f4")
    data[(3, 3, 3) if reason == Reason.NOT_FINITE else ...] = value
    assert refusal(save(tmp_path / "a.nii.gz", data)).reason == reason


def test_an_empty_segmentation_may_be_read(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii.gz", np.zeros((20, 20, 20), np.uint8))
    assert read_volume(path, may_be_empty=True).data.max() == 0


@pytest.mark.parametrize(
    "affine",
    [
        np.diag([4.0, 4.0, 0.0, 1.0]),
        np.array([[4.0, 4, 0, 0], [0, 0, 4, 0], [0, 0, 4, 0], [0, 0, 0, 1]]),
        np.diag([400.0, 4.0, 4.0, 1.0]),
        np.diag([0.01, 4.0, 4.0, 1.0]),
        np.diag([0.2, 0.2, 0.2, 1.0]),
        np.array([[4.0, 3, 0, 0], [0, 4, 0, 0], [0, 0, 4, 0], [0, 0, 0, 1]]),
    ],
    ids=["flat", "two axes alike", "huge voxels", "tiny voxels", "tiny field of view", "sheared"],
)
def test_geometry_that_no_brain_has(tmp_path: Path, affine: np.ndarray) -> None:
    header = nib.Nifti1Header()
    header.set_data_shape((20, 20, 20))
    header.set_data_dtype(np.int16)
    image = nib.Nifti1Image(ramp(20, 20, 20), None, header)
    image.header["sform_code"] = 1
    for row, name in enumerate(("srow_x", "srow_y", "srow_z")):
        image.header[name] = affine[row]
    nib.save(image, tmp_path / "a.nii")
    content = bytearray((tmp_path / "a.nii").read_bytes())
    content[254:256] = (1).to_bytes(2, "little")  # sform_code, which nibabel resets for an image without an affine
    content[280:328] = affine[:3].astype("<f4").tobytes()
    (tmp_path / "a.nii").write_bytes(content)
    assert refusal(tmp_path / "a.nii").reason == Reason.BAD_GEOMETRY


def test_an_unknown_orientation_is_recorded(tmp_path: Path) -> None:
    image = nib.Nifti1Image(ramp(20, 20, 20), None)
    image.header["pixdim"][1:4] = 4.0
    nib.save(image, tmp_path / "a.nii")
    assert any("no orientation" in repair for repair in read_volume(tmp_path / "a.nii").repairs)


def test_the_header_alone_shows_most_of_it(tmp_path: Path) -> None:
    check_header(save_volume(tmp_path / "good.nii.gz", brain_volume()), RECIPE)
    with pytest.raises(ScanRefused) as caught:
        check_header(save(tmp_path / "bold.nii.gz", ramp(20, 20, 20, 3)), RECIPE)
    assert caught.value.reason == Reason.TIME_SERIES


@given(st.binary(min_size=0, max_size=600), st.sampled_from([".nii", ".nii.gz", ".mgz", ".img"]))
@settings(max_examples=60, deadline=None)
def test_no_bytes_can_do_more_than_be_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, end: str
) -> None:
    path = tmp_path_factory.mktemp("bytes") / f"a{end}"
    path.write_bytes(content)
    with pytest.raises(ScanRefused):
        read_volume(path)


@given(st.integers(0, 347), st.integers(0, 255))
@settings(max_examples=120, deadline=None)
def test_a_header_with_one_wrong_byte_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int
) -> None:
    path = save(tmp_path_factory.mktemp("header") / "a.nii", ramp(12, 12, 12))
    content = bytearray(path.read_bytes())
    content[place] = value
    path.write_bytes(content)
    with contextlib.suppress(ScanRefused):
        assert read_volume(path).data.ndim == 3
