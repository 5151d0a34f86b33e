"""Ingest throughput of two workers of one thread each against one worker, in one run.

    python -m tests.benchmarks.bench_ingest [--scans 512] [--heads] [--rounds 2]

Synthetic 1 mm scans, listed in a manifest, are ingested into a fresh home each time: by one worker in this process,
and by two Dask workers as `braindino ingest --workers 2` starts them, their start included. Without `--heads` they are
stripped, which takes about a quarter of a second a scan, and every 16 have other voxels; with it they are whole heads,
whose brain has to be found. The two take turns and the fastest run of each counts. It needs two free cores: the load
of the machine stands beside the ratio.
"""

import argparse
import csv
import os
import tempfile
import time
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy.ndimage import gaussian_filter

from braindino import phantom
from flows.environment import quiet_prefect, silence_exit
from tests.imaging.helpers import ellipsoid

SHAPE = (176, 224, 192)
DIFFERENT = 16


def write_stripped(folder: Path, scans: int) -> Path:
    """Stripped brains of the same smooth noise, shifted 16 ways, under as many names; returns their manifest."""
    rng = np.random.default_rng(0)
    brain = ellipsoid(SHAPE, (70, 88, 68), 1.0)
    tissue = gaussian_filter(rng.normal(size=SHAPE).astype(np.float32), 1.5)
    images = []
    for number in range(scans):
        images.append(folder / f"scan{number:03}.nii.gz")
        if number >= DIFFERENT:
            os.link(images[number % DIFFERENT], images[-1])
            continue
        shifted = np.roll(tissue, rng.integers(SHAPE, size=3).tolist(), (0, 1, 2))
        data = np.where(brain, np.clip(1000 + 2000 * shifted, 1, None), 0).astype(np.int16)
        nib.save(nib.Nifti1Image(data, np.eye(4)), images[-1])
    manifest = folder / "scans.csv"
    with manifest.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["subject", "image", "contrast", "skull_stripped"])
        rows.writerows([f"person{number:03}", image.name, "T1w", "true"] for number, image in enumerate(images))
    return manifest


def write_heads(folder: Path, scans: int) -> Path:
    """Whole synthetic heads; returns their manifest."""
    phantom.write_cohort("manifest", folder / "heads", scans, seed=0, spacing_mm=1.0)
    return next((folder / "heads").glob("*.csv"))


def seconds_of(manifest: Path, home: Path, workers: int) -> tuple[float, int]:
    """Seconds of one ingest, and the scans it stored."""
    from flows.ingest import ingest

    started = time.perf_counter()
    summary = ingest("manifest", str(manifest), "bench", home=str(home), workers=workers)
    return time.perf_counter() - started, summary.stored


def main() -> None:
    """Writes the scans, ingests them in turns and prints rates and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scans", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--heads", action="store_true")
    options = parser.parse_args()
    silence_exit()
    quiet_prefect()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["PREFECT_HOME"] = str(folder / "prefect")
        manifest = (write_heads if options.heads else write_stripped)(folder, options.scans)
        seconds_of(manifest, folder / "first", 1)  # Prefect's own server starts, and what is read lies in memory
        fastest = {1: np.inf, 2: np.inf}
        before, stored = os.getloadavg()[0], 0
        for number in range(options.rounds):
            for workers in fastest:
                seconds, stored = seconds_of(manifest, folder / f"home{number}-{workers}", workers)
                fastest[workers] = min(fastest[workers], seconds)
        print(f"load of the machine {before:.1f} before, {os.getloadavg()[0]:.1f} after, on {os.cpu_count()} cores")
        for workers, seconds in fastest.items():
            print(f"{workers} worker{'s' * (workers > 1)}  {stored} scans in {seconds:.1f} s, {stored / seconds:.2f}/s")
        print(f"ratio     {fastest[1] / fastest[2]:.2f}")


if __name__ == "__main__":
    main()
