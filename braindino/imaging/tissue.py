"""What the intensities of a brain say of an image: signal to noise, contrast to noise, and saturation at its source."""

from dataclasses import dataclass

import numpy as np

from braindino.imaging.volume import Volume

_SAMPLE = 150_000  # brain voxels are enough for a histogram
_BINS = 128
_CLASSES = 3  # as fluid, grey and white matter, in whatever order a contrast puts them
_STEPS = 300
_SETTLED = 1e-5  # of the intensity range, in the means
_LARGE_SHARE = 0.2  # of the brain; a smaller class is fluid, vessels or a lesion
_FEWEST_VOXELS = 1000


@dataclass(frozen=True)
class TissueFigures:
    """Figures of a brain's intensities as acquired, before any correction or resampling.

    `clip_high` and `clip_low` are shares of the brain's voxels at the largest and the smallest value of the whole
    image: a scanner or a converter that saturates piles them up there. `snr` is the largest mean / standard deviation
    among the tissue classes that hold a fifth of the brain or more; `cnr` is |mean 1 - mean 2| / sqrt(variance 1 +
    variance 2) of the two largest classes. Both are None where there is too little to tell.
    """

    clip_high: float
    clip_low: float
    snr: float | None
    cnr: float | None


def tissue_figures(volume: Volume, mask: np.ndarray) -> TissueFigures:
    """Measures the brain of an image.

    SNR within a homogeneous tissue and CNR between two are those of MRIQC (Esteban et al. 2017, doi:
    10.1371/journal.pone.0184661; Dietrich et al. 2007 and Magnotta and Friedman 2006 therein), without the terms of the
    air around the head, which stripped images lack. Tissue is a mixture of three Gaussians fitted to the histogram, so
    that the tails of overlapping classes are not cut off, and no contrast needs a rule of its own. Inhomogeneity of the
    coil counts as noise.

    Args:
        volume: the image.
        mask: its brain, bool [x, y, z], not empty.
    """
    # The transpose of a volume as files keep it is contiguous, and is gathered from many times as fast.
    inside = volume.data.T[mask.T]
    lowest, highest = volume.data.min(), volume.data.max()
    step = max(1, round((len(inside) / _SAMPLE) ** (1 / 3)))
    drawn = (slice(None, None, step),) * 3
    sample = volume.data.T[drawn][mask.T[drawn]].astype(np.float32)
    snr, cnr = _snr_cnr(sample)
    return TissueFigures(
        clip_high=np.count_nonzero(inside == highest) / len(inside),
        clip_low=np.count_nonzero(inside == lowest) / len(inside),
        snr=snr,
        cnr=cnr,
    )


def _snr_cnr(values: np.ndarray) -> tuple[float | None, float | None]:
    if len(values) < _FEWEST_VOXELS:
        return None, None
    low, high = np.percentile(values, (0.1, 99.9))
    if low == high:
        return None, None
    counts, edges = np.histogram(values, _BINS, (low, high))
    shares, means, deviations = _mixture(counts / counts.sum(), (edges[1:] + edges[:-1]) / 2)
    largest = np.argsort(shares)[-2:]
    first, second = largest
    cnr = abs(means[first] - means[second]) / np.hypot(deviations[first], deviations[second])
    tissue = shares >= _LARGE_SHARE
    snr = (np.abs(means) / deviations)[tissue].max() if tissue.any() else None
    return None if snr is None else float(snr), float(cnr)


def _mixture(density: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shares, means and standard deviations of Gaussians fitted to a histogram (EM; Dempster et al. 1977).

    It begins at equal shares of the voxels. No class is narrower than a bin, on which whole numbers would collapse.
    """
    width = float(centres[1] - centres[0])
    span = width * len(centres)
    means = np.interp((np.arange(_CLASSES) + 0.5) / _CLASSES, np.cumsum(density), centres)
    deviations, shares = np.full(_CLASSES, span / (2 * _CLASSES)), np.full(_CLASSES, 1 / _CLASSES)
    for _ in range(_STEPS):
        likely = shares / deviations * np.exp(-0.5 * ((centres[:, None] - means) / deviations) ** 2) + 1e-300
        belongs = likely / likely.sum(axis=1, keepdims=True) * density[:, None]
        shares, before = belongs.sum(axis=0) + 1e-12, means
        means = (belongs * centres[:, None]).sum(axis=0) / shares
        deviations = np.sqrt((belongs * (centres[:, None] - means) ** 2).sum(axis=0) / shares)
        deviations = np.maximum(deviations, width)
        if np.abs(means - before).max() < _SETTLED * span:
            break
    return shares, means, deviations
