"""The skull around a brain: how far out of a fit it lies, and when an outline reaches into it."""

import numpy as np
import pytest
from scipy import ndimage

from braindino.imaging.head import Head, prepare
from braindino.imaging.skull import reach_into_bone, sized_by_skull, skull_offset
from tests.imaging.test_atlas import template_head
from tests.imaging.test_refine import SCALE, known_place

RADIUS_MM = 66.0  # of the brain of `template_head`


def head(contrast: str) -> Head:
    volume, brain = template_head(turn_degrees=0.0)
    if contrast == "T2w":
        volume = volume.with_data(np.where(brain, 360 - volume.data, volume.data).astype(np.float32))
    return prepare(volume)


def placed(error_mm: float) -> np.ndarray:
    """The place of the brain, its surface so many mm too far out."""
    place = known_place()
    place[6:9] += np.log(1 + error_mm / RADIUS_MM)
    return place


@pytest.mark.parametrize("contrast", ["T1w", "T2w"])
@pytest.mark.parametrize("error_mm", [-8.0, -5.0, 0.0, 4.0])
def test_the_skull_is_found_where_brightness_falls(contrast: str, error_mm: float) -> None:
    offset = skull_offset(head(contrast), placed(error_mm))
    assert offset is not None
    assert abs(offset + error_mm) <= 2


def test_no_skull_is_found_where_nothing_changes() -> None:
    volume, _ = template_head(turn_degrees=0.0)
    even = prepare(volume.with_data(np.full(volume.data.shape, 100, np.float32)))
    assert skull_offset(even, known_place()) is None


def test_a_fit_of_the_wrong_size_is_mended_and_a_good_one_stays() -> None:
    seen = head("T2w")
    assert np.array_equal(sized_by_skull(seen, placed(0.0)), placed(0.0))
    grown = sized_by_skull(seen, placed(-9.0))
    assert np.log(SCALE) - 0.06 < grown[6] < np.log(SCALE) + 0.02
    assert np.array_equal(grown[:6], placed(-9.0)[:6])
    shrunk = sized_by_skull(seen, placed(8.0))
    assert np.log(SCALE) - 0.02 < shrunk[6] < np.log(SCALE) + 0.06


def ball(signals: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Brain, bone (6 mm) and scalp as shells, and mm outside the brain, on a grid of 3 mm."""
    shape = (60, 60, 60)
    away = (np.linalg.norm(np.indices(shape) - 29.5, axis=0) * 3 - 60).astype(np.float32)
    bright = np.choose(np.digitize(away, (0, 6)), [np.full(shape, signal, np.float32) for signal in signals])
    return ndimage.gaussian_filter(np.where(away < 14, bright, 0), 0.4), away


@pytest.mark.parametrize(("error_mm", "reach_mm"), [(-2.0, 0.0), (0.0, 0.0), (3.0, 2.0), (5.0, 3.0)])
def test_an_outline_in_the_bone_is_told_so(error_mm: float, reach_mm: float) -> None:
    image, away = ball((100.0, 10.0, 120.0))
    assert abs(reach_into_bone(away - error_mm, image, np.ones(image.shape, bool)) - reach_mm) <= 1.01


def test_where_no_scalp_shows_nothing_is_said() -> None:
    image, away = ball((100.0, 10.0, 5.0))
    assert reach_into_bone(away - 4, image, np.ones(image.shape, bool)) == 0
    assert reach_into_bone(away - 4, image, np.zeros(image.shape, bool)) == 0
