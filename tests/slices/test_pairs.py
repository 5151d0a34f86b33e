"""Partners of slices: the same person, another slice."""

import numpy as np
import pytest

from braindino.errors import ConfigError
from braindino.slices import Partners, ScanRef


def scan(name: str, person: str, n_slices: int, session: str, contrast: str) -> ScanRef:
    return ScanRef(name, name, person, "d", n_slices, "axial", session, contrast)


SCANS = [
    scan("a", "ann", 100, "1", "T1w"),
    scan("b", "ann", 50, "1", "T2w"),
    scan("c", "ann", 100, "2", "T1w"),
    scan("d", "bob", 100, "1", "T1w"),
]
DRAWS = [np.array(pair) for pair in ((0.0, 0.0), (0.5, 0.9), (0.99, 0.3))]


@pytest.mark.parametrize("draws", DRAWS)
def test_neighbours_are_a_few_slices_away_and_inside_the_scan(draws: np.ndarray) -> None:
    partners = Partners(SCANS, "neighbour", distance=3)
    for index in (0, 1, 50, 98, 99):
        scan_, other = partners.of((0, index), draws)
        assert scan_ == 0
        assert 0 <= other < 100
        assert 1 <= abs(other - index) <= 3


@pytest.mark.parametrize("draws", DRAWS)
def test_another_contrast_of_the_session_at_the_same_height(draws: np.ndarray) -> None:
    partners = Partners(SCANS, "contrast")
    assert partners.of((0, 50), draws) == (1, 25)
    assert partners.of((1, 49), draws) == (0, 99)
    assert partners.of((3, 7), draws) == (3, 7)  # bob has one contrast: the slice itself


@pytest.mark.parametrize("draws", DRAWS)
def test_another_session_with_the_same_contrast(draws: np.ndarray) -> None:
    partners = Partners(SCANS, "session")
    assert partners.of((0, 10), draws) == (2, 10)
    assert partners.of((1, 10), draws) == (1, 10)


def test_what_is_no_pair_is_said() -> None:
    with pytest.raises(ConfigError, match="choose none, neighbour, contrast, session"):
        Partners(SCANS, "twins")
    with pytest.raises(ConfigError, match="pair_distance is 0"):
        Partners(SCANS, "neighbour", 0)
