"""An image of any format with its header read and its voxels not yet: what all formats have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from braindino.errors import Reason, ScanRefused

FourD = Literal["refuse", "first", "mean"]

# A voxel of 0.3 mm over 20 cm gives this many; more would take a worker's memory, and a header that asks for more is
# nearly always damaged.
MOST_VOXELS = 300_000_000


@dataclass(frozen=True)
class ImageFile:
    """What a file says of its voxels.

    `affine` (4 x 4, float64) maps voxel index to RAS mm. `oriented` says whether the file itself tells where its axes
    point; else `affine` holds voxel sizes along the format's default axes. `read` gives the voxels [x, y, z], scaled,
    of the first volume or of the mean over all; it raises ScanRefused.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    affine: np.ndarray
    oriented: bool
    read: Callable[[Literal["first", "mean"]], np.ndarray]
    repairs: tuple[str, ...] = ()


def check_image(image: ImageFile, four_d: FourD) -> tuple[str, ...]:
    """Refuses what is not one volume of intensities, before a voxel is read.

    Returns:
        What was decided by rule, as a repair to record.

    Raises:
        ScanRefused: `not_3d`, `not_scalar`, `time_series` or `bad_geometry`.
    """
    shape, name = image.shape, image.name
    sizes = " x ".join(map(str, shape))
    if len(shape) < 3 or min(shape[:3]) < 2:
        raise ScanRefused(Reason.NOT_3D, f"{name} is {sizes}: a brain volume needs three dimensions.")
    check_scalar(image.dtype, name)
    extra = [size for size in shape[3:] if size > 1]
    if extra and shape[3] == 1:
        text = f"{name} holds {extra[0]} components per voxel; give one volume of intensities."
        raise ScanRefused(Reason.NOT_SCALAR, text)
    if extra and four_d == "refuse":
        text = f"{name} is a series of {shape[3]} volumes; leave it out, or save the one you want as a file."
        raise ScanRefused(Reason.TIME_SERIES, text)
    if len(extra) > 1:
        text = f"{name} has {len(shape)} dimensions; give one volume of intensities."
        raise ScanRefused(Reason.NOT_SCALAR, text)
    check_size(shape, name)
    return (f"{four_d} of {shape[3]} volumes taken",) if extra else ()


def check_size(shape: tuple[int, ...], name: str) -> None:
    """Refuses more voxels than a worker can hold; raises ScanRefused: `bad_geometry`."""
    if float(np.prod(shape[:3], dtype=np.float64)) > MOST_VOXELS:
        sizes = " x ".join(map(str, shape[:3]))
        text = f"The header of {name} asks for {sizes} voxels; it is damaged, or the volume must be resampled first."
        raise ScanRefused(Reason.BAD_GEOMETRY, text)


def check_scalar(dtype: np.dtype[Any], name: str) -> None:
    """Refuses colours and complex numbers; raises ScanRefused: `not_scalar`."""
    if dtype.fields is not None or dtype.kind not in "biuf":
        kind = "colours" if dtype.fields is not None else str(dtype)
        text = f"{name} holds {kind} instead of one intensity per voxel; give a magnitude image."
        raise ScanRefused(Reason.NOT_SCALAR, text)


def damaged_header(path: Path) -> ScanRefused:
    """The refusal of a file whose format is known and whose header makes no sense."""
    return ScanRefused(Reason.UNREADABLE, f"The header of {path.name} is damaged; download it again.")
