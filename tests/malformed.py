"""Malformed and odd inputs, each with the reason that it must be refused for; None where it must be read.

A case is a function that writes its input into a folder and returns the path to give to `read_volume`. What could take
much memory or time is marked `dangerous`: it is tried in a process of its own under a limit.

    python -m tests.malformed FOLDER        # writes all of them, to try other software on
"""

import gzip
import os
import struct
import sys
import zlib
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name its own documentation uses

from braindino.errors import Reason
from tests.imaging import dicoms

Make = Callable[[Path], Path]
AFFINE = np.diag([4.0, 4.0, 4.0, 1.0])
SHAPE = (20, 22, 24)


@dataclass(frozen=True)
class Case:
    """One input: `reasons` are the codes that do, none of them if it must be read."""

    name: str
    make: Make
    reasons: frozenset[Reason]
    dangerous: bool = False


CASES: list[Case] = []


def case(*reasons: Reason, dangerous: bool = False) -> Callable[[Make], Make]:
    """Registers a function under its own name."""

    def register(make: Make) -> Make:
        CASES.append(Case(make.__name__, make, frozenset(reasons), dangerous))
        return make

    return register


def ramp(shape: tuple[int, ...] = SHAPE, dtype: str = "i2") -> np.ndarray:
    """Voxels that all differ from their neighbours, none of them easily compressed away."""
    return np.random.default_rng(0).integers(0, 1000, shape).astype(dtype)


def nifti(path: Path, voxels: np.ndarray | None = None, affine: np.ndarray = AFFINE) -> Path:
    """A sound file to spoil."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(ramp() if voxels is None else voxels, affine), path)
    return path


def patch(path: Path, offset: int, content: bytes) -> Path:
    """Other bytes at a place of a file that is not compressed."""
    data = bytearray(path.read_bytes())
    data[offset : offset + len(content)] = content
    path.write_bytes(data)
    return path


def cut(path: Path, keep: float | int) -> Path:
    """The beginning of a file: a share of it, a number of bytes, or all but so many."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)] if isinstance(keep, float) else data[:keep])
    return path


def _cuts() -> None:
    for name, keep in {"half": 0.5, "nearly_whole": 0.999, "few_bytes": 20, "without_checksum": -4}.items():
        CASES.append(
            Case(
                f"gzip_cut_{name}",
                lambda to, keep=keep: cut(nifti(to / "a.nii.gz"), keep),
                frozenset({Reason.TRUNCATED}),
            )
        )
    for name, keep in {"in_the_header": 100, "at_the_voxels": 352, "half": 0.5, "by_one_byte": -1}.items():
        CASES.append(
            Case(
                f"plain_cut_{name}", lambda to, keep=keep: cut(nifti(to / "a.nii"), keep), frozenset({Reason.TRUNCATED})
            )
        )


_cuts()


@case(Reason.TRUNCATED)
def mgh_cut(to: Path) -> Path:
    nib.save(nib.MGHImage(ramp().astype("f4"), AFFINE), to / "a.mgz")
    return cut(to / "a.mgz", 0.7)


@case(Reason.TRUNCATED)
def mgh_cut_in_the_header(to: Path) -> Path:
    nib.save(nib.MGHImage(ramp().astype("f4"), AFFINE), to / "a.mgh")
    return cut(to / "a.mgh", 200)


@case(Reason.TRUNCATED)
def analyze_cut(to: Path) -> Path:
    nib.save(nib.AnalyzeImage(ramp(), AFFINE), to / "a.img")
    cut(to / "a.img", 0.4)
    return to / "a.hdr"


@case(Reason.TRUNCATED)
def nrrd_cut(to: Path) -> Path:
    sitk.WriteImage(sitk.GetImageFromArray(ramp()), str(to / "a.nrrd"))
    patched = (to / "a.nrrd").read_bytes().replace(b"(1,0,0) (0,1,0) (0,0,1)", b"(4,0,0) (0,4,0) (0,0,4)")
    (to / "a.nrrd").write_bytes(patched)
    return cut(to / "a.nrrd", 0.6)


@case(Reason.TRUNCATED)
def empty_file(to: Path) -> Path:
    (to / "a.nii").touch()
    return to / "a.nii"


@case(Reason.TRUNCATED)
def empty_gzip(to: Path) -> Path:
    (to / "a.nii.gz").touch()
    return to / "a.nii.gz"


