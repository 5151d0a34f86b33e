"""What a step needs, made ahead of time: slices, crop plans and masks, all a function of the step."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from braindino.errors import StoreError, TrainingError
from braindino.pretraining.augment import CropPlan, Signals, plan_crops
from braindino.pretraining.config import CropConfig, PretrainConfig
from braindino.pretraining.masking import crop_masks
from braindino.pretraining.randomness import sample_seeds, stream_seed, uniforms
from braindino.pretraining.team import Team
from braindino.slices.loading import SliceBatch, SliceBatches
from braindino.slices.pairs import Partners
from braindino.slices.reader import open_scan, read_many
from braindino.slices.sampler import ScanRef, SliceSampler


@dataclass(frozen=True)
class Neighbours:
    """Slices beside some of a batch, for making these thick."""

    stored: Tensor
    """uint16 [M, H, W]"""
    owner: Tensor
    """int64 [M], the row of the batch that each belongs to."""
    weight: Tensor
    """float32 [M], its share beside 1 for the slice itself."""


@dataclass(frozen=True)
class Batch:
    """One process's part of a step's slices and everything random about it, on the CPU."""

    step: int
    """The step it is for, counted from 0."""
    images: int
    """Slices of the whole step, all processes together."""
    slices: SliceBatch
    partners: SliceBatch | None
    neighbours: Neighbours | None
    globals_: CropPlan
    locals_: CropPlan
    masks: Tensor
    """bool [2, B, N], patches of the global crops that the student does not see."""
    kept: Tensor
    """float32 [2 + L, B, depth, 2], stochastic depth: 0 where a residual branch is dropped, else over 1."""

    def views(self, device: torch.device) -> list[Signals]:
        """The slices on the device: one view, or two with partners."""
        views = [_signals(self.slices.stored, self.slices.bounds, self.slices.zero, device)]
        if self.neighbours is not None:
            owner, beside = self.neighbours.owner, self.neighbours.stored
            bounds, zero = self.slices.bounds[owner], self.slices.zero[owner]
            signals = _signals(beside, bounds, zero, device)
            views = [views[0].thickened(signals, owner.to(device), self.neighbours.weight.to(device))]
        if self.partners is not None:
            views.append(_signals(self.partners.stored, self.partners.bounds, self.partners.zero, device))
        return views


def _signals(stored: Tensor, bounds: Tensor, zero: Tensor, device: torch.device) -> Signals:
    # torch has few operations on uint16: its bits travel as int16, half the size of int32.
    numbers = stored.view(torch.int16).to(device, non_blocking=True).to(torch.int32).bitwise_and_(0xFFFF)
    return Signals.of(numbers, bounds.to(device, non_blocking=True), zero.to(device, non_blocking=True))


class BatchMaker:
    """Makes the batch of any step from the scans and the seed alone, in this process or in a worker's."""

    def __init__(
        self, config: PretrainConfig, scans: Sequence[ScanRef], depth_rates: Sequence[float], team: Team
    ) -> None:
        if not scans:
            raise TrainingError("There are no scans to train on: ingest a dataset first, or widen the selection.")
        data = config.data
        self._config = config
        sampler = SliceSampler(scans, config.run.seed, data.batch_size, data.gaussian_scale, data.balance)
        self._slices = SliceBatches(sampler, data.window, replace_unreadable=True)
        self._partners = None if data.pairs == "none" else Partners(scans, data.pairs, data.pair_distance)
        self._rows = team.part(data.batch_size)
        self._rates = np.array(depth_rates)
        # Columns of a sagittal slice run from front to back: its mirror image is no possible brain.
        self._mirror = scans[0].plane != "sagittal"

    def make(self, step: int) -> Batch:
        """This process's part of step `step`, counted from 0; the same at any time.

        Raises TrainingError when not one of its slices can be read.
        """
        config, rows = self._config, self._rows
        seed, size = config.run.seed, config.data.batch_size
        seeds = sample_seeds(seed, step, size)[rows]
        try:
            slices = self._slices.part(step, rows)
            partners = self._read_partners(step, slices)
        except StoreError as error:
            raise TrainingError(str(error)) from error
        crops = _sizes_of_step(config.crops, seed, step)
        brains = [batch.stored.numpy() for batch in (slices, partners) if batch is not None]
        globals_, locals_ = plan_crops(seeds, brains, crops, config.intensity, self._mirror)
        side = crops.global_size // config.network.patch_size
        masks = crop_masks(
            sample_seeds(stream_seed(seed, "masks"), step, 2 * size),
            (side, side),
            config.ibot.masked_share,
            config.ibot.ratio,
            np.arange(2 * size).reshape(2, size)[:, rows].ravel(),
        )
        return Batch(
            step=step,
            images=size,
            slices=slices,
            partners=partners,
            neighbours=self._read_neighbours(seeds, slices),
            globals_=globals_,
            locals_=locals_,
            masks=torch.from_numpy(masks.reshape(2, len(seeds), side * side)),
            kept=self._kept(seeds, 2 + crops.local_number),
        )

    def _read_partners(self, step: int, slices: SliceBatch) -> SliceBatch | None:
        if self._partners is None:
            return None
        seeds = sample_seeds(stream_seed(self._config.run.seed, "pairs"), step, self._config.data.batch_size)
        draws = uniforms(seeds[self._rows], 2)
        drawn = zip(slices.scans.tolist(), slices.indices.tolist(), strict=True)
        return self._slices.read(step, [self._partners.of(one, two) for one, two in zip(drawn, draws, strict=True)])

    def _read_neighbours(self, seeds: NDArray[np.uint64], slices: SliceBatch) -> Neighbours | None:
        intensity, scans = self._config.intensity, self._slices.sampler.scans
        draws = uniforms(seeds, 2, stream=_THICK)
        requests, owner, weight = [], [], []
        for row in np.flatnonzero(draws[:, 0] < intensity.thick_probability):
            scan, index = scans[int(slices.scans[row])], int(slices.indices[row])
            thickness = intensity.thick * draws[row, 1]
            for offset, share in _profile(thickness, _spacing(scan.path)):
                if 0 <= index + offset < scan.n_slices:
                    requests.append((scan.path, index + offset))
                    owner.append(int(row))
                    weight.append(share)
        if not requests:
            return None
        try:
            stored = torch.from_numpy(read_many(requests))
        except StoreError:  # a damaged neighbour: the slices stay thin
            return None
        return Neighbours(stored, torch.tensor(owner), torch.tensor(weight, dtype=torch.float32))

    def _kept(self, seeds: NDArray[np.uint64], crops: int) -> Tensor:
        depth = len(self._rates)
        draws = np.stack([uniforms(seeds, 2 * depth, stream=_DEPTH + crop) for crop in range(crops)])
        rates = self._rates[:, None]
        kept = (draws.reshape(crops, len(seeds), depth, 2) >= rates) / (1 - rates)
        return torch.from_numpy(kept.astype(np.float32))


