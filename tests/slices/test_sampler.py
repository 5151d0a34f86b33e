"""Batches are a function of seed and number; one slice per person; datasets balanced."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from braindino.errors import ConfigError
from braindino.slices import ScanRef, SliceSampler
from tests.slices.helpers import scan_ref


def cohort(people: int, dataset: str = "d", scans: int = 1, n_slices: int = 10) -> list[ScanRef]:
    return [scan_ref(dataset, f"p{person:03}", scan, n_slices) for person in range(people) for scan in range(scans)]


cohorts = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 12), st.integers(1, 40)), min_size=1, max_size=30
).map(lambda rows: [scan_ref(d, f"p{p}", i, n) for i, (d, p, n) in enumerate(rows)])


@given(cohorts, st.integers(1, 40), st.integers(0, 2**32), st.integers(0, 500), st.booleans())
@settings(max_examples=60, deadline=None)
def test_every_batch_is_valid_and_spreads_over_people(
    scans: list[ScanRef], size: int, seed: int, index: int, balance: bool
) -> None:
    sampler = SliceSampler(scans, seed, size, balance=balance)
    batch = sampler.batch(index)
    assert len(batch) == size
    assert all(0 <= slice_index < scans[scan].n_slices for scan, slice_index in batch)
    times = Counter(scans[scan].subject_uid for scan, _ in batch)
    people = len({scan.subject_uid for scan in scans})
    assert len(times) == min(size, people)
    assert max(times.values()) - min(times.values()) <= 1


@given(cohorts, st.integers(0, 2**32), st.lists(st.integers(0, 300), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_a_batch_does_not_depend_on_what_was_drawn_before(scans: list[ScanRef], seed: int, numbers: list[int]) -> None:
    one = SliceSampler(scans, seed, 8)
    drawn = [one.batch(number) for number in numbers]
    again = SliceSampler(scans, seed, 8)
    assert [again.batch(number) for number in reversed(numbers)] == drawn[::-1]


def test_the_draw_is_the_same_on_every_machine() -> None:
    assert SliceSampler(cohort(4), seed=7, batch_size=4).batch(3) == [(1, 1), (2, 3), (0, 3), (3, 1)]


def test_seeds_and_batches_differ() -> None:
    sampler = SliceSampler(cohort(50), seed=0, batch_size=16)
    assert sampler.batch(0) != sampler.batch(1)
    assert sampler.batch(0) != sampler.batch(sampler.batches_per_epoch)
    assert sampler.batch(0) != SliceSampler(cohort(50), seed=1, batch_size=16).batch(0)


def test_an_epoch_is_as_many_slices_as_are_stored() -> None:
    assert SliceSampler(cohort(10, n_slices=33), seed=0, batch_size=16).batches_per_epoch == 330 // 16
    assert SliceSampler(cohort(1, n_slices=3), seed=0, batch_size=16).batches_per_epoch == 1


def test_repeats_of_one_person_are_spread_over_the_brain() -> None:
    batch = SliceSampler(cohort(1, n_slices=100), seed=0, batch_size=10).batch(0)
    assert sorted(index // 10 for _, index in batch) == list(range(10))


def draws(sampler: SliceSampler, batches: int) -> Counter[str]:
    return Counter(sampler.scans[scan].dataset for i in range(batches) for scan, _ in sampler.batch(i))


def test_datasets_are_drawn_by_the_square_root_of_their_slices() -> None:
    scans = cohort(100, "small") + cohort(900, "large")
    seen = draws(SliceSampler(scans, seed=0, batch_size=8), 500)
    assert seen["large"] / seen["small"] == pytest.approx(3.0, rel=0.1)
    unbalanced = draws(SliceSampler(scans, seed=0, batch_size=8, balance=False), 500)
    assert unbalanced["large"] / unbalanced["small"] == pytest.approx(9.0, rel=0.15)


def test_a_person_with_many_scans_is_drawn_no_more_often() -> None:
    scans = [*cohort(19), *(scan_ref("d", "often", scan) for scan in range(20))]
    sampler = SliceSampler(scans, seed=0, batch_size=4)
    people = Counter(scans[scan].subject_uid for i in range(1000) for scan, _ in sampler.batch(i))
    assert people["d/often"] == pytest.approx(4000 / 20, rel=0.25)
    used = {scan for i in range(1000) for scan, _ in sampler.batch(i) if scan >= 19}
    assert len(used) == 20  # and every one of the person's scans has its turn


def test_slices_are_drawn_evenly() -> None:
    sampler = SliceSampler(cohort(40, n_slices=10), seed=0, batch_size=20)
    seen = Counter(index for i in range(500) for _, index in sampler.batch(i))
    assert set(seen) == set(range(10))
    assert max(seen.values()) / min(seen.values()) < 1.25


def test_gaussian_sampling_prefers_the_middle() -> None:
    sampler = SliceSampler(cohort(64, n_slices=101), seed=0, batch_size=64, gaussian_scale=0.15)
    seen = np.array([index for i in range(100) for _, index in sampler.batch(i)])
    assert seen.mean() == pytest.approx(50, abs=1)
    assert seen.std() == pytest.approx(0.15 * 101, rel=0.05)
    assert 0 <= seen.min() < seen.max() <= 100


@pytest.mark.parametrize(
    ("scans", "options", "message"),
    [
        ([], {}, "no scans"),
        (cohort(2), {"batch_size": 0}, "at least one slice"),
        (cohort(2), {"gaussian_scale": 0.0}, "above 0"),
        (cohort(2, n_slices=0), {}, "no slices, such as d-p000-0"),
        ([*cohort(2), scan_ref("d", "x", plane="coronal")], {}, "axial and coronal"),
    ],
)
def test_what_cannot_be_drawn_from_is_refused(scans: list[ScanRef], options: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SliceSampler(scans, **{"seed": 0, "batch_size": 4, **options})  # type: ignore[arg-type]
