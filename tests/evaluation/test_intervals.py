import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, roc_auc_score

from braindino.errors import FitError
from braindino.evaluation import evaluate
from braindino.evaluation.intervals import subject_draws


def binary_case(n: int, seed: int = 0, separation: float = 1.0) -> dict[str, object]:
    """`n` subjects with one scan each, half of each class, scores that overlap."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % 2
    chance = 1 / (1 + np.exp(-rng.normal(separation * (codes - 0.5))))
    return {
        "kind": "classification",
        "targets": np.array(["CN", "AD"])[codes],
        "predicted": np.where(chance > 0.5, "AD", "CN"),
        "groups": np.array([f"s{i}" for i in range(n)]),
        "scores": np.column_stack([1 - chance, chance]),
        "classes": ("CN", "AD"),
    }


def test_the_values_stand_beside_their_counts() -> None:
    case = binary_case(60)
    auc, accuracy = evaluate(**case)  # type: ignore[arg-type]
    scores = case["scores"]
    assert isinstance(scores, np.ndarray)
    assert (auc.metric, accuracy.metric) == ("auc", "balanced_accuracy")
    assert auc.value == pytest.approx(roc_auc_score(case["targets"] == np.array("AD"), scores[:, 1]))
    assert auc.ci_low is not None
    assert auc.ci_high is not None
    assert auc.ci_low < auc.value < auc.ci_high
    assert (auc.n, auc.n_scans, auc.n_smallest_class, auc.smoke_test) == (60, 60, 30, False)


def test_the_bootstrap_is_that_of_a_plain_loop_over_subjects() -> None:
    rng = np.random.default_rng(3)
    groups = np.repeat([f"s{i:02}" for i in range(25)], rng.integers(1, 4, size=25))
    ages = rng.uniform(20, 80, size=len(groups))
    guesses = ages + rng.normal(0, 6, size=len(groups))
    result = evaluate("regression", ages, guesses, groups, seed=7, n_boot=300)[0]
    values = []
    for counts in subject_draws(25, 300, 7):
        rows = np.concatenate([np.repeat(np.flatnonzero(groups == f"s{i:02}"), int(c)) for i, c in enumerate(counts)])
        values.append(mean_absolute_error(ages[rows], guesses[rows]))
    assert (result.ci_low, result.ci_high) == pytest.approx(tuple(np.percentile(values, (2.5, 97.5))))
    assert (result.n, result.n_scans) == (25, len(groups))


def test_draws_are_of_as_many_subjects_with_replacement() -> None:
    draws = subject_draws(40, 2000, 0)
    assert (draws.sum(axis=1) == 40).all()
    assert draws.mean() == 1
    assert draws.var() == pytest.approx(1 - 1 / 40, abs=0.02)  # a multinomial count
    assert (subject_draws(40, 2000, 0) == draws).all()
    assert (subject_draws(40, 2000, 1) != draws).any()


def test_repeating_the_scans_of_each_subject_does_not_narrow_the_interval() -> None:
    case = binary_case(50)
    once = evaluate(**case)[0]  # type: ignore[arg-type]
    rows = np.repeat(np.arange(50), 8)
    repeated = {key: value[rows] if isinstance(value, np.ndarray) else value for key, value in case.items()}
    eightfold = evaluate(**repeated)[0]  # type: ignore[arg-type]
    assert eightfold.n == 50
    assert eightfold.n_scans == 400
    assert (eightfold.ci_low, eightfold.ci_high) == pytest.approx((once.ci_low, once.ci_high))


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    truth = 0.76025  # P(N(1, 1) > N(0, 1)) = Phi(1 / sqrt 2)
    covered = 0
    for seed in range(200):
        auc = evaluate(**binary_case(80, seed), n_boot=200)[0]  # type: ignore[arg-type]
        assert auc.ci_low is not None
        assert auc.ci_high is not None
        covered += auc.ci_low <= truth <= auc.ci_high
    assert 0.88 <= covered / 200 <= 0.99


def test_the_order_of_rows_does_not_matter() -> None:
    case = binary_case(40)
    order = np.random.default_rng(0).permutation(40)
    shuffled = {key: value[order] if isinstance(value, np.ndarray) else value for key, value in case.items()}
    for plain, mixed in zip(evaluate(**case), evaluate(**shuffled), strict=True):  # type: ignore[arg-type]
        assert (plain.value, plain.ci_low, plain.ci_high) == pytest.approx((mixed.value, mixed.ci_low, mixed.ci_high))


@pytest.mark.parametrize(("n", "smoke"), [(38, True), (40, False)])
def test_under_twenty_subjects_per_class_is_a_smoke_test(n: int, smoke: bool) -> None:
    metrics = evaluate(**binary_case(n), n_boot=20)  # type: ignore[arg-type]
    assert {metric.smoke_test for metric in metrics} == {smoke}


@pytest.mark.parametrize(("n", "smoke"), [(19, True), (20, False)])
def test_under_twenty_subjects_is_a_smoke_test_for_a_regression(n: int, smoke: bool) -> None:
    groups = np.repeat([f"s{i}" for i in range(n)], 3)  # scans do not count, subjects do
    ages = np.arange(len(groups), dtype=float)
    assert {metric.smoke_test for metric in evaluate("regression", ages, ages + 1, groups)} == {smoke}


def test_without_enough_draws_there_is_no_interval() -> None:
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
    one_person = evaluate(
        "classification", ["A", "B", "B"], ["A", "B", "B"], ["s", "s", "s"], scores=scores, classes=("A", "B")
    )
    assert [(metric.value, metric.ci_low, metric.ci_high) for metric in one_person] == [(1.0, None, None)] * 2
    # Four classes with one subject each: a draw holds all four with probability 4!/4^4 = 0.09.
    four = evaluate("classification", list("ABCD"), list("ABCD"), list("wxyz"), scores=np.eye(4), classes=tuple("ABCD"))
    assert [(metric.value, metric.ci_low) for metric in four] == [(1.0, None)] * 2


def test_a_class_of_the_fit_that_the_test_lacks_makes_it_a_smoke_test() -> None:
    scores = np.column_stack([np.linspace(0.1, 0.6, 60), np.linspace(0.6, 0.1, 60), np.full(60, 0.3)])
    targets = ["A"] * 30 + ["B"] * 30
    groups = [f"s{i}" for i in range(60)]
    metric = evaluate("classification", targets, targets, groups, scores=scores, classes=tuple("ABC"))[0]
    assert metric.n_smallest_class == 0
    assert metric.smoke_test


def test_what_cannot_be_judged_is_refused_in_a_sentence() -> None:
    scores = np.full((2, 2), 0.5)
    with pytest.raises(FitError, match="test set is empty"):
        evaluate("regression", [], [], [])
    with pytest.raises(FitError, match="All test scans are of class 'A'"):
        evaluate("classification", ["A", "A"], ["A", "B"], ["s", "t"], scores=scores, classes=("A", "B"))
    with pytest.raises(FitError, match="the class 'C', which the fit does not know"):
        evaluate("classification", ["A", "C"], ["A", "B"], ["s", "t"], scores=scores, classes=("A", "B"))
    with pytest.raises(FitError, match="Scores must be finite"):
        evaluate("classification", ["A", "B"], ["A", "B"], ["s", "t"], scores=scores * np.nan, classes=("A", "B"))
    with pytest.raises(FitError, match="same target 60: r2 is not defined"):
        evaluate("regression", [60.0, 60.0], [61.0, 62.0], ["s", "t"])
    with pytest.raises(FitError, match="not a finite number"):
        evaluate("regression", [60.0, float("nan")], [61.0, 62.0], ["s", "t"])


def test_without_draws_there_are_values_and_no_intervals() -> None:
    mae = evaluate("regression", [60.0, 70.0], [61.0, 72.0], ["s", "t"], n_boot=0)[0]
    assert (mae.value, mae.ci_low, mae.ci_high) == (1.5, None, None)
