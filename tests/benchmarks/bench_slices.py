"""Random slices per second: `read_many` against zarr-python on the same files, in one run.

    python -m tests.benchmarks.bench_slices [--scans 16] [--reads 2048]

Prints slices per second of both and their ratio. Smooth synthetic slices stand in for brains: a quarter of
the canvas is foreground, at 12 bits, which compresses about as real slices do.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import zarr
from scipy.ndimage import gaussian_filter

from braindino.slices import read_many, write_scan
from tests.slices.helpers import small_scan

CANVAS = (140, 224, 192)
BATCH = 64


def brain_like(seed: int) -> np.ndarray:
    """Foreground in the middle quarter of the canvas, smooth with noise on top; uint16 [S, H, W]."""
    rng = np.random.default_rng(seed)
    _, height, width = CANVAS
    foreground = np.zeros(CANVAS, bool)
    foreground[:, height // 4 : -height // 4, width // 4 : -width // 4] = True
    smooth = gaussian_filter(rng.normal(size=CANVAS), 3) * 20_000 + 2_000 + rng.normal(scale=40, size=CANVAS)
    return np.where(foreground, np.clip(smooth, 1, 4095), 0).astype(np.uint16)


def write_cohort(folder: Path, n_scans: int) -> list[Path]:
    """Writes `n_scans` scans and returns their groups."""
    paths = []
    for seed in range(n_scans):
        image = brain_like(seed)
        scan = replace(small_scan(), image=image, brain=(image > 0).astype(np.uint8))
        write_scan(folder / f"{seed}.zarr", scan, {})
        paths.append(folder / f"{seed}.zarr")
    return paths


def with_tensorstore(requests: list[tuple[Path, int]]) -> None:
    """Ours: image and brain of each slice, in batches."""
    for start in range(0, len(requests), BATCH):
        read_many(requests[start : start + BATCH])


def with_zarr(requests: list[tuple[Path, int]]) -> None:
    """The alternative: the same slices through zarr-python, handles opened once."""
    groups = {path: zarr.open_group(str(path), mode="r") for path, _ in requests}
    arrays = {path: (group["image"], group["brain"]) for path, group in groups.items()}
    for path, index in requests:
        for array in arrays[path]:
            array[index]


def rate(read: Callable[[list[tuple[Path, int]]], None], requests: list[tuple[Path, int]]) -> float:
    """Slices per second, the better of two runs (the first opens the files)."""
    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        read(requests)
        seconds.append(time.perf_counter() - started)
    return len(requests) / min(seconds)


def main() -> None:
    """Writes a cohort into a temporary folder, reads it both ways and prints the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--scans", type=int, default=16)
    parser.add_argument("--reads", type=int, default=512)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = write_cohort(Path(folder), options.scans)
        rng = np.random.default_rng(0)
        scans, indices = (
            rng.integers(len(paths), size=options.reads),
            rng.integers(CANVAS[0], size=options.reads),
        )
        requests = [(paths[scan], int(index)) for scan, index in zip(scans, indices, strict=True)]
        ours, theirs = rate(with_tensorstore, requests), rate(with_zarr, requests)
        size = sum(f.stat().st_size for p in paths for f in p.rglob("*") if f.is_file())
    per_slice = size / len(paths) / CANVAS[0] / 1000
    print(f"{per_slice:.1f} KB a slice (image and brain)")
    print(f"read_many   {ours:8.0f} slices/s\nzarr-python {theirs:8.0f} slices/s")
    print(f"ratio       {ours / theirs:8.1f}")


if __name__ == "__main__":
    main()
