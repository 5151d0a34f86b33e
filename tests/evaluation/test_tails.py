"""Thresholds far outside of what was seen, where the truth is known."""

import numpy as np
import pytest
from scipy import stats

from braindino.errors import ConfigError
from braindino.evaluation.tails import fit_tail


def test_an_exponential_tail_is_followed_to_its_quantile() -> None:
    scores = np.random.default_rng(0).exponential(1.0, 20_000)
    tail = fit_tail(scores, 1e-6)
    assert tail.threshold == pytest.approx(-np.log(1e-6), rel=0.25)
    assert tail.low < -np.log(1e-6) < tail.high
    assert abs(tail.shape) < 0.15


def test_a_normal_tail_is_bracketed() -> None:
    scores = np.random.default_rng(1).standard_normal(50_000)
    tail = fit_tail(scores, 1e-6, share=0.02)
    assert tail.low < stats.norm.isf(1e-6) < tail.high * 1.1
    assert tail.threshold > scores.max() - 0.5


def test_pairs_that_share_brains_widen_the_interval() -> None:
    rng = np.random.default_rng(2)
    first, second = np.triu_indices(60, 1)
    hub = rng.normal(0, 1, 60)  # some brains are like all others
    scores = hub[first] + hub[second] + 0.2 * rng.standard_normal(len(first))
    alone = fit_tail(scores, 1e-4, share=0.1)
    together = fit_tail(scores, 1e-4, share=0.1, members=(first, second))
    assert together.high - together.low > 1.1 * (alone.high - alone.low)
    assert together.threshold == alone.threshold


def test_too_few_scores_or_too_common_a_rate_are_refused() -> None:
    with pytest.raises(ConfigError, match="at least 30"):
        fit_tail(np.arange(100.0), 1e-8)
    with pytest.raises(ConfigError, match="must be below"):
        fit_tail(np.arange(10_000.0), 0.2)
