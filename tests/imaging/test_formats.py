"""The same volume in every format, byte order and number type: the same voxels at the same places."""

import gzip
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from braindino.errors import Reason, ScanRefused
from braindino.imaging import Volume, content_hash, files_of, read_volume
from tests.imaging.dicoms import AFFINE, LPS, SHAPE, values

VOXELS = values(AFFINE, SHAPE)
MINC = Path(nib.__file__).parent / "tests" / "data"


def itk_image(voxels: np.ndarray = VOXELS, affine: np.ndarray = AFFINE) -> sitk.Image:
    image = sitk.GetImageFromArray(np.ascontiguousarray(voxels.T))
    steps, sizes = (LPS @ affine)[:3, :3], np.linalg.norm(affine[:3, :3], axis=0)
    image.SetSpacing(sizes.tolist())
    image.SetDirection((steps / sizes).ravel().tolist())
    image.SetOrigin((LPS @ affine)[:3, 3].tolist())
    return image


def assert_in_place(volume: Volume) -> None:
    np.testing.assert_array_equal(volume.data, VOXELS)
    np.testing.assert_allclose(volume.affine, AFFINE, atol=1e-3)
    assert volume.repairs == ()


def refusal(path: Path, **options: Any) -> ScanRefused:
    with pytest.raises(ScanRefused) as caught:
        read_volume(path, **options)
    return caught.value


@pytest.mark.parametrize("name", ["a.nrrd", "a.nhdr", "a.mha", "a.mhd"])
@pytest.mark.parametrize("packed", [True, False])
def test_nrrd_and_metaimage(tmp_path: Path, name: str, packed: bool) -> None:
    sitk.WriteImage(itk_image(), str(tmp_path / name), useCompression=packed)
    assert_in_place(read_volume(tmp_path / name))


def test_a_nrrd_file_may_speak_of_right_anterior_superior(tmp_path: Path) -> None:
    steps = " ".join("(" + ",".join(f"{x:.9g}" for x in AFFINE[:3, axis]) + ")" for axis in range(3))
    lines = [
        "NRRD0004", "type: short", "dimension: 3", "space: right-anterior-superior",
        f"sizes: {' '.join(map(str, SHAPE))}", f"space directions: {steps}", "endian: big", "encoding: raw",
        "space origin: (" + ",".join(f"{x:g}" for x in AFFINE[:3, 3]) + ")", "", "",
    ]  # fmt: skip
    (tmp_path / "a.nrrd").write_bytes("\n".join(lines).encode() + VOXELS.astype(">i2").tobytes(order="F"))
    assert_in_place(read_volume(tmp_path / "a.nrrd"))


def test_a_nrrd_file_without_a_space_does_not_say_where_its_axes_point(tmp_path: Path) -> None:
    text = f"NRRD0004\ntype: short\ndimension: 3\nsizes: {' '.join(map(str, SHAPE))}\nspacings: 4 5 6\n"
    (tmp_path / "a.nrrd").write_bytes(f"{text}endian: little\nencoding: raw\n\n".encode() + VOXELS.tobytes(order="F"))
    volume = read_volume(tmp_path / "a.nrrd")
    np.testing.assert_allclose(volume.spacing, [4, 5, 6])
    assert "no orientation in the header" in volume.repairs[0]


def test_voxels_of_a_text_header_must_lie_beside_it(tmp_path: Path) -> None:
    sitk.WriteImage(itk_image(), str(tmp_path / "a.nhdr"))
    header = tmp_path / "a.nhdr"
    assert [path.name for path in files_of(header)] == ["a.nhdr", "a.raw"]
    text = header.read_text()
    header.write_text(text.replace("a.raw", "/etc/passwd"))
    assert refusal(header).reason == Reason.UNSUPPORTED_FORMAT
    header.write_text(text.replace("a.raw", "b.raw"))
    assert refusal(header).reason == Reason.MISSING_FILE


@pytest.mark.parametrize("name", ["a.nrrd", "a.mha"])
def test_what_is_no_volume_of_intensities_in_those_formats(tmp_path: Path, name: str) -> None:
    path = str(tmp_path / name)
    sitk.WriteImage(sitk.Compose(itk_image(), itk_image(), itk_image()), path)
    assert refusal(tmp_path / name).reason == Reason.NOT_SCALAR
    sitk.WriteImage(itk_image()[:, :, 0], path)
    assert refusal(tmp_path / name).reason == Reason.NOT_3D
    sitk.WriteImage(sitk.JoinSeries(itk_image(), itk_image() + 1), path)
    assert refusal(tmp_path / name).reason == Reason.TIME_SERIES
    np.testing.assert_array_equal(read_volume(tmp_path / name, "first").data, VOXELS)
    np.testing.assert_allclose(read_volume(tmp_path / name, "mean").data, VOXELS + 0.5)


