"""Multi-crop augmentation of a whole batch on the device, from slices as they are stored."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from braindino.pretraining.boxes import Boxes, brain_anchors, crop_boxes
from braindino.pretraining.config import CropConfig, IntensityConfig
from braindino.pretraining.randomness import uniforms


@dataclass(frozen=True)
class CropPlan:
    """Everything random about one crop of every slice of a batch but its noise; plain numbers, made on the
    CPU.
    """

    boxes: Boxes
    size: int
    low_shift: NDArray[np.float64]
    high_shift: NDArray[np.float64]
    gamma: NDArray[np.float64]
    contrast: NDArray[np.float64]
    brightness: NDArray[np.float64]
    noise: NDArray[np.float64]
    blur: NDArray[np.float64]


def plan_crops(
    seeds: NDArray[np.uint64],
    brain: NDArray[np.unsignedinteger],
    crops: CropConfig,
    intensity: IntensityConfig,
    mirror: bool,
) -> list[CropPlan]:
    """The plans of a batch of slices: two global crops, then the local ones. A function of the seeds and the
    masks.

    `seeds` uint64 [B], one per slice; `brain` [B, H, W] is above 0 in the brain, as stored slices are; `mirror` is
    false where columns are not left-right.
    """
    kinds = [(crops.global_size, crops.global_area)] * 2
    kinds += [(crops.local_size, crops.local_area)] * crops.local_number
    flip = intensity.flip_probability if mirror else 0.0
    anchors = brain_anchors(brain, uniforms(seeds, len(kinds)))
    plans = []
    for index, (size, area) in enumerate(kinds):
        draws = uniforms(seeds, 16, stream=index + 1)
        canvas = (brain.shape[1], brain.shape[2])
        boxes = crop_boxes(draws[:, :6], anchors[:, index], canvas, area, crops, flip)
        plans.append(_plan(boxes, size, draws[:, 6:], intensity))
    return plans


def _plan(boxes: Boxes, size: int, draws: NDArray[np.float64], intensity: IntensityConfig) -> CropPlan:
    signed = 2 * draws - 1
    changed = draws[:, 7] < intensity.probability
    return CropPlan(
        boxes=boxes,
        size=size,
        low_shift=intensity.window_jitter * signed[:, 0],
        high_shift=intensity.window_jitter * signed[:, 1],
        gamma=np.where(changed, np.exp(intensity.gamma * signed[:, 2]), 1.0),
        contrast=np.where(changed, 1 + intensity.contrast * signed[:, 3], 1.0),
        brightness=np.where(changed, intensity.brightness * signed[:, 4], 0.0),
        noise=np.where(draws[:, 8] < intensity.noise_probability, intensity.noise * draws[:, 5], 0.0),
        blur=np.where(draws[:, 9] < intensity.blur_probability, intensity.blur_sigma * draws[:, 6], 0.0),
    )


def undistorted(plan: CropPlan, resolution: int) -> CropPlan:
    """The same crop at `resolution` times its size, with its geometry and without any change of intensities."""
    zero = np.zeros_like(plan.gamma)
    one = np.ones_like(plan.gamma)
    return CropPlan(plan.boxes, plan.size * resolution, zero, zero, one, one, zero, zero, zero)


def render_crops(
    stored: Tensor, brain: Tensor, bounds: Tensor, plans: list[CropPlan], noise_seed: int
) -> tuple[Tensor, Tensor]:
    """The crops of a batch: global float32 [2B, 1, G, G] and local [L B, 1, S, S], crop-major, in 0..1.

    `stored` [B, H, W] holds stored intensities of any number type, `brain` [B, H, W] is 0 or 1, `bounds`
    float32 [B, 2] the ends of each slice's window in stored units. Background is 0 before and after. The same
    arguments give the same crops.
    """
    low, high = bounds[:, :1, None], bounds[:, 1:, None]
    inside = brain.to(torch.float32)
    # Not clamped yet: the jittered window decides what saturates. Background lies at 0, not below the window.
    windowed = (stored.to(torch.float32) - low) / (high - low) * inside
    source = torch.stack([windowed, inside], dim=1)
    generator = torch.Generator(stored.device).manual_seed(noise_seed)
    rendered = [_render(source, plan, generator) for plan in plans]
    local = torch.cat(rendered[2:]) if len(rendered) > 2 else source.new_empty(0, 1, 1, 1)
    return torch.cat(rendered[:2]), local


def _render(source: Tensor, plan: CropPlan, generator: torch.Generator) -> Tensor:
    count, _, rows, columns = source.shape
    theta = torch.from_numpy(plan.boxes.theta(rows, columns)).to(source.device)
    grid = functional.affine_grid(theta, [count, 2, plan.size, plan.size], align_corners=False)
    sampled = functional.grid_sample(source, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    image, inside = sampled[:, :1], sampled[:, 1:]
    image = _blurred(image, plan.blur)
    image = _rician(image, _column(plan.noise, image), generator)
    low, high = _column(plan.low_shift, image), 1 + _column(plan.high_shift, image)
    image = ((image - low) / (high - low)).clamp(0, 1).pow(_column(plan.gamma, image))
    image = (image - 0.5) * _column(plan.contrast, image) + 0.5 + _column(plan.brightness, image)
    return image.clamp(0, 1) * (inside > 0)


def _column(values: NDArray[np.float64], like: Tensor) -> Tensor:
    return torch.from_numpy(values.astype(np.float32)).to(like.device).view(-1, 1, 1, 1)


def _rician(image: Tensor, sigma: Tensor, generator: torch.Generator) -> Tensor:
    """The magnitude of a complex signal with Gaussian noise (Gudbjartsson and Patz, 1995); unchanged where
    sigma is 0.

    The window's lower end stands for the scanner's zero.
    """
    noise = torch.randn((2, *image.shape), generator=generator, device=image.device)
    noisy = torch.sqrt((image + sigma * noise[0]).square() + (sigma * noise[1]).square())
    return torch.where(sigma > 0, noisy, image)


def _blurred(image: Tensor, sigma: NDArray[np.float64]) -> Tensor:
    """A separable Gaussian blur, each crop with its own sigma in pixels; crops with sigma 0 are left as they
    are.
    """
    chosen = np.flatnonzero(sigma > 0)
    if not len(chosen):
        return image
    radius = max(1, math.ceil(2 * float(sigma.max())))
    offsets = np.arange(-radius, radius + 1)
    kernels = np.exp(-0.5 * (offsets[None, :] / sigma[chosen, None]) ** 2)
    kernels /= kernels.sum(1, keepdims=True)
    weights = torch.from_numpy(kernels.astype(np.float32)).to(image.device)
    where = torch.from_numpy(chosen).to(image.device)
    crops = image[where].transpose(0, 1)  # [1, n, H, W]: one group per crop
    count = len(chosen)
    crops = functional.conv2d(crops, weights.view(count, 1, -1, 1), padding=(radius, 0), groups=count)
    crops = functional.conv2d(crops, weights.view(count, 1, 1, -1), padding=(0, radius), groups=count)
    return image.index_copy(0, where, crops.transpose(0, 1))
