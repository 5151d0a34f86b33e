"""Multi-crop augmentation of a whole batch on the device, from slices as they are stored.

The order is the scanner's: a coil's bias field and noise act on the signal, before a window is chosen; what a reader
could have set otherwise (window, gamma, contrast) comes after.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from braindino.pretraining.boxes import brain_anchors, crop_boxes
from braindino.pretraining.compiling import maybe_compiled
from braindino.pretraining.config import CropConfig, IntensityConfig
from braindino.pretraining.randomness import normal_pairs, uniforms

LOW, HIGH, GAMMA, CONTRAST, BRIGHTNESS, NOISE, BLUR = range(7)
BIAS = 7
"""Columns of `CropPlan.changes`; from BIAS on, the coefficients of the bias field."""
BIAS_POWERS = tuple((i, j) for degree in (1, 2, 3) for i in range(degree, -1, -1) for j in (degree - i,))
"""Exponents (of x, of y) of the terms of a bias field, a polynomial of degree 3 without constant."""
NEUTRAL = (0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, *(0.0,) * len(BIAS_POWERS))
"""The changes that change nothing."""


@dataclass(frozen=True)
class CropPlan:
    """Everything random about `n` crops of one size of every slice of a batch: small tensors, made on the CPU."""

    size: int
    theta: Tensor
    """float32 [n, B, 2, 3], where each crop lies, as `torch.nn.functional.affine_grid` takes it."""
    changes: Tensor
    """float32 [n, B, 7 + 9], of intensities; in windows where they have a unit."""
    seeds: Tensor
    """int64 [n, B], of the crops' noise."""

    def to(self, device: torch.device) -> "CropPlan":
        """The same on another device."""
        theta, changes, seeds = (t.to(device, non_blocking=True) for t in (self.theta, self.changes, self.seeds))
        return CropPlan(self.size, theta, changes, seeds)

    def undistorted(self, resolution: int) -> "CropPlan":
        """The same crops at `resolution` times their size, with their geometry and no change of intensities."""
        neutral = torch.tensor(NEUTRAL).expand_as(self.changes).contiguous()
        return replace(self, size=self.size * resolution, changes=neutral)


def plan_crops(
    seeds: NDArray[np.uint64],
    brains: list[NDArray[np.unsignedinteger]],
    crops: CropConfig,
    intensity: IntensityConfig,
    mirror: bool,
) -> tuple[CropPlan, CropPlan]:
    """The plans of a batch: two global crops, and the local ones. A function of the seeds and the masks.

    `seeds` uint64 [B], one per slice; `brains` hold one array [B, H, W], or two where crops of odd number are of the
    slices' partners, above 0 in the brain, as stored slices are; `mirror` is false where columns are not left-right.
    """
    numbers = (2, crops.local_number)
    anchors = [brain_anchors(brain, uniforms(seeds, sum(numbers))) for brain in brains]
    flip = intensity.flip_probability if mirror else 0.0
    canvas = (brains[0].shape[1], brains[0].shape[2])
    plans, first = [], 0
    for number, size, area in (
        (numbers[0], crops.global_size, crops.global_area),
        (numbers[1], crops.local_size, crops.local_area),
    ):
        thetas, changes, noise = [], [], []
        for index in range(first, first + number):
            draws = uniforms(seeds, 18 + len(BIAS_POWERS), stream=index + 1)
            anchor = anchors[index % len(brains)][:, index]
            thetas.append(crop_boxes(draws[:, :6], anchor, canvas, area, crops, flip).theta(*canvas))
            changes.append(_changes(draws[:, 6:-1], intensity))
            noise.append((draws[:, -1] * 2.0**53).astype(np.int64))
        shape = (number, len(seeds))
        plans.append(
            CropPlan(
                size,
                torch.from_numpy(np.array(thetas, np.float32).reshape(*shape, 2, 3)),
                torch.from_numpy(np.array(changes, np.float32).reshape(*shape, len(NEUTRAL))),
                torch.from_numpy(np.array(noise, np.int64).reshape(shape)),
            )
        )
        first += number
    return plans[0], plans[1]


