"""Random slices per second, ours against zarr-python and h5py, and whether two workers keep a GPU busy; one run.

    python -m tests.benchmarks.bench_slices [--scans 16] [--links 32] [--rounds 5] [--only read|load|feed]

Synthetic slices stand in for brains: a quarter of the canvas is foreground, smooth with noise on top at 12 bits,
which takes as many bytes as real slices do (17 KB; printed). Each scan is stored once and linked `--links` times
under other names, so that there are as many stores to open as in a cohort, and none of the readers finds a slice
that it has decoded before. All read the same `image` arrays (h5py: the same voxels, a chunk is a slice, lzf), each
in its best known way, in the same order, with handles open; they take turns, and the fastest round of each counts.

*read*: one process reads batches of 256. *load*: two DataLoader workers each, batches of 256 as tensors in the
trainer's process. *feed*: a consumer copies each batch, lets it go, and is then busy until 256 / 4,000 s have passed;
printed is the share of its time that it waits.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import h5py
import numpy as np
import torch
import zarr
from scipy.ndimage import gaussian_filter
from torch.utils.data import DataLoader, Dataset
from zarr.core.sync import sync

from braindino.slices import ScanRef, SliceSampler, open_scan, read_many, write_scan
from braindino.slices.loading import SliceBatches, read_ahead
from tests.slices.helpers import small_scan

CANVAS = (140, 224, 192)
BATCH = 256
GPU_RATE = 4000.0
WARM = 8
Requests = Sequence[tuple[Path, int]]


def brain_like(seed: int) -> np.ndarray:
    """Foreground in the middle quarter of the canvas, smooth with noise on top; uint16 [S, H, W]."""
    rng = np.random.default_rng(seed)
    _, height, width = CANVAS
    foreground = np.zeros(CANVAS, bool)
    foreground[:, height // 4 : -height // 4, width // 4 : -width // 4] = True
    smooth = gaussian_filter(rng.normal(size=CANVAS), 3) * 20_000 + 2_000 + rng.normal(scale=40, size=CANVAS)
    return np.where(foreground, np.clip(smooth, 1, 4095), 0).astype(np.uint16)


def linked(source: Path, target: Path) -> None:
    """A second name for every file of a folder."""
    for file in source.rglob("*"):
        if file.is_file():
            (target / file.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
            os.link(file, target / file.relative_to(source))


def write_cohort(folder: Path, scans: int, links: int = 1) -> list[Path]:
    """Writes `scans` scans, each under `links` names with its .h5 beside it, and returns the groups."""
    paths = []
    for seed in range(scans):
        image = brain_like(seed)
        scan = replace(small_scan(), image=image, brain=(image > 0).astype(np.uint8))
        first = folder / f"{seed}-0.zarr"
        write_scan(first, scan, {})
        with h5py.File(first.with_suffix(".h5"), "w") as file:
            file.create_dataset("image", data=image, chunks=(1, *CANVAS[1:]), compression="lzf")
        for link in range(links):
            path = folder / f"{seed}-{link}.zarr"
            if link:
                linked(first, path)
                os.link(first.with_suffix(".h5"), path.with_suffix(".h5"))
            paths.append(path)
    return paths


@cache
def zarr_array(path: Path) -> zarr.Array:
    """The image array of a group, opened once per process."""
    return zarr.open_array(str(path / "image"), mode="r")


@cache
def h5_array(path: Path) -> h5py.Dataset:
    """The image dataset of the .h5 file beside a group, opened once per process."""
    return h5py.File(path.with_suffix(".h5"), "r")["image"]


def with_zarr(requests: Requests) -> np.ndarray:
    """zarr-python, all of a batch in flight at once."""

    wanted = [(zarr_array(path).async_array, index) for path, index in requests]

    async def gathered() -> list[np.ndarray]:
        return await asyncio.gather(*(array.getitem((index,)) for array, index in wanted))

    return np.stack(sync(gathered()))


def with_zarr_loop(requests: Requests) -> np.ndarray:
    """zarr-python, `array[index]` slice by slice."""
    return np.stack([zarr_array(path)[index] for path, index in requests])


def with_h5py(requests: Requests) -> np.ndarray:
    """h5py, read directly into the batch."""
    out = np.empty((len(requests), *CANVAS[1:]), np.uint16)
    for row, (path, index) in enumerate(requests):
        h5_array(path).read_direct(out, np.s_[index], np.s_[row])
    return out


READERS: dict[str, Callable[[Requests], np.ndarray]] = {
    "read_many": read_many,
    "zarr-python, gathered": with_zarr,
    "zarr-python, in a loop": with_zarr_loop,
    "h5py lzf": with_h5py,
}


def sampler_of(paths: list[Path]) -> SliceSampler:
    """One person per store; slices as the pretraining draws them."""
    refs = [ScanRef(str(path), path.name, path.name, "d", CANVAS[0], "axial") for path in paths]
    return SliceSampler(refs, seed=1, batch_size=BATCH)


def compare_reading(paths: list[Path], rounds: int) -> None:
    """Batches of random slices in one process."""
    sampler = sampler_of(paths)
    seconds: dict[str, list[float]] = {name: [] for name in READERS}
    used = dict.fromkeys(READERS, 0.0)
    for warm in paths:
        open_scan(warm).handle("image"), zarr_array(warm), h5_array(warm)
    for number in range(rounds):
        requests = [(paths[scan], index) for scan, index in sampler.batch(number)]
        results = []
        for name, read in READERS.items():
            started, before = time.perf_counter(), time.process_time()
            results.append(read(requests))
            seconds[name].append(time.perf_counter() - started)
            used[name] += time.process_time() - before
        assert all(np.array_equal(results[0], other) for other in results[1:])
    rates = {name: BATCH / min(times) for name, times in seconds.items()}
    print_rates(rates, "one process, slices/s")
    print("  CPU a slice: " + ", ".join(f"{name} {1e6 * t / rounds / BATCH:.0f} us" for name, t in used.items()))


class AsTensors(Dataset[torch.Tensor]):
    """Batches of the same draw through another reader, as tensors: what `SliceBatches` is to ours."""

    def __init__(self, sampler: SliceSampler, reader: str) -> None:
        self.sampler, self.reader = sampler, reader

    def __getitem__(self, number: int) -> torch.Tensor:
        drawn = self.sampler.batch(number)
        return torch.from_numpy(READERS[self.reader]([(Path(self.sampler.scans[s].path), i) for s, i in drawn]))


def loaded_by_others(sampler: SliceSampler, reader: str, end: int) -> Iterator[torch.Tensor]:
    """A plain DataLoader with two workers, over whole batches, which is its fastest way."""
    loader = DataLoader(
        AsTensors(sampler, reader),
        batch_size=None,
        sampler=range(end),
        num_workers=2,
        prefetch_factor=3,
        multiprocessing_context="forkserver",
    )
    return iter(loader)


def rate_of(batches: Iterator[object], end: int) -> float:
    """Slices per second once the workers run: they start, open their stores and fill their queues unmeasured."""
    for _ in range(WARM):
        next(batches)
    started = time.perf_counter()
    for _ in range(WARM, end):
        next(batches)
    return (end - WARM) * BATCH / (time.perf_counter() - started)


def compare_loading(paths: list[Path], rounds: int, end: int = WARM + 24) -> None:
    """Batches from two workers each, which start anew in every round."""
    sampler = sampler_of(paths)
    loaders: dict[str, Callable[[], Iterator[object]]] = {
        "read_ahead": lambda: read_ahead(SliceBatches(sampler).__getitem__, 0, end, workers=2),
        "DataLoader, zarr-python": lambda: loaded_by_others(sampler, "zarr-python, gathered", end),
        "DataLoader, h5py lzf": lambda: loaded_by_others(sampler, "h5py lzf", end),
    }
    rates = dict.fromkeys(loaders, 0.0)
    for _ in range(rounds):
        for name, start in loaders.items():
            rates[name] = max(rates[name], rate_of(start(), end))
    print_rates(rates, "two workers, slices/s")


def feed(paths: list[Path], seconds: float) -> None:
    """A consumer at GPU rate: it copies a batch and lets it go, then is busy until its time is up."""
    busy, end = BATCH / GPU_RATE, WARM + round(seconds * GPU_RATE / BATCH)
    batches = read_ahead(SliceBatches(sampler_of(paths)).__getitem__, 0, end, workers=2)
    taken = torch.empty((BATCH, *CANVAS[1:]), dtype=torch.uint16)
    waits, late = [], 0.0
    for number in range(end):
        asked = time.perf_counter()
        batch = next(batches)
        got = time.perf_counter()
        taken.copy_(batch.stored)
        del batch  # else `next` would be blamed for freeing 22 MB
        time.sleep(max(0.0, busy - (time.perf_counter() - got)))
        if number >= WARM:
            waits.append(got - asked)
            late += time.perf_counter() - got
    total = sum(waits) + late
    print(f"a consumer of {GPU_RATE:.0f} slices/s, two workers, {len(waits)} batches")
    print(f"  waits {sum(waits) / total:.1%} of its time, longest {1000 * max(waits):.0f} ms; gets ", end="")
    print(f"{len(waits) * BATCH / total:.0f} slices/s")


def print_rates(rates: dict[str, float], title: str) -> None:
    """A line per way, with how many times as fast the first one is."""
    first = next(iter(rates.values()))
    print(title)
    for name, rate in rates.items():
        print(f"  {name:26}{rate:9.0f}   ratio {first / rate:5.1f}")


def main() -> None:
    """Writes a cohort into a temporary folder and measures what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scans", type=int, default=16)
    parser.add_argument("--links", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=15.0, help="how long the consumer is fed")
    parser.add_argument("--only", choices=["read", "load", "feed"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = write_cohort(Path(folder), options.scans, options.links)
        for name, kind in (("zarr", "zarr/image"), ("h5", "h5")):
            first = Path(folder) / f"0-0.{kind}"
            size = sum(f.stat().st_size for f in (first.rglob("*") if first.is_dir() else [first]) if f.is_file())
            print(f"{name}: {size / CANVAS[0] / 1000:.1f} KB a slice")
        print(f"load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        if options.only in (None, "read"):
            compare_reading(paths, options.rounds)
        if options.only in (None, "load"):
            compare_loading(paths, options.rounds)
        if options.only in (None, "feed"):
            feed(paths, options.seconds)
        print(f"load of the machine after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
