"""If one fails, results change for the same problem: raise HEADS_VERSION and renew the figures."""

import pytest

from braindino.heads import HEADS_VERSION, Problem, fit
from tests.heads.helpers import class_problem, number_problem

GOLDEN = [
    (class_problem("logistic"), {"C": 10.0}, [0.000221, 0.630619, 0.117352, 0.998815]),
    (class_problem("knn", classes=3), {"k": 3}, [2 / 3, 0.0, 0.0, 0.0]),
    (number_problem("ridge"), {"alpha": 1.0}, [81.04714, 72.951527, 74.887535, 73.713663]),
]


@pytest.mark.parametrize(("problem", "chosen", "expected"), GOLDEN, ids=["logistic", "knn", "ridge"])
def test_fits_are_the_ones_of_this_version(problem: Problem, chosen: dict[str, float], expected: list[float]) -> None:
    assert HEADS_VERSION == 1
    result = fit(problem)
    assert result.hyperparameters == chosen
    first = (result.predicted if result.scores is None else result.scores[:, 0])[:4]
    assert first.tolist() == pytest.approx(expected, abs=1e-4)
