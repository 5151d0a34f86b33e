"""Copies of one scan are found, whatever they were put through; repeats and other people are not called copies."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from braindino.errors import ConfigError
from braindino.evaluation import COARSE_LENGTH, Fingerprint, Limits, candidate_pairs, compare, find_copies
from braindino.imaging import get_recipe, preprocess
from tests.evaluation import encodings
from tests.evaluation.encodings import Voxels, registered, repeated, resampled, restripped, unbiased
from tests.evaluation.textured import NOISE, print_of, textured_anatomy, textured_brain


@pytest.fixture(scope="module")
def people() -> list[Fingerprint]:
    return [print_of(textured_brain(seed)) for seed in range(3)]


ENCODINGS: dict[str, Callable[[Voxels], Voxels]] = {
    "re-oriented": encodings.reoriented,
    "re-stripped": lambda scan: restripped(scan, 2),
    "bias field": unbiased,
    "resampled": lambda scan: resampled(scan, 0.9, order=3),
    "on an atlas": lambda scan: registered(scan, (6, -3, 4)),
    "all at once": lambda scan: resampled(unbiased(restripped(encodings.reoriented(scan), 2)), 0.9, order=3),
}


@pytest.mark.parametrize("kind", ENCODINGS)
def test_a_copy_is_found_among_others(kind: str, people: list[Fingerprint]) -> None:
    copy = print_of(ENCODINGS[kind](textured_brain(seed=1)))
    matches = find_copies([*people, copy])
    assert [(match.first, match.second, match.grade) for match in matches] == [(1, 3, "copy")]


def test_a_repeat_is_the_same_person_and_no_copy(people: list[Fingerprint]) -> None:
    again = print_of(repeated(textured_anatomy(seed=1), NOISE, seed=77))
    (match,) = find_copies([*people, again])
    assert (match.first, match.second, match.grade) == (1, 3, "same_person")


def test_other_people_are_nothing_to_each_other(people: list[Fingerprint]) -> None:
    assert find_copies(people) == []
    assert compare(people[0], people[1]).grade is None
    assert abs(compare(people[0], people[1]).likeness) < 0.4


def test_pairs_known_to_be_one_person_are_left_out(people: list[Fingerprint]) -> None:
    twice = [*people, people[1]]
    assert [match.grade for match in find_copies(twice, ["a", "b", "c", "d"])] == ["copy"]
    assert find_copies(twice, ["a", "b", "c", "b"]) == []
    with pytest.raises(ConfigError, match="one person per scan"):
        find_copies(twice, ["a", "b"])


def test_blocks_give_the_pairs_of_the_whole() -> None:
    rng = np.random.default_rng(0)
    coarse = rng.integers(-100, 100, (23, COARSE_LENGTH)).astype(np.int8)
    coarse[20], coarse[9] = coarse[4], coarse[4]
    found = {(i, j) for i, j, _ in candidate_pairs(coarse, block=5)}
    assert found == {(4, 9), (4, 20), (9, 20)}
    assert found == {(i, j) for i, j, _ in candidate_pairs(coarse)}
    assert len(list(candidate_pairs(coarse, limits=Limits(coarse=-1.0), block=7))) == 23 * 22 // 2


def test_nothing_among_nothing() -> None:
    assert find_copies([]) == []


@pytest.mark.real
def test_no_two_real_scans_are_copies(real_data: Path) -> None:
    """Same-scanner T1w of 15 people, and four contrasts of two patients on one grid each."""
    images = sorted((real_data / "ds002748_depression").glob("sub-*/anat/*_T1w.nii.gz"))
    images += sorted((real_data / "brainiac_sample").rglob("00001_t*.nii.gz"))
    images += sorted((real_data / "open_ms_data" / "cross_sectional" / "MNI").rglob("*_brain_N4_regtoMNI.nii.gz"))
    prints = []
    for image in images:
        stored = preprocess(image, get_recipe("isotropic"))
        prints.append(encodings.fingerprint_of(stored))
    assert len(prints) == 23
    everything = Limits(coarse=-1.0)
    assert [match for match in find_copies(prints, limits=everything) if match.grade == "copy"] == []
