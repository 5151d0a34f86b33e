"""Preprocessing one stripped 1 mm volume, against SimpleITK reading, resampling and writing it, in one run.

    python -m tests.benchmarks.bench_imaging [IMAGE]

The alternative only resamples to 1 mm and writes a .nii.gz: no hash, no brain mask, no checks, no slices.
Without IMAGE, a smooth synthetic brain of 288 x 288 x 181 voxels is made. Prints seconds of both (the best
of three runs, one thread each) and their ratio: above 1, ours takes longer.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk  # noqa: N813
from scipy.ndimage import gaussian_filter

from braindino.imaging import get_recipe, preprocess
from braindino.slices import write_scan
from tests.imaging.helpers import ellipsoid


def synthetic(folder: Path) -> Path:
    """A stripped brain of noise with the smoothness of tissue, float32, as .nii.gz."""
    shape = (288, 288, 181)
    brain = ellipsoid(shape, (75, 92, 74), 1.0)
    tissue = gaussian_filter(np.random.default_rng(0).normal(size=shape).astype(np.float32), 1.5)
    data = np.where(brain, 1000 + 2000 * tissue, 0).astype(np.float32)
    nib.save(nib.Nifti1Image(data, np.diag([0.87, 0.87, 1.0, 1.0])), folder / "brain.nii.gz")
    return folder / "brain.nii.gz"


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


def best_of_three(work: Callable[[int], None]) -> float:
    """Wall seconds of the fastest of three runs."""
    seconds = []
    for run in range(3):
        started = time.perf_counter()
        work(run)
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def main() -> None:
    """Times both ways on one image and prints the ratio."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("image", type=Path, nargs="?")
    given = parser.parse_args().image
    recipe = get_recipe("isotropic")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        image = given or synthetic(folder)
        ours = best_of_three(lambda run: print_size(write_scan(folder / f"{run}.zarr", preprocess(image, recipe), {})))
        theirs = best_of_three(lambda run: with_simpleitk(image, folder))
    print(f"preprocess and store         {ours:6.2f} s\nSimpleITK read, resample, write {theirs:3.2f} s")
    print(f"ratio                        {ours / theirs:6.2f}")


def print_size(size: int) -> None:
    """Says how large the stored group is."""
    print(f"stored {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
