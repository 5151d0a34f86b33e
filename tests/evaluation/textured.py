"""A brain of random texture: structure of all sizes, with quiet and rich places, and noise."""

import numpy as np
from scipy import ndimage

from braindino.evaluation import Fingerprint
from tests.evaluation.encodings import Voxels, fingerprint_of, noisy

NOISE = 0.03


def textured_anatomy(seed: int) -> Voxels:
    """An ellipsoid of 48 x 60 x 43 mm half axes at 1 mm: smooth structure, sharp where it is rich."""
    rng = np.random.default_rng(seed)
    shape = (104, 128, 94)
    axes = [(np.arange(n) - (n - 1) / 2) / r for n, r in zip(shape, (48, 60, 43), strict=True)]
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    fine, wide, where = (
        ndimage.gaussian_filter(rng.standard_normal(shape, dtype=np.float32), sigma) for sigma in (1.3, 4.0, 6.0)
    )
    rich = np.clip(where / where.std(), 0, 2)  # half of the brain has no fine structure at all
    values = 1 + 0.10 * wide / wide.std() + 0.12 * rich * fine / fine.std()
    affine = np.eye(4)
    affine[:3, 3] = -(np.array(shape) - 1) / 2
    return Voxels(values.astype(np.float32), x**2 + y**2 + z**2 < 1, affine)


def textured_brain(seed: int) -> Voxels:
    """A scan of that anatomy."""
    return noisy(textured_anatomy(seed), NOISE, seed)


def print_of(scan: Voxels) -> Fingerprint:
    """Its fingerprint, by way of what the slice store holds."""
    return fingerprint_of(scan.stored())
