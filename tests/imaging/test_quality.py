"""The limits of acceptance, each with its reason."""

from dataclasses import asdict, fields

import numpy as np
import pytest

from braindino.errors import Reason, ScanRefused
from braindino.imaging import Facts, preprocess_volume, quality
from braindino.imaging.findings import findings
from tests.imaging.helpers import brain_volume
from tests.imaging.test_preprocess import RECIPE


@pytest.mark.parametrize(
    ("check", "good", "bad", "reason"),
    [
        (quality.check_brain_volume, (1300.0,), (400.0,), Reason.BRAIN_TOO_SMALL),
        (quality.check_brain_volume, (2100.0,), (2300.0,), Reason.BRAIN_TOO_LARGE),
        (quality.check_shape, (0.9,), (0.75,), Reason.MASK_UNCERTAIN),
        (quality.check_saturation, (0.01,), (0.2,), Reason.SATURATED),
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


@pytest.mark.parametrize(
    ("age", "brain_ml", "reason"),
    [
        (0.0, 300.0, None),  # a newborn
        (0.0, 1200.0, Reason.BRAIN_TOO_LARGE),
        (5.0, 300.0, Reason.BRAIN_TOO_SMALL),
        (5.0, 1150.0, None),
        (40.0, 500.0, Reason.BRAIN_TOO_SMALL),
        (40.0, 2100.0, None),  # with the fluid around it
        (90.0, 700.0, None),
    ],
)
def test_a_known_age_sets_the_limits_of_the_volume(age: float, brain_ml: float, reason: Reason | None) -> None:
    if reason is None:
        quality.check_brain_volume(brain_ml, "scan.nii", age)
    else:
        with pytest.raises(ScanRefused, match="years") as caught:
            quality.check_brain_volume(brain_ml, "scan.nii", age)
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


def test_a_gate_lets_pass_what_was_overruled_and_nothing_else() -> None:
    gate = quality.Gate(frozenset({Reason.BRAIN_TOO_SMALL}))
    gate.check(quality.check_brain_volume, 300.0, "scan.nii")
    assert [refusal.reason for refusal in gate.passed] == [Reason.BRAIN_TOO_SMALL]
    with pytest.raises(ScanRefused):
        gate.check(quality.check_brain_volume, 3000.0, "scan.nii")


def test_every_limit_is_shown_beside_its_figure() -> None:
    """As many limits as there are fields, each on the side of the figure that a check refuses."""
    facts = preprocess_volume(brain_volume(), RECIPE).facts
    found = findings({**asdict(facts), "n_slices": 30})
    assert all(finding.passed for finding in found)
    shown = {limit for finding in found for limit in (finding.low, finding.high) if limit is not None}
    limits = {f.name: getattr(quality.LIMITS, f.name) for f in fields(quality.LIMITS)}
    del limits["mean_brain_by_age"]
    assert shown == set(limits.values())
    assert {finding.reason for finding in found if finding.low or finding.high} <= quality.OVERRULABLE


@pytest.mark.parametrize(
    ("measured", "reason"),
    [
        ({"brain_ml": 400.0}, Reason.BRAIN_TOO_SMALL),
        ({"brain_ml": 2300.0}, Reason.BRAIN_TOO_LARGE),
        ({"brain_ml": 1300.0, "cropped_ml": 5.0}, Reason.BRAIN_CROPPED),
        ({"border_fraction": 0.5}, Reason.BRAIN_CROPPED),
        ({"template_overlap": 0.75}, Reason.MASK_UNCERTAIN),
        ({"clip_high": 0.2}, Reason.SATURATED),
        ({"n_slices": 11}, Reason.TOO_FEW_SLICES),
        ({"n_slices": 60, "through_plane_mm": 1.0}, Reason.TOO_FEW_SLICES),
        ({"snr": 0.1, "cnr": 0.0, "clip_low": 1.0}, None),
    ],
)
def test_a_figure_beyond_its_limit_has_the_reason_of_the_refusal(
    measured: dict[str, float], reason: Reason | None
) -> None:
    failed = {finding.reason for finding in findings(measured) if not finding.passed}
    assert failed == ({reason} if reason else set())


def test_figures_that_nobody_measured_are_not_shown() -> None:
    assert findings({field.name: None for field in fields(Facts)}) == ()
