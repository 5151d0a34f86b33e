"""Batches of random slices, made ahead of whoever trains on them: in a thread, or in worker processes.

It needs torch, which the rest of the room does not: import it from here.
"""

import math
import signal
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, TypeVar

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, get_worker_info

from braindino.errors import BrainDINOError, ConfigError, StoreError
from braindino.slices.reader import canvas_of, open_scan, read_many
from braindino.slices.sampler import SliceSampler
from braindino.slices.window import window_bounds

AHEAD = 3
"""Batches made ahead of the one in use, by the thread or by each worker."""

T = TypeVar("T")


@dataclass(frozen=True)
class SliceBatch:
    """One batch as the store holds it, on the CPU; `apply_window(stored.float(), low, high)` makes it an input."""

    number: int
    stored: Tensor
    """uint16 [B, H, W] stored intensities: 0 outside the brain, at least 1 inside."""
    bounds: Tensor
    """float32 [B, 2], the ends of each slice's window in stored numbers."""
    zero: Tensor
    """float32 [B], the stored number of no signal: of intensity 0, or of the smallest where there are negative ones."""
    scans: Tensor
    """int64 [B], each slice's scan as a position in `SliceSampler.scans`."""
    indices: Tensor
    """int64 [B], each slice's number in its scan."""
    unreadable: int = 0
    """Slices that could not be read and whose place another of the batch has taken."""


class SliceBatches(Dataset[SliceBatch]):
    """The batches of a sampler by number: item `n` is the same in every process, whatever was read before.

    A torch Dataset of whole batches; `read_ahead` makes a loader of it, which starts and resumes anywhere:

        batches = SliceBatches(SliceSampler(scans, seed, batch_size))
        for batch in read_ahead(batches.__getitem__, sampler.number(epoch, offset), end, workers=2): ...

    With `replace_unreadable`, the place of a slice that cannot be read is taken by the next readable one of its
    batch, and counted: one damaged scan must not end a training of days.
    """

    def __init__(self, sampler: SliceSampler, window: str = "p0.5_99.5", replace_unreadable: bool = False) -> None:
        self.sampler = sampler
        self._window = window
        self._replace_unreadable = replace_unreadable
        self._levels: dict[int, tuple[float, float, float]] = {}

    def __getitem__(self, number: int) -> SliceBatch:
        """Batch `number`, counted from 0 over all epochs; raises as `part` does."""
        return self.part(number, slice(None))

    def part(self, number: int, rows: slice) -> SliceBatch:
        """Some rows of batch `number`: what one of several processes trains on.

        Raises:
            StoreError: a slice cannot be read, or with `replace_unreadable` none can.
            ConfigError: there is no such window.
        """
        return self.read(number, self.sampler.batch(number)[rows])

    def read(self, number: int, drawn: Sequence[tuple[int, int]]) -> SliceBatch:
        """The given slices, (position in `sampler.scans`, slice index) each, as a batch; raises as `part` does."""
        wanted = len(drawn)
        requests: list[tuple[Path | str, int]] = [(self.sampler.scans[scan].path, index) for scan, index in drawn]
        kept = list(range(wanted))
        try:
            stored = _read(requests)
        except StoreError:
            if not self._replace_unreadable:
                raise
            kept = _readable_instead(requests)
            drawn = [drawn[row] for row in kept]
            stored = _read([requests[row] for row in kept])
        scans, indices = torch.tensor(drawn).unbind(1)
        levels = torch.tensor([self._levels_of(scan) for scan, _ in drawn])
        return SliceBatch(
            number,
            stored,
            levels[:, :2].contiguous(),
            levels[:, 2].contiguous(),
            scans.contiguous(),
            indices.contiguous(),
            sum(row != place for place, row in enumerate(kept)),
        )

    def _levels_of(self, scan: int) -> tuple[float, float, float]:
        if scan not in self._levels:
            intensity = open_scan(self.sampler.scans[scan].path).intensity
            zero = intensity.stored(0.0) if intensity.offset >= 0 else 1.0
            self._levels[scan] = (*window_bounds(intensity, self._window), zero)
        return self._levels[scan]


