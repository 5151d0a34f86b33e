"""The perceptual fingerprint of a scan: 32 KB of one brain, enough to know the same scan in another encoding.

It has two parts, both blind to what re-encoding changes (orientation, intensity scale, bias field, outline):

- `coarse`: the whole brain at about 7 mm, in a frame laid by its own axes and size, so that any two fingerprints
  are compared by one product of vectors, whatever grid the scans are on;
- `fine`: a block of 28 x 36 x 30 mm around the brain's centre at 1 mm, along the world's axes. Two scans of one person
  share their anatomy but not their noise, and noise lives in detail of 2 to 5 mm: nothing coarser than 1 mm can tell a
  copy from a repeat.

All is computed from one scan on its own, from what the slice store holds.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from braindino.errors import StoreError

FINGERPRINT_VERSION = 1
"""Raised by hand when the same scan gets another fingerprint; only fingerprints of one version are compared."""

FINE_SHAPE = (28, 36, 30)  # towards right, anterior, superior
FINE_MM = 1.0

# Fine part: detail finer than _FINE_DETAIL_MM (standard deviation of a Gaussian), each place as loud as any other.
_FINE_DETAIL_MM, _FINE_LOUDNESS_MM, _FINE_MARGIN_MM = 3.0, 4.0, 14.0
# Voxels this near to the mask's edge depend on who stripped the brain.
_EDGE_MM = 4.0
# Coarse part: voxels of about _COARSE_MM; detail between the two Gaussians; loudness over a wider one.
_COARSE_MM, _COARSE_SMOOTH_MM, _COARSE_DETAIL_MM, _COARSE_LOUDNESS_MM = 3.0, 2.0, 4.0, 8.0
# Points of the coarse part: pitch and reach in standard deviations of the brain along its axes (an ellipsoid's end
# lies at 2.24).
_PITCH, _REACH = 0.20, 1.65
_QUANTUM = 3.5 / 127  # int8 reaches 3.5 standard deviations
_MAGIC = b"BDFP"


@dataclass(frozen=True)
class Fingerprint:
    """What is kept of one scan.

    `coarse` int8 [COARSE_LENGTH]; `fine` int8 [x, y, z] of `FINE_SHAPE`, in steps of 1/36 standard deviation; `axes`
    float32 [3, 3], the brain's own axes as columns (nearest to right, anterior, superior), and `size` float32 [3], the
    standard deviation of the brain's voxels along them, mm.
    """

    coarse: NDArray[np.int8]
    fine: NDArray[np.int8]
    axes: NDArray[np.float32]
    size: NDArray[np.float32]

    def to_bytes(self) -> bytes:
        """The fingerprint as one blob of `FINGERPRINT_BYTES`, with its version in front."""
        head = _MAGIC + FINGERPRINT_VERSION.to_bytes(4, "little")
        pose = np.concatenate([self.axes.ravel(), self.size]).astype("<f4")
        return head + pose.tobytes() + self.coarse.tobytes() + self.fine.tobytes()

    @staticmethod
    def from_bytes(blob: bytes) -> "Fingerprint":
        """The fingerprint that `to_bytes` wrote.

        Raises:
            StoreError: it is damaged, or of another version.
        """
        version = int.from_bytes(blob[4:8], "little")
        if blob[:4] != _MAGIC or (version == FINGERPRINT_VERSION and len(blob) != FINGERPRINT_BYTES):
            raise StoreError("This is no fingerprint of a scan, or a damaged one; compute it again.")
        if version != FINGERPRINT_VERSION:
            raise StoreError(
                f"The fingerprint has version {version}, this software compares version {FINGERPRINT_VERSION}; "
                "compute it again."
            )
        pose = np.frombuffer(blob, "<f4", 12, 8).astype(np.float32)
        coarse = np.frombuffer(blob, np.int8, COARSE_LENGTH, 56)
        fine = np.frombuffer(blob, np.int8, -1, 56 + COARSE_LENGTH).reshape(FINE_SHAPE)
        return Fingerprint(coarse, fine, pose[:9].reshape(3, 3), pose[9:])


def fingerprint(image: NDArray[np.generic], brain: NDArray[np.generic], affine: NDArray[np.floating]) -> Fingerprint:
    """The fingerprint of one stored scan, in about 0.2 s.

    Args:
        image: brain-extracted slices [S, H, W] of any plane and spacing, 0 outside the brain.
        brain: the brain mask [S, H, W], above 0 inside; not empty.
        affine: 4 x 4, from (column, row, slice) to RAS mm.
    """
    world = np.asarray(affine, dtype=np.float64)
    inside = np.asarray(brain) > 0
    centre, axes, size = _pose(inside, world)
    return Fingerprint(
        _coarse(image, inside, world, centre, axes, size),
        _fine(image, inside, world, centre),
        axes.astype(np.float32),
        size.astype(np.float32),
    )


def _pose(inside: NDArray[np.bool_], affine: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Centre (RAS mm), own axes as columns and standard deviations along them of a mask."""
    steps = _reduction(affine, _COARSE_MM / 2)
    points = np.argwhere(inside[:: steps[0], :: steps[1], :: steps[2]]) * steps
    world = points[:, ::-1] @ affine[:3, :3].T + affine[:3, 3]
    centre = world.mean(axis=0)
    covariance = np.cov(world.T) + np.eye(3) / 12
    _, vectors = np.linalg.eigh(covariance)
    # Brains are clearly longest from back to front; across, they are nearly round, so that roll is left to the world.
    front = vectors[:, 2] * (1 if vectors[1, 2] > 0 else -1)
    right = np.array([1.0, 0, 0]) - front[0] * front
    right /= np.linalg.norm(right)
    axes = np.stack([right, front, np.cross(right, front)], axis=1)
    return centre, axes, np.sqrt(np.diag(axes.T @ covariance @ axes))


