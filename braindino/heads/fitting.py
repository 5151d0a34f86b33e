"""Fit one head, or many, on frozen features: select inside the training subjects, then predict the test scans
once.

A head is a path: it predicts for every value of its grid at once, sharing whatever the values have in common
(one decomposition, one similarity matrix, one chain of warm starts). Whatever a path learns, scaling
included, it learns from the training rows it is given; selection and the final fit are the same for all
heads.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from braindino.errors import FitError
from braindino.evaluation.splits import inner_folds
from braindino.heads.knn import knn_path
from braindino.heads.logistic import logistic_path
from braindino.heads.problem import PARAMETERS, Fit, Head, Problem, check
from braindino.heads.ridge import ridge_path
from braindino.heads.scaling import Array

Path = Callable[[Array, Array, Array, Sequence[float]], Array]
"""(training features [n, d], targets [n, k], other features [m, d], grid) -> predictions [grid, m, k]."""

PATHS: dict[Head, Path] = {"logistic": logistic_path, "ridge": ridge_path, "knn": knn_path}


def fit(problem: Problem) -> Fit:
    """Select the hyper-parameter by grouped inner folds of the training subjects, refit on all of them,
    predict.

    The selection minimises the mean squared error of the out-of-fold predictions, for a classification that
    of the class probabilities with classes weighted alike (a class-balanced Brier score): it is proper, it
    needs no class in any particular fold, and it is one rule for all heads. Equal losses go to the stronger
    regularisation (smaller C, larger alpha, larger k). The test rows are touched once, by the final
    prediction.

    Raises:
        FitError: when the problem has no honest answer: a subject on both sides, a missing or constant
            target, a class with one training subject, features that are not finite, a grid that does not
            suit.
    """
    started = time.perf_counter()
    check(problem)
    features = problem.features[problem.train].astype(np.float64)
    classes, targets = _target_matrix(problem)
    groups = problem.groups[problem.train].astype(str).tolist()
    folds = inner_folds(problem.targets[problem.train].tolist(), groups, problem.kind, problem.seed)
    path, grid = PATHS[problem.head], _feasible_grid(problem, folds)
    losses = _inner_losses(path, features, targets, folds, grid, balanced=classes is not None)
    best = grid[int(np.argmin(losses))]
    test_rows = np.flatnonzero(problem.test)
    final = path(features, targets, problem.features[test_rows].astype(np.float64), [best])[0]
    name = PARAMETERS[problem.head]
    increasing = np.argsort(grid)
    return Fit(
        hyperparameters={name: best},
        grid={name: tuple(grid[i] for i in increasing)},
        inner_losses=tuple(float(losses[i]) for i in increasing),
        classes=classes,
        test_rows=test_rows,
        predicted=final[:, 0] if classes is None else _winners(final, targets, classes),
        scores=None if classes is None else final,
        n_train=len(set(groups)),
        n_test=len(set(problem.groups[test_rows].astype(str))),
        seconds=time.perf_counter() - started,
    )


def fit_many(problems: Sequence[Problem], n_jobs: int = 1) -> list[Fit | FitError]:
    """One result per problem, in their order: the same numbers as `fit` one by one.

    A problem that cannot be fitted gives its FitError in place of a Fit, so that one hopeless task does not
    cost the others. `n_jobs` processes share the work; each uses one thread, for at the size of these
    problems the threads of a linear-algebra library cost more than they bring.
    """
    if n_jobs == 1 or len(problems) < 2:
        with threadpool_limits(limits=1):
            return [_fit_or_error(problem) for problem in problems]
    # Spawned, not forked: the caller may run threads (Prefect, torch), which a fork does not survive.
    chunk = max(1, len(problems) // (4 * n_jobs))
    with ProcessPoolExecutor(n_jobs, mp_context=get_context("spawn")) as pool:
        return list(pool.map(_fit_on_one_thread, problems, chunksize=chunk))


def _fit_on_one_thread(problem: Problem) -> Fit | FitError:
    with threadpool_limits(limits=1):
        return _fit_or_error(problem)


def _fit_or_error(problem: Problem) -> Fit | FitError:
    try:
        return fit(problem)
    except FitError as error:
        return error


def _target_matrix(problem: Problem) -> tuple[tuple[str, ...] | None, Array]:
    """Class names and one-hot training targets [n, classes], or None and the numbers as one column."""
    train = problem.targets[problem.train]
    if problem.kind == "regression":
        return None, train.astype(np.float64)[:, None]
    classes, codes = np.unique(train.astype(str), return_inverse=True)
    return tuple(classes.tolist()), np.eye(len(classes))[codes]


def _feasible_grid(problem: Problem, folds: NDArray[np.int64]) -> list[float]:
    """The grid from the strongest to the weakest regularisation; neighbours that no inner fold has are left
    out.
    """
    values = list(problem.values)
    if problem.head == "logistic":
        return values
    if problem.head == "knn":
        available = len(folds) - int(np.bincount(folds).max())
        values = [value for value in values if value <= available]
        if not values:
            raise FitError(
                f"The smallest k of the grid is {problem.values[0]:g}, but an inner fold leaves {available} "
                "training scans: take a smaller k into the grid."
            )
    return values[::-1]


def _inner_losses(
    path: Path, features: Array, targets: Array, folds: NDArray[np.int64], grid: list[float], balanced: bool
) -> Array:
    """Loss [grid] of the predictions of each row by the models that did not see its subject."""
    errors = np.empty((len(grid), len(folds)))
    for fold in np.unique(folds):
        out = folds == fold
        predicted = path(features[~out], targets[~out], features[out], grid)
        errors[:, out] = ((predicted - targets[out]) ** 2).sum(axis=2)
    weights = targets @ (1.0 / targets.sum(axis=0)) if balanced else np.ones(len(folds))
    return np.asarray(errors @ weights / weights.sum(), dtype=np.float64)


def _winners(scores: Array, targets: Array, classes: tuple[str, ...]) -> NDArray[np.str_]:
    """The class with the highest score; among equal ones (votes tie) the one that is rarer in training.

    As many votes for a rarer class are the stronger evidence, and the rule does not favour a name.
    """
    rarest_first = np.argsort(targets.sum(axis=0), kind="stable")
    winners = rarest_first[np.argmax(scores[:, rarest_first], axis=1)]
    return np.array([classes[code] for code in winners])
