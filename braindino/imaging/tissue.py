"""What the intensities of a brain say of an image: signal to noise, contrast to noise, and saturation at its source."""

from dataclasses import dataclass

import numpy as np

from braindino.imaging.volume import Volume

_SAMPLE = 150_000  # brain voxels are enough for a histogram, and for the noise
_BINS = 128
_FEWEST_VOXELS = 1000
# Differences between neighbours across an edge of tissue are no noise: what lies beyond this many standard deviations
# is left out, over and over. Normal noise that is cut there has this share of its standard deviation left.
_CLIPPED_AT = 2.5
_LEFT_OF_IT = 0.9546
_ROUNDS = 20


@dataclass(frozen=True)
class TissueFigures:
    """Figures of a brain's intensities as acquired, before any correction or resampling.

    `clip_high` and `clip_low` are shares of the brain's voxels at the largest and the smallest value of the whole
    image: a scanner or a converter that saturates piles them up there. `snr` is the mean of the brighter of two tissues
    / noise, `cnr` the difference of their means / noise; both are None where there is too little to tell.
    """

    clip_high: float
    clip_low: float
    snr: float | None
    cnr: float | None


def tissue_figures(volume: Volume, mask: np.ndarray) -> TissueFigures:
    """Measures the brain of an image.

    SNR and CNR are signal and contrast over the standard deviation of the noise (Dietrich et al. 2007, doi:
    10.1002/jmri.20969; Magnotta and Friedman 2006, doi: 10.1007/s10278-006-0264-x). The noise is that of diagonal
    differences between neighbours inside the brain, as stripped images have no air to measure it in (Coupe et al. 2010,
    doi: 10.1016/j.media.2010.03.001); an image that was interpolated or denoised has less of it than its scanner gave.
    The brain is cut into three classes (Otsu 1979); fluid is the darkest or the brightest on every contrast, so the two
    tissues are the middle class and the larger of its neighbours.

    Args:
        volume: the image.
        mask: its brain, bool [x, y, z], not empty.
    """
    # Upwards through memory, voxels are compared several times as fast.
    turned = tuple(slice(None, None, -1 if stride < 0 else 1) for stride in volume.data.strides)
    order = _memory_order(volume.data)
    data, inside = (np.transpose(part[turned], order) for part in (volume.data, mask))
    values = data[inside]
    snr, cnr = _snr_cnr(volume, mask, max(1, round(len(values) / _SAMPLE)))
    return TissueFigures(
        clip_high=np.count_nonzero(values == data.max()) / len(values),
        clip_low=np.count_nonzero(values == data.min()) / len(values),
        snr=snr,
        cnr=cnr,
    )


def _memory_order(data: np.ndarray) -> tuple[int, ...]:
    """Axes from the slowest in memory to the fastest."""
    return tuple(int(axis) for axis in np.argsort([-abs(stride) for stride in data.strides], kind="stable"))


def _snr_cnr(volume: Volume, mask: np.ndarray, step: int) -> tuple[float | None, float | None]:
    """Both from every `step`-th slice of the acquired plane, the one across which voxels are longest."""
    through = int(np.argmax(np.round(volume.spacing, 3)))
    order = (through, *(axis for axis in _memory_order(volume.data) if axis != through))
    inside = np.ascontiguousarray(np.transpose(mask, order)[::step])
    rows, columns = (np.flatnonzero(inside.any(axis=axes)) for axes in ((0, 2), (0, 1)))
    if not len(rows):
        return None, None
    box = (slice(None), slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    inside = inside[box]
    planes = np.transpose(volume.data, order)[::step][box].astype(np.float32, order="C")
    values = planes[inside]
    noise = _noise(planes, inside)
    if len(values) < _FEWEST_VOXELS or not noise:
        return None, None
    dark, bright = _tissues(values)
    return bright / noise, (bright - dark) / noise


def _noise(planes: np.ndarray, inside: np.ndarray) -> float:
    """Standard deviation of the noise, from blocks of 2 x 2 voxels inside the brain; 0 where there are none."""
    block = inside[:, 1:, 1:] & inside[:, 1:, :-1] & inside[:, :-1, 1:] & inside[:, :-1, :-1]
    diagonal = planes[:, 1:, 1:] - planes[:, 1:, :-1] - planes[:, :-1, 1:] + planes[:, :-1, :-1]
    sizes = np.abs(diagonal[block]) / 2  # four voxels add up to twice the noise of one
    noise = float(np.median(sizes)) / 0.6745 if len(sizes) else 0.0
    for _ in range(_ROUNDS):
        before, kept = noise, sizes[sizes <= _CLIPPED_AT * noise]
        noise = float(np.sqrt(np.mean(kept**2))) / _LEFT_OF_IT if len(kept) else 0.0
        if abs(noise - before) <= 1e-3 * before:
            break
    return noise


def _tissues(values: np.ndarray) -> tuple[float, float]:
    """Means of the two tissues, the darker first: of three classes that vary least within (Otsu 1979)."""
    low, high = np.percentile(values, (0.1, 99.9))
    counts, edges = np.histogram(values, _BINS, (low, max(high, low + 1e-6)))
    share = np.concatenate([[0.0], np.cumsum(counts / counts.sum())])
    moment = np.concatenate([[0.0], np.cumsum(counts / counts.sum() * (edges[1:] + edges[:-1]) / 2)])

    def between(first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Share times squared mean of the bins from `first` up to `last`: what Otsu's criterion adds up."""
        weight = share[last] - share[first]
        spread: np.ndarray = (moment[last] - moment[first]) ** 2 / np.maximum(weight, 1e-12)
        return spread

    one, two = np.triu_indices(_BINS - 1, 1)
    one, two = one + 1, two + 1
    best = int(np.argmax(between(0 * one, one) + between(one, two) + between(two, np.full_like(two, _BINS))))
    cuts = [0, int(one[best]), int(two[best]), _BINS]
    shares, moments = np.diff(share[cuts]), np.diff(moment[cuts])
    means = moments / np.maximum(shares, 1e-12)
    neighbour = 0 if shares[0] > shares[2] else 2
    dark, bright = sorted((float(means[1]), float(means[neighbour])))
    return dark, bright
