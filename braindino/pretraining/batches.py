"""What a step needs, made ahead of time: slices, crop plans and masks, all a function of the step."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from braindino.errors import StoreError, TrainingError
from braindino.pretraining.augment import CropPlan, plan_crops
from braindino.pretraining.config import PretrainConfig
from braindino.pretraining.masking import crop_masks
from braindino.pretraining.randomness import sample_seeds, stream_seed
from braindino.slices.loading import SliceBatch, SliceBatches
from braindino.slices.sampler import ScanRef, SliceSampler


@dataclass(frozen=True)
class Batch:
    """One step's slices and everything random about it, on the CPU."""

    slices: SliceBatch
    plans: list[CropPlan]
    masks: NDArray[np.bool_]
    """[2B, N], patches of the global crops that the student does not see."""

    @property
    def step(self) -> int:
        """The step it is for, counted from 0."""
        return self.slices.number

    @property
    def size(self) -> int:
        """The number of slices."""
        return len(self.slices.stored)


class BatchMaker:
    """Makes the batch of any step from the scans and the seed alone, in this process or in a worker's."""

    def __init__(self, config: PretrainConfig, scans: Sequence[ScanRef]) -> None:
        if not scans:
            raise TrainingError("There are no scans to train on: ingest a dataset first, or widen the selection.")
        data = config.data
        self._config = config
        sampler = SliceSampler(scans, config.run.seed, data.batch_size, data.gaussian_scale, data.balance)
        self._slices = SliceBatches(sampler, data.window, replace_unreadable=True)
        # Columns of a sagittal slice run from front to back: its mirror image is no possible brain.
        self._mirror = scans[0].plane != "sagittal"

    def make(self, step: int) -> Batch:
        """The batch of step `step`, counted from 0; the same at any time.

        Raises TrainingError when not one of its slices can be read.
        """
        config = self._config
        seed, size = config.run.seed, config.data.batch_size
        try:
            slices = self._slices[step]
        except StoreError as error:
            raise TrainingError(str(error)) from error
        side = config.crops.global_size // config.network.patch_size
        return Batch(
            slices=slices,
            plans=plan_crops(
                sample_seeds(seed, step, size), slices.stored.numpy(), config.crops, config.intensity, self._mirror
            ),
            masks=crop_masks(
                sample_seeds(stream_seed(seed, "masks"), step, 2 * size),
                (side, side),
                config.ibot.masked_share,
                config.ibot.ratio,
            ),
        )
