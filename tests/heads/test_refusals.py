"""A problem without an honest answer is refused in one sentence."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from braindino.errors import FitError
from braindino.heads import fit
from tests.heads.helpers import class_problem, number_problem


def changed(values: np.ndarray, rows: Any, value: Any) -> np.ndarray:
    copy = values.copy()
    copy[rows] = value
    return copy


def test_targets() -> None:
    number, label = number_problem(), class_problem()
    with pytest.raises(FitError, match=r"2 scans in use have no valid target \(first: row 3\)"):
        fit(replace(number, targets=changed(number.targets, [3, 80], np.nan)))
    with pytest.raises(FitError, match="1 scans in use have no valid target"):
        fit(replace(label, targets=changed(label.targets.astype(object), 3, None)))
    with pytest.raises(FitError, match="1 scans in use have no valid target"):
        fit(replace(number, targets=changed(number.targets.astype(object), 3, "old")))
    with pytest.raises(FitError, match=r"All 60 training scans have the target 61\.0"):
        fit(replace(number, targets=np.full(90, 61.0)))
    with pytest.raises(FitError, match="All 60 training scans have the target F"):
        fit(replace(label, targets=np.full(90, "F")))


def test_classes_and_subjects() -> None:
    problem = class_problem()
    with pytest.raises(FitError, match="No training subject has the class 'c2', but the test has it"):
        fit(replace(problem, targets=changed(problem.targets, -1, "c2")))
    with pytest.raises(FitError, match="Class 'c2' has one training subject"):
        fit(replace(problem, targets=changed(problem.targets, 0, "c2")))
    one = np.where(problem.train, "s000", problem.groups)
    with pytest.raises(FitError, match="1 training subjects, but selection needs at least two"):
        fit(replace(number_problem(), groups=one))


def test_rows_and_features() -> None:
    problem = class_problem()
    with pytest.raises(FitError, match=r"1 scans have features that are not finite \(first: row 5\)"):
        fit(replace(problem, features=changed(problem.features, (5, 0), np.inf)))
    with pytest.raises(FitError, match="no training scans"):
        fit(replace(problem, train=np.zeros(90, dtype=bool)))
    with pytest.raises(FitError, match="no test scans"):
        fit(replace(problem, test=np.zeros(90, dtype=bool)))
    with pytest.raises(FitError, match="90 rows of features but 89 of groups"):
        fit(replace(problem, groups=problem.groups[:-1]))
    with pytest.raises(FitError, match=r"their shape is \(90, 0\)"):
        fit(replace(problem, features=problem.features[:, :0]))


def test_heads_and_grids() -> None:
    with pytest.raises(FitError, match="'logistic' does not fit a regression"):
        fit(number_problem("logistic"))
    with pytest.raises(FitError, match="'forest' does not fit a classification"):
        fit(class_problem("forest"))
    with pytest.raises(FitError, match="grid of C must hold positive numbers"):
        fit(class_problem(grid=(0.0, 1.0)))
    with pytest.raises(FitError, match="grid of k must hold positive whole numbers"):
        fit(class_problem("knn", grid=(1.5,)))
    with pytest.raises(FitError, match="smallest k of the grid is 50, but an inner fold leaves 48"):
        fit(class_problem("knn", grid=(50,)))


def test_neighbours_that_no_inner_fold_has_leave_the_grid() -> None:
    result = fit(class_problem("knn", n=30))
    assert result.grid == {"k": (1, 3, 5, 10)}
    assert len(result.inner_losses) == 4


@pytest.mark.parametrize("head", ["logistic", "knn"])
def test_two_subjects_per_class_are_enough(head: str) -> None:
    problem = class_problem(head, n=40, signal=20.0)
    rows = [np.flatnonzero(problem.targets[problem.train] == name)[:2] for name in ("c0", "c1")]
    train = changed(np.zeros(40, dtype=bool), np.concatenate(rows), True)
    result = fit(replace(problem, train=train))
    assert result.n_train == 4
    assert np.mean(result.predicted == problem.targets[result.test_rows]) > 0.8


def test_subjects_whose_class_changes_are_fitted() -> None:
    problem = class_problem(n=40, scans=3)
    targets = changed(problem.targets, slice(0, None, 3), "c0")
    assert set(fit(replace(problem, targets=targets)).predicted) <= {"c0", "c1"}
