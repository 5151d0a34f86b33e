"""How much of one block of brain is in another, in places of little and of much detail, from coarse to fine."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

Block = NDArray[np.float32]

BANDS_MM = ((8.0, 5.0), (6.5, 4.5), (5.0, 3.6), (4.2, 3.0), (3.2, 2.5))
"""Wavelengths of the bands, longest and shortest, mm."""
CLASSES = 5
"""Voxels are sorted by their local detail into as many classes of equal size."""

_AROUND = 1.5  # mm, standard deviation of the neighbourhood in which detail is measured
_SMALLEST_OVERLAP = 0.2  # of the block; two blocks that coincide reach 0.5, as borders are left out
_BORDER = 3  # voxels next to what the other block does not show are left out


@dataclass(frozen=True)
class Coherence:
    """What two aligned blocks share: `shared` and `detail` float64 [bands, classes], `overlap` the share compared.

    `shared` is the correlation of the two, class by class from the quietest to the richest in detail; `detail` the
    logarithm of the mean energy of the class over that of the block.
    """

    shared: NDArray[np.float64]
    detail: NDArray[np.float64]
    overlap: float


def coherence(fixed: Block, placed: Block, seen: NDArray[np.bool_], step_mm: float) -> Coherence | None:
    """Compares a block with another that was laid over it; None where less than a fifth of it overlaps.

    Args:
        fixed: [x, y, z].
        placed: the other one at the voxels of `fixed`.
        seen: where `placed` has a value.
        step_mm: size of a voxel.
    """
    inner = np.zeros(seen.shape, dtype=bool)
    middle = (slice(_BORDER, -_BORDER),) * 3
    inner[middle] = ndimage.binary_erosion(seen, iterations=_BORDER)[middle]
    if inner.mean() < _SMALLEST_OVERLAP:
        return None
    rows = [
        _by_detail(first, second, inner)
        for first, second in zip(_in_bands(fixed * seen, step_mm), _in_bands(placed * seen, step_mm), strict=True)
    ]
    shared, detail = (np.array([row[part] for row in rows]) for part in (0, 1))
    return Coherence(shared, detail, float(inner.mean()))


def _by_detail(
    first: Block, second: Block, inner: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    energy = np.asarray(_energy(first) + _energy(second))[inner]
    one, other = first[inner], second[inner]
    order = np.argsort(energy)
    shared, detail = np.zeros(CLASSES), np.zeros(CLASSES)
    for index, part in enumerate(np.array_split(order, CLASSES)):
        power = float(one[part] @ one[part]) * float(other[part] @ other[part])
        shared[index] = float(one[part] @ other[part]) / np.sqrt(power + 1e-30)
        detail[index] = np.log(float(energy[part].mean()) + 1e-30)
    return shared, detail


def _energy(block: Block) -> Block:
    """Local energy over that of the whole block."""
    square = block * block
    around = ndimage.gaussian_filter(square, _AROUND, mode="constant", truncate=3.0)
    return np.asarray(around / max(float(square.mean()), 1e-30), dtype=np.float32)


def _in_bands(block: Block, step_mm: float) -> list[Block]:
    spectrum = fft.rfftn(block)
    return [
        np.asarray(fft.irfftn(spectrum * band, block.shape), dtype=np.float32)
        for band in _band_filters(block.shape, step_mm)
    ]


@lru_cache(maxsize=2)
def _band_filters(shape: tuple[int, int, int], step_mm: float) -> list[NDArray[np.bool_]]:
    axes = [fft.fftfreq(shape[0], step_mm), fft.fftfreq(shape[1], step_mm), fft.rfftfreq(shape[2], step_mm)]
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    waves = np.sqrt(x**2 + y**2 + z**2)
    return [(waves >= 1 / longest) & (waves < 1 / shortest) for longest, shortest in BANDS_MM]
