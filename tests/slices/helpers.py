"""A small scan as the imaging room would hand it over, made by hand so that these tests need no imaging."""

from pathlib import Path

import numpy as np

from braindino.imaging.result import Facts, Preprocessed, SliceFacts
from braindino.intensity import Intensity
from braindino.slices import ScanRef, write_scan

INTENSITY = Intensity(
    scale=2.0, offset=-10.0, maximum=990.0, p0_1=-8.0, p0_5=0.0, p1=10.0, p99=800.0, p99_5=900.0, p99_9=980.0,
    mean=300.0, std=100.0,
)  # fmt: skip

FACTS = Facts(
    content_hash="0123456789abcdef", mask_method="nonzero", mask_score=None, brain_ml=1200.0, cropped_ml=0.0,
    mask_components=1, border_fraction=0.0, orientation="RAS", oblique_degrees=0.0, spacing_x=1.0,
    spacing_y=1.0, spacing_z=1.0, matrix_x=8, matrix_y=12, matrix_z=5, through_plane_mm=1.0, repairs=(),
)  # fmt: skip


def small_scan(
    n_slices: int = 5, height: int = 12, width: int = 8, seed: int = 0, segmented: bool = False
) -> Preprocessed:
    rng = np.random.default_rng(seed)
    brain = np.zeros((n_slices, height, width), np.uint8)
    brain[:, 2:-2, 2:-2] = 1
    image = rng.integers(1, 500, brain.shape).astype(np.uint16) * brain
    segmentation = np.zeros_like(brain)
    segmentation[0, 4, 4] = 3  # every other slice is empty, as most of a lesion mask is
    return Preprocessed(
        image.astype(np.uint16), brain, segmentation if segmented else None, np.diag([-1.0, -1.0, 1.0, 1.0]),
        "axial", INTENSITY, FACTS, (SliceFacts(0.0, 32.0, None),) * n_slices,
    )  # fmt: skip


def stored_scan(folder: Path, name: str, **shape: int) -> tuple[Path, Preprocessed]:
    scan = small_scan(**shape)
    path = folder / f"{name}.zarr"
    write_scan(path, scan, {"scan_id": name})
    return path, scan


def scan_ref(dataset: str, subject: str, scan: int = 0, n_slices: int = 10, plane: str = "axial") -> ScanRef:
    name = f"{dataset}-{subject}-{scan}"
    return ScanRef(f"{name}.zarr", name, f"{dataset}/{subject}", dataset, n_slices, plane)
