"""From a file to a volume, or to one clear sentence saying why not."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from braindino.errors import Reason, ScanRefused
from braindino.imaging.dicom import open_dicom_series
from braindino.imaging.dicom_files import is_dicom
from braindino.imaging.image_file import FourD, ImageFile, check_image
from braindino.imaging.itk import is_itk, open_itk
from braindino.imaging.minc import is_minc, open_minc
from braindino.imaging.nifti import is_nifti, open_nifti
from braindino.imaging.orient import affine_of
from braindino.imaging.payload import first_bytes
from braindino.imaging.recipe import Recipe
from braindino.imaging.volume import Volume, check_geometry, make_volume

# No scanner or programme gives such intensities; their squares and sums would leave the range of float32.
_LARGEST_INTENSITY = 1e15
_SMALLEST_RANGE = 1e-25
_POINTERS = (b"/annex/objects/", b"../.git/annex/", b".git/annex/", b"version https://git-lfs")


def read_volume(
    path: Path, four_d: FourD = "refuse", *, may_be_empty: bool = False, orientation: str | None = None
) -> Volume:
    """Reads one volume, whatever its format: by the first bytes of the file, and not by its name alone.

    Formats: NIfTI-1 and -2 of any byte order, plain or gzipped, one file or a pair; Analyze; MGH and MGZ; MINC 1 and
    2; NRRD and MetaImage; and DICOM, as the folder of one series or one file of many frames.

    Args:
        path: the image, the header of a pair, or a folder of DICOM files.
        four_d: what is taken of a series of volumes: nothing, the first, or the mean over time. A fourth axis of
            length one is no series.
        may_be_empty: whether voxels may all be the same, as those of a lesion mask without lesions are.
        orientation: where the stored voxel axes point, such as "ASL", as the source says; it counts only where the
            file itself does not say it (Analyze, NIfTI without a transform). Left and right are then as right as the
            source, and no file confirms them.

    Returns:
        Voxels with the header's scaling applied (the file's own type where there is none, else float32), and
        the affine with repaired axes.

    Raises:
        ScanRefused: with a reason code and one sentence, whatever is wrong with the file.
    """
    image = open_image(path, orientation)
    repairs = (*image.repairs, *check_image(image, four_d))
    check_geometry(image.shape, image.affine, image.name)
    data = image.read("mean" if four_d == "mean" else "first")
    return make_volume(_checked(data, image.name, may_be_empty), image.affine, image.name, repairs)


def check_header(path: Path, recipe: Recipe) -> None:
    """Finds what the header alone shows to be wrong, without reading voxels.

    Raises:
        ScanRefused: as `read_volume` does, for a missing file, an unknown format, dimensions, type and
            geometry.
    """
    image = open_image(path)
    check_image(image, recipe.four_d)
    check_geometry(image.shape, image.affine, image.name)


def open_image(path: Path, orientation: str | None = None) -> ImageFile:
    """Finds out what format a file has and reads its header; arguments and refusals as of `read_volume`."""
    _check_there(path)
    image = replace(_open(path), name=path.name)
    if image.oriented or len(image.shape) < 3:
        return image
    taken = f"{orientation}, as the source says," if orientation else "the format's default"
    affine = image.affine
    if orientation is not None:
        affine = affine_of(orientation, image.shape, np.linalg.norm(affine[:3, :3], axis=0))
    repairs = (*image.repairs, f"no orientation in the header, {taken} taken")
    return replace(image, affine=affine, repairs=repairs)


def _check_there(path: Path) -> None:
    try:
        status = path.stat()
    except PermissionError as error:
        text = f"{path.name} lies in a folder that may not be read; give this user the permission."
        raise ScanRefused(Reason.UNREADABLE, text) from error
    except (OSError, ValueError) as error:
        # Too long a name, a NUL in it, or a loop of links: the system does not even look.
        text = f"The file {path.name[:60]!r} is not there; download it again or correct the path."
        raise ScanRefused(Reason.MISSING_FILE, text) from error
    if not path.is_dir() and not path.is_file():
        raise ScanRefused(Reason.UNSUPPORTED_FORMAT, f"{path.name} is a pipe or a device and no file; leave it out.")
    if path.is_file() and status.st_size == 0:
        raise ScanRefused(Reason.TRUNCATED, f"The file {path.name} is empty; download it again.")


def _open(path: Path) -> ImageFile:
    if path.is_dir():
        return open_dicom_series(path)
    head = first_bytes(path, 540)
    if head.startswith(_POINTERS):
        text = f"{path.name} is a pointer of git-annex or Git LFS and not the image: fetch its content (git annex get)."
        raise ScanRefused(Reason.MISSING_FILE, text)
    if is_dicom(head):
        return open_dicom_series(path)
    if is_itk(path, head):
        return open_itk(path)
    if is_minc(path, head):
        return open_minc(path)
    if is_nifti(path, head):
        return open_nifti(path)
    text = f"{path.name} is none of the formats that can be read (NIfTI, Analyze, MGH, MINC, NRRD, MetaImage, DICOM)"
    raise ScanRefused(Reason.UNSUPPORTED_FORMAT, f"{text}; convert it.")


def _checked(data: np.ndarray, name: str, may_be_empty: bool) -> np.ndarray:
    """The voxels in this machine's byte order and in a type of at most four bytes, once they are known to be sound."""
    # Minimum and maximum show NaN and infinity without a temporary the size of the volume.
    low, high = data.min(), data.max()
    if data.dtype.kind == "f" and not (np.isfinite(low) and np.isfinite(high)):
        share = 1 - float(np.isfinite(data).mean())
        text = f"{share:.2%} of the voxels of {name} are NaN or infinite; repair it at its source."
        raise ScanRefused(Reason.NOT_FINITE, text)
    if max(abs(float(low)), abs(float(high))) > _LARGEST_INTENSITY:
        text = f"The voxels of {name} reach from {low:.2g} to {high:.2g}: no intensities; repair it at its source."
        raise ScanRefused(Reason.NOT_FINITE, text)
    if low == high and not may_be_empty:
        reason = Reason.EMPTY if low == 0 else Reason.CONSTANT
        raise ScanRefused(reason, f"Every voxel of {name} is {low}; the image holds nothing.")
    if float(high) - float(low) < _SMALLEST_RANGE and not may_be_empty:
        raise ScanRefused(Reason.CONSTANT, f"The voxels of {name} differ by less than {_SMALLEST_RANGE:g}.")
    if data.dtype.kind == "b" or data.dtype.itemsize >= 8 or data.dtype == np.float16:
        return data.astype(np.float32)
    return data.astype(data.dtype.newbyteorder("="), copy=False)