def read_ahead(
    make: Callable[[int], T],
    first: int,
    end: int,
    workers: int = 0,
    start_method: Literal["forkserver", "spawn"] = "forkserver",
) -> Generator[T, None, None]:
    """What `make` gives for first .. end - 1, in that order, made while the consumer works.

    The numbers alone decide what is made, so that any number of workers gives the same sequence, and a run resumes
    at any number. Closing the iterator stops thread and workers.

    Args:
        make: a function of the number; with workers it must pickle, and what it gives should be torch tensors, which
            come back through shared memory.
        first: the first number.
        end: the number after the last.
        workers: processes; 0 uses one thread of this process, which TensorStore leaves free while it reads.
        start_method: how workers start. They are never forked: TensorStore's threads do not survive it.

    Raises:
        BrainDINOError: what `make` raised, at the number it belongs to, from a worker as from the thread.
        ConfigError: `workers` is negative.
    """
    if workers < 0:
        raise ConfigError(f"Slices are read by 0 or more workers, not {workers}.")
    return _by_processes(make, first, end, workers, start_method) if workers else _by_thread(make, first, end)


def _by_thread(make: Callable[[int], T], first: int, end: int, ahead: int = AHEAD) -> Generator[T, None, None]:
    pool = ThreadPoolExecutor(1, thread_name_prefix="slices")
    try:
        pending: deque[Future[T]] = deque(pool.submit(make, number) for number in range(first, min(first + ahead, end)))
        for number in range(first, end):
            if number + ahead < end:
                pending.append(pool.submit(make, number + ahead))
            # No name for it here: what the consumer lets go is freed at once, and not while it waits for the next.
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _by_processes(
    make: Callable[[int], T], first: int, end: int, workers: int, start_method: str
) -> Generator[T, None, None]:
    loader = DataLoader(
        _Guarded(make), batch_size=None, sampler=range(first, end), num_workers=workers, collate_fn=_as_it_is,
        multiprocessing_context=start_method, prefetch_factor=AHEAD, worker_init_fn=_outlive_signals,
        generator=torch.Generator(),  # torch draws a seed for the workers: not from the caller's random numbers
    )  # fmt: skip
    batches = iter(loader)

    def received(_: int) -> T:
        made: T | BrainDINOError = next(batches)
        if isinstance(made, BrainDINOError):
            raise made
        return made

    # Taking over a batch costs several exchanges with the worker that made it, a tenth of a fast consumer's time: the
    # thread does it while the consumer works on the batch before.
    return _by_thread(received, first, end, ahead=1)


class _Guarded(Dataset[T | BrainDINOError], Generic[T]):
    """Errors with a sentence for a person come back as they are; torch would bury them in a worker's traceback."""

    def __init__(self, make: Callable[[int], T]) -> None:
        self._make = make

    def __getitem__(self, number: int) -> T | BrainDINOError:
        try:
            return self._make(number)
        except BrainDINOError as error:
            return error


def _as_it_is(made: T) -> T:
    return made


def _outlive_signals(_: int) -> None:
    # A terminal or a scheduler signals the whole group, but it is the trainer that decides when to stop: it still
    # has a checkpoint to write. Workers end when it closes them or is gone.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _read(requests: Sequence[tuple[Path | str, int]]) -> Tensor:
    if get_worker_info() is None:
        return torch.from_numpy(read_many(requests))
    # A worker reads straight into memory that its trainer shares, as torch's own collation does.
    shape = (len(requests), *canvas_of(requests))
    storage = torch.UntypedStorage._new_shared(2 * math.prod(shape))  # type: ignore[no-untyped-call]
    stored = torch.empty(0, dtype=torch.uint16).set_(storage).view(shape)
    read_many(requests, stored.numpy())
    return stored


def _readable_instead(requests: Sequence[tuple[Path | str, int]]) -> list[int]:
    """For each place of a batch, the request that fills it: its own, or else the next that can be read."""
    readable = [row for row, request in enumerate(requests) if _can_read(request)]
    if not readable:
        raise StoreError(
            f"None of the {len(requests)} slices of a batch can be read, such as {requests[0][0]}; "
            "check that the slice store is where it was, then run again to resume."
        )
    return [next((row for row in readable if row >= place), readable[0]) for place in range(len(requests))]


def _can_read(request: tuple[Path | str, int]) -> bool:
    try:
        read_many([request])
    except StoreError:
        return False
    return True
