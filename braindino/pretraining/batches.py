"""What a step needs, made ahead of time in a thread: slices, crop plans and masks, all a function of the
step.
"""

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from braindino.errors import StoreError, TrainingError
from braindino.pretraining.augment import CropPlan, plan_crops
from braindino.pretraining.config import PretrainConfig
from braindino.pretraining.masking import crop_masks
from braindino.pretraining.randomness import sample_seeds, stream_seed
from braindino.slices.reader import open_scan, read_many
from braindino.slices.sampler import ScanRef, SliceSampler
from braindino.slices.window import window_bounds

AHEAD = 3
"""Batches made ahead of the step that is running."""


@dataclass(frozen=True)
class Batch:
    """One step's slices and everything random about it, as arrays on the CPU."""

    step: int
    stored: NDArray[np.uint16]
    """[B, H, W] stored intensities, 0 outside the brain."""
    brain: NDArray[np.uint8]
    """[B, H, W], 0 or 1."""
    bounds: NDArray[np.float32]
    """[B, 2], the ends of each slice's window in stored units."""
    plans: list[CropPlan]
    masks: NDArray[np.bool_]
    """[2B, N], patches of the global crops that the student does not see."""
    unreadable: int
    """Slices that could not be read and were replaced by others of the batch."""


class BatchMaker:
    """Makes the batch of any step from the scans and the seed alone."""

    def __init__(self, config: PretrainConfig, scans: Sequence[ScanRef]) -> None:
        if not scans:
            raise TrainingError("There are no scans to train on: ingest a dataset first, or widen the selection.")
        data = config.data
        self._config = config
        self._scans = scans
        self._sampler = SliceSampler(scans, config.run.seed, data.batch_size, data.gaussian_scale, data.balance)
        self._bounds: dict[int, tuple[float, float]] = {}
        # Columns of a sagittal slice run from front to back: its mirror image is no possible brain.
        self._mirror = scans[0].plane != "sagittal"

    def make(self, step: int) -> Batch:
        """The batch of step `step`, counted from 0; the same at any time.

        Raises TrainingError when not one of its slices can be read.
        """
        config = self._config
        seed, size = config.run.seed, config.data.batch_size
        drawn = self._sampler.batch(step)
        stored, brain, kept = self._read(drawn)
        side = config.crops.global_size // config.network.patch_size
        return Batch(
            step=step,
            stored=stored,
            brain=brain,
            bounds=np.array([self._window(drawn[row][0]) for row in kept], dtype=np.float32),
            plans=plan_crops(sample_seeds(seed, step, size), brain, config.crops, config.intensity, self._mirror),
            masks=crop_masks(
                sample_seeds(stream_seed(seed, "masks"), step, 2 * size),
                (side, side),
                config.ibot.masked_share,
                config.ibot.ratio,
            ),
            unreadable=sum(row != place for place, row in enumerate(kept)),
        )

    def _window(self, scan: int) -> tuple[float, float]:
        if scan not in self._bounds:
            intensity = open_scan(self._scans[scan].path).intensity
            self._bounds[scan] = window_bounds(intensity, self._config.data.window)
        return self._bounds[scan]

    def _read(self, drawn: Sequence[tuple[int, int]]) -> tuple[NDArray[np.uint16], NDArray[np.uint8], list[int]]:
        """Slices and masks of the drawn (scan, slice) pairs, and for each place the row that fills it.

        One damaged scan must not end a training of days: its place is taken by the next readable one's slice.
        """
        requests: list[tuple[Path | str, int]] = [(self._scans[scan].path, index) for scan, index in drawn]
        try:
            stored, brain = read_many(requests)
        except StoreError:
            readable = [row for row, request in enumerate(requests) if _can_read(request)]
            if not readable:
                raise TrainingError(
                    f"None of the {len(requests)} slices of a batch can be read, such as {requests[0][0]}; "
                    "check that the slice store is where it was, then run again to resume."
                ) from None
            kept = [next((row for row in readable if row >= place), readable[0]) for place in range(len(drawn))]
            stored, brain = read_many([requests[row] for row in kept])
            return stored, brain, kept
        return stored, brain, list(range(len(drawn)))


def _can_read(request: tuple[Path | str, int]) -> bool:
    try:
        read_many([request])
    except StoreError:
        return False
    return True


def prefetched(make: Callable[[int], Batch], first: int, end: int) -> Generator[Batch, None, None]:
    """The batches of steps first .. end - 1 in order, made `AHEAD` steps ahead in one thread.

    An error in the thread is raised at the step it belongs to. Closing the iterator stops the thread.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="batches")
    try:
        pending: deque[Future[Batch]] = deque(pool.submit(make, step) for step in range(first, min(first + AHEAD, end)))
        for step in range(first, end):
            batch = pending.popleft().result()
            if step + AHEAD < end:
                pending.append(pool.submit(make, step + AHEAD))
            yield batch
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
