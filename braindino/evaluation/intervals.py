"""What one fit is worth: its metrics on the test scans, with bootstrap intervals over subjects."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from braindino.errors import FitError
from braindino.evaluation.metrics import Array, balanced_accuracy, macro_auc, mean_absolute_error, r_squared
from braindino.evaluation.strata import Kind

SMOKE_TEST_SUBJECTS = 20
"""Test subjects (per class, if a classification) under which a value shows that the code runs, no more."""

Column = Sequence[str] | Sequence[float] | NDArray[np.generic]
_Weighted = dict[str, Callable[[Array], Array]]  # metric name -> its value per row of weights [draws, n]
_BLOCK = 4_000_000  # weights held in memory at once


@dataclass(frozen=True)
class Metric:
    """One figure of one fit; the names are columns of the table `metrics`.

    `n` counts test subjects, `n_scans` test scans. `n_smallest_class` counts the test subjects of the
    smallest of the fit's classes (zero where the test has none of it); None for a regression. The interval is
    None where it cannot be had (see `evaluate`).
    """

    metric: str
    value: float
    ci_low: float | None
    ci_high: float | None
    n: int
    n_scans: int
    n_smallest_class: int | None
    smoke_test: bool


def evaluate(
    kind: Kind,
    targets: Column,
    predicted: Column,
    groups: Sequence[str] | NDArray[np.generic],
    *,
    scores: Array | None = None,
    classes: Sequence[str] | None = None,
    seed: int = 0,
    n_boot: int = 1000,
) -> list[Metric]:
    """All metrics of the kind over test rows, one per scan, each with a 95 % bootstrap interval over
    subjects.

    Classification (`auc`, `balanced_accuracy`) needs `classes` and `scores` [n, classes] in their order;
    regression (`mae`, `r2`) needs neither. Subjects (`groups`, [n]) are drawn with replacement, each with all
    of its scans; the draws depend on subjects and seed alone, so two encoders judged on the same subjects get
    the same draws. A draw in which a metric is not defined (it lacks a class, or its target is constant) is
    ignored for that metric; where fewer than half of the draws remain, or there is one subject only, the
    interval is None.

    Raises:
        FitError: when the test set is empty or holds one class or one target value only, when it holds a
            class that the fit does not know, or when a target, a prediction or a score is not finite.
    """
    if len(targets) == 0:
        raise FitError("The test set is empty: no scan of a test subject has this target.")
    uids, rows = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    smallest = None
    if kind == "classification":
        codes = _codes(targets, classes or ())
        metrics = _classification(codes, predicted, scores, classes or ())
        smallest = min(len(np.unique(rows[codes == code])) for code in range(len(classes or ())))
    else:
        metrics = _regression(targets, predicted)
    smoke = (len(uids) if smallest is None else smallest) < SMOKE_TEST_SUBJECTS
    intervals = _intervals(metrics, rows, len(uids), seed, n_boot)
    once = np.ones((1, len(rows)))
    return [
        Metric(name, float(weighted(once)[0]), *intervals[name], len(uids), len(rows), smallest, smoke)
        for name, weighted in metrics.items()
    ]


def _codes(names: Column, classes: Sequence[str]) -> NDArray[np.int64]:
    """Class indices of class names."""
    index = {name: code for code, name in enumerate(classes)}
    unknown = sorted({str(name) for name in names} - index.keys())
    if unknown:
        raise FitError(
            f"The test holds the class {unknown[0]!r}, which the fit does not know (it knows "
            f"{', '.join(classes) or 'none'}): leave it out of the test or add training subjects of it."
        )
    return np.array([index[str(name)] for name in names], dtype=np.int64)


def _classification(
    codes: NDArray[np.int64], predicted: Column, scores: Array | None, classes: Sequence[str]
) -> _Weighted:
    if len(np.unique(codes)) < 2:
        raise FitError(f"All test scans are of class {classes[codes[0]]!r}: at least two classes are needed.")
    if scores is None or np.shape(scores) != (len(codes), len(classes)) or not np.isfinite(scores).all():
        raise FitError(f"Scores must be finite, one row per test scan, one column per class {tuple(classes)}.")
    guesses = _codes(predicted, classes)
    return {
        "auc": lambda weights: macro_auc(scores, codes, weights),
        "balanced_accuracy": lambda weights: balanced_accuracy(guesses, codes, weights),
    }


def _regression(targets: Column, predicted: Column) -> _Weighted:
    truth, guesses = np.asarray(targets, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    if not (np.isfinite(truth).all() and np.isfinite(guesses).all()):
        raise FitError("A test target or a prediction is not a finite number: leave scans without a target out.")
    if np.ptp(truth) == 0:
        raise FitError(f"All {len(truth)} test scans have the same target {truth[0]:g}: r2 is not defined.")
    return {
        "mae": lambda weights: mean_absolute_error(guesses, truth, weights),
        "r2": lambda weights: r_squared(guesses, truth, weights),
    }


def subject_draws(n_subjects: int, n_boot: int, seed: int) -> Array:
    """How often each subject is drawn, [n_boot, n_subjects]: n_subjects draws with replacement per row."""
    drawn = np.random.default_rng(seed).integers(n_subjects, size=(n_boot, n_subjects))
    flat = drawn + n_subjects * np.arange(n_boot)[:, None]
    counts = np.bincount(flat.ravel(), minlength=n_boot * n_subjects)
    return counts.reshape(n_boot, n_subjects).astype(np.float64)


def _intervals(
    metrics: _Weighted, rows: NDArray[np.intp], n_subjects: int, seed: int, n_boot: int
) -> dict[str, tuple[float | None, float | None]]:
    if n_subjects < 2 or n_boot < 1:
        return dict.fromkeys(metrics, (None, None))
    draws = subject_draws(n_subjects, n_boot, seed)
    step = max(1, _BLOCK // len(rows))
    values: dict[str, list[Array]] = {name: [] for name in metrics}
    for first in range(0, n_boot, step):
        weights = draws[first : first + step, rows]
        for name, weighted in metrics.items():
            values[name].append(weighted(weights))
    return {name: _percentiles(np.concatenate(blocks)) for name, blocks in values.items()}


def _percentiles(values: Array) -> tuple[float | None, float | None]:
    defined = values[np.isfinite(values)]
    if len(defined) == 0 or 2 * len(defined) < len(values):
        return None, None
    low, high = np.percentile(defined, (2.5, 97.5))
    return float(low), float(high)