def _changes(draws: NDArray[np.float64], intensity: IntensityConfig) -> NDArray[np.float64]:
    signed = 2 * draws - 1
    changed = draws[:, 7] < intensity.probability
    biased = draws[:, 10] < intensity.bias_probability
    columns = [
        intensity.window_jitter * signed[:, 0],
        intensity.window_jitter * signed[:, 1],
        np.where(changed, np.exp(intensity.gamma * signed[:, 2]), 1.0),
        np.where(changed, 1 + intensity.contrast * signed[:, 3], 1.0),
        np.where(changed, intensity.brightness * signed[:, 4], 0.0),
        np.where(draws[:, 8] < intensity.noise_probability, intensity.noise * draws[:, 5], 0.0),
        np.where(draws[:, 9] < intensity.blur_probability, intensity.blur_sigma * draws[:, 6], 0.0),
    ]
    # Terms share the field's strength, so that a field of many terms is no stronger than one of one.
    share = intensity.bias / math.sqrt(len(BIAS_POWERS))
    columns += [np.where(biased, share * signed[:, 11 + term], 0.0) for term in range(len(BIAS_POWERS))]
    return np.stack(columns, axis=1)


@dataclass(frozen=True)
class Signals:
    """Slices on the device, before any window: one view of a batch."""

    signal: Tensor
    """float32 [B, H, W], proportional to what the scanner measured, in windows: 0 is no signal."""
    inside: Tensor
    """bool [B, H, W], the brain."""
    low: Tensor
    """float32 [B], where each slice's window begins; it ends one above."""

    @classmethod
    def of(cls, stored: Tensor, bounds: Tensor, zero: Tensor) -> "Signals":
        """From stored numbers [B, H, W] of any type, the windows' ends [B, 2] and the number of no signal [B]."""
        width = bounds[:, 1] - bounds[:, 0]
        inside = stored > 0
        signal = (stored.to(torch.float32) - zero.view(-1, 1, 1)) / width.view(-1, 1, 1) * inside
        return cls(signal, inside, (bounds[:, 0] - zero) / width)

    def thickened(self, neighbours: "Signals", owner: Tensor, weight: Tensor) -> "Signals":
        """With neighbouring slices of some added, as a thicker slice averages over what it cuts through.

        `neighbours` [M, H, W] belong to the slices `owner` [M] with `weight` [M], that of the slice itself being 1.
        Brain is averaged with brain only: outside it, stripped slices hold nothing that was measured.
        """
        share = weight.view(-1, 1, 1) * neighbours.inside
        total = self.signal.index_add(0, owner, share * neighbours.signal)
        mass = self.inside.to(torch.float32).index_add(0, owner, share)
        return replace(self, signal=total / mass.clamp_min(1e-6) * self.inside)


def render_crops(views: list[Signals], plan: CropPlan, compiled: bool = False) -> Tensor:
    """The crops of a plan: float32 [n B, 1, S, S], crop-major, in 0..1, the background 0.

    With two views, crops of odd number are taken from the second. The plan lies on the slices' device. The same
    arguments give the same crops, each whatever else is in the batch.
    """
    number, batch = plan.seeds.shape
    if not number:
        return views[0].signal.new_empty(0, 1, plan.size, plan.size)
    grid = functional.affine_grid(plan.theta.flatten(0, 1), [number * batch, 1, plan.size, plan.size], False)
    grid = grid.unflatten(0, (number, batch))  # type: ignore[no-untyped-call]
    sampled = grid.new_empty(number, batch, 2, plan.size, plan.size)
    low = plan.changes.new_empty(number, batch)
    for position, view in enumerate(views[:number]):
        chosen = slice(position, None, len(views))
        sampled[chosen] = _sampled(view, grid[chosen])
        low[chosen] = view.low
    image, inside = sampled.flatten(0, 1).split(1, dim=1)
    changes = plan.changes.flatten(0, 1)
    image = maybe_compiled(_biased, compiled)(image, grid.flatten(0, 1), changes)
    image = _blurred(image, changes[:, BLUR].view(-1, 1, 1, 1))
    return maybe_compiled(_seen, compiled)(image, inside, low.flatten(), changes, plan.seeds.flatten())


