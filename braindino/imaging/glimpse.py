"""What can be seen of an image that cannot be used, for people to look at: nothing is computed from it."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from braindino.errors import ScanRefused
from braindino.imaging.image_file import MOST_VOXELS, ImageFile
from braindino.imaging.payload import first_bytes, open_payload
from braindino.imaging.read import open_image
from braindino.imaging.volume import Volume

_STEP = 1 << 16


def glimpse(path: Path, orientation: str | None = None) -> Volume | None:
    """The first volume of a file as far as it can be read; None if nothing can.

    What is cut off is 0, what is no finite number too; complex numbers show their size and colours their mean. Where
    the header makes no sense of space, voxels are cubes of a millimetre.

    Args:
        path: the image.
        orientation: where its axes point, as for `read_volume`.

    Returns:
        Voxels in float32 on a grid that was not checked, whose axes may be sheared.
    """
    try:
        image = open_image(path, orientation)
        if not 2 <= len(image.shape) <= 7 or not 0 < np.prod(image.shape, dtype=float) <= MOST_VOXELS:
            return None
        data = _voxels(image, path)
    except (ScanRefused, ValueError, TypeError, MemoryError, OSError):
        return None
    if data is None:
        return None
    affine = image.affine if _makes_sense(image.affine) else np.eye(4)
    return Volume(_shown(data), affine, image.name, image.repairs)


def _voxels(image: ImageFile, path: Path) -> np.ndarray | None:
    try:
        return image.read("first")
    except ScanRefused:
        return _part_of_nifti(image, path)


def _part_of_nifti(image: ImageFile, path: Path) -> np.ndarray | None:
    """The voxels of a single NIfTI file up to where it breaks off, zeros after them."""
    block = first_bytes(path, 540)
    if b"n+2\0" in (block[4:8], block[344:348]):
        kind: Any = nib.Nifti2Header
    elif block[344:348] == b"n+1\0":
        kind = nib.Nifti1Header
    else:
        return None
    offset = int(kind(block[: kind.sizeof_hdr], check=False)["vox_offset"])
    shape = (*image.shape[:3], 1)[:3]
    data = np.zeros(int(np.prod(shape)), image.dtype)
    there = _bytes_there(path, offset + data.nbytes)[offset:]
    whole = len(there) // image.dtype.itemsize
    data[:whole] = np.frombuffer(there[: whole * image.dtype.itemsize], image.dtype)
    return data.reshape(shape, order="F")


def _bytes_there(path: Path, most: int) -> bytes:
    content = bytearray()
    # `open_payload` turns whatever is wrong with the bytes into a refusal.
    with suppress(ScanRefused), open_payload(path) as stream:
        while len(content) < most and (step := stream.read(_STEP)):
            content += step
    return bytes(content[:most])


def _shown(data: np.ndarray) -> np.ndarray:
    if data.dtype.fields is not None:
        data = np.mean([data[name].astype(np.float32) for name in data.dtype.fields], axis=0)
    data = np.abs(data) if data.dtype.kind == "c" else data
    with np.errstate(all="ignore"):
        finite = np.nan_to_num(data.astype(np.float32), posinf=0.0, neginf=0.0)
    return finite.reshape((*finite.shape, 1, 1)[: max(3, finite.ndim)])


def _makes_sense(affine: np.ndarray) -> bool:
    if not np.isfinite(affine).all():
        return False
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    return bool(spacing.min() > 0.01 and spacing.max() < 100 and abs(np.linalg.det(affine[:3, :3] / spacing)) > 0.1)
