"""Signal, contrast and saturation of phantoms whose true figures are known."""

import numpy as np
import pytest

from braindino.imaging import Volume, make_volume
from braindino.imaging.tissue import tissue_figures
from tests.imaging.helpers import ellipsoid

SHAPE = (50, 60, 50)
MASK = ellipsoid(SHAPE, (22, 27, 22), 1.0)


def phantom(
    noise: float, means: tuple[float, ...] = (40.0, 80.0, 120.0), shares: tuple[float, ...] = (0.15, 0.45, 0.4)
) -> Volume:
    """Tissues of these means, scattered, under Gaussian noise; air around them."""
    rng = np.random.default_rng(0)
    tissue = rng.choice(means, SHAPE, p=shares)
    data = np.where(MASK, tissue, 0) + rng.normal(scale=noise, size=SHAPE)
    return make_volume(data.astype(np.float32), np.eye(4))


@pytest.mark.parametrize("noise", [3.0, 8.0, 12.0])
def test_signal_and_contrast_to_noise_are_those_of_the_phantom(noise: float) -> None:
    """At a noise of 12 the classes of 80 and 120 overlap: cut at a threshold, they would look less noisy."""
    found = tissue_figures(phantom(noise), MASK)
    assert found.snr == pytest.approx(120 / noise, rel=0.06)
    assert found.cnr == pytest.approx(40 / np.hypot(noise, noise), rel=0.06)


def test_the_order_of_the_tissues_does_not_count() -> None:
    """As on T2w: white matter dark, fluid bright."""
    found = tissue_figures(phantom(6.0, means=(200.0, 100.0, 60.0)), MASK)
    assert found.snr == pytest.approx(100 / 6, rel=0.06)
    assert found.cnr == pytest.approx(40 / np.hypot(6, 6), rel=0.06)


def test_a_change_of_scale_changes_neither() -> None:
    volume = phantom(8.0)
    one, two = tissue_figures(volume, MASK), tissue_figures(volume.with_data(volume.data * 1000), MASK)
    assert one.snr == pytest.approx(two.snr, rel=1e-3)
    assert one.cnr == pytest.approx(two.cnr, rel=1e-3)


def test_a_saturated_image_piles_up_at_its_largest_value() -> None:
    volume = phantom(8.0)
    level = float(np.quantile(volume.data[MASK], 0.7))
    found = tissue_figures(volume.with_data(np.minimum(volume.data, level)), MASK)
    assert found.clip_high == pytest.approx(0.3, abs=0.01)
    assert found.clip_low < 1e-4
    assert tissue_figures(volume, MASK).clip_high < 1e-4


def test_values_cut_off_below_are_counted_apart() -> None:
    volume = phantom(8.0)
    level = float(np.quantile(volume.data[MASK], 0.1))
    found = tissue_figures(volume.with_data(np.maximum(volume.data, level)), MASK)
    assert found.clip_low == pytest.approx(0.1, abs=0.01)


def test_whole_numbers_of_few_levels_give_finite_figures() -> None:
    volume = phantom(0.0)
    found = tissue_figures(volume.with_data(np.rint(volume.data).astype(np.uint8)), MASK)
    assert found.snr is not None
    assert found.cnr is not None
    assert np.isfinite([found.snr, found.cnr]).all()


def test_too_few_voxels_tell_nothing() -> None:
    small = np.zeros(SHAPE, bool)
    small[20:25, 20:25, 20:25] = True
    found = tissue_figures(phantom(8.0), small)
    assert (found.snr, found.cnr) == (None, None)