def _biased(image: Tensor, grid: Tensor, changes: Tensor) -> Tensor:
    return image * torch.exp(_polynomial(grid, changes[:, BIAS:]))


def _seen(image: Tensor, inside: Tensor, low: Tensor, changes: Tensor, seeds: Tensor) -> Tensor:
    """The noise of the measurement, then what a reader sets: window, gamma, contrast, brightness."""
    column = changes.view(*changes.shape, 1, 1, 1).unbind(1)
    image = _rician(image, column[NOISE], seeds)
    image = image - low.view(-1, 1, 1, 1) - column[LOW]
    image = (image / (1 + column[HIGH] - column[LOW])).clamp(0, 1).pow(column[GAMMA])
    image = (image - 0.5) * column[CONTRAST] + 0.5 + column[BRIGHTNESS]
    crops: Tensor = image.clamp(0, 1) * (inside > 0)
    return crops


def _sampled(view: Signals, grid: Tensor) -> Tensor:
    """Crops [n, B, 2, S, S] of image and mask; one slice serves all its crops without being copied."""
    number, batch, size = grid.shape[0], grid.shape[1], grid.shape[2]
    source = torch.stack([view.signal, view.inside.to(view.signal.dtype)], dim=1)
    stacked = grid.transpose(0, 1).reshape(batch, number * size, size, 2)
    sampled: Tensor = functional.grid_sample(source, stacked, "bilinear", "zeros", align_corners=False)
    crops: Tensor = sampled.view(batch, 2, number, size, size).permute(2, 0, 1, 3, 4)
    return crops


def _polynomial(grid: Tensor, coefficients: Tensor) -> Tensor:
    """The logarithm of a bias field [n, 1, S, S] at places [n, S, S, 2] of the slice, which run from -1 to 1."""
    x, y = grid.unsqueeze(1).unbind(-1)
    field = torch.zeros_like(x)
    for (i, j), coefficient in zip(BIAS_POWERS, coefficients.view(*coefficients.shape, 1, 1, 1).unbind(1), strict=True):
        field = field + coefficient * x**i * y**j
    return field


def _rician(image: Tensor, sigma: Tensor, seeds: Tensor) -> Tensor:
    """The magnitude of a complex signal with Gaussian noise (Gudbjartsson and Patz, 1995); unchanged where
    sigma is 0.
    """
    real, imaginary = normal_pairs(seeds, image[0].numel())
    real, imaginary = real.view_as(image), imaginary.view_as(image)
    noisy = torch.sqrt((image + sigma * real).square() + (sigma * imaginary).square())
    return torch.where(sigma > 0, noisy, image)


BLUR_REACH = 4
"""Pixels that a blur reaches to either side: over two of the largest standard deviations in use."""


def _blurred(image: Tensor, sigma: Tensor) -> Tensor:
    """A separable Gaussian blur, each crop with its own sigma in pixels; crops with sigma 0 are left as they
    are.
    """
    offsets = torch.arange(-BLUR_REACH, BLUR_REACH + 1, device=image.device)
    kernels = torch.exp(-0.5 * (offsets / sigma.view(-1, 1).clamp_min(1e-3)).square())
    kernels = kernels / kernels.sum(1, keepdim=True)
    crops, count = image.transpose(0, 1), len(image)  # [1, n, H, W]: one group per crop
    crops = functional.conv2d(crops, kernels.view(count, 1, -1, 1), padding=(BLUR_REACH, 0), groups=count)
    crops = functional.conv2d(crops, kernels.view(count, 1, 1, -1), padding=(0, BLUR_REACH), groups=count)
    return torch.where(sigma > 0, crops.transpose(0, 1), image)
