"""What a head is fitted on and what comes out of it, with the checks that stand before any fit."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from braindino.errors import FitError
from braindino.evaluation.strata import Kind, Target, is_missing

Head = Literal["logistic", "ridge", "knn"]

PARAMETERS: dict[Head, str] = {"logistic": "C", "ridge": "alpha", "knn": "k"}
"""The one hyper-parameter of each head, named as in scikit-learn (k: as in the paper)."""

GRIDS: dict[Head, tuple[float, ...]] = {
    "logistic": (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0),
    "ridge": (0.1, 0.3, 1, 3, 10, 30, 100, 300, 1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6),
    "knn": (1, 3, 5, 10, 20, 50),  # the paper's kNN protocol (arXiv 2604.27277)
}
"""What each head selects from unless a problem brings its own grid."""

_KINDS: dict[Head, tuple[Kind, ...]] = {
    "logistic": ("classification",),
    "ridge": ("regression",),
    "knn": ("classification", "regression"),
}


@dataclass(frozen=True, eq=False)
class Problem:
    """One head to be fitted on frozen features of n scans.

    Attributes:
        features: [n, d] numbers (float32 as stored).
        targets: [n] class names (classification) or numbers (regression); rows in neither mask may hold
            anything.
        groups: [n] subject_uid; all scans of a subject lie on one side.
        train, test: bool masks [n].
        head: "logistic" (classification), "ridge" (regression) or "knn" (both).
        kind: "classification" or "regression".
        grid: values of the head's hyper-parameter to select from; None takes `GRIDS[head]`.
        seed: seed of the inner folds.
    """

    features: NDArray[np.floating]
    targets: NDArray[np.generic]
    groups: NDArray[np.generic]
    train: NDArray[np.bool_]
    test: NDArray[np.bool_]
    head: Head
    kind: Kind
    grid: tuple[float, ...] | None = None
    seed: int = 0

    @property
    def values(self) -> tuple[float, ...]:
        """The grid in use, in increasing order."""
        return tuple(sorted(set(GRIDS[self.head] if self.grid is None else self.grid)))


@dataclass(frozen=True, eq=False)
class Fit:
    """One fitted head and its predictions; rows of `predicted` and `scores` stand in the order of
    `test_rows`.

    Attributes:
        hyperparameters: the selected one, such as {"C": 0.1}.
        grid: those it selected from, such as {"C": (0.01, 0.1, 1.0)}.
        inner_losses: mean squared error (classification: class-balanced Brier score) of the out-of-fold
            predictions on the training subjects, per value of the grid.
        classes: class names in the order of the scores; None for a regression.
        test_rows: [n_test] indices into the problem's rows.
        predicted: [n_test] class names or float64 numbers.
        scores: [n_test, classes] float64, rows sum to one; None for a regression.
        n_train, n_test: subjects.
        seconds: wall time.
    """

    hyperparameters: Mapping[str, float]
    grid: Mapping[str, tuple[float, ...]]
    inner_losses: tuple[float, ...]
    classes: tuple[str, ...] | None
    test_rows: NDArray[np.int64]
    predicted: NDArray[np.generic]
    scores: NDArray[np.float64] | None
    n_train: int
    n_test: int
    seconds: float


def check(problem: Problem) -> None:
    """Refuse a problem that has no honest answer.

    Raises:
        FitError: in one sentence that says what is wrong and what to do.
    """
    if problem.kind not in _KINDS.get(problem.head, ()):
        raise FitError(f"The head {problem.head!r} does not fit a {problem.kind}.")
    n = len(problem.features)
    if problem.features.ndim != 2 or problem.features.shape[1] == 0:
        raise FitError(f"Features must be [scans, columns], but their shape is {problem.features.shape}.")
    for name in ("targets", "groups", "train", "test"):
        if len(getattr(problem, name)) != n:
            raise FitError(f"There are {n} rows of features but {len(getattr(problem, name))} of {name}.")
    _check_rows(problem)
    _check_grid(problem)


def _check_rows(problem: Problem) -> None:
    train, test = problem.train, problem.test
    for name, mask in (("training", train), ("test", test)):
        if not mask.any():
            raise FitError(f"There are no {name} scans: no {name} subject has both features and a target.")
    both = sorted(set(problem.groups[train].astype(str)) & set(problem.groups[test].astype(str)))
    if both:
        raise FitError(f"{len(both)} subjects are in both training and test (first: {both[0]}): split by subject.")
    used = np.flatnonzero(train | test)
    bad = used[~np.isfinite(problem.features[used]).all(axis=1)]
    if len(bad):
        raise FitError(f"{len(bad)} scans have features that are not finite (first: row {bad[0]}).")
    bad = np.array([row for row in used if not _valid(problem.targets[row], problem.kind)])
    if len(bad):
        raise FitError(f"{len(bad)} scans in use have no valid target (first: row {bad[0]}): leave them out.")
    _check_targets(problem)


def _valid(target: Target | None, kind: Kind) -> bool:
    if target is None or is_missing(target):
        return False
    try:
        return kind == "classification" or math.isfinite(float(target))
    except ValueError:
        return False


def _check_targets(problem: Problem) -> None:
    train, test = problem.targets[problem.train], problem.targets[problem.test]
    if len(set(train.tolist())) < 2:
        raise FitError(f"All {len(train)} training scans have the target {train[0]}: nothing can be learned.")
    unseen = {str(target) for target in test} - {str(target) for target in train}
    if problem.kind == "classification" and unseen:
        raise FitError(f"No training subject has the class {min(unseen)!r}, but the test has it: leave the class out.")


def _check_grid(problem: Problem) -> None:
    name, values = PARAMETERS[problem.head], problem.values
    whole = problem.head != "knn" or all(float(value).is_integer() for value in values)
    if not values or not all(np.isfinite(value) and value > 0 for value in values) or not whole:
        kind = "whole numbers" if problem.head == "knn" else "numbers"
        raise FitError(f"The grid of {name} must hold positive {kind}, but it is {problem.grid}.")
