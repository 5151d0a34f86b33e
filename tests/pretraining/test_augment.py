"""Crops: anchored on brain, never empty, and the same whenever they are made again."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from braindino.pretraining.augment import (
    BIAS,
    BIAS_POWERS,
    BLUR,
    NEUTRAL,
    NOISE,
    CropPlan,
    Signals,
    plan_crops,
    render_crops,
)
from braindino.pretraining.boxes import Boxes, brain_anchors, crop_boxes
from braindino.pretraining.config import CropConfig, IntensityConfig
from braindino.pretraining.randomness import sample_seeds, uniforms

CROPS = CropConfig(global_size=24, local_size=16, local_number=3)
STILL = IntensityConfig(
    window_jitter=0, probability=0, noise_probability=0, blur_probability=0, flip_probability=0, bias_probability=0
)
"""No change of intensities, no mirror image."""


def slices(count: int = 5, rows: int = 40, columns: int = 32, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y, x = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing="ij")
    brain = np.stack([(x**2 + y**2 < r) for r in np.linspace(0.1, 0.9, count)]).astype(np.uint8)
    return rng.integers(200, 1000, brain.shape).astype(np.int32) * brain, brain


def view(stored: np.ndarray) -> Signals:
    """Windows from 100 to 1000; no signal is 100 as well."""
    count = len(stored)
    return Signals.of(torch.from_numpy(stored), torch.tensor([[100.0, 1000.0]] * count), torch.full((count,), 100.0))


def render(stored: np.ndarray, plans: tuple[CropPlan, CropPlan]) -> tuple[torch.Tensor, torch.Tensor]:
    return render_crops([view(stored)], plans[0]), render_crops([view(stored)], plans[1])


def crops(seed: int = 0, step: int = 0, intensity: IntensityConfig | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    stored, brain = slices()
    return render(
        stored, plan_crops(sample_seeds(seed, step, 5), [brain], CROPS, intensity or IntensityConfig(), mirror=True)
    )


def whole(count: int, rows: int, columns: int, size: int, mirrored: bool = False, angle: float = 0.0) -> CropPlan:
    """One crop that changes nothing: the whole slice, its intensities as they are."""
    zero = np.zeros(count)
    boxes = Boxes(
        row=zero + (rows - 1) / 2, column=zero + (columns - 1) / 2, height=zero + rows, width=zero + columns,
        angle=zero + angle, mirrored=np.full(count, mirrored),
    )  # fmt: skip
    theta = torch.from_numpy(boxes.theta(rows, columns)).unsqueeze(0)
    changes = torch.tensor(NEUTRAL).expand(1, count, -1).clone()
    return CropPlan(size, theta, changes, torch.arange(count).view(1, -1) + 2**40)


def changed(plan: CropPlan, column: int, values: float | list[float]) -> CropPlan:
    changes = plan.changes.clone()
    changes[..., column] = torch.tensor(values)
    return replace(plan, changes=changes)


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


def test_a_crop_does_not_depend_on_the_rest_of_the_batch() -> None:
    """Noise included: that a sample is in another process changes nothing of it."""
    loud = IntensityConfig(probability=1, noise=0.3, noise_probability=1, blur_probability=1, bias_probability=1)
    stored, brain = slices()
    seeds = sample_seeds(0, 0, 5)
    together = render(stored, plan_crops(seeds, [brain], CROPS, loud, mirror=True))
    alone = render(stored[3:4], plan_crops(seeds[3:4], [brain[3:4]], CROPS, loud, mirror=True))
    for many, one in zip(together, alone, strict=True):
        torch.testing.assert_close(many[3::5], one, rtol=0, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), row=st.integers(0, 39), column=st.integers(0, 31))
def test_no_crop_is_empty_even_with_a_single_brain_pixel(seed: int, row: int, column: int) -> None:
    brain = np.zeros((1, 40, 32), np.uint8)
    brain[0, row, column] = 1
    plans = plan_crops(sample_seeds(seed, 0, 1), [brain], CropConfig(24, local_size=16), STILL, mirror=True)
    global_crops, local_crops = render(brain.astype(np.int32) * 900, plans)
    assert (global_crops.flatten(1).amax(1) > 0).all()
    assert (local_crops.flatten(1).amax(1) > 0).all()


def test_background_stays_zero_under_all_intensity_changes() -> None:
    loud = IntensityConfig(
        window_jitter=0.3, brightness=0.5, probability=1, noise=0.3, noise_probability=1, blur_probability=1,
        bias_probability=1,
    )  # fmt: skip
    stored, brain = slices()
    plans = plan_crops(sample_seeds(0, 0, 5), [brain], CROPS, loud, mirror=True)
    neutral = plans[0].undistorted(1)
    inside = render_crops([view(brain.astype(np.int32) * 1000)], neutral)
    outside = inside == 0
    assert outside.any()
    assert (render(stored, plans)[0][outside] == 0).all()


def test_the_whole_slice_at_its_own_size_is_the_windowed_slice() -> None:
    stored, brain = slices(rows=24, columns=24)
    expected = np.clip((stored - 100.0) / 900.0, 0, 1) * brain
    crop = render_crops([view(stored)], whole(5, 24, 24, 24))
    np.testing.assert_allclose(crop[:, 0].numpy(), expected, atol=1e-5)


def test_a_mirrored_box_is_the_slice_flipped_left_to_right() -> None:
    seen = [view(slices(rows=24, columns=24)[0])]
    straight, mirrored = (render_crops(seen, whole(5, 24, 24, 24, mirrored=m)) for m in (False, True))
    torch.testing.assert_close(mirrored, straight.flip(-1), atol=1e-4, rtol=0)


def test_a_quarter_turn_is_a_rotation_in_pixels() -> None:
    seen = [view(slices(rows=24, columns=24)[0])]
    straight, turned = (render_crops(seen, whole(5, 24, 24, 24, angle=a)) for a in (0.0, np.pi / 2))
    torch.testing.assert_close(turned, torch.rot90(straight, 1, (2, 3)), atol=1e-3, rtol=0)


def test_boxes_keep_their_anchor_and_stay_on_the_canvas() -> None:
    _, brain = slices(count=200)
    still = replace(CROPS, rotation_degrees=0.0)
    draws = uniforms(sample_seeds(0, 0, 200), 6)
    anchors = brain_anchors(brain, draws[:, :1])[:, 0]
    box = crop_boxes(draws, anchors, (40, 32), still.local_area, still, 0.0)
    assert (box.row - box.height / 2 >= -0.5 - 1e-9).all()
    assert (box.row + box.height / 2 <= 39.5 + 1e-9).all()
    assert (box.column - box.width / 2 >= -0.5 - 1e-9).all()
    assert (box.column + box.width / 2 <= 31.5 + 1e-9).all()
    assert (abs(box.row - anchors[:, 0]) <= box.height / 2 + 1e-9).all()
    assert (abs(box.column - anchors[:, 1]) <= box.width / 2 + 1e-9).all()
    area = box.height * box.width / (40 * 32)
    assert (area > 0.049).all()
    assert (area < 0.321).all()


def test_sagittal_slices_are_never_mirrored() -> None:
    _, brain = slices()
    for mirror in (True, False):
        always = IntensityConfig(flip_probability=1.0)
        plan, _ = plan_crops(sample_seeds(0, 0, 5), [brain], CROPS, always, mirror)
        assert (plan.theta[..., 0, 0] < 0).all() == mirror


def test_anchors_are_brain_pixels() -> None:
    _, brain = slices()
    quantiles = np.random.default_rng(0).random((5, 7))
    for index, anchors in enumerate(brain_anchors(brain, quantiles).astype(int)):
        assert (brain[index][anchors[:, 0], anchors[:, 1]] == 1).all()
    middle = brain_anchors(np.zeros((1, 5, 9), np.uint8), np.zeros((1, 1)))
    np.testing.assert_array_equal(middle, [[[2.0, 4.0]]])


def test_crops_of_odd_number_show_the_partner() -> None:
    stored, brain = slices(rows=24, columns=24)
    other = np.where(brain, 550, 0).astype(np.int32)
    plans = plan_crops(sample_seeds(0, 0, 5), [brain, brain], CROPS, STILL, mirror=True)
    pair = render_crops([view(stored), view(other)], plans[0])
    torch.testing.assert_close(pair[:5], render_crops([view(stored)], plans[0])[:5])
    torch.testing.assert_close(pair[5:], render_crops([view(other)], plans[0])[5:])
    assert float(pair[5:].max()) == pytest.approx(0.5, abs=1e-4)


def test_blur_keeps_the_mean_and_lowers_the_contrast() -> None:
    stored = np.random.default_rng(0).integers(200, 900, (5, 24, 24)).astype(np.int32)
    plan = whole(5, 24, 24, 24)
    before = render_crops([view(stored)], plan)[:, 0, 8:-8, 8:-8]
    after = render_crops([view(stored)], changed(plan, BLUR, [0.0, 1.0, 1.0, 2.0, 2.0]))[:, 0, 8:-8, 8:-8]
    assert torch.equal(before[0], after[0])
    assert (after[1:].std((1, 2)) < 0.5 * before[1:].std((1, 2))).all()
    assert float(after.mean()) == pytest.approx(float(before.mean()), abs=0.03)


def test_rician_noise_lifts_the_dark_and_keeps_the_bright() -> None:
    plan = changed(whole(1, 64, 64, 64), NOISE, 0.05)
    dark, bright = (np.full((1, 64, 64), level, np.int32) for level in (100, 700))
    # The mean of a Rayleigh distribution is sigma sqrt(pi / 2).
    assert float(render_crops([view(dark)], plan).mean()) == pytest.approx(0.05 * np.sqrt(np.pi / 2), rel=0.05)
    assert float(render_crops([view(bright)], plan).mean()) == pytest.approx(600 / 900, rel=0.01)


def test_noise_acts_on_the_signal_and_not_on_the_window() -> None:
    """A window that begins at half the signal: under it, noise is that of the signal, and not a Rayleigh floor."""
    stored = torch.full((1, 64, 64), 500)
    seen = Signals.of(stored, torch.tensor([[500.0, 1500.0]]), torch.tensor([1.0]))
    image = render_crops([seen], changed(whole(1, 64, 64, 64), NOISE, 0.05))
    # The signal, half a window, is far above the noise: it goes either way, and what falls under the window is cut.
    assert float((image == 0).float().mean()) == pytest.approx(0.5, abs=0.05)


def test_a_bias_field_multiplies_the_signal_smoothly() -> None:
    plan = changed(whole(1, 32, 32, 32), BIAS + BIAS_POWERS.index((1, 0)), 0.4)
    image = render_crops([view(np.full((1, 32, 32), 500, np.int32))], plan)[0, 0]
    x = (torch.arange(32) + 0.5) / 16 - 1
    torch.testing.assert_close(image, (400 / 900 * torch.exp(0.4 * x)).expand(32, 32), rtol=1e-4, atol=1e-4)


def test_thick_slices_are_means_over_the_brain_of_their_neighbours() -> None:
    here = np.full((2, 8, 8), 300, np.int32)
    beside = np.full((2, 8, 8), 600, np.int32)
    beside[1, :4] = 0  # no brain there
    seen = view(here).thickened(view(beside), torch.tensor([0, 0]), torch.tensor([1.0, 0.5]))
    signal = seen.signal * 900 + 100
    torch.testing.assert_close(signal[1], torch.full((8, 8), 300.0))
    torch.testing.assert_close(signal[0, 4:], torch.full((4, 8), (300 + 600 + 0.5 * 600) / 2.5))
    torch.testing.assert_close(signal[0, :4], torch.full((4, 8), 450.0))
