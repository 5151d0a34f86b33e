import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from braindino.errors import ConfigError
from braindino.phantom import make_cohort, plan_cohort


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 60), st.integers(0, 1000))
def test_shares_are_met_and_ages_fill_the_range(n, seed):
    people = make_cohort(n, (seed,), patients=0.5, lesions=0.4, ages=(20, 90))
    assert [person.number for person in people] == list(range(1, n + 1))
    assert sum(person.sex == "male" for person in people) == round(n / 2)
    assert sum(person.diagnosis == "patient" for person in people) == round(n / 2)
    assert sum(person.lesion for person in people) == round(0.4 * n)
    bands = np.sort([(person.age - 20) / 70 * n for person in people])
    assert np.all(np.abs(bands - np.arange(n) - 0.5) <= 0.5 + 0.01 * n)


def test_the_same_seed_gives_the_same_people_and_another_seed_others():
    assert make_cohort(10, (1,)) == make_cohort(10, (1,))
    assert make_cohort(10, (1,)) != make_cohort(10, (2,))


def test_traits_do_not_give_each_other_away():
    people = make_cohort(400, (3,))
    columns = np.array([(p.age, p.sex == "male", p.diagnosis == "patient", p.lesion) for p in people], dtype=float)
    off_diagonal = np.corrcoef(columns.T)[~np.eye(4, dtype=bool)]
    assert np.abs(off_diagonal).max() < 0.15


def test_two_layouts_never_share_a_person():
    seeds = {plan_cohort(layout, 3, seed=7).subjects[0].seed for layout in ("ixi", "bids", "manifest")}
    assert len(seeds) == 3


def test_impossible_requests_are_refused():
    with pytest.raises(ConfigError, match=r"there are: abide1, .*bids, .*manifest"):
        plan_cohort("nowhere", 3, seed=0)
    with pytest.raises(ConfigError, match="at least one"):
        plan_cohort("bids", 0, seed=0)
    with pytest.raises(ConfigError, match="three-digit"):
        plan_cohort("ixi", 1000, seed=0)
