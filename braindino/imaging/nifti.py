"""NIfTI-1 and -2, Analyze and MGH: nibabel reads their headers, their voxels are read here, bounded and fast."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError
from nibabel.spm2analyze import Spm2AnalyzeHeader
from nibabel.wrapstruct import WrapStructError

from braindino.errors import Reason, ScanRefused
from braindino.imaging.image_file import ImageFile, damaged_header
from braindino.imaging.payload import check_length, check_tail, first_bytes, open_payload, read_into, reading
from braindino.imaging.transforms import Transform, analyze_transform, choose_transform

# What nibabel raises, by field and damage, for a header that makes no sense.
_NO_HEADER = (WrapStructError, HeaderDataError, ValueError, KeyError, OverflowError, IndexError)

# nibabel logs what it repairs in headers, with words of the header; nobody is to read those.
_SILENT = logging.getLogger("braindino.imaging.silent")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False

_MAGIC_ALONE = {b"n+1\0": nib.Nifti1Header, b"n+2\0": nib.Nifti2Header}
_MAGIC_PAIR = {b"ni1\0": nib.Nifti1Header, b"ni2\0": nib.Nifti2Header}
_MGH_SUFFIXES = (".mgh", ".mgz", ".mgh.gz")
_MGH_HEADER = 284
_LARGEST_MAT = 1 << 16
# Extensions of a header lie before the voxels; none in use comes near this.
_LARGEST_OFFSET = 1 << 28


@dataclass(frozen=True)
class _Layout:
    """Where the voxels of a file are and how they are scaled."""

    path: Path
    offset: int
    dtype: np.dtype[Any]
    shape: tuple[int, int, int]
    n_volumes: int
    slope: float
    inter: float

    def read(self, rule: Literal["first", "mean"]) -> np.ndarray:
        """The first volume, or the mean over all, float32 where it is scaled or a mean."""
        count = int(np.prod(self.shape))
        check_length(self.path, self.offset + count * self.dtype.itemsize)
        wanted = self.n_volumes if rule == "mean" else 1
        with reading(self.path), open_payload(self.path) as stream:
            stream.seek(self.offset)
            data = self._scaled(read_into(stream, count, self.dtype))
            if wanted > 1:
                total = data.astype(np.float64)
                for _ in range(wanted - 1):
                    total += self._scaled(read_into(stream, count, self.dtype))
                data = (total / wanted).astype(np.float32)
            if wanted == self.n_volumes:
                check_tail(stream, self.path)
        return data.reshape(self.shape, order="F")

    def _scaled(self, stored: np.ndarray) -> np.ndarray:
        if self.slope == 1 and self.inter == 0:
            return stored
        with np.errstate(all="ignore"):  # what is no finite number is refused later
            scaled: np.ndarray = stored.astype(np.float32)
            scaled *= np.float32(self.slope)
            scaled += np.float32(self.inter)
        return scaled


def is_nifti(path: Path, head: bytes) -> bool:
    """Whether a file that begins with these bytes is read here: by its first number, or its name as one of a pair."""
    sizes = {int.from_bytes(head[:4], order) for order in ("little", "big")}
    mgh = head[:4] == b"\0\0\0\1" and path.name.lower().endswith(_MGH_SUFFIXES)
    return mgh or bool(sizes & {348, 540}) or halves(path) is not None


def open_nifti(path: Path) -> ImageFile:
    """Reads the header of one file or of a pair, named by either half.

    Raises:
        ScanRefused: `truncated`, `unreadable`, `missing_file`, `unsupported_format`, `bad_geometry`.
    """
    pair = halves(path)
    header_path = pair[0] if pair else path
    block = first_bytes(header_path, 540)
    if block[:4] == b"\0\0\0\1":
        return _guarded(header_path, lambda: _open_mgh(path, block))
    sizes = {int.from_bytes(block[:4], order) for order in ("little", "big")}
    if not sizes & {348, 540}:
        raise ScanRefused(Reason.UNSUPPORTED_FORMAT, f"{header_path.name} is no NIfTI or Analyze header; convert it.")
    if len(block) < min(sizes & {348, 540}):
        raise ScanRefused(Reason.TRUNCATED, f"The file {header_path.name} ends early; download it again.")
    magic = block[344:348] if 348 in sizes else block[4:8]
    if magic in _MAGIC_ALONE:
        return _guarded(header_path, lambda: _open_nifti(_MAGIC_ALONE[magic], block, header_path, header_path))
    if pair is None:
        text = f"{path.name} does not say that it is NIfTI and has no second half; convert it."
        raise ScanRefused(Reason.UNSUPPORTED_FORMAT, text)
    for half in pair:
        if not half.exists():
            text = f"Half of the pair {path.name} is not there; both the header and the image are needed."
            raise ScanRefused(Reason.MISSING_FILE, text)
    kind = _MAGIC_PAIR.get(magic, Spm2AnalyzeHeader)
    return _guarded(header_path, lambda: _open_nifti(kind, block, header_path, pair[1]))


def halves(path: Path) -> tuple[Path, Path] | None:
    """Header and image of a pair by the name of either; None for other names."""
    for end in ("", ".gz"):
        for suffix in (".hdr", ".img"):
            if path.name.endswith(suffix + end):
                stem = path.name.removesuffix(suffix + end)
                return path.with_name(f"{stem}.hdr{end}"), path.with_name(f"{stem}.img{end}")
    return None


def _guarded(path: Path, work: Callable[[], ImageFile]) -> ImageFile:
    try:
        with np.errstate(all="ignore"):
            return work()
    except _NO_HEADER as error:
        raise damaged_header(path) from error


def _open_nifti(kind: Any, block: bytes, header_path: Path, image_path: Path) -> ImageFile:
    header = kind(block[: kind.sizeof_hdr], check=False)
    pixdim = np.array(header["pixdim"][1:4], np.float64)
    header.check_fix(logger=_SILENT, error_level=40)
    shape = tuple(int(size) for size in header.get_data_shape())
    if isinstance(header, nib.Nifti1Header):
        found = choose_transform(header, pixdim, shape, header_path.name)
    else:
        found = _with_mat(analyze_transform(header, pixdim, header_path.name), header_path)
    offset = float(header["vox_offset"])
    if not 0 <= offset <= _LARGEST_OFFSET:
        raise damaged_header(header_path)
    slope, inter = header.get_slope_inter()
    slope, inter = 1.0 if slope is None else float(slope), float(inter or 0)
    return _image(image_path, int(offset), header.get_data_dtype(), shape, found, slope, inter)


def _with_mat(found: Transform, header_path: Path) -> Transform:
    """What SPM wrote beside an Analyze pair: its affine, which says where the axes point."""
    mat = header_path.with_suffix(".mat")
    if header_path.suffix != ".hdr" or not mat.is_file() or mat.stat().st_size > _LARGEST_MAT:
        return found
    affine = np.asarray(nib.Spm2AnalyzeImage.from_filename(header_path).affine, np.float64)
    return Transform(affine, True, found.repairs)


def _open_mgh(path: Path, block: bytes) -> ImageFile:
    if len(block) < _MGH_HEADER:
        raise ScanRefused(Reason.TRUNCATED, f"The file {path.name} ends early; download it again.")
    header = nib.MGHImage.header_class(block[:_MGH_HEADER], check=False)
    header.check_fix(logger=_SILENT, error_level=40)
    shape = tuple(int(size) for size in header.get_data_shape())
    oriented = int.from_bytes(block[28:30], "big") == 1
    found = Transform(np.asarray(header.get_affine(), np.float64), oriented)
    return _image(path, _MGH_HEADER, header.get_data_dtype(), shape, found, 1.0, 0.0)


def _image(
    path: Path,
    offset: int,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    found: Transform,
    slope: float,
    inter: float,
) -> ImageFile:
    if any(size < 0 for size in shape) or not np.isfinite([slope, inter]).all():
        raise damaged_header(path)
    padded = (*shape, 1, 1, 1)
    n_volumes = int(np.prod([max(1, size) for size in shape[3:]], dtype=np.float64))
    layout = _Layout(path, offset, dtype, (padded[0], padded[1], padded[2]), n_volumes, slope, inter)
    return ImageFile(path.name, shape, dtype, found.affine, found.oriented, layout.read, found.repairs)
