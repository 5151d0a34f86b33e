"""N4 takes out a field that was put in, and what is left and recorded says so."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from braindino.imaging import Recipe, Volume, get_recipe, make_volume, preprocess_volume
from braindino.imaging.bias import correct_bias
from tests.imaging.helpers import ellipsoid

RECIPE = Recipe("test", spacing_mm=2.0, canvas_ap=112, canvas_lr=96, canvas_si=96, thick_mm=20.0)


def two_tissues() -> tuple[Volume, np.ndarray]:
    """A brain of two tissues in folds, with a little noise, on 2 mm voxels; and its mask."""
    shape = (80, 96, 78)
    rng = np.random.default_rng(0)
    brain = ellipsoid(shape, (68, 84, 66), 2.0)
    folds = ndimage.gaussian_filter(rng.normal(size=shape), 3.0)
    data = np.where(folds > 0, 900.0, 600.0) + rng.normal(scale=15, size=shape)
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    return make_volume((data * brain).astype(np.float32), affine, "tissues"), brain


def field(shape: tuple[int, ...]) -> np.ndarray:
    """A coil's field: half as bright again at one side than at the other, bent along another axis."""
    x, y, z = (np.linspace(-1, 1, size) for size in shape)
    log = 0.25 * x[:, None, None] - 0.08 * z[None, None, :] + 0.10 * (y**2)[None, :, None]
    shaded: np.ndarray = np.exp(log)
    return shaded


def spread(ratio: np.ndarray) -> float:
    """Relative spread of a field that should be flat."""
    return float(ratio.std() / ratio.mean())


def test_a_planted_field_is_removed_and_its_strength_is_told() -> None:
    volume, brain = two_tissues()
    planted = field(brain.shape)
    shaded = volume.with_data((volume.data * planted).astype(np.float32))
    corrected, strength = correct_bias(shaded, brain)
    assert spread(planted[brain]) > 0.09
    left = spread(corrected.data[brain] / volume.data[brain])
    assert left < 0.25 * spread(planted[brain])
    low, high = np.percentile(planted[brain], (1, 99))
    assert strength == pytest.approx(high / low, rel=0.1)
    assert corrected.data.dtype == np.float32
    np.testing.assert_array_equal(corrected.data[~brain], 0)


def test_an_even_image_stays_nearly_even() -> None:
    volume, brain = two_tissues()
    corrected, strength = correct_bias(volume, brain)
    assert strength < 1.1
    assert spread(corrected.data[brain] / volume.data[brain]) < 0.02


def test_the_facts_say_whether_a_field_was_divided_out() -> None:
    volume, _ = two_tissues()
    assert preprocess_volume(volume, RECIPE).facts.bias_ratio is None
    ratio = preprocess_volume(volume, replace(RECIPE, bias_field=True)).facts.bias_ratio
    assert ratio is not None
    assert 1.0 <= ratio < 1.1
    assert get_recipe("isotropic_n4").bias_field