def _fine(
    image: NDArray[np.generic], inside: NDArray[np.bool_], affine: NDArray[np.float64], centre: NDArray[np.float64]
) -> NDArray[np.int8]:
    """The block around the centre: high-pass filtered, evened out in loudness, sampled by cubic splines."""
    to_voxel = np.linalg.inv(affine)
    at = ((_fine_points() + centre) @ to_voxel[:3, :3].T + to_voxel[:3, 3])[:, ::-1]
    spacing = np.linalg.norm(affine[:3, :3], axis=0)[::-1]
    low = np.maximum(np.floor(at.min(axis=0) - _FINE_MARGIN_MM / spacing), 0).astype(int)
    high = np.minimum(np.ceil(at.max(axis=0) + _FINE_MARGIN_MM / spacing) + 1, image.shape).astype(int)
    part = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    # The border of the part is not the brain's: erosion must not enter from there.
    deep = ndimage.binary_erosion(inside[part], iterations=max(1, round(_EDGE_MM / spacing.min())), border_value=1)
    within = (deep if deep.any() else inside[part]).astype(np.float32)
    values = np.asarray(image[part], dtype=np.float32) * within
    mean = _local_mean(values, within, _FINE_DETAIL_MM / spacing)
    detail = _even_out((values - mean) * within, within, _FINE_LOUDNESS_MM / spacing)
    sampled = ndimage.map_coordinates(detail, (at - low).T, order=3, mode="constant", output=np.float32)
    return _quantised(sampled).reshape(FINE_SHAPE)