@case(Reason.UNSUPPORTED_FORMAT)
def gzip_of_nothing(to: Path) -> Path:
    (to / "a.nii.gz").write_bytes(gzip.compress(b""))
    return to / "a.nii.gz"


@case(Reason.UNREADABLE, Reason.TRUNCATED)
def gzip_with_flipped_bits(to: Path) -> Path:
    path = nifti(to / "a.nii.gz")
    return patch(path, path.stat().st_size // 2, bytes(300))


@case(Reason.UNREADABLE)
def gzip_with_a_wrong_checksum(to: Path) -> Path:
    path = nifti(to / "a.nii.gz")
    return patch(path, path.stat().st_size - 8, b"\0\0\0\0")


@case(Reason.UNREADABLE, Reason.TRUNCATED)
def gzip_with_noise_behind_its_mark(to: Path) -> Path:
    (to / "a.nii.gz").write_bytes(b"\x1f\x8b\x08" + np.random.default_rng(1).bytes(5000))
    return to / "a.nii.gz"


@case(Reason.UNSUPPORTED_FORMAT)
def wrong_magic(to: Path) -> Path:
    return patch(nifti(to / "a.nii"), 344, b"abc\0")


@case(Reason.UNSUPPORTED_FORMAT)
def wrong_size_of_the_header(to: Path) -> Path:
    return patch(nifti(to / "a.nii"), 0, struct.pack("<i", 1234))


@case(Reason.UNREADABLE)
def unknown_number_type(to: Path) -> Path:
    return patch(nifti(to / "a.nii"), 70, struct.pack("<h", 999))


@case(Reason.UNREADABLE)
def one_bit_per_voxel(to: Path) -> Path:
    return patch(nifti(to / "a.nii"), 70, struct.pack("<h", 1))


@case(Reason.UNREADABLE)
def voxels_at_infinity(to: Path) -> Path:
    return patch(nifti(to / "a.nii"), 108, struct.pack("<f", np.inf))


@case(Reason.UNREADABLE)
def voxels_before_the_file(to: Path) -> Path:
    return patch(nifti(to / "a.nii"), 108, struct.pack("<f", -4000.0))


@case(Reason.UNREADABLE, Reason.TRUNCATED)
def voxels_far_behind_the_file(to: Path) -> Path:
    return patch(nifti(to / "a.nii"), 108, struct.pack("<f", 1e12))


@case(Reason.UNREADABLE)
def slope_finite_and_intercept_not(to: Path) -> Path:
    return patch(nifti(to / "a.nii"), 112, struct.pack("<2f", 2.0, np.nan))


@case(Reason.UNREADABLE)
def more_dimensions_than_there_can_be(to: Path) -> Path:
    return patch(nifti(to / "a.nii"), 40, struct.pack("<h", 55))


@case(Reason.NOT_3D, Reason.UNREADABLE)
def a_negative_dimension(to: Path) -> Path:
    return patch(nifti(to / "a.nii"), 42, struct.pack("<h", -20))


@case(Reason.NOT_3D)
def a_dimension_of_zero(to: Path) -> Path:
    return patch(nifti(to / "a.nii"), 46, struct.pack("<h", 0))


@case(Reason.BAD_GEOMETRY, dangerous=True)
def gigantic_dimensions(to: Path) -> Path:
    return patch(nifti(to / "a.nii"), 42, struct.pack("<3h", 32767, 32767, 32767))


@case(Reason.BAD_GEOMETRY, dangerous=True)
def gigantic_dimensions_of_nifti_2(to: Path) -> Path:
    nib.save(nib.Nifti2Image(ramp(), AFFINE), to / "a.nii")
    return patch(to / "a.nii", 24, struct.pack("<3q", 2**40, 2**40, 2**40))


@case(Reason.TRUNCATED, dangerous=True)
def large_dimensions_and_a_small_file(to: Path) -> Path:
    return patch(nifti(to / "a.nii", affine=np.diag([0.4, 0.4, 0.4, 1.0])), 42, struct.pack("<3h", 600, 600, 600))


def bomb(to: Path, name: str, head: bytes) -> Path:
    """A header, and behind it five gigabytes of zeros that take a thousandth of that on disk."""
    zeros = gzip.compress(bytes(1 << 24), 9)
    (to / name).write_bytes(gzip.compress(head) + 320 * zeros)
    return to / name


def _header(shape: tuple[int, ...], dtype: str = "f8", offset: float = 352.0) -> bytes:
    header = nib.Nifti1Header()
    header.set_data_dtype(np.dtype(dtype))
    header.set_data_shape(shape)
    header["pixdim"][1:4] = 1.0
    header["qform_code"] = 1
    header["vox_offset"], header["magic"] = offset, b"n+1"
    return header.binaryblock + bytes(4)


@case(Reason.UNREADABLE, dangerous=True)
def zip_bomb_behind_a_small_volume(to: Path) -> Path:
    return bomb(to, "a.nii.gz", _header((24, 24, 24), "i2"))


@case(Reason.BAD_GEOMETRY, dangerous=True)
def zip_bomb_that_its_header_admits(to: Path) -> Path:
    return bomb(to, "a.nii.gz", _header((1000, 1000, 700)))


@case(Reason.UNREADABLE, dangerous=True)
def zip_bomb_before_the_voxels(to: Path) -> Path:
    return bomb(to, "a.nii.gz", _header((24, 24, 24), "i2", offset=4e9))


@case(Reason.UNSUPPORTED_FORMAT, dangerous=True)
def zip_bomb_of_zeros_alone(to: Path) -> Path:
    return bomb(to, "a.nii.gz", bytes(1000))


@case(Reason.UNREADABLE, dangerous=True)
def zip_bomb_called_dicom(to: Path) -> Path:
    (to / "series").mkdir()
    bomb(to / "series", "a.dcm.gz", bytes(128) + b"DICM")
    return to / "series"


@case(Reason.UNREADABLE, Reason.DICOM_NO_SERIES, dangerous=True)
def deflated_dicom_bomb(to: Path) -> Path:
    path = dicoms.save(to / "a.dcm", dicoms.series()[0])
    content = path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = packer.compress(bytes(1 << 24)) + packer.flush(zlib.Z_FULL_FLUSH)
    path.write_bytes(content[:400] + 320 * zeros + packer.flush())
    return path


@case(Reason.EMPTY)
def all_zero(to: Path) -> Path:
    return nifti(to / "a.nii.gz", np.zeros(SHAPE, "i2"))


@case(Reason.CONSTANT)
def all_alike(to: Path) -> Path:
    return nifti(to / "a.nii.gz", np.full(SHAPE, 7, "i2"))


@case(Reason.CONSTANT)
def differences_below_all_precision(to: Path) -> Path:
    return nifti(to / "a.nii.gz", (ramp() * 1e-40).astype("f4"))


@case(Reason.NOT_FINITE)
def one_nan(to: Path) -> Path:
    voxels = ramp(dtype="f4")
    voxels[3, 4, 5] = np.nan
    return nifti(to / "a.nii.gz", voxels)


@case(Reason.NOT_FINITE)
def one_infinity(to: Path) -> Path:
    voxels = ramp(dtype="f8")
    voxels[3, 4, 5] = -np.inf
    return nifti(to / "a.nii.gz", voxels)


@case(Reason.NOT_FINITE)
def intensities_at_the_end_of_float32(to: Path) -> Path:
    voxels = ramp(dtype="f4")
    voxels[3, 4, 5], voxels[3, 4, 6] = 3e38, -3e38
    return nifti(to / "a.nii.gz", voxels)


@case(Reason.NOT_FINITE)
def intensities_beyond_float32(to: Path) -> Path:
    return nifti(to / "a.nii.gz", ramp(dtype="f8") * 1e300)


@case(Reason.NOT_FINITE)
def a_slope_that_overflows(to: Path) -> Path:
    return patch(nifti(to / "a.nii"), 112, struct.pack("<2f", 3e38, 0.0))


@case(Reason.NOT_3D)
def a_single_slice(to: Path) -> Path:
    return nifti(to / "a.nii.gz", ramp((40, 40)))


@case(Reason.NOT_3D)
def a_single_slice_with_a_third_axis(to: Path) -> Path:
    return nifti(to / "a.nii.gz", ramp((40, 40, 1)))


@case(Reason.TIME_SERIES)
def a_series_of_volumes(to: Path) -> Path:
    return nifti(to / "a.nii.gz", ramp((*SHAPE, 4)))


@case()
def a_fourth_axis_of_length_one(to: Path) -> Path:
    return nifti(to / "a.nii.gz", ramp((*SHAPE, 1)))


@case(Reason.TIME_SERIES, Reason.NOT_SCALAR)
def five_dimensions(to: Path) -> Path:
    return nifti(to / "a.nii.gz", ramp((*SHAPE, 2, 2)))


@case(Reason.NOT_SCALAR)
def vectors(to: Path) -> Path:
    return nifti(to / "a.nii.gz", ramp((*SHAPE, 1, 3), "f4"))


@case(Reason.NOT_SCALAR)
def colours(to: Path) -> Path:
    return nifti(to / "a.nii.gz", np.zeros(SHAPE, [("R", "u1"), ("G", "u1"), ("B", "u1")]))


@case(Reason.NOT_SCALAR)
def complex_numbers(to: Path) -> Path:
    return nifti(to / "a.nii.gz", ramp().astype("c8"))


@case(Reason.NOT_SCALAR)
def colours_in_nrrd(to: Path) -> Path:
    image = sitk.GetImageFromArray(ramp((*SHAPE, 3), "u1"), isVector=True)
    image.SetSpacing((4, 4, 4))
    sitk.WriteImage(image, str(to / "a.nrrd"))
    return to / "a.nrrd"


@case(Reason.BAD_GEOMETRY)
def a_voxel_size_of_zero(to: Path) -> Path:
    path = patch(nifti(to / "a.nii"), 252, struct.pack("<2h", 1, 0))
    return patch(path, 84, struct.pack("<f", 0.0))


@case(Reason.BAD_GEOMETRY)
def a_negative_voxel_size(to: Path) -> Path:
    path = patch(nifti(to / "a.nii"), 252, struct.pack("<2h", 1, 0))
    return patch(path, 84, struct.pack("<f", -4.0))


@case(Reason.BAD_GEOMETRY)
def a_huge_voxel_size(to: Path) -> Path:
    return nifti(to / "a.nii", affine=np.diag([4.0, 4.0, 4000.0, 1.0]))


@case(Reason.BAD_GEOMETRY)
def a_tiny_voxel_size(to: Path) -> Path:
    return nifti(to / "a.nii", affine=np.diag([4.0, 4.0, 0.004, 1.0]))


@case(Reason.BAD_GEOMETRY)
def a_voxel_size_that_is_no_number(to: Path) -> Path:
    path = patch(nifti(to / "a.nii"), 252, struct.pack("<2h", 0, 0))
    return patch(path, 80, struct.pack("<f", np.nan))


@case(Reason.BAD_GEOMETRY)
def a_singular_affine(to: Path) -> Path:
    rows = np.array([[4.0, 4, 0, 0], [0, 0, 4, 0], [0, 0, 4, 0]], "<f4")
    return patch(patch(nifti(to / "a.nii"), 252, struct.pack("<2h", 0, 1)), 280, rows.tobytes())


@case(Reason.BAD_GEOMETRY)
def an_affine_of_nan(to: Path) -> Path:
    return patch(patch(nifti(to / "a.nii"), 252, struct.pack("<2h", 0, 1)), 280, np.full(12, np.nan, "<f4").tobytes())


@case(Reason.BAD_GEOMETRY)
def axes_sheared_too_far(to: Path) -> Path:
    rows = np.array([[4.0, 3, 0, 0], [0, 4, 0, 0], [0, 0, 4, 0]], "<f4")
    return patch(patch(nifti(to / "a.nii"), 252, struct.pack("<2h", 0, 1)), 280, rows.tobytes())


@case(Reason.BAD_GEOMETRY)
def two_maps_of_opposite_handedness(to: Path) -> Path:
    rows = np.array([[-4.0, 0, 0, 0], [0, 4, 0, 0], [0, 0, 4, 0]], "<f4")
    return patch(patch(nifti(to / "a.nii"), 252, struct.pack("<2h", 1, 1)), 280, rows.tobytes())


@case(Reason.UNREADABLE)
def mgh_of_an_unknown_type(to: Path) -> Path:
    nib.save(nib.MGHImage(ramp().astype("f4"), AFFINE), to / "a.mgh")
    return patch(to / "a.mgh", 20, struct.pack(">i", 77))


@case(Reason.BAD_GEOMETRY, dangerous=True)
def mgh_of_gigantic_dimensions(to: Path) -> Path:
    nib.save(nib.MGHImage(ramp().astype("f4"), AFFINE), to / "a.mgh")
    return patch(to / "a.mgh", 4, struct.pack(">3i", 2**30, 2**30, 2**30))


@case(Reason.BAD_GEOMETRY, Reason.UNREADABLE, dangerous=True)
def nrrd_of_gigantic_sizes(to: Path) -> Path:
    sitk.WriteImage(sitk.GetImageFromArray(ramp()), str(to / "a.nrrd"))
    content = (to / "a.nrrd").read_bytes()
    (to / "a.nrrd").write_bytes(content.replace(b"sizes: 24 22 20", b"sizes: 99999 99999 99999"))
    return to / "a.nrrd"


@case(Reason.UNREADABLE)
def metaimage_that_crashes_itk(to: Path) -> Path:
    text = "ObjectType = Image\nNDims = 77\nDimSize = 1 1\nElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    (to / "a.mha").write_bytes(text.encode() + bytes(100))
    return to / "a.mha"


@case(Reason.UNSUPPORTED_FORMAT)
def metaimage_with_voxels_elsewhere(to: Path) -> Path:
    sitk.WriteImage(sitk.GetImageFromArray(ramp()), str(to / "a.mhd"))
    text = (to / "a.mhd").read_text()
    (to / "a.mhd").write_text(text.replace("a.raw", "../../../../etc/passwd"))
    return to / "a.mhd"


@case(Reason.UNREADABLE)
def minc_of_noise(to: Path) -> Path:
    (to / "a.mnc").write_bytes(b"\x89HDF\r\n\x1a\n" + np.random.default_rng(2).bytes(4000))
    return to / "a.mnc"


@case(Reason.UNSUPPORTED_FORMAT)
def text_called_nifti(to: Path) -> Path:
    (to / "a.nii").write_text("The scan will be sent later.\n" * 40)
    return to / "a.nii"


@case(Reason.MISSING_FILE)
def pointer_of_git_annex(to: Path) -> Path:
    (to / "a.nii.gz").write_text("/annex/objects/MD5E-s123--abc.nii.gz\n")
    return to / "a.nii.gz"


@case(Reason.MISSING_FILE)
def pointer_of_git_lfs(to: Path) -> Path:
    (to / "a.nii").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
    return to / "a.nii"


@case(Reason.UNSUPPORTED_FORMAT)
def a_surface(to: Path) -> Path:
    mesh = nib.GiftiImage(darrays=[nib.gifti.GiftiDataArray(np.zeros((3, 3), "f4"))])
    nib.save(mesh, to / "a.surf.gii")
    return to / "a.surf.gii"


@case(Reason.UNSUPPORTED_FORMAT)
def a_picture(to: Path) -> Path:
    sitk.WriteImage(sitk.GetImageFromArray(ramp((64, 64), "u1")), str(to / "a.png"))
    return to / "a.png"


@case(Reason.MISSING_FILE)
def nothing_there(to: Path) -> Path:
    return to / "a.nii.gz"


@case(Reason.MISSING_FILE)
def a_link_that_leads_nowhere(to: Path) -> Path:
    (to / "a.nii.gz").symlink_to(to / "annex" / "content")
    return to / "a.nii.gz"


@case(Reason.MISSING_FILE)
def a_loop_of_links(to: Path) -> Path:
    (to / "a.nii.gz").symlink_to(to / "b.nii.gz")
    (to / "b.nii.gz").symlink_to(to / "a.nii.gz")
    return to / "a.nii.gz"


@case(Reason.MISSING_FILE)
def half_a_pair(to: Path) -> Path:
    nib.save(nib.Nifti1Pair(ramp(), AFFINE), to / "a.img")
    (to / "a.img").unlink()
    return to / "a.hdr"


@case(Reason.MISSING_FILE)
def a_name_too_long(to: Path) -> Path:
    return to / ("a" * 5000 + ".nii")


@case(Reason.UNSUPPORTED_FORMAT)
def a_pipe(to: Path) -> Path:
    os.mkfifo(to / "a.nii.gz")
    return to / "a.nii.gz"


@case(Reason.UNSUPPORTED_FORMAT)
def a_device(to: Path) -> Path:
    (to / "a.nii").symlink_to("/dev/zero")
    return to / "a.nii"


@case(Reason.UNSUPPORTED_FORMAT)
def an_empty_folder(to: Path) -> Path:
    (to / "a.nii.gz").mkdir()
    return to / "a.nii.gz"


@case(Reason.UNSUPPORTED_FORMAT)
def a_folder_with_a_loop_and_a_pipe(to: Path) -> Path:
    folder = to / "series"
    folder.mkdir()
    (folder / "again").symlink_to(folder)
    os.mkfifo(folder / "a.dcm")
    return folder


@case(Reason.UNREADABLE)
def no_permission(to: Path) -> Path:
    path = nifti(to / "a.nii.gz")
    path.chmod(0)
    return path


@case(Reason.UNREADABLE)
def no_permission_for_the_folder(to: Path) -> Path:
    folder = dicoms.save_all(to / "series", dicoms.series())
    folder.chmod(0)
    return folder


@case()
def dicom_slices_in_no_order(to: Path) -> Path:
    slices = dicoms.series()
    np.random.default_rng(3).shuffle(slices)  # type: ignore[arg-type]
    return dicoms.save_all(to / "series", slices)


@case(Reason.DICOM_GAP)
def dicom_slice_missing(to: Path) -> Path:
    return dicoms.save_all(to / "series", [*dicoms.series()[:7], *dicoms.series()[8:]])


@case(Reason.DICOM_DUPLICATE)
def dicom_slice_twice(to: Path) -> Path:
    slices = dicoms.series()
    return dicoms.save_all(to / "series", [*slices, deepcopy(slices[3])])


@case(Reason.DICOM_SEVERAL_SERIES)
def dicom_series_in_one_folder(to: Path) -> Path:
    other = dicoms.series(shared=dicoms.header("2", 6))
    return dicoms.save_all(to / "series", [*dicoms.series(), *other])


@case(Reason.DICOM_MIXED)
def dicom_slices_of_two_matrices(to: Path) -> Path:
    return dicoms.save_all(to / "series", [*dicoms.series(), *dicoms.series(shape=(30, 20, 16))])


@case(Reason.DICOM_NO_SERIES)
def dicom_of_another_modality(to: Path) -> Path:
    return dicoms.save_all(to / "series", dicoms.series(shared=dicoms.header(Modality="CT")))


@case(Reason.DICOM_NO_SERIES)
def dicom_in_colour(to: Path) -> Path:
    return dicoms.save_all(to / "series", dicoms.series(shared=dicoms.header(SamplesPerPixel=3)))


@case(Reason.DICOM_NO_SERIES)
def dicom_of_one_slice(to: Path) -> Path:
    return dicoms.save(to / "a.dcm", dicoms.series()[0])


@case(Reason.UNREADABLE)
def dicom_headers_of_noise(to: Path) -> Path:
    folder = dicoms.save_all(to / "series", dicoms.series())
    for seed, path in enumerate(sorted(folder.iterdir())):
        patch(path, 132, np.random.default_rng(seed).bytes(600))
    return folder


@case(Reason.TRUNCATED)
def dicom_file_cut_in_its_voxels(to: Path) -> Path:
    folder = dicoms.save_all(to / "series", dicoms.series())
    cut(folder / "0005.dcm", 0.8)
    return folder


@case(Reason.TRUNCATED)
def dicom_file_cut_before_its_voxels(to: Path) -> Path:
    folder = dicoms.save_all(to / "series", dicoms.series())
    path = folder / "0005.dcm"
    path.write_bytes(path.read_bytes()[: -2 * 24 * 20 - 12])
    return folder


@case(Reason.UNREADABLE, Reason.DICOM_NO_SERIES)
def dicom_frames_without_their_places(to: Path) -> Path:
    data = dicoms.enhanced(dicoms.series())
    for frame in data.PerFrameFunctionalGroupsSequence:
        del frame.PlanePositionSequence
    del data.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence
    return dicoms.save(to / "a.dcm", data)


@case(Reason.BAD_GEOMETRY, Reason.UNREADABLE, dangerous=True)
def dicom_of_gigantic_slices(to: Path) -> Path:
    slices = dicoms.series()
    for one in slices:
        one.Rows, one.Columns = 65000, 65000
    return dicoms.save_all(to / "series", slices)


if __name__ == "__main__":
    for each in CASES:
        place = Path(sys.argv[1]) / each.name
        place.mkdir(parents=True)
        print(each.make(place), ", ".join(sorted(each.reasons)) or "can be read")