_DEPTH, _THICK = 10_000, 20_000  # streams of random numbers, apart from those of the crops


def _sizes_of_step(crops: CropConfig, seed: int, step: int) -> CropConfig:
    """The crops with one of the mixed pairs of sizes, drawn for the step."""
    if not crops.mixed:
        return crops
    draw = uniforms(np.array([stream_seed(seed, "sizes", step)], np.uint64), 1)[0, 0]
    ends = np.cumsum([share for _, _, share in crops.mixed])
    chosen = min(int(np.searchsorted(ends, draw * ends[-1], side="right")), len(ends) - 1)
    large, small, _ = crops.mixed[chosen]
    return replace(crops, global_size=large, local_size=small)


def _profile(thickness: float, spacing: float) -> list[tuple[int, float]]:
    """Neighbours that a slice of this thickness reaches into: their offsets and the part of each that lies in it."""
    reach = (thickness / spacing - 1) / 2  # in slices, beyond the slice itself on either side
    found = []
    for distance in range(1, math.ceil(max(reach, 0)) + 1):
        share = min(1.0, reach - (distance - 1))
        found += [(-distance, share), (distance, share)]
    return found


def _spacing(path: str) -> float:
    """Distance of a scan's stored slices in mm."""
    return float(np.linalg.norm(np.array(open_scan(path).attributes["affine"], float)[:3, 2]))
