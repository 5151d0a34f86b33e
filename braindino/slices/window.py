"""Intensity windows, applied when slices are read: the store keeps every intensity."""

from typing import Any, TypeVar

import numpy as np

from braindino.errors import ConfigError
from braindino.intensity import Intensity

WINDOWS = ("p0.5_99.5", "p1_99", "none")

Array = TypeVar("Array")


def window_bounds(intensity: Intensity, window: str) -> tuple[float, float]:
    """Where a window begins and ends, in stored numbers.

    Args:
        intensity: the scan's scale and in-brain percentiles.
        window: "p0.5_99.5" (the paper's pretraining), "p1_99" (its released downstream code) or "none" (the
            whole range, so that an enhancing lesion above the 99.5th percentile keeps its contrast).

    Returns:
        (low, high) with low < high.

    Raises:
        ConfigError: the window is not one of `WINDOWS`.
    """
    if window not in WINDOWS:
        raise ConfigError(f"There is no window {window!r}; choose one of {', '.join(WINDOWS)}.")
    ends = {
        "p0.5_99.5": (intensity.p0_5, intensity.p99_5),
        "p1_99": (intensity.p1, intensity.p99),
        "none": (intensity.offset, intensity.maximum),
    }
    low, high = (intensity.stored(value) for value in ends[window])
    # A nearly constant scan may have equal percentiles; one stored step keeps the division defined.
    return low, max(high, low + 1.0)


def apply_window(stored: Array, low: Any, high: Any) -> Array:
    """Slices as a network wants them: `low` becomes 0, `high` becomes 1, background is 0.

    Args:
        stored: numbers as stored, a numpy array or a torch tensor of any shape; 0 is background.
        low: lower bound(s) in stored numbers, a number or anything that broadcasts against `stored`.
        high: upper bound(s), likewise.

    Returns:
        float32 in [0, 1], of the same kind and shape as `stored`.
    """
    if isinstance(stored, np.ndarray):
        numbers = stored.astype(np.float32)
        low, high = np.asarray(low, np.float32), np.asarray(high, np.float32)
        scaled = np.clip((numbers - low) / (high - low), 0.0, 1.0)
        return np.where(numbers > 0, scaled, np.float32(0.0))  # type: ignore[return-value]
    tensor: Any = stored
    numbers = tensor.float()
    return ((numbers - low) / (high - low)).clamp(0.0, 1.0).mul(numbers > 0)  # type: ignore[no-any-return]
