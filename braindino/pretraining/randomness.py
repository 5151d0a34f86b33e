"""Random numbers that are a function of where they are used, not of what was drawn before.

A training draws everything from (seed, step, sample): a run stopped at any step and resumed sees the same
crops and masks as one that never stopped, and there is no generator state to save.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def stream_seed(*parts: int | str) -> int:
    """A 63-bit seed for a named purpose, such as stream_seed(seed, "noise", step)."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def sample_seeds(seed: int, step: int, samples: int) -> NDArray[np.uint64]:
    """One seed per sample of a step: uint64 [samples]."""
    start = np.uint64(stream_seed(seed, "sample", step))
    with np.errstate(over="ignore"):
        return _mixed(start + _GOLDEN * np.arange(1, samples + 1, dtype=np.uint64))


def uniforms(seeds: NDArray[np.uint64], count: int, stream: int = 0) -> NDArray[np.float64]:
    """`count` numbers in [0, 1) for every seed, [len(seeds), count]; each `stream` gives others.

    SplitMix64 (Steele et al., 2014) as a counter-based generator: number j of seed s is mix(s + j x golden
    ratio).
    """
    counters = np.arange(1, count + 1, dtype=np.uint64) + np.uint64(stream << 32)
    with np.errstate(over="ignore"):
        bits = _mixed(seeds[:, None] + _GOLDEN * counters[None, :])
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mixed(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = state ^ (state >> np.uint64(31))
    return mixed
