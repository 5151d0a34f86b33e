"""What a person may overrule, what a refusal brings along for him to look at, and what stays refused."""

from dataclasses import replace

import numpy as np
import pytest

from braindino.errors import Reason, ScanRefused
from braindino.imaging import Recipe, Volume, make_volume, preprocess_volume
from braindino.imaging.mask import BrainMask
from braindino.imaging.quality import OVERRULABLE
from tests.imaging.helpers import brain_volume, ellipsoid
from tests.imaging.test_preprocess import RECIPE


def small_mask() -> Volume:
    volume = brain_volume()
    return volume.with_data(ellipsoid(volume.data.shape, (38, 50, 38), 4.0).astype(np.uint8))


def tissue_map() -> Volume:
    """What is not background is no solid body: the mask of it is in doubt."""
    volume = brain_volume()
    kept = np.random.default_rng(0).random(volume.data.shape) < 0.6
    return volume.with_data(np.where(kept, volume.data, 0))


def test_a_mask_of_another_size_than_a_brain_is_refused() -> None:
    volume = brain_volume()
    tissue = np.random.default_rng(0).normal(900, 100, volume.data.shape)  # all over: any mask lies on something
    head = volume.with_data(tissue.astype(np.float32))
    large = volume.with_data(np.ones(volume.data.shape, np.uint8))
    for mask, reason in ((small_mask(), Reason.BRAIN_TOO_SMALL), (large, Reason.BRAIN_TOO_LARGE)):
        with pytest.raises(ScanRefused) as caught:
            preprocess_volume(head, RECIPE, mask_volume=mask)
        assert caught.value.reason == reason


def test_what_is_overruled_is_stored_and_says_what_was_overruled() -> None:
    result = preprocess_volume(
        brain_volume(), RECIPE, mask_volume=small_mask(), overruled=frozenset({Reason.BRAIN_TOO_SMALL})
    )
    assert result.brain.sum() * 0.064 == pytest.approx(result.facts.brain_ml)
    (told,) = result.facts.overruled
    assert told.startswith("brain_too_small: The brain mask of brain holds")


def test_nothing_is_overruled_that_was_not_asked_for() -> None:
    with pytest.raises(ScanRefused) as caught:
        preprocess_volume(
            brain_volume(), RECIPE, mask_volume=small_mask(), overruled=OVERRULABLE - {Reason.BRAIN_TOO_SMALL}
        )
    assert caught.value.reason == Reason.BRAIN_TOO_SMALL


def test_a_doubtful_mask_can_be_overruled_and_looked_at() -> None:
    with pytest.raises(ScanRefused) as caught:
        preprocess_volume(tissue_map(), RECIPE, skull_stripped=True)
    assert caught.value.reason == Reason.MASK_UNCERTAIN
    attempt = caught.value.attempt
    assert isinstance(attempt, BrainMask)
    assert attempt.voxels.any()
    result = preprocess_volume(tissue_map(), RECIPE, skull_stripped=True, overruled=OVERRULABLE)
    assert result.facts.brain_ml == pytest.approx(attempt.voxels.sum() * 0.064)
    assert "mask_uncertain" in result.facts.overruled[0]


@pytest.mark.parametrize(
    ("recipe", "reason"),
    [(replace(RECIPE, canvas_lr=28), Reason.BRAIN_CROPPED), (RECIPE, Reason.SATURATED)],
)
def test_a_refusal_after_the_mask_was_found_brings_it_along(recipe: object, reason: Reason) -> None:
    volume = brain_volume()
    if reason is Reason.SATURATED:
        volume = volume.with_data(np.minimum(volume.data, np.float32(np.median(volume.data[volume.data > 0]))))
    with pytest.raises(ScanRefused) as caught:
        preprocess_volume(volume, recipe)  # type: ignore[arg-type]
    assert caught.value.reason == reason
    assert isinstance(caught.value.attempt, BrainMask)
    assert preprocess_volume(volume, recipe, overruled=OVERRULABLE).facts.overruled  # type: ignore[arg-type]


def test_half_a_brain_is_no_brain_whatever_its_volume() -> None:
    """A half of 800 ml: the volume alone would pass."""
    volume = brain_volume()
    half = volume.data.copy()
    half[half.shape[0] // 2 :] = 0
    grown = make_volume(half, volume.affine @ np.diag([1.12, 1.12, 1.12, 1.0]), "half")
    with pytest.raises(ScanRefused, match=r"covers \d+% of a brain") as caught:
        preprocess_volume(grown, RECIPE, skull_stripped=True)
    assert caught.value.reason == Reason.MASK_UNCERTAIN


def test_where_no_slice_holds_brain_nothing_can_be_overruled() -> None:
    volume = brain_volume()
    mask = np.zeros(volume.data.shape, np.uint8)
    mask[20, 20, 20] = 1
    coarse = Recipe("coarse", spacing_mm=24.0, canvas_ap=9, canvas_lr=9, canvas_si=9, n_slices=2)
    with pytest.raises(ScanRefused) as caught:
        preprocess_volume(volume, coarse, mask_volume=volume.with_data(mask), overruled=OVERRULABLE)
    assert caught.value.reason == Reason.TOO_FEW_SLICES
