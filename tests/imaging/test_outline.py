"""The outline of a brain leaves a little room over its cortex, whichever way the contrast shows its end."""

from dataclasses import replace

import numpy as np
import pytest

from braindino.imaging.outline import Shown, find_outline
from braindino.imaging.template import BANDS
from tests.imaging.test_border import MM, SHAPE, T1W, T2W, head_of

PD = (78, 95, 86, 7, 80)
T1C = (100, 74, 70, 30, 110)  # what is over the cortex is mostly dura


def shown_of(signals: tuple[float, ...]) -> tuple[Shown, np.ndarray]:
    """A round head, a ventricle in its middle, and the millimetres outside its brain."""
    image, away = head_of(signals)
    ventricle = away < -50
    image = np.where(ventricle, signals[2], image).astype(np.float32)
    classes = np.choose(np.digitize(away, (-8, 0, 3, 8)), [6, 3, BANDS, BANDS + 1, BANDS + 2])
    classes = np.where(ventricle, 0, classes)
    return Shown(image, classes, np.ones(SHAPE, bool), np.zeros(SHAPE, np.float32), MM), away


def room(outline: np.ndarray, away: np.ndarray) -> float:
    """Millimetres between cortex and outline, on average."""
    return float(away[np.abs(outline) < 1].mean())


@pytest.mark.parametrize("signals", [T1W, T2W, PD, T1C], ids=["T1w", "T2w", "PD", "T1c"])
@pytest.mark.parametrize("off", [0.0, 1.0])
def test_the_outline_lies_just_over_the_cortex(signals: tuple[float, ...], off: float) -> None:
    shown, away = shown_of(signals)
    assert 0.3 < room(find_outline(away - off, shown, 1.0), away) < 4


def test_dura_that_lights_up_is_left_less_room() -> None:
    rooms = []
    for signals in (T1W, T1C):
        shown, away = shown_of(signals)
        rooms.append(room(find_outline(away + 1, shown, 1.0), away))
    assert rooms[1] < rooms[0]


def test_without_anything_to_see_the_surface_stays() -> None:
    shown, away = shown_of(T1W)
    blind = replace(shown, seen=np.zeros(SHAPE, bool))
    assert -1 < room(find_outline(away, blind, 1.0), away) < 1.5
