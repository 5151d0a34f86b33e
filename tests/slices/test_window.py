"""Windows act on stored numbers and give the same on numpy arrays and torch tensors."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from braindino.errors import ConfigError
from braindino.slices import apply_window, window_bounds
from tests.slices.helpers import INTENSITY


@pytest.mark.parametrize(
    ("window", "ends"), [("p0.5_99.5", (0.0, 900.0)), ("p1_99", (10.0, 800.0)), ("none", (-10.0, 990.0))]
)
def test_bounds_are_the_stored_numbers_of_the_percentiles(window: str, ends: tuple[float, float]) -> None:
    low, high = window_bounds(INTENSITY, window)
    values = [INTENSITY.offset + INTENSITY.scale * (bound - 1) for bound in (low, high)]
    assert values == pytest.approx(ends)


def test_the_ends_of_the_window_become_0_and_1_and_background_stays_0() -> None:
    stored = np.array([[0, 1, 100], [150, 200, 65535]], np.uint16)
    windowed = apply_window(stored, 100.0, 200.0)
    assert windowed.dtype == np.float32
    np.testing.assert_allclose(windowed, [[0, 0, 0], [0.5, 1, 1]])


def test_background_is_0_even_when_the_window_begins_below_it() -> None:
    np.testing.assert_allclose(apply_window(np.array([0, 1], np.uint16), -9.0, 11.0), [0.0, 0.5])


def test_without_a_window_nothing_saturates() -> None:
    low, high = window_bounds(INTENSITY, "none")
    brightest = round(INTENSITY.stored(INTENSITY.maximum))
    two = apply_window(np.array([brightest - 1, brightest], np.uint16), low, high)
    assert two[0] < two[1] == 1.0


def test_torch_and_numpy_agree_with_bounds_per_slice() -> None:
    stored = np.random.default_rng(0).integers(0, 600, (3, 5, 4)).astype(np.int32)
    low, high = np.array([1.0, 50.0, 90.0])[:, None, None], np.array([400.0, 500.0, 550.0])[:, None, None]
    ours = apply_window(torch.from_numpy(stored), torch.from_numpy(low).float(), torch.from_numpy(high).float())
    assert ours.dtype == torch.float32
    np.testing.assert_allclose(ours.numpy(), apply_window(stored, low, high), atol=1e-6)


def test_a_constant_scan_gives_no_division_by_zero() -> None:
    low, high = window_bounds(replace(INTENSITY, p0_5=5.0, p99_5=5.0), "p0.5_99.5")
    assert high > low


def test_an_unknown_window_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"p0\.5_99\.5, p1_99, none"):
        window_bounds(INTENSITY, "p2_98")
