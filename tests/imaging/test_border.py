"""The border of the brain is found from an outline that is a few millimetres off."""

import numpy as np
import pytest
from scipy import ndimage

from braindino.imaging.border import find_border

MM = 3.0
SHAPE = (60, 64, 60)
# How bright core, cortex, fluid, skull and scalp are.
T1W = (100, 70, 25, 12, 110)
T2W = (50, 80, 140, 8, 60)


def head_of(signals: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """A round head of 3 mm voxels with noise, and the millimetres outside its brain of 66 mm radius."""
    away = np.linalg.norm(np.indices(SHAPE) - (np.array(SHAPE)[:, None, None, None] - 1) / 2, axis=0) * MM - 66
    layers = np.digitize(away, (-8, 0, 2, 9))
    noise = np.random.default_rng(0).normal(scale=4, size=SHAPE)
    bright = np.choose(layers, [np.full(SHAPE, signal, float) for signal in signals])
    image = np.where(away < 17, ndimage.gaussian_filter(bright, 0.4), 4) + noise
    return np.abs(image).astype(np.float32), away.astype(np.float32)


@pytest.mark.parametrize(("signals", "end"), [(T1W, 0.0), (T2W, 2.0)], ids=["T1w", "T2w"])
@pytest.mark.parametrize("off", [-5.0, -3.0, 1.0])
def test_an_outline_that_is_off_is_moved_to_the_border(signals: tuple[float, ...], end: float, off: float) -> None:
    """Which is the cortex where fluid is dark, and the skull where it is bright."""
    image, away = head_of(signals)
    everywhere, nowhere = np.ones(SHAPE, bool), np.zeros(SHAPE, bool)
    found = find_border(away - off, image, everywhere, nowhere, MM, inwards_only=False)
    surface = np.abs(away) < 2
    assert abs(float((away - found)[surface].mean()) - end) < 1.5


def test_inwards_only_never_moves_outwards() -> None:
    image, away = head_of(T1W)
    everywhere, nowhere = np.ones(SHAPE, bool), np.zeros(SHAPE, bool)
    found = find_border(away + 4, image, everywhere, nowhere, MM, inwards_only=True)
    assert (found >= away + 4 - 1e-4).all()


def test_what_lies_outside_the_field_of_view_tells_nothing() -> None:
    image, away = head_of(T2W)
    seen = np.indices(SHAPE)[2] < 40
    nonsense = np.where(seen, image, 500).astype(np.float32)
    nowhere = np.zeros(SHAPE, bool)
    found, again = (find_border(away, one, seen, nowhere, MM, inwards_only=False) for one in (image, nonsense))
    assert np.array_equal(found, again)
