import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from braindino.errors import ConfigError
from braindino.evaluation.strata import hash_rank, strata, subject_targets


def test_a_subject_has_one_target_whatever_its_number_of_scans() -> None:
    groups = ["a", "a", "b", "c", "c"]
    assert subject_targets([60.0, 62.0, 30.0, None, float("nan")], groups, "regression") == {
        "a": 61.0,
        "b": 30.0,
    }
    # Two subjects are CN at some time, one is AD: the rarer class of the one that converts places it.
    assert subject_targets(["CN", "AD", "CN", "CN", "CN"], groups, "classification") == {
        "a": "AD", "b": "CN", "c": "CN",
    }  # fmt: skip


def test_text_makes_a_stratum_per_class_and_numbers_make_thirds() -> None:
    assert [set(part) for part in strata({"a": "x", "b": "y", "c": "x", "d": None}, "p", 0)] == [
        {"a", "c"},
        {"b"},
    ]
    ages = {f"s{age}": float(age) for age in range(9)}
    assert [sorted(part) for part in strata(ages, "p", 0)] == [
        ["s0", "s1", "s2"], ["s3", "s4", "s5"], ["s6", "s7", "s8"],
    ]  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.integers(0, 2), min_size=2, max_size=40))
def test_strata_of_numbers_are_even_even_where_most_are_equal(values: list[int]) -> None:
    parts = strata({f"s{i}": float(value) for i, value in enumerate(values)}, "p", 0)
    sizes = [len(part) for part in parts]
    assert sum(sizes) == len(values)
    assert min(sizes) >= 2
    assert max(sizes) - min(sizes) <= 1


def test_the_rank_is_the_published_hash_and_differs_by_purpose_and_seed() -> None:
    rank = hash_rank("holdout", 0, "ixi/IXI002")
    assert rank == hash_rank("holdout", 0, "ixi/IXI002")
    assert len({rank, hash_rank("inner", 0, "ixi/IXI002"), hash_rank("holdout", 1, "ixi/IXI002")}) == 3
    uniform = np.array([int(hash_rank("holdout", 0, str(i))[:8], 16) / 2**32 for i in range(2000)])
    assert abs(uniform.mean() - 0.5) < 0.02


def test_mixed_targets_are_refused_with_both_subjects_named() -> None:
    with pytest.raises(ConfigError, match=r"subject a has 1\.0 and subject b has 'x'"):
        strata({"a": 1.0, "b": "x"}, "p", 0)
