"""Crops: anchored on brain, never empty, and the same whenever they are made again."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from braindino.pretraining.augment import CropPlan, plan_crops, render_crops
from braindino.pretraining.boxes import Boxes, brain_anchors
from braindino.pretraining.config import CropConfig, IntensityConfig
from braindino.pretraining.randomness import sample_seeds

CROPS = CropConfig(global_size=24, local_size=16, local_number=3)
STILL = IntensityConfig(window_jitter=0, probability=0, noise_probability=0, blur_probability=0, flip_probability=0)
"""No change of intensities, no mirror image."""


def slices(count: int = 5, rows: int = 40, columns: int = 32, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y, x = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing="ij")
    brain = np.stack([(x**2 + y**2 < r) for r in np.linspace(0.1, 0.9, count)]).astype(np.uint8)
    return rng.integers(200, 1000, brain.shape).astype(np.int32) * brain, brain


def render(stored: np.ndarray, brain: np.ndarray, plans: list[CropPlan]) -> tuple[torch.Tensor, torch.Tensor]:
    bounds = torch.tensor([[100.0, 1000.0]] * len(stored))
    return render_crops(torch.from_numpy(stored), torch.from_numpy(brain), bounds, plans, noise_seed=1)


def crops(seed: int = 0, step: int = 0, intensity: IntensityConfig | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    stored, brain = slices()
    plans = plan_crops(sample_seeds(seed, step, 5), brain, CROPS, intensity or IntensityConfig(), mirror=True)
    return render(stored, brain, plans)


def whole(count: int, rows: int, columns: int, size: int, mirrored: bool = False, angle: float = 0.0) -> CropPlan:
    """A plan that changes nothing: the whole slice, its intensities as they are."""
    zero, one = np.zeros(count), np.ones(count)
    boxes = Boxes(
        row=zero + (rows - 1) / 2, column=zero + (columns - 1) / 2, height=zero + rows, width=zero + columns,
        angle=zero + angle, mirrored=np.full(count, mirrored),
    )  # fmt: skip
    return CropPlan(boxes, size, zero, zero, one, one, zero, zero, zero)


def test_crops_have_their_sizes_and_range() -> None:
    global_crops, local_crops = crops()
    assert global_crops.shape == (2 * 5, 1, 24, 24)
    assert local_crops.shape == (3 * 5, 1, 16, 16)
    for batch in (global_crops, local_crops):
        assert batch.dtype == torch.float32
        assert 0 <= float(batch.min()) < float(batch.max()) <= 1


def test_crops_are_a_function_of_seed_and_step() -> None:
    first, again = crops(seed=3, step=9), crops(seed=3, step=9)
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    for seed, step in ((4, 9), (3, 10)):
        assert not torch.equal(first[0], crops(seed, step)[0])


def test_the_plan_of_a_sample_does_not_depend_on_the_rest_of_the_batch() -> None:
    _, brain = slices()
    seeds = sample_seeds(0, 0, 5)
    together = plan_crops(seeds, brain, CROPS, IntensityConfig(), mirror=True)
    alone = plan_crops(seeds[3:4], brain[3:4], CROPS, IntensityConfig(), mirror=True)
    for many, one in zip(together, alone, strict=True):
        np.testing.assert_array_equal(many.boxes.theta(40, 32)[3:4], one.boxes.theta(40, 32))
        np.testing.assert_array_equal(many.gamma[3:4], one.gamma)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), row=st.integers(0, 39), column=st.integers(0, 31))
def test_no_crop_is_empty_even_with_a_single_brain_pixel(seed: int, row: int, column: int) -> None:
    brain = np.zeros((1, 40, 32), np.uint8)
    brain[0, row, column] = 1
    stored = brain.astype(np.int32) * 900
    plans = plan_crops(sample_seeds(seed, 0, 1), brain, CropConfig(24, local_size=16), STILL, mirror=True)
    global_crops, local_crops = render(stored, brain, plans)
    assert (global_crops.flatten(1).amax(1) > 0).all()
    assert (local_crops.flatten(1).amax(1) > 0).all()


def test_background_stays_zero_under_all_intensity_changes() -> None:
    loud = IntensityConfig(
        window_jitter=0.3, brightness=0.5, probability=1, noise=0.3, noise_probability=1, blur_probability=1
    )
    stored, brain = slices()
    plans = plan_crops(sample_seeds(0, 0, 5), brain, CROPS, loud, mirror=True)
    quiet = plan_crops(sample_seeds(0, 0, 5), brain, CROPS, replace(loud, brightness=0), mirror=True)
    inside, _ = render(brain.astype(np.int32) * 1000, brain, [replace(p, noise=p.noise * 0) for p in quiet])
    global_crops, _ = render(stored, brain, plans)
    outside = torch.nn.functional.max_pool2d(inside, 9, 1, 4) == 0
    assert outside.any()
    assert (global_crops[outside] == 0).all()


def test_the_whole_slice_at_its_own_size_is_the_windowed_slice() -> None:
    stored, brain = slices(rows=24, columns=24)
    plan = whole(5, 24, 24, 24)
    global_crops, _ = render(stored, brain, [plan, plan])
    expected = np.clip((stored - 100.0) / 900.0, 0, 1) * brain
    np.testing.assert_allclose(global_crops[:5, 0].numpy(), expected, atol=1e-5)


def test_a_mirrored_box_is_the_slice_flipped_left_to_right() -> None:
    stored, brain = slices(rows=24, columns=24)
    straight, mirrored = whole(5, 24, 24, 24), whole(5, 24, 24, 24, mirrored=True)
    global_crops, _ = render(stored, brain, [straight, mirrored])
    torch.testing.assert_close(global_crops[5:], global_crops[:5].flip(-1), atol=1e-4, rtol=0)


def test_a_quarter_turn_is_a_rotation_in_pixels() -> None:
    stored, brain = slices(rows=24, columns=24)
    straight, turned = whole(5, 24, 24, 24), whole(5, 24, 24, 24, angle=np.pi / 2)
    global_crops, _ = render(stored, brain, [straight, turned])
    torch.testing.assert_close(global_crops[5:], torch.rot90(global_crops[:5], 1, (2, 3)), atol=1e-3, rtol=0)


def test_boxes_keep_their_anchor_and_stay_on_the_canvas() -> None:
    _, brain = slices(count=200)
    still = replace(CROPS, rotation_degrees=0.0)
    plans = plan_crops(sample_seeds(0, 0, 200), brain, still, STILL, mirror=True)
    for plan in plans:
        box = plan.boxes
        assert (box.row - box.height / 2 >= -0.5 - 1e-9).all()
        assert (box.row + box.height / 2 <= 39.5 + 1e-9).all()
        assert (box.column - box.width / 2 >= -0.5 - 1e-9).all()
        assert (box.column + box.width / 2 <= 31.5 + 1e-9).all()
        assert not box.mirrored.any()
    area = plans[2].boxes.height * plans[2].boxes.width / (40 * 32)
    assert (area > 0.049).all()
    assert (area < 0.321).all()


def test_sagittal_slices_are_never_mirrored() -> None:
    _, brain = slices()
    plans = plan_crops(sample_seeds(0, 0, 5), brain, CROPS, IntensityConfig(flip_probability=1.0), mirror=False)
    assert not any(plan.boxes.mirrored.any() for plan in plans)


def test_anchors_are_brain_pixels() -> None:
    _, brain = slices()
    quantiles = np.random.default_rng(0).random((5, 7))
    for index, anchors in enumerate(brain_anchors(brain, quantiles).astype(int)):
        assert (brain[index][anchors[:, 0], anchors[:, 1]] == 1).all()
    middle = brain_anchors(np.zeros((1, 5, 9), np.uint8), np.zeros((1, 1)))
    np.testing.assert_array_equal(middle, [[[2.0, 4.0]]])


def test_blur_keeps_the_mean_and_lowers_the_contrast() -> None:
    stored, brain = slices(rows=24, columns=24)
    brain = np.ones_like(brain)
    stored = np.random.default_rng(0).integers(200, 900, brain.shape).astype(np.int32)
    plan = whole(5, 24, 24, 24)
    blurred = replace(plan, blur=np.array([0.0, 1.0, 1.0, 2.0, 2.0]))
    global_crops, _ = render(stored, brain, [plan, blurred])
    before, after = global_crops[:5, 0, 8:-8, 8:-8], global_crops[5:, 0, 8:-8, 8:-8]
    assert torch.equal(before[0], after[0])
    assert (after[1:].std((1, 2)) < 0.5 * before[1:].std((1, 2))).all()
    assert float(after.mean()) == pytest.approx(float(before.mean()), abs=0.03)


def test_rician_noise_lifts_the_dark_and_keeps_the_bright() -> None:
    brain = np.ones((1, 64, 64), np.uint8)
    dark, bright = np.full(brain.shape, 100, np.int32), np.full(brain.shape, 700, np.int32)
    plan = replace(whole(1, 64, 64, 64), noise=np.array([0.05]))
    lifted, _ = render(dark, brain, [plan, plan])
    kept, _ = render(bright, brain, [plan, plan])
    # The mean of a Rayleigh distribution is sigma sqrt(pi / 2).
    assert float(lifted.mean()) == pytest.approx(0.05 * np.sqrt(np.pi / 2), rel=0.05)
    assert float(kept.mean()) == pytest.approx(600 / 900, rel=0.01)
