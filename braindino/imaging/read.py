"""From a file to a volume, or to one clear sentence saying why not."""

import gzip
import zlib
from pathlib import Path
from typing import Any, Literal

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError, SerializableImage
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from braindino.errors import Reason, ScanRefused
from braindino.imaging.orient import affine_of
from braindino.imaging.recipe import Recipe
from braindino.imaging.volume import Volume, check_geometry, make_volume

# What nibabel raises, by format and damage, for a file that is no image.
_NO_IMAGE = (ImageFileError, WrapStructError, HeaderDataError, OSError, zlib.error, ValueError, KeyError)

FourD = Literal["refuse", "first", "mean"]

# More voxels than any brain MRI has; a header that asks for more is damaged, and would take the worker's
# memory.
_MOST_VOXELS = 1_500_000_000


def read_volume(
    path: Path, four_d: FourD = "refuse", *, may_be_empty: bool = False, orientation: str | None = None
) -> Volume:
    """Reads one volume: NIfTI-1 or -2, plain or gzipped, one file or a pair, MGH and MGZ, and Analyze.

    Args:
        path: the image, or the header of a pair.
        four_d: what is taken of a series of volumes: nothing, the first, or the mean over time.
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
    image = _open(path)
    shape, repairs = _spatial_shape(image, path, four_d, orientation)
    data = _voxels(_unpacked(image, path), path)
    _check_scalar(data.dtype, path)
    if data.ndim > 3:
        data = data.reshape(*shape, -1)
        data = data[..., 0] if four_d != "mean" else data.mean(axis=3, dtype=np.float32)
    _check_values(data, path, may_be_empty)
    return make_volume(_native(data), _affine(image, shape, orientation), path.name, repairs)


def check_header(path: Path, recipe: Recipe) -> None:
    """Finds what the header alone shows to be wrong, without reading voxels.

    Raises:
        ScanRefused: as `read_volume` does, for a missing file, an unknown format, dimensions, type and
            geometry.
    """
    image = _open(path)
    shape, _ = _spatial_shape(image, path, recipe.four_d)
    _check_scalar(image.get_data_dtype(), path)
    check_geometry(shape, np.asarray(image.affine, np.float64), path.name)


def _is_no_name(path: Path) -> bool:
    """Whether the system refuses to look for a file of this name at all: too long, or with a NUL in it."""
    try:
        path.exists()
    except (OSError, ValueError):
        return True
    return False


def _open(path: Path) -> Any:
    if _is_no_name(path):
        text = f"{path.name[:60]!r} cannot be the name of a file; correct the path."
        raise ScanRefused(Reason.MISSING_FILE, text)
    if path.is_dir():
        text = f"{path.name} is a folder; convert DICOM to NIfTI first, for example with dcm2niix."
        raise ScanRefused(Reason.UNSUPPORTED_FORMAT, text)
    if not path.exists():
        text = f"The file {path.name} is not there; download it again or correct the dataset's root."
        raise ScanRefused(Reason.MISSING_FILE, text)
    if path.stat().st_size == 0:
        raise ScanRefused(Reason.TRUNCATED, f"The file {path.name} is empty; download it again.")
    try:
        image = _load(path)
    except FileNotFoundError as error:
        text = f"Half of the pair {path.name} is not there; both the header and the image are needed."
        raise ScanRefused(Reason.MISSING_FILE, text) from error
    except EOFError as error:
        raise ScanRefused(Reason.TRUNCATED, f"The file {path.name} ends early; download it again.") from error
    except _NO_IMAGE as error:
        text = f"{path.name} is not a NIfTI, MGH or Analyze image ({_first_line(error)}); convert it."
        raise ScanRefused(Reason.UNSUPPORTED_FORMAT, text) from error
    # nibabel opens a pair whose image is missing and fails only at the voxels; an Analyze .mat is optional.
    parts = getattr(image, "file_map", {})
    names = [parts[role].filename for role in ("header", "image") if role in parts]
    if any(name is not None and not Path(name).exists() for name in names):
        text = f"Half of the pair {path.name} is not there; both the header and the image are needed."
        raise ScanRefused(Reason.MISSING_FILE, text)
    if not hasattr(image, "affine") or not hasattr(image, "dataobj"):
        raise ScanRefused(Reason.UNSUPPORTED_FORMAT, f"{path.name} holds no volume; convert it to NIfTI.")
    return image


def _load(path: Path) -> Any:
    """The image; copies of BraTS on Kaggle end in `.niigz`, which is `.nii.gz` without its dot."""
    if path.suffix == ".niigz":
        return nib.Nifti1Image.from_bytes(gzip.decompress(path.read_bytes()))
    return nib.load(path)


def _spatial_shape(
    image: Any, path: Path, four_d: FourD, orientation: str | None = None
) -> tuple[tuple[int, int, int], tuple[str, ...]]:
    shape = tuple(int(size) for size in image.shape)
    repairs: tuple[str, ...] = ()
    if len(shape) < 3 or min(shape[:3]) < 2:
        text = f"{path.name} is {' x '.join(map(str, shape))}: a brain volume needs three dimensions."
        raise ScanRefused(Reason.NOT_3D, text)
    extra = [size for size in shape[3:] if size > 1]
    if extra and shape[3] == 1:
        text = f"{path.name} holds {extra[0]} components per voxel; give one volume of intensities."
        raise ScanRefused(Reason.NOT_SCALAR, text)
    if extra and four_d == "refuse":
        text = f"{path.name} is a series of {shape[3]} volumes; leave it out, or save the one you want as a file."
        raise ScanRefused(Reason.TIME_SERIES, text)
    if len(extra) > 1:
        text = f"{path.name} has {len(shape)} dimensions; give one volume of intensities."
        raise ScanRefused(Reason.NOT_SCALAR, text)
    if extra:
        repairs += (f"{four_d} of {shape[3]} volumes taken",)
    if int(np.prod(shape, dtype=np.float64)) > _MOST_VOXELS:
        text = f"The header of {path.name} asks for {' x '.join(map(str, shape))} voxels; it is damaged."
        raise ScanRefused(Reason.BAD_GEOMETRY, text)
    if _orientation_unknown(image):
        taken = f"{orientation}, as the source says," if orientation else "the format's default"
        repairs += (f"no orientation in the header, {taken} taken",)
    return (shape[0], shape[1], shape[2]), repairs


def _orientation_unknown(image: Any) -> bool:
    header = image.header
    if isinstance(header, nib.Nifti1Header):
        return int(header["qform_code"]) == 0 and int(header["sform_code"]) == 0
    return isinstance(header, nib.AnalyzeHeader)


def _affine(image: Any, shape: tuple[int, int, int], orientation: str | None) -> np.ndarray:
    if orientation is None or not _orientation_unknown(image):
        return np.asarray(image.affine, np.float64)
    return affine_of(orientation, shape, np.abs(np.array(image.header.get_zooms()[:3], np.float64)))


def _unpacked(image: Any, path: Path) -> Any:
    """The image over its decompressed bytes: fast, and the checksum at their end is verified."""
    if not isinstance(image, SerializableImage) or path.suffix not in (".gz", ".mgz") or len(image.file_map) > 1:
        return image
    try:
        return type(image).from_bytes(gzip.decompress(path.read_bytes()))
    except EOFError as error:
        raise ScanRefused(Reason.TRUNCATED, f"The file {path.name} ends early; download it again.") from error
    except (OSError, zlib.error, ValueError) as error:
        text = f"The file {path.name} is damaged ({_first_line(error)}); download it again."
        raise ScanRefused(Reason.UNREADABLE, text) from error


def _voxels(image: Any, path: Path) -> np.ndarray:
    _check_scalar(image.get_data_dtype(), path)
    try:
        proxy = image.dataobj
        plain = getattr(proxy, "slope", 1) == 1 and getattr(proxy, "inter", 0) == 0
        return np.asanyarray(proxy) if plain else np.asarray(proxy, dtype=np.float32)
    except (EOFError, zlib.error) as error:
        raise ScanRefused(Reason.TRUNCATED, f"The file {path.name} ends early; download it again.") from error
    except (OSError, ValueError, OverflowError) as error:
        detail = _first_line(error)
        short = any(word in detail.lower() for word in ("expected", "mmap length", "end-of-stream", "buffer"))
        reason = Reason.TRUNCATED if short else Reason.UNREADABLE
        text = f"The voxels of {path.name} cannot be read ({detail}); download it again."
        raise ScanRefused(reason, text) from error


def _check_scalar(dtype: np.dtype[Any], path: Path) -> None:
    if dtype.fields is not None or dtype.kind not in "biuf":
        kind = "colours" if dtype.fields is not None else str(dtype)
        text = f"{path.name} holds {kind} instead of one intensity per voxel; give a magnitude image."
        raise ScanRefused(Reason.NOT_SCALAR, text)


def _check_values(data: np.ndarray, path: Path, may_be_empty: bool) -> None:
    # Minimum and maximum show NaN and infinity without a temporary the size of the volume.
    low, high = data.min(), data.max()
    if data.dtype.kind == "f" and not (np.isfinite(low) and np.isfinite(high)):
        share = 1 - float(np.isfinite(data).mean())
        text = f"{share:.2%} of the voxels of {path.name} are NaN or infinite; repair it at its source."
        raise ScanRefused(Reason.NOT_FINITE, text)
    if low == high and not may_be_empty:
        reason = Reason.EMPTY if low == 0 else Reason.CONSTANT
        raise ScanRefused(reason, f"Every voxel of {path.name} is {low}; the image holds nothing.")


def _native(data: np.ndarray) -> np.ndarray:
    if data.dtype.kind == "b" or data.dtype.itemsize == 8 or data.dtype == np.float16:
        return data.astype(np.float32)
    return data.astype(data.dtype.newbyteorder("="), copy=False)


def _first_line(error: Exception) -> str:
    # Paths are left out: a message goes into tables that are shared.
    return str(error).splitlines()[0].replace(str(Path.home()), "~")[:160] if str(error) else type(error).__name__
