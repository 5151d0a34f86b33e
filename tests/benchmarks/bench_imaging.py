"""Preprocessing one stripped 1 mm volume, against SimpleITK reading, resampling and writing it; and its memory.

    python -m tests.benchmarks.bench_imaging [IMAGE] [--rounds 5]
    python -m tests.benchmarks.bench_imaging --memory [IMAGE]
    python -m tests.benchmarks.bench_imaging --bias-field [IMAGE]

The alternative only resamples to 1 mm and writes a .nii.gz: no hash, no brain mask, no checks, no slices. Without
IMAGE, a smooth synthetic brain of 192 x 256 x 256 voxels of 1 mm is made. The two take turns, one thread each; printed
are the seconds of the fastest round of both, on the clock and of CPU, and their ratio: above 1, ours takes longer.

*--memory* preprocesses and stores in a fresh process each: the largest resident size of scans of 0.7 mm as of HCP
(260 x 311 x 260) and of 0.5 mm (512 x 512 x 512), float32. *--bias-field* gives the seconds that N4 adds.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk  # noqa: N813
from scipy.ndimage import gaussian_filter

from braindino.imaging import get_recipe, preprocess
from braindino.slices import write_scan
from tests.imaging.helpers import ellipsoid

LARGE = {"0.7 mm": ((260, 311, 260), 0.7), "0.5 mm": ((512, 512, 512), 0.5)}


def synthetic(path: Path, shape: tuple[int, int, int] = (192, 256, 256), spacing: float = 1.0) -> Path:
    """A stripped brain of noise with the smoothness of tissue, float32, as .nii.gz."""
    brain = ellipsoid(shape, (70, 88, 68), spacing)
    tissue = gaussian_filter(np.random.default_rng(0).normal(size=shape).astype(np.float32), 1.5)
    data = np.where(brain, np.maximum(1000 + 2000 * tissue, 1), 0).astype(np.float32)
    nib.save(nib.Nifti1Image(data, np.diag([spacing, spacing, spacing, 1.0])), path)
    return path


def with_simpleitk(image: Path, folder: Path) -> None:
    """The alternative: read, resample to 1 mm, write."""
    volume = sitk.ReadImage(str(image), sitk.sitkFloat32)
    old = zip(volume.GetSize(), volume.GetSpacing(), strict=True)
    size = [round(count * spacing) for count, spacing in old]
    one_mm = sitk.Resample(
        volume,
        size,
        sitk.Transform(),
        sitk.sitkLinear,
        volume.GetOrigin(),
        (1.0, 1.0, 1.0),
        volume.GetDirection(),
    )
    sitk.WriteImage(one_mm, str(folder / "theirs.nii.gz"))


def with_ours(image: Path, folder: Path, bias_field: bool = False) -> None:
    """Ours: from the file to stored slices."""
    recipe = replace(get_recipe("isotropic"), bias_field=bias_field)
    write_scan(folder / f"{time.perf_counter_ns()}.zarr", preprocess(image, recipe), {})


def seconds_of(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds on the clock and of CPU."""
    started, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - used


def compare(image: Path, folder: Path, rounds: int) -> None:
    """Both ways in turn."""
    ways = {
        "preprocess and store": lambda: with_ours(image, folder),
        "SimpleITK read, resample, write": lambda: with_simpleitk(image, folder),
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, work in ways.items():
            times[name].append(seconds_of(work))
    fastest = {name: np.min(seconds, axis=0) for name, seconds in times.items()}
    for name, (clock, cpu) in fastest.items():
        print(f"{name:34}{clock:6.2f} s, {cpu:.2f} s of CPU")
    ours, theirs = fastest.values()
    print(f"{'ratio':34}{ours[0] / theirs[0]:6.2f}    {ours[1] / theirs[1]:.2f}")


def measure_memory(image: Path, folder: Path, answer: "multiprocessing.Queue[float]") -> None:
    """In a process of its own: the largest resident size, in MB."""
    with_ours(image, folder)
    # Not ru_maxrss: that of a spawned process begins with its parent's.
    status = Path("/proc/self/status").read_text()
    answer.put(int(status.partition("VmHWM:")[2].split()[0]) / 1024)


def memory(images: dict[str, Path], folder: Path) -> None:
    """One fresh process per image."""
    fresh = multiprocessing.get_context("spawn")
    for name, image in images.items():
        answer: multiprocessing.Queue[float] = fresh.Queue()
        process = fresh.Process(target=measure_memory, args=(image, folder, answer))
        process.start()
        print(f"{name:34}{answer.get():6.0f} MB at most", flush=True)
        process.join()


def bias_field(image: Path, folder: Path, rounds: int) -> None:
    """With and without N4 in turn."""
    ways = [partial(with_ours, image, folder, n4) for n4 in (False, True)]
    times = [[seconds_of(way)[0] for way in ways] for _ in range(rounds)]
    without, corrected = np.min(times, axis=0)
    print(f"without N4 {without:.2f} s, with N4 {corrected:.2f} s: it takes {corrected - without:.2f} s")


def main() -> None:
    """Measures what is asked for in a temporary folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--bias-field", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given: Path | None = options.image
        if options.memory:
            images = {given.name: given} if given else {}
            for size, (shape, spacing) in LARGE.items() if not given else ():
                images[size] = synthetic(folder / f"{spacing}.nii.gz", shape, spacing)
            memory(images, folder)
            return
        image = given or synthetic(folder / "brain.nii.gz")
        if options.bias_field:
            bias_field(image, folder, options.rounds)
        else:
            compare(image, folder, options.rounds)


if __name__ == "__main__":
    main()
