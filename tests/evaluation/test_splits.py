import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from braindino.errors import ConfigError, FitError
from braindino.evaluation import freeze, inner_folds, nested_fractions, usable_rows

FRACTIONS = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)


@settings(deadline=None)
@given(
    st.dictionaries(st.integers(0, 500).map(str), st.sampled_from("ABC"), max_size=80)
    | st.dictionaries(st.integers(0, 500).map(str), st.floats(0, 90), max_size=80),
    st.integers(0, 5),
)
def test_label_fractions_are_nested_stratified_and_end_with_everyone(
    targets: dict[str, str] | dict[str, float], seed: int
) -> None:
    subsets = nested_fractions(targets, FRACTIONS, seed)  # type: ignore[arg-type]
    for smaller, larger in itertools.pairwise(FRACTIONS):
        assert subsets[smaller] <= subsets[larger]
    assert subsets[1.0] == targets.keys()
    for fraction in FRACTIONS:
        for name in set(targets.values()) if all(isinstance(t, str) for t in targets.values()) else ():
            members = {uid for uid, target in targets.items() if target == name}
            expected = min(max(len(members) * fraction, 2), len(members))
            assert abs(len(members & subsets[fraction]) - expected) <= 0.5


def test_label_fractions_differ_by_seed_and_are_not_tied_to_the_holdout() -> None:
    targets = {f"s{i}": "FM"[i % 2] for i in range(400)}
    first, second = (nested_fractions(targets, [0.3], seed)[0.3] for seed in (0, 1))
    assert first != second
    held = freeze({"sex": targets}, 0.3, seed=0)["sex"]
    assert abs(len(first & held) / 400 - 0.09) < 0.04  # independent draws: 0.3 x 0.3
    with pytest.raises(ConfigError, match="at most at 1, but one is 0"):
        nested_fractions(targets, [0.0], 0)


@settings(deadline=None)
@given(st.lists(st.integers(1, 4), min_size=4, max_size=40), st.integers(0, 5))
def test_inner_folds_never_split_a_subject_and_hold_every_class_in_training(scans: list[int], seed: int) -> None:
    groups = [f"s{i}" for i, count in enumerate(scans) for _ in range(count)]
    targets = ["AB"[int(group[1:]) % 2] for group in groups]
    folds = inner_folds(targets, groups, "classification", seed)
    for group in set(groups):
        assert len(set(folds[np.array(groups) == group])) == 1
    sizes = [len(set(np.array(groups)[folds == fold])) for fold in np.unique(folds)]
    assert max(sizes) - min(sizes) <= 1
    for fold in np.unique(folds):
        assert set(np.array(targets)[folds != fold]) == {"A", "B"}


def test_inner_folds_depend_on_subjects_and_seed_not_on_the_order_of_rows() -> None:
    groups = np.array([f"s{i}" for i in range(30)])
    targets = np.linspace(20, 80, 30)
    folds = inner_folds(targets.tolist(), groups.tolist(), "regression", 0)
    order = np.random.default_rng(0).permutation(30)
    assert (inner_folds(targets[order].tolist(), groups[order].tolist(), "regression", 0) == folds[order]).all()
    assert (inner_folds(targets.tolist(), groups.tolist(), "regression", 1) != folds).any()
    # Each of the five folds reaches from young to old.
    assert all(np.ptp(targets[folds == fold]) > 20 for fold in range(5))


def test_too_few_subjects_are_refused_in_a_sentence() -> None:
    with pytest.raises(FitError, match="1 training subjects, but selection needs at least two"):
        inner_folds([1.0, 2.0], ["a", "a"], "regression", 0)
    with pytest.raises(FitError, match="Class 'B' has one training subject"):
        inner_folds(["A", "A", "B", "B"], ["a", "b", "c", "c"], "classification", 0)


def test_classes_that_cannot_be_learned_or_judged_are_left_out_with_a_reason() -> None:
    #          two train, one test | one train, one test | two train, none test | no label
    targets = ["A", "A", "A", "B", "B", "C", "C", None]
    groups = ["a", "b", "c", "d", "e", "f", "g", "h"]
    train = np.array([True, True, False, True, False, True, True, True])
    usable = usable_rows(targets, groups, train, ~train, "classification")
    assert usable.rows.tolist() == [True, True, True, False, False, False, False, False]
    assert usable.dropped == {
        "B": "1 training and 1 test subjects; 2 and 1 are needed",
        "C": "2 training and 0 test subjects; 2 and 1 are needed",
    }
    ages = [30.0, float("nan"), None, 40.0, 50.0, 60.0, 70.0, 80.0]
    assert usable_rows(ages, groups, train, ~train, "regression").rows.sum() == 6
