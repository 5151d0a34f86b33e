"""scikit-learn is the oracle of every metric, with and without weights."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from braindino.evaluation.metrics import (
    balanced_accuracy,
    macro_auc,
    mean_absolute_error,
    r_squared,
    weighted_auc,
)

seeds = st.integers(0, 10_000)


def some_weights(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.vstack([np.ones(n), rng.integers(1, 4, size=(3, n))]).astype(float)


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(2, 12))
def test_binary_auc_with_many_ties(seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    positive = np.arange(40) < 15
    scores = rng.integers(levels, size=40) / levels
    weights = some_weights(rng, 40)
    expected = [sklearn_metrics.roc_auc_score(positive, scores, sample_weight=row) for row in weights]
    np.testing.assert_allclose(weighted_auc(scores, positive, weights), expected, rtol=1e-12)


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(3, 5))
def test_macro_auc_and_balanced_accuracy(seed: int, n_classes: int) -> None:
    rng = np.random.default_rng(seed)
    codes = np.arange(60) % n_classes
    scores = rng.dirichlet(np.ones(n_classes), size=60).round(2)
    scores /= scores.sum(axis=1, keepdims=True)
    guesses = scores.argmax(axis=1)
    weights = some_weights(rng, 60)
    for row, auc, accuracy in zip(
        weights, macro_auc(scores, codes, weights), balanced_accuracy(guesses, codes, weights), strict=True
    ):
        one_vs_rest = [
            sklearn_metrics.roc_auc_score(codes == code, scores[:, code], sample_weight=row)
            for code in range(n_classes)
        ]
        assert auc == pytest.approx(np.mean(one_vs_rest))
        expected = sklearn_metrics.balanced_accuracy_score(codes, guesses, sample_weight=row)
        assert accuracy == pytest.approx(expected)
    unweighted = sklearn_metrics.roc_auc_score(codes, scores, multi_class="ovr", average="macro")
    assert macro_auc(scores, codes, weights)[0] == pytest.approx(unweighted)


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_regression_metrics(seed: int) -> None:
    rng = np.random.default_rng(seed)
    targets = rng.normal(50, 15, size=40)
    predicted = targets + rng.normal(0, 5, size=40)
    weights = some_weights(rng, 40)
    for row, error, explained in zip(
        weights,
        mean_absolute_error(predicted, targets, weights),
        r_squared(predicted, targets, weights),
        strict=True,
    ):
        expected_error = sklearn_metrics.mean_absolute_error(targets, predicted, sample_weight=row)
        assert error == pytest.approx(expected_error)
        assert explained == pytest.approx(sklearn_metrics.r2_score(targets, predicted, sample_weight=row))


def test_a_draw_that_lacks_a_class_or_any_spread_is_not_a_number_and_makes_no_warning() -> None:
    codes = np.array([0, 0, 1, 2])
    scores = np.eye(3)[codes]
    weights = np.array([[1.0, 1, 1, 1], [1, 1, 2, 0], [4, 0, 0, 0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(macro_auc(scores, codes, weights), [1, np.nan, np.nan])
        np.testing.assert_array_equal(balanced_accuracy(codes, codes, weights), [1, np.nan, np.nan])
        ages = np.array([60.1, 60.1, 70.3, 80.2])
        explained = r_squared(ages + 1, ages, np.array([[1.0, 1, 1, 1], [3, 1, 0, 0]]))
    assert explained[0] < 1
    assert np.isnan(explained[1])


def test_classes_the_test_does_not_hold_are_left_out_of_the_mean() -> None:
    codes = np.array([0, 0, 2, 2])
    scores = np.array([[0.8, 0.1, 0.1], [0.3, 0.3, 0.4], [0.4, 0.1, 0.5], [0.1, 0.2, 0.7]])
    expected = np.mean([sklearn_metrics.roc_auc_score(codes == code, scores[:, code]) for code in (0, 2)])
    assert macro_auc(scores, codes, np.ones((1, 4)))[0] == pytest.approx(expected)
