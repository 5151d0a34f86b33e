"""Small volumes for the imaging tests: an ellipsoid brain, with numbered voxels where orientation matters."""

from pathlib import Path

import nibabel as nib
import numpy as np

from braindino.imaging import Volume, make_volume


def ellipsoid(shape: tuple[int, int, int], radii_mm: tuple[float, ...], spacing_mm: float) -> np.ndarray:
    """A solid ellipsoid in the middle of a grid, bool."""
    axes = [(np.arange(size) - (size - 1) / 2) * spacing_mm for size in shape]
    grid = np.meshgrid(*axes, indexing="ij")
    return sum((axis / radius) ** 2 for axis, radius in zip(grid, radii_mm, strict=True)) <= 1


def brain_volume(spacing_mm: float = 4.0, seed: int = 0) -> Volume:
    """A stripped 'brain' of about 1.2 litres in RAS order with a gradient along each axis, background 0."""
    shape = tuple(int(size / spacing_mm) for size in (160, 200, 160))
    brain = ellipsoid(shape, (62, 80, 58), spacing_mm)
    x, y, z = np.indices(shape, dtype=np.float32)
    noise = np.random.default_rng(seed).normal(scale=2.0, size=shape)
    data = np.where(brain, 200 + 3 * x + 5 * y + 7 * z + noise, 0).astype(np.float32)
    affine = np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    affine[:3, 3] = -(np.array(shape) - 1) / 2 * spacing_mm
    return make_volume(data, affine, "brain")


def save(path: Path, data: np.ndarray, affine: np.ndarray | None = None) -> Path:
    """Writes a NIfTI file and returns its path."""
    nib.save(nib.Nifti1Image(data, np.diag([4.0, 4.0, 4.0, 1.0]) if affine is None else affine), path)
    return path


def save_volume(path: Path, volume: Volume) -> Path:
    """Writes a volume as NIfTI."""
    return save(path, volume.data, volume.affine)
