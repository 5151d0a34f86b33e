import re
from dataclasses import replace

import numpy as np
import pytest

from braindino.errors import FitError
from braindino.heads import Fit, Problem, fit, fit_many
from tests.heads.helpers import class_problem, number_problem

PROBLEMS = [
    class_problem("logistic"), class_problem("knn", grid=(500,)), class_problem("knn", classes=3, seed=2),
    number_problem("ridge"), number_problem("knn"),
]  # fmt: skip


def assert_same(many: Fit | FitError, problem: Problem) -> None:
    if isinstance(many, FitError):
        with pytest.raises(FitError, match=f"^{re.escape(str(many))}$"):
            fit(problem)
        return
    one = fit(problem)
    np.testing.assert_array_equal(many.predicted, one.predicted)
    assert many.inner_losses == one.inner_losses
    assert (many.hyperparameters, many.classes, many.n_train, many.n_test) == (
        one.hyperparameters, one.classes, one.n_train, one.n_test,
    )  # fmt: skip
    if one.scores is not None:
        np.testing.assert_array_equal(many.scores, one.scores)


def test_many_are_the_same_as_one_by_one_and_an_error_costs_only_itself() -> None:
    results = fit_many(PROBLEMS)
    assert [type(result) for result in results] == [Fit, FitError, Fit, Fit, Fit]
    for many, problem in zip(results, PROBLEMS, strict=True):
        assert_same(many, problem)
    assert fit_many([]) == []


def test_two_processes_give_the_same() -> None:
    for many, problem in zip(fit_many(PROBLEMS, n_jobs=2), PROBLEMS, strict=True):
        assert_same(many, problem)


def test_a_fit_says_what_it_was_made_from() -> None:
    problem = class_problem("knn", n=60, scans=2)
    result = fit(problem)
    assert (result.n_train, result.n_test) == (40, 20)
    np.testing.assert_array_equal(result.test_rows, np.flatnonzero(problem.test))
    assert result.scores is not None
    assert result.scores.shape == (40, 2)
    np.testing.assert_allclose(result.scores.sum(axis=1), 1)
    assert result.grid == {"k": (1, 3, 5, 10, 20, 50)}
    assert result.hyperparameters["k"] in result.grid["k"]


def test_the_seed_changes_the_inner_folds_and_nothing_else() -> None:
    first, second = (fit(number_problem(grid=(10.0,), noise=9.0)) for _ in range(2))
    assert first.inner_losses == second.inner_losses
    other = fit(replace(number_problem(grid=(10.0,), noise=9.0), seed=5))
    assert other.inner_losses != first.inner_losses
    np.testing.assert_array_equal(other.predicted, first.predicted)
