"""Nothing but the training subjects may shape a fit."""

from dataclasses import replace

import numpy as np
import pytest

from braindino.errors import FitError
from braindino.evaluation import inner_folds
from braindino.heads import Problem, fit, fitting
from tests.heads.helpers import class_problem, number_problem

PROBLEMS = pytest.mark.parametrize(
    "problem",
    [
        class_problem("logistic"),
        class_problem("knn", classes=3),
        number_problem("ridge"),
        number_problem("knn"),
    ],
    ids=["logistic", "knn", "ridge", "knn-regression"],
)


@PROBLEMS
def test_a_prediction_does_not_depend_on_the_other_test_rows(problem: Problem) -> None:
    """Fails if scaling, selection or the model saw test features: all test rows but one become absurd."""
    whole = fit(problem)
    first = int(whole.test_rows[0])
    features = problem.features.copy()
    others = problem.test & (np.arange(len(features)) != first)
    features[others] = 1e6 * np.random.default_rng(0).normal(size=features[others].shape) + 1e6
    changed = fit(replace(problem, features=features))
    assert changed.inner_losses == whole.inner_losses
    assert changed.hyperparameters == whole.hyperparameters
    assert changed.predicted[0] == whole.predicted[0]
    if whole.scores is not None and changed.scores is not None:
        np.testing.assert_array_equal(changed.scores[0], whole.scores[0])


@PROBLEMS
def test_test_targets_and_unused_rows_do_not_matter(problem: Problem) -> None:
    whole = fit(problem)
    targets = problem.targets.copy()
    targets[problem.test] = targets[problem.test][::-1]
    np.testing.assert_array_equal(fit(replace(problem, targets=targets)).predicted, whole.predicted)

    train, test = problem.train.copy(), problem.test.copy()
    train[:10], test[-5:] = False, False
    features, objects = problem.features.copy(), problem.targets.astype(object)
    plain = fit(replace(problem, train=train, test=test))
    features[:10], objects[:10], features[-5:], objects[-5:] = np.nan, None, np.nan, float("nan")
    marked = fit(replace(problem, train=train, test=test, features=features, targets=objects))
    np.testing.assert_array_equal(marked.predicted, plain.predicted)


def test_inner_scaling_is_learned_inside_each_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each inner model is given the rows of its own training subjects, and no row of a held-out one."""
    problem = class_problem("logistic", n=30, scans=3)
    given: list[tuple[np.ndarray, np.ndarray]] = []
    real = fitting.PATHS["logistic"]

    def watched(train: np.ndarray, targets: np.ndarray, other: np.ndarray, grid: list[float]) -> np.ndarray:
        given.append((train, other))
        return real(train, targets, other, grid)

    monkeypatch.setitem(fitting.PATHS, "logistic", watched)
    fit(problem)
    subject_of = {row.tobytes(): uid for row, uid in zip(problem.features.astype(float), problem.groups, strict=True)}
    assert len(given) == 6  # five inner folds and the final fit
    for train, other in given:
        subjects = {subject_of[row.tobytes()] for row in train}
        assert not subjects & {subject_of[row.tobytes()] for row in other}
        assert subjects <= set(problem.groups[problem.train])


def test_repeats_of_a_person_cannot_win_the_selection() -> None:
    """Near-copies of each scan: row-wise folds would choose k = 1 and promise a perfect fit on pure noise."""
    problem = class_problem("knn", n=60, scans=4, signal=0.0, grid=(1, 20))
    rng = np.random.default_rng(0)
    features = np.repeat(problem.features[::4], 4, axis=0) + 1e-3 * rng.normal(size=problem.features.shape)
    result = fit(replace(problem, features=features))
    assert min(result.inner_losses) > 0.4  # guessing costs 0.5, a perfect fit 0
    folds = inner_folds(problem.targets.tolist(), problem.groups.tolist(), "classification", 0)
    assert all(len(set(folds[problem.groups == uid])) == 1 for uid in set(problem.groups))


def test_a_subject_on_both_sides_is_refused() -> None:
    problem = class_problem()
    groups = problem.groups.copy()
    groups[-1] = groups[0]
    with pytest.raises(FitError, match=r"1 subjects are in both training and test \(first: s000\)"):
        fit(replace(problem, groups=groups))
