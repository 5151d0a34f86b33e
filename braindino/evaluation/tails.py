"""How high the scores of unlike pairs reach: a threshold for a rate of false alarms too small to be counted.

A rate of 1e-8 cannot be measured on some thousand pairs. The upper tail of almost any distribution tends to a
generalised Pareto distribution (Pickands, Ann Stat 3 (1975) 119-131); it is fitted to the highest scores and followed
outwards.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from braindino.errors import ConfigError

_FEWEST = 30  # scores in the tail, below which a fit says nothing


@dataclass(frozen=True)
class Tail:
    """The score that a share `rate` of unlike pairs exceeds, with its 95 % interval, and the fit behind it.

    `start` is the score at which the tail begins, `share` the share of scores beyond it, `shape` and `scale` the
    parameters of the Pareto distribution, `n` the number of pairs.
    """

    rate: float
    threshold: float
    low: float
    high: float
    start: float
    share: float
    shape: float
    scale: float
    n: int


def fit_tail(
    scores: NDArray[np.float64],
    rate: float,
    *,
    members: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
    share: float = 0.05,
    draws: int = 400,
    seed: int = 0,
) -> Tail:
    """The threshold for a rate of false alarms, from scores of pairs that are no copies.

    The Pareto parameters come from probability-weighted moments (Hosking and Wallis, Technometrics 29 (1987) 339-349),
    the interval from a bootstrap. Correlations should come as Fisher's z, which has no upper bound to run into.

    Args:
        scores: one per pair.
        rate: the wanted share of such pairs above the threshold.
        members: the two brains of each pair. Pairs that share a brain are not independent: with this the bootstrap
            draws brains, and not pairs.
        share: how much of the scores counts as the tail.
        draws: bootstrap draws.
        seed: of the bootstrap.

    Raises:
        ConfigError: there are too few scores, or the rate is not rarer than the tail.
    """
    if len(scores) * share < _FEWEST or not 0 < rate < share:
        raise ConfigError(
            f"A tail of {share:.0%} of {len(scores)} scores gives no threshold for a rate of {rate:g}: at least "
            f"{_FEWEST} scores must lie in the tail, and the rate must be below {share:g}."
        )
    values = np.asarray(scores, dtype=np.float64)
    threshold, start, shape, scale = _threshold(values, rate, share)
    rng = np.random.default_rng(seed)
    drawn = np.array([_threshold(_redrawn(values, members, rng), rate, share)[0] for _ in range(draws)])
    low, high = np.quantile(drawn, [0.025, 0.975]).tolist()
    return Tail(rate, threshold, low, high, start, share, shape, scale, len(values))


def _threshold(values: NDArray[np.float64], rate: float, share: float) -> tuple[float, float, float, float]:
    start = float(np.quantile(values, 1 - share))
    beyond = np.sort(values[values > start] - start)
    ranks = np.arange(len(beyond))
    first = float(beyond.mean())
    second = float(np.mean(beyond * (len(beyond) - 1 - ranks)) / max(len(beyond) - 1, 1))
    spread = max(first - 2 * second, 1e-12)
    shape, scale = 2 - first / spread, 2 * first * second / spread
    far = rate / share
    reach = -scale * np.log(far) if abs(shape) < 1e-9 else scale / shape * (far**-shape - 1)
    return start + float(reach), start, shape, scale


def _redrawn(
    values: NDArray[np.float64], members: tuple[NDArray[np.int64], NDArray[np.int64]] | None, rng: np.random.Generator
) -> NDArray[np.float64]:
    if members is None:
        return rng.choice(values, len(values))
    brains, places = np.unique(np.concatenate(members), return_inverse=True)
    times = np.bincount(rng.integers(0, len(brains), len(brains)), minlength=len(brains))
    first, second = places[: len(values)], places[len(values) :]
    return np.repeat(values, times[first] * times[second])
