"""MINC 1 and 2, through nibabel (with scipy and h5py).

Not through SimpleITK, which reads MINC 2 as well: its releases differ in whether they turn MINC's RAS world into ITK's
LPS, and a mistake there would exchange left and right without a sign.
"""

import warnings
from pathlib import Path
from typing import Literal

import nibabel as nib
import numpy as np

from braindino.errors import Reason, ScanRefused
from braindino.imaging.image_file import ImageFile, damaged_header

_HDF5, _NETCDF = b"\x89HDF\r\n\x1a\n", b"CDF"


def is_minc(path: Path, head: bytes) -> bool:
    """Whether a file is MINC by its name and its first bytes."""
    return path.suffix.lower() == ".mnc" and head.startswith((_HDF5, _NETCDF))


def open_minc(path: Path) -> ImageFile:
    """Reads the header of a MINC file that is not compressed as a whole.

    Raises:
        ScanRefused: `unreadable`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they quote the header
            image = nib.load(path)
        shape = tuple(int(size) for size in image.shape)
        dtype = np.dtype(image.get_data_dtype())
        affine = np.asarray(image.affine, np.float64)
        if len(shape) == 4:  # MINC keeps time before space
            shape = (*shape[1:], shape[0])
    except Exception as error:  # nibabel, scipy and h5py raise all sorts of errors on broken files
        raise damaged_header(path) from error

    def read(rule: Literal["first", "mean"]) -> np.ndarray:
        try:
            voxels: np.ndarray = np.asarray(image.dataobj, np.float32)
        except MemoryError:
            raise
        except Exception as error:
            text = f"The voxels of {path.name} end early or are damaged; download it again."
            raise ScanRefused(Reason.TRUNCATED, text) from error
        if voxels.ndim == 3:
            return voxels
        return np.asarray(voxels[0] if rule == "first" else voxels.mean(axis=0, dtype=np.float32))

    return ImageFile(path.name, shape, dtype, affine, True, read)
