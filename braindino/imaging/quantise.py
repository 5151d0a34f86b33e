"""Intensities as 16-bit numbers: nothing is clipped, and the step stays below the noise."""

import numpy as np

from braindino.intensity import Intensity

_PERCENTILES = (0.1, 0.5, 1.0, 99.0, 99.5, 99.9)
# About 12 bits between the 0.1 and 99.9 percentiles; finer steps would store noise, coarser ones contrast.
_STEPS = 4095
_LARGEST_STORED = 65535


def measure_intensity(values: np.ndarray) -> Intensity:
    """The scale for the intensities inside a brain, with their statistics.

    The step is (p99.9 - p0.1) / 4095, or as much larger as an extreme outlier needs to fit into 16 bits
    unclipped.

    Args:
        values: float32 [n], the brain's voxels, not all the same.
    """
    low, high = float(values.min()), float(values.max())
    points = np.percentile(values, _PERCENTILES).astype(float).tolist()
    scale = max((points[-1] - points[0]) / _STEPS, (high - low) / (_LARGEST_STORED - 1))
    mean, std = float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))
    p0_1, p0_5, p1, p99, p99_5, p99_9 = points
    return Intensity(scale, low, high, p0_1, p0_5, p1, p99, p99_5, p99_9, mean, std)


def quantise(values: np.ndarray, brain: np.ndarray, intensity: Intensity) -> np.ndarray:
    """Stored numbers, uint16 of the shape of `brain`: at least 1 in the brain, 0 outside.

    `Intensity` gives the way back; a value returns to within half a step.

    Args:
        values: float32 [n], the brain's voxels in the order of `brain`.
        brain: bool of any shape, n of them true.
        intensity: the scale for these values.
    """
    steps = np.rint((values - np.float32(intensity.offset)) / np.float32(intensity.scale)) + 1
    stored = np.zeros(brain.shape, np.uint16)
    stored[brain] = np.clip(steps, 1, _LARGEST_STORED).astype(np.uint16)
    return stored
