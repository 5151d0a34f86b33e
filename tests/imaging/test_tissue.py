"""Signal, contrast and saturation of phantoms whose true figures are known."""

import numpy as np
import pytest

from braindino.imaging import Volume, make_volume
from braindino.imaging.tissue import tissue_figures
from tests.imaging.helpers import ellipsoid

SHAPE = (100, 120, 100)
RADII = (44, 54, 44)
MASK = ellipsoid(SHAPE, RADII, 1.0)
FLUID, GREY, WHITE = 40.0, 80.0, 120.0


def phantom(noise: float, fluid: float = FLUID, grey: float = GREY, white: float = WHITE) -> Volume:
    """White matter within grey matter within fluid, under Gaussian noise; air around them."""
    tissue = np.where(MASK, fluid, 0)
    for share, mean in ((0.85, grey), (0.45, white)):
        tissue = np.where(ellipsoid(SHAPE, tuple(radius * share ** (1 / 3) for radius in RADII), 1.0), mean, tissue)
    data = tissue + np.random.default_rng(0).normal(scale=noise, size=SHAPE)
    return make_volume(data.astype(np.float32), np.eye(4))


@pytest.mark.parametrize("noise", [1.0, 3.0, 8.0, 12.0])
def test_signal_and_contrast_to_noise_are_those_of_the_phantom(noise: float) -> None:
    found = tissue_figures(phantom(noise), MASK)
    assert found.snr == pytest.approx(WHITE / noise, rel=0.07)
    assert found.cnr == pytest.approx((WHITE - GREY) / noise, rel=0.12)


def test_the_order_of_the_tissues_does_not_count() -> None:
    """As on T2w: white matter dark, fluid bright."""
    found = tissue_figures(phantom(6.0, fluid=200.0, grey=100.0, white=60.0), MASK)
    assert found.snr == pytest.approx(100 / 6, rel=0.07)
    assert found.cnr == pytest.approx(40 / 6, rel=0.12)


def test_a_coil_that_shades_is_no_noise() -> None:
    volume = phantom(4.0)
    shading = np.linspace(0.8, 1.2, SHAPE[1], dtype=np.float32)[None, :, None]
    plain, shaded = tissue_figures(volume, MASK), tissue_figures(volume.with_data(volume.data * shading), MASK)
    assert shaded.snr == pytest.approx(plain.snr, rel=0.15)


def test_a_change_of_scale_changes_neither() -> None:
    volume = phantom(8.0)
    one, two = tissue_figures(volume, MASK), tissue_figures(volume.with_data(volume.data * 1000), MASK)
    assert one.snr == pytest.approx(two.snr, rel=1e-3)
    assert one.cnr == pytest.approx(two.cnr, rel=1e-3)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_thick_stack_is_measured_in_its_plane(axis: int) -> None:
    volume = phantom(8.0)
    kept = tuple(slice(None, None, 5 if a == axis else 1) for a in range(3))
    thick = make_volume(volume.data[kept], np.diag([5.0 if a == axis else 1.0 for a in (0, 1, 2)] + [1.0]))
    found = tissue_figures(thick, MASK[kept])
    assert found.snr == pytest.approx(WHITE / 8, rel=0.07)


def test_whole_numbers_give_the_same_figures() -> None:
    """As most scanners store them: the noise is a few steps."""
    volume = phantom(2.0)
    found = tissue_figures(volume.with_data(np.rint(volume.data).astype(np.int16)), MASK)
    assert found.snr == pytest.approx(WHITE / 2, rel=0.1)


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


def test_without_noise_or_with_too_few_voxels_nothing_is_told() -> None:
    """Noise of nothing would be an infinite figure."""
    small = np.zeros(SHAPE, bool)
    small[40:45, 40:45, 40:45] = True
    for found in (tissue_figures(phantom(0.0), MASK), tissue_figures(phantom(8.0), small)):
        assert (found.snr, found.cnr) == (None, None)