def _coarse(
    image: NDArray[np.generic],
    inside: NDArray[np.bool_],
    affine: NDArray[np.float64],
    centre: NDArray[np.float64],
    axes: NDArray[np.float64],
    size: NDArray[np.float64],
) -> NDArray[np.int8]:
    """The whole brain in its own frame: band-pass filtered, evened out in loudness, at fixed points."""
    steps = _reduction(affine, _COARSE_MM)
    share = _block_mean(inside, steps)
    values = _block_mean(np.where(inside, image, 0), steps)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)[::-1] * steps
    weight = _local_mean_of(share, _COARSE_SMOOTH_MM / spacing)
    smooth = np.asarray(
        _local_mean_of(values, _COARSE_SMOOTH_MM / spacing) / np.maximum(weight, 0.05), dtype=np.float32
    )
    within = (weight > 0.75).astype(np.float32)
    detail = np.asarray(
        (smooth - _local_mean(smooth * within, within, _COARSE_DETAIL_MM / spacing)) * within, dtype=np.float32
    )
    even = _even_out(detail, within, _COARSE_LOUDNESS_MM / spacing)
    world = (_coarse_points() * size) @ axes.T + centre
    to_voxel = np.linalg.inv(affine)
    at = ((world @ to_voxel[:3, :3].T + to_voxel[:3, 3])[:, ::-1] - (steps - 1) / 2) / steps
    return _quantised(ndimage.map_coordinates(even, at.T, order=1, mode="constant", output=np.float32))


def _reduction(affine: NDArray[np.float64], target_mm: float) -> NDArray[np.int64]:
    """How many voxels along (slice, row, column) make up about `target_mm`."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)[::-1]
    return np.asarray(np.maximum(1, np.rint(target_mm / spacing)), dtype=np.int64)


def _block_mean(values: NDArray[np.generic], steps: NDArray[np.int64]) -> NDArray[np.float32]:
    """Means over blocks of voxels; the rest of an axis that fills no block is filled up with 0."""
    counts = -(-np.array(values.shape) // steps)
    padded = np.pad(values, [(0, int(extra)) for extra in counts * steps - values.shape])
    blocks = padded.reshape(counts[0], steps[0], counts[1], steps[1], counts[2], steps[2])
    means: NDArray[np.float32] = blocks.mean(axis=(1, 3, 5), dtype=np.float32)
    return means


def _local_mean_of(values: NDArray[np.float32], sigma: NDArray[np.float64]) -> NDArray[np.float32]:
    smooth: NDArray[np.float32] = ndimage.gaussian_filter(values, sigma, mode="constant", truncate=3.0)
    return smooth


def _local_mean(
    values: NDArray[np.float32], weight: NDArray[np.float32], sigma: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Gaussian mean of what lies inside (normalised convolution; Knutsson and Westin, CVPR 1993)."""
    share = np.maximum(_local_mean_of(weight, sigma), 0.05)
    return np.asarray(_local_mean_of(values, sigma) / share, dtype=np.float32)


def _even_out(
    detail: NDArray[np.float32], weight: NDArray[np.float32], sigma: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Detail over its local root mean square: neither window nor gain nor bias field is left in it."""
    loudness = np.sqrt(_local_mean(detail * detail, weight, sigma))
    typical = float(loudness[weight > 0].mean()) if weight.any() else 0.0
    return np.asarray(detail / np.maximum(loudness, 0.02 * typical + 1e-6), dtype=np.float32)


def _quantised(values: NDArray[np.float32]) -> NDArray[np.int8]:
    spread = float(values.std())
    steps = values / (spread * _QUANTUM) if spread > 0 else np.zeros_like(values)
    return np.clip(np.rint(steps), -127, 127).astype(np.int8)


@lru_cache(maxsize=1)
def _fine_points() -> NDArray[np.float64]:
    axes = [(np.arange(count) - (count - 1) / 2) * FINE_MM for count in FINE_SHAPE]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


@lru_cache(maxsize=1)
def _coarse_points() -> NDArray[np.float64]:
    axis = np.arange(-_REACH, _REACH + _PITCH / 2, _PITCH)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    inner: NDArray[np.float64] = points[np.sum(points**2, axis=1) <= _REACH**2]
    return inner


COARSE_LENGTH = len(_coarse_points())
FINGERPRINT_BYTES = 8 + 12 * 4 + COARSE_LENGTH + int(np.prod(FINE_SHAPE))
