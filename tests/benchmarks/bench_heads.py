"""How much faster is fit_many than scikit-learn's GridSearchCV on the same problems, folds and grids?

Run `python -m tests.benchmarks.bench_heads [--problems 200]`. Both sides run on one thread in this process,
standardise inside every fold, search the same grid over the same grouped folds, refit and predict; the shares
of equal choices and predictions show that they do the same work. (A classification chooses by the
class-balanced Brier score here and by the plain one there, so choices may differ where classes are uneven.)
"""

import argparse
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from threadpoolctl import threadpool_limits

from braindino.errors import FitError
from braindino.evaluation import inner_folds
from braindino.heads import GRIDS, Fit, Head, Problem, fit_many

N_TRAIN, N_TEST, WIDTH = 100, 40, 128

ESTIMATORS: dict[Head, Callable[[], tuple[Any, str, str]]] = {
    "ridge": lambda: (make_pipeline(StandardScaler(), Ridge()), "ridge__alpha", "neg_mean_squared_error"),
    "logistic": lambda: (
        make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=5000)),
        "logisticregression__C",
        "neg_brier_score",
    ),
    "knn": lambda: (
        make_pipeline(Normalizer(), KNeighborsClassifier(metric="cosine", algorithm="brute")),
        "kneighborsclassifier__n_neighbors",
        "neg_brier_score",
    ),
}


def make_problem(head: Head, seed: int) -> Problem:
    """100 training and 40 test subjects with 128 features, some of which carry the target."""
    rng = np.random.default_rng(seed)
    rows = N_TRAIN + N_TEST
    hidden = rng.normal(size=rows)
    features = rng.normal(size=(rows, WIDTH)) + 0.4 * hidden[:, None] * (np.arange(WIDTH) < 16)
    train = np.arange(rows) < N_TRAIN
    common = {
        "features": features.astype(np.float32),
        "groups": np.array([f"s{i}" for i in range(rows)]),
        "train": train,
        "test": ~train,
        "seed": seed,
    }
    if head == "ridge":
        return Problem(targets=hidden, head=head, kind="regression", **common)
    return Problem(targets=np.where(hidden > 0, "AD", "CN"), head=head, kind="classification", **common)


def by_sklearn(problem: Problem) -> tuple[float, np.ndarray]:
    """The chosen hyper-parameter and the predictions of one grid search."""
    estimator, parameter, scoring = ESTIMATORS[problem.head]()
    targets = problem.targets[problem.train]
    if problem.kind == "classification":
        targets = (targets == "CN").astype(int)  # the scorer takes no names
    folds = inner_folds(targets.tolist(), problem.groups[problem.train].tolist(), problem.kind, problem.seed)
    grid = [int(value) if problem.head == "knn" else value for value in GRIDS[problem.head]]
    search = GridSearchCV(estimator, {parameter: grid}, cv=PredefinedSplit(folds), scoring=scoring)
    search.fit(problem.features[problem.train], targets)
    predicted = search.predict(problem.features[problem.test])
    if problem.kind == "classification":
        predicted = np.array(["AD", "CN"])[predicted]
    return search.best_params_[parameter], predicted


def agreement(ours: Sequence[Fit | FitError], theirs: Sequence[tuple[float, np.ndarray]]) -> tuple[float, float]:
    """Share of equal choices, and of equal predictions where the choice is equal."""
    chosen, same = [], []
    for fit, (parameter, predicted) in zip(ours, theirs, strict=True):
        if isinstance(fit, FitError):
            raise fit
        chosen.append(next(iter(fit.hyperparameters.values())) == parameter)
        if chosen[-1] and predicted.dtype.kind == "f":
            same.append(np.isclose(fit.predicted.astype(float), predicted, rtol=1e-3, atol=1e-3).mean())
        elif chosen[-1]:
            same.append(np.mean(fit.predicted == predicted))
    return float(np.mean(chosen)), float(np.mean(same)) if same else float("nan")


def main() -> None:
    """Print one line per head."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=200)
    count = parser.parse_args().problems
    warnings.filterwarnings("ignore")
    print(f"{count} problems of {N_TRAIN} x {WIDTH}, 5 inner folds, one thread")
    for head in ESTIMATORS:
        problems = [make_problem(head, seed) for seed in range(count)]
        fit_many(problems[:2])  # imports and caches are not part of the claim
        started = time.perf_counter()
        ours = fit_many(problems)
        middle = time.perf_counter()
        with threadpool_limits(limits=1):
            theirs = [by_sklearn(problem) for problem in problems]
        us, them = (middle - started) / count, (time.perf_counter() - middle) / count
        chosen, same = agreement(ours, theirs)
        print(
            f"{head:9} fit_many {1e3 * us:6.1f} ms, GridSearchCV {1e3 * them:7.1f} ms a problem: "
            f"{them / us:5.1f} times faster; equal choice {chosen:.0%}, equal predictions {same:.1%}"
        )


if __name__ == "__main__":
    main()
