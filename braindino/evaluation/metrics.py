"""The metrics, each written once for rows with weights.

Weights of one give a metric's value; weights that count how often each subject was drawn give a bootstrap
draw. All draws are computed together.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def weighted_auc(scores: Array, positive: NDArray[np.bool_], weights: Array) -> Array:
    """Area under the ROC curve of `scores` [n] for each row of `weights` [draws, n].

    The probability that a positive scores above a negative, ties counting half (Hanley and McNeil 1982,
    Radiology 143:29). NaN where the positives or the negatives have no weight.
    """
    order = np.argsort(scores, kind="stable")
    # The first of each run of equal scores: a tie is one step of the curve.
    starts = np.flatnonzero(np.diff(scores[order], prepend=np.nan) != 0)
    sorted_weights = weights[:, order]
    up = np.add.reduceat(sorted_weights * positive[order], starts, axis=1)
    down = np.add.reduceat(sorted_weights * ~positive[order], starts, axis=1)
    below = np.cumsum(down, axis=1) - down / 2
    pairs = up.sum(axis=1) * down.sum(axis=1)
    return _ratio((up * below).sum(axis=1), pairs)


def macro_auc(scores: Array, codes: NDArray[np.int64], weights: Array) -> Array:
    """One-vs-rest AUC, the plain mean over the classes that `codes` [n] holds.

    `scores` is [n, classes], `weights` [draws, n], the result [draws]. With two classes it is the ordinary
    AUC of the second. A draw that lacks any of the classes gives NaN: the mean over fewer classes would be
    another quantity.
    """
    present = np.array([1]) if scores.shape[1] == 2 else np.unique(codes)
    curves = np.array([weighted_auc(scores[:, code], codes == code, weights) for code in present])
    return np.asarray(curves.mean(axis=0), dtype=np.float64)


def balanced_accuracy(predicted: NDArray[np.int64], codes: NDArray[np.int64], weights: Array) -> Array:
    """Mean recall over the classes that `codes` [n] holds, per row of `weights` [draws, n].

    NaN in a draw that lacks one of them.
    """
    recalls = []
    for code in np.unique(codes):
        members = weights[:, codes == code]
        recalls.append(_ratio(members @ (predicted[codes == code] == code), members.sum(axis=1)))
    return np.asarray(np.mean(recalls, axis=0), dtype=np.float64)


def mean_absolute_error(predicted: Array, targets: Array, weights: Array) -> Array:
    """Mean absolute error in the unit of the target, per row of `weights` [draws, n]."""
    return _ratio(weights @ np.abs(predicted - targets), weights.sum(axis=1))


def r_squared(predicted: Array, targets: Array, weights: Array) -> Array:
    """Share of variance explained, 1 - SS_residual / SS_total, per row of `weights` [draws, n].

    SS_total is taken about the mean of the test targets themselves, so the value is at most 1 and can be
    negative. NaN in a draw whose targets are all equal.
    """
    means = _ratio(weights @ targets, weights.sum(axis=1))
    total = (weights * (targets[None, :] - means[:, None]) ** 2).sum(axis=1)
    # A draw of one repeated target leaves rounding noise where the spread is exactly zero.
    spread = np.where(total > 1e-12 * (weights @ targets**2), total, 0.0)
    return 1.0 - _ratio(weights @ (predicted - targets) ** 2, spread)


def _ratio(numerator: Array, denominator: Array) -> Array:
    """Their ratio; NaN, without a warning, where the denominator is zero."""
    return np.divide(numerator, denominator, out=np.full_like(numerator, np.nan), where=denominator != 0)
