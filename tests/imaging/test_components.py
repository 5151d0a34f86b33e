"""Parts and holes of masks, against scipy's."""

import numpy as np
import pytest
from scipy import ndimage

from braindino.imaging.components import bounding_box, fill_holes, label_parts
from tests.imaging.helpers import ellipsoid


def speckled(order: str) -> np.ndarray:
    mask = np.random.default_rng(3).random((14, 11, 9)) < 0.2
    return np.asarray(mask, order=order)  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("corners", [True, False])
def test_parts_are_those_of_scipy(order: str, corners: bool) -> None:
    labels, count = label_parts(speckled(order), corners)
    neighbours = np.ones((3, 3, 3)) if corners else None
    expected, expected_count = ndimage.label(speckled("C"), neighbours)
    assert count == expected_count > 1
    pairs = set(zip(labels.ravel().tolist(), expected.ravel().tolist(), strict=True))
    assert len(pairs) == count + 1  # each part has one number in both


def test_holes_are_filled_and_bays_are_not() -> None:
    mask = ellipsoid((20, 22, 18), (8, 9, 7), 1.0)
    mask[9:11, 10:13, 8:10] = False  # enclosed
    mask[10, 11, 9:] = False  # a way out along one column
    np.testing.assert_array_equal(fill_holes(mask), ndimage.binary_fill_holes(mask))
    mask[10, 11, 13:15] = True  # the way out is closed again
    assert fill_holes(mask)[10, 11, 9]
    np.testing.assert_array_equal(fill_holes(mask), ndimage.binary_fill_holes(mask))


def test_the_box_is_tight() -> None:
    mask = np.zeros((9, 8, 7), bool)
    mask[2, 3, 4] = mask[5, 3, 6] = True
    assert bounding_box(mask) == (slice(2, 6), slice(3, 4), slice(4, 7))
