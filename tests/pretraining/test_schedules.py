"""Schedules at their corners."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from braindino.pretraining import load_config, schedules
from braindino.pretraining.schedules import at, cosine, linear

CONFIG = load_config(
    "vit_base",
    [
        "data.batch_size=1024",
        "run.images=1_000_000",
        "schedule.warmup_images=100_000",
        "schedule.teacher_warmup_images=300_000",
        "schedule.freeze_last_layer_images=10_000",
    ],
)
PEAK = 1e-3 * 4


def test_the_learning_rate_warms_up_peaks_and_ends_low() -> None:
    assert at(CONFIG, 0).learning_rate == pytest.approx(PEAK * 1024 / 100_000)
    assert at(CONFIG, 100_000).learning_rate == pytest.approx(PEAK)
    assert at(CONFIG, 550_000).learning_rate == pytest.approx((PEAK + 1e-6) / 2)
    assert at(CONFIG, 1_000_000).learning_rate == pytest.approx(1e-6)
    assert at(CONFIG, 2_000_000).learning_rate == pytest.approx(1e-6)
    assert max(at(CONFIG, images).learning_rate for images in range(0, 100_000, 1024)) <= PEAK


def test_the_peak_follows_the_square_root_of_the_batch() -> None:
    assert CONFIG.optimiser.peak(256) == pytest.approx(PEAK / 2)
    assert CONFIG.optimiser.peak(4096) == pytest.approx(PEAK * 2)


def test_weight_decay_and_temperature_rise_to_their_ends() -> None:
    assert at(CONFIG, 0).weight_decay == pytest.approx(0.04)
    assert at(CONFIG, 1_000_000).weight_decay == pytest.approx(0.4)
    assert at(CONFIG, 0).teacher_temperature == pytest.approx(0.04)
    assert at(CONFIG, 150_000).teacher_temperature == pytest.approx(0.055)
    assert at(CONFIG, 300_000).teacher_temperature == at(CONFIG, 999_999).teacher_temperature == 0.07


def test_momentum_is_scaled_with_the_batch() -> None:
    """Two steps of half the batch move the teacher as far as one whole step."""
    half = schedules.momentum(CONFIG, 0)
    assert half**2 == pytest.approx(0.992)
    assert schedules.momentum(CONFIG, 1_000_000) == 1.0


def test_the_last_layer_thaws_after_its_images() -> None:
    assert at(CONFIG, 9_999).last_layer_frozen
    assert not at(CONFIG, 10_000).last_layer_frozen


def test_no_warmup_and_a_warmup_longer_than_the_run() -> None:
    none = load_config("vit_tiny_cpu", ["schedule.warmup_images=0", "schedule.teacher_warmup_images=0"])
    assert at(none, 0).learning_rate == pytest.approx(none.optimiser.peak(none.data.batch_size))
    assert at(none, 0).teacher_temperature == none.dino.teacher_temperature
    long = load_config("vit_tiny_cpu", ["run.images=100", "schedule.warmup_images=1000"])
    assert at(long, 99).learning_rate < 0.2 * long.optimiser.peak(long.data.batch_size)


@given(a=st.floats(-10, 10), b=st.floats(-10, 10), progress=st.floats(-1, 2))
def test_curves_stay_between_their_ends(a: float, b: float, progress: float) -> None:
    for curve in (cosine, linear):
        assert min(a, b) - 1e-9 <= curve(a, b, progress) <= max(a, b) + 1e-9
        assert curve(a, b, 0.0) == pytest.approx(a)
        assert curve(a, b, 1.0) == pytest.approx(b)
        assert math.isclose(curve(a, b, 0.5), (a + b) / 2, abs_tol=1e-9)