def test_minc_1_and_2_hold_the_same_volume(tmp_path: Path) -> None:
    """nibabel's own sample files, of which its tests say where their voxels lie."""
    small = read_volume(MINC / "small.mnc")
    assert small.data.shape == (18, 28, 29)
    np.testing.assert_allclose(small.affine, [[0, 0, 7, -98], [0, 8, 0, -134], [9, 0, 0, -72], [0, 0, 0, 1]])
    highest = np.unravel_index(small.data.argmax(), small.data.shape)
    np.testing.assert_allclose((small.affine @ [*highest, 1])[:3], [-70, 18, -45])
    tiny = read_volume(MINC / "tiny.mnc")
    assert tiny.data.shape == (10, 20, 20)
    assert refusal(MINC / "minc2_4d.mnc").reason == Reason.TIME_SERIES
    assert read_volume(MINC / "minc1_4d.mnc", "first").data.shape == (10, 20, 20)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
@pytest.mark.parametrize("version", [nib.Nifti1Image, nib.Nifti2Image])
def test_nifti_of_any_byte_order_and_number_type(tmp_path: Path, order: str, kind: str, version: Any) -> None:
    voxels = (VOXELS % 120).astype(f"{order}{kind}")
    header = version.header_class(endianness=order)
    nib.save(version(voxels, AFFINE, header), tmp_path / "a.nii.gz")
    volume = read_volume(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(volume.data, VOXELS % 120)
    assert volume.data.dtype.isnative
    assert volume.data.dtype.itemsize <= 4
    plain = version((VOXELS % 120).astype("<i2"), AFFINE)
    nib.save(plain, tmp_path / "b.nii")
    assert content_hash(volume) == content_hash(read_volume(tmp_path / "b.nii"))


@pytest.mark.parametrize("kind", ["u1", "i2", "u2", "i4", "f4"])
def test_scaled_numbers(tmp_path: Path, kind: str) -> None:
    image = nib.Nifti1Image((VOXELS % 200).astype(kind), AFFINE)
    image.header.set_slope_inter(0.25, -3)
    nib.save(image, tmp_path / "a.nii.gz")
    expected = nib.load(tmp_path / "a.nii.gz").get_fdata()
    np.testing.assert_allclose(read_volume(tmp_path / "a.nii.gz").data, expected, rtol=1e-6)


def test_what_a_file_is_counts_and_not_what_it_is_called(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(VOXELS, AFFINE), tmp_path / "a.nii")
    content = (tmp_path / "a.nii").read_bytes()
    (tmp_path / "packed.nii").write_bytes(gzip.compress(content))
    (tmp_path / "plain.nii.gz").write_bytes(content)
    (tmp_path / "nothing").write_bytes(content)
    for name in ("packed.nii", "plain.nii.gz", "nothing"):
        assert_in_place(read_volume(tmp_path / name))


def test_pairs_of_any_kind(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Pair(VOXELS, AFFINE), tmp_path / "a.img")
    assert_in_place(read_volume(tmp_path / "a.hdr"))
    for half in ("hdr", "img"):
        (tmp_path / f"a.{half}.gz").write_bytes(gzip.compress((tmp_path / f"a.{half}").read_bytes()))
        (tmp_path / f"a.{half}").unlink()
    assert_in_place(read_volume(tmp_path / "a.img.gz"))
    assert {path.name for path in files_of(tmp_path / "a.img.gz")} == {"a.hdr.gz", "a.img.gz"}


def test_extensions_of_a_header_are_passed_over(tmp_path: Path) -> None:
    image = nib.Nifti1Image(VOXELS, AFFINE)
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"Secret^Name" * 1000))
    nib.save(image, tmp_path / "a.nii.gz")
    assert_in_place(read_volume(tmp_path / "a.nii.gz"))


def test_an_mgh_file_without_a_transform_says_so(tmp_path: Path) -> None:
    nib.save(nib.MGHImage(np.tile(VOXELS, (1, 2, 2)), AFFINE), tmp_path / "a.mgh")
    content = bytearray((tmp_path / "a.mgh").read_bytes())
    content[28:30] = b"\0\0"
    (tmp_path / "a.mgh").write_bytes(content)
    assert "no orientation in the header" in read_volume(tmp_path / "a.mgh").repairs[0]


def test_of_a_series_the_first_volume_or_the_mean_is_read_from_a_stream(tmp_path: Path) -> None:
    series = np.stack([VOXELS, VOXELS + 2, VOXELS + 7], axis=3)
    nib.save(nib.Nifti1Image(series, AFFINE), tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(read_volume(tmp_path / "a.nii.gz", "first").data, VOXELS)
    np.testing.assert_allclose(read_volume(tmp_path / "a.nii.gz", "mean").data, VOXELS + 3)
    nib.save(nib.Nifti1Image(series[..., :1], AFFINE), tmp_path / "one.nii.gz")
    assert_in_place(read_volume(tmp_path / "one.nii.gz"))
