import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from braindino.errors import ConfigError
from braindino.evaluation import freeze

classes = st.dictionaries(st.integers(0, 300).map("s{}".format), st.sampled_from(["AD", "CN", "MCI"]), max_size=60)
numbers = st.dictionaries(st.integers(0, 300).map("s{}".format), st.floats(0, 90), max_size=60)
fractions = st.floats(0.05, 0.95)


@settings(deadline=None)
@given(classes, fractions, st.integers(0, 5))
def test_every_class_with_two_subjects_is_on_both_sides_in_the_share_asked_for(
    targets: dict[str, str], fraction: float, seed: int
) -> None:
    test = freeze({"diagnosis": targets}, fraction, seed)["diagnosis"]
    assert test <= targets.keys()
    for name in set(targets.values()):
        members = {uid for uid, target in targets.items() if target == name}
        tested = len(members & test)
        if len(members) == 1:
            assert tested == 0
        else:
            assert 1 <= tested <= len(members) - 1
            assert abs(tested - fraction * len(members)) <= 1


@settings(deadline=None)
@given(numbers, fractions)
def test_numbers_are_spread_over_low_and_high_values(targets: dict[str, float], fraction: float) -> None:
    test = freeze({"age": targets}, fraction)["age"]
    ordered = sorted(targets, key=lambda uid: targets[uid])
    if len(ordered) >= 12 and len(set(targets.values())) == len(targets):
        third = len(ordered) // 3 + 1
        assert test & set(ordered[:third])
        assert test & set(ordered[-third:])
    if len(ordered) >= 2:
        assert 0 < len(test) < len(ordered)


@settings(deadline=None)
@given(classes, numbers, st.integers(0, 5), st.randoms(use_true_random=False))
def test_the_draw_does_not_depend_on_the_order_of_subjects_or_tasks(
    first: dict[str, str], second: dict[str, float], seed: int, shuffler: random.Random
) -> None:
    drawn = freeze({"diagnosis": first, "age": second}, 0.3, seed)
    items = list(first.items())
    shuffler.shuffle(items)
    assert freeze({"age": second, "diagnosis": dict(items)}, 0.3, seed) == drawn


@settings(deadline=None)
@given(classes, classes, st.floats(0.1, 0.9), st.floats(0.1, 0.9))
def test_frozen_subjects_stay_frozen_when_subjects_are_added_or_the_share_changes(
    before: dict[str, str], added: dict[str, str], fraction: float, later_fraction: float
) -> None:
    frozen = freeze({"diagnosis": before}, fraction)
    later = freeze({"diagnosis": added | before}, later_fraction, already=frozen)
    assert frozen["diagnosis"] <= later["diagnosis"]
    assert freeze({"diagnosis": before}, fraction, already=frozen) == frozen  # a second run changes nothing


def test_a_frozen_subject_whose_label_is_gone_stays_frozen() -> None:
    assert "gone" in freeze({"sex": {"a": "F", "b": "F"}}, already={"sex": {"gone"}})["sex"]
    assert freeze({}, already={"old task": {"a"}}) == {"old task": {"a"}}


def test_the_test_subjects_of_several_tasks_overlap_strongly() -> None:
    chance = random.Random(0)
    people = [f"s{i}" for i in range(500)]
    tasks = {
        "sex": {uid: chance.choice("FM") for uid in people},
        "age": {uid: chance.uniform(20, 80) for uid in people},
        "diagnosis": {uid: chance.choice(["AD", "CN", "MCI"]) for uid in people},
    }
    frozen = freeze(tasks, 0.3)
    union = set.union(*frozen.values())
    # Drawn apart, three tests of 30 % would cover 1 - 0.7^3 = 66 % of the subjects.
    assert len(union) < 0.40 * len(people)
    assert len(frozen["sex"] & frozen["age"]) > 0.85 * 0.3 * len(people)


def test_subjects_without_a_target_are_not_drawn_and_a_wrong_share_is_refused() -> None:
    drawn = freeze({"sex": {"a": "F", "b": None, "c": "F", "d": ""}}, 0.5)["sex"]
    assert len(drawn) == 1
    assert drawn <= {"a", "c"}
    with pytest.raises(ConfigError, match=r"between 0 and 1, but it is 1\.5"):
        freeze({}, 1.5)
