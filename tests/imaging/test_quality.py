"""The limits of acceptance, each with its reason."""

import numpy as np
import pytest

from braindino.errors import Reason, ScanRefused
from braindino.imaging import quality


@pytest.mark.parametrize(
    ("check", "good", "bad", "reason"),
    [
        (quality.check_brain_volume, (1300.0,), (400.0,), Reason.BRAIN_TOO_SMALL),
        (quality.check_brain_volume, (2100.0,), (2300.0,), Reason.BRAIN_TOO_LARGE),
        (quality.check_canvas, (1.0, 1300.0), (5.0, 1300.0), Reason.BRAIN_CROPPED),
        (quality.check_border, (0.1,), (0.5,), Reason.BRAIN_CROPPED),
        (quality.check_slices, (24, 5.5), (11, 10.0), Reason.TOO_FEW_SLICES),
        (quality.check_slices, (140, 1.0), (60, 1.0), Reason.TOO_FEW_SLICES),
    ],
)
def test_each_limit_lets_the_good_pass_and_names_the_bad(
    check: object, good: tuple[float, ...], bad: tuple[float, ...], reason: Reason
) -> None:
    check(*good, "scan.nii")  # type: ignore[operator]
    with pytest.raises(ScanRefused, match=r"scan\.nii") as caught:
        check(*bad, "scan.nii")  # type: ignore[operator]
    assert caught.value.reason == reason


def test_the_border_share_of_a_block_that_touches_one_face() -> None:
    mask = np.zeros((10, 10, 10), bool)
    mask[:4, 3:7, 3:7] = True
    on_face, surface = 16, 64 - 2 * 2 * 2
    assert quality.border_fraction(mask) == pytest.approx(on_face / surface)
    assert quality.border_fraction(np.roll(mask, 2, axis=0)) == 0.0


def test_parts_that_touch_by_a_corner_are_one() -> None:
    mask = np.zeros((6, 6, 6), bool)
    mask[1, 1, 1] = mask[2, 2, 2] = mask[4, 4, 4] = True
    assert quality.count_components(mask) == 2
