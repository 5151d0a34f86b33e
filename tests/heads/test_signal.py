"""A planted signal is found, and nothing is found where nothing is."""

from dataclasses import replace

import numpy as np
import pytest

from braindino.evaluation import evaluate
from braindino.heads import Fit, Problem, fit
from tests.heads.helpers import class_problem, number_problem


def main_metric(problem: Problem, result: Fit) -> float:
    """AUC or r2 on the test rows."""
    targets, groups = problem.targets[result.test_rows], problem.groups[result.test_rows]
    metrics = evaluate(
        problem.kind,
        targets,
        result.predicted,
        groups,
        scores=result.scores,
        classes=result.classes,
        n_boot=10,
    )
    return {metric.metric: metric.value for metric in metrics}["auc" if result.classes else "r2"]


@pytest.mark.parametrize("head", ["logistic", "knn"])
@pytest.mark.parametrize("classes", [2, 3])
def test_a_planted_class_is_found(head: str, classes: int) -> None:
    problem = class_problem(head, classes=classes, n=150, signal=3.0)
    assert main_metric(problem, fit(problem)) > (0.85 if head == "logistic" else 0.75)


@pytest.mark.parametrize(("head", "least"), [("ridge", 0.8), ("knn", 0.15)])
def test_a_planted_number_is_found(head: str, least: float) -> None:
    problem = number_problem(head, n=300, d=6)
    assert main_metric(problem, fit(problem)) > least


@pytest.mark.parametrize("head", ["logistic", "knn"])
@pytest.mark.parametrize("classes", [2, 3])
def test_permuted_classes_fall_to_chance(head: str, classes: int) -> None:
    values = []
    for seed in range(12):
        problem = class_problem(head, classes=classes, n=150, d=40, signal=3.0, seed=seed)
        problem = replace(problem, targets=np.random.default_rng(seed).permutation(problem.targets))
        values.append(main_metric(problem, fit(problem)))
    assert abs(np.mean(values) - 0.5) < 0.05


@pytest.mark.parametrize("head", ["ridge", "knn"])
def test_permuted_numbers_explain_nothing(head: str) -> None:
    values = []
    for seed in range(12):
        problem = number_problem(head, n=150, d=40, seed=seed)
        problem = replace(problem, targets=np.random.default_rng(seed).permutation(problem.targets))
        values.append(main_metric(problem, fit(problem)))
    assert -0.15 < np.mean(values) < 0.03


def test_a_rare_class_is_not_drowned_by_a_frequent_one() -> None:
    """Balanced weights: with one in ten positive, half of the rare class would be lost without them."""
    rng = np.random.default_rng(0)
    rare = np.arange(400) % 10 == 0
    features = rng.normal(size=(400, 5)) + 1.2 * rare[:, None]
    problem = class_problem(n=400, d=5, features=features, targets=np.where(rare, "rare", "common"))
    result = fit(problem)
    truth = problem.targets[result.test_rows]
    recalls = [np.mean(result.predicted[truth == name] == name) for name in ("rare", "common")]
    assert min(recalls) > 0.75


def test_equal_losses_go_to_the_stronger_regularisation_and_tied_votes_to_the_rarer_class() -> None:
    flat = np.ones((90, 12))
    assert fit(class_problem(features=flat)).hyperparameters == {"C": 1e-4}
    assert fit(number_problem(features=flat)).hyperparameters == {"alpha": 1e6}
    features = np.array([[1.0, 0.0]] * 6 + [[0.0, 1.0]] * 6 + [[1.0, 1.0]])
    targets = np.array(["a", "b"] * 3 + ["a"] * 6 + ["a"])
    train = np.arange(13) < 12
    problem = class_problem(
        "knn", features=features, targets=targets, groups=np.arange(13).astype(str), train=train, test=~train,
        grid=(2,),
    )  # fmt: skip
    result = fit(problem)
    assert result.scores is not None
    np.testing.assert_array_equal(result.scores, [[0.5, 0.5]])
    assert result.predicted.tolist() == ["b"]
