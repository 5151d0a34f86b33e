"""Random numbers that are a function of where they are used, not of what was drawn before.

A training draws everything from (seed, step, sample): a run stopped at any step and resumed sees the same
crops and masks as one that never stopped, and there is no generator state to save.
"""

import hashlib
import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

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


def normal_pairs(seeds: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Two independent standard normal numbers, float32 [n, count] each, for every seed of int64 [n], on its device.

    A counter-based generator, so that a sample's noise does not depend on the batch or the process it is in: two rounds
    of a 32-bit mixer (the finaliser of MurmurHash3, Appleby 2011) on seed and counter, then Box and Muller (1958).
    """
    counters = torch.arange(count, device=seeds.device, dtype=torch.int64)
    low, high = seeds & _WORD, (seeds >> 32) & _WORD
    first = _mixed_words(_mixed_words(counters ^ low.unsqueeze(1)) ^ high.unsqueeze(1))
    second = _mixed_words(first + 0x9E3779B9 & _WORD)
    radius = torch.sqrt(-2.0 * torch.log((first.to(torch.float32) + 1.0) * 2.0**-32))
    angle = second.to(torch.float32) * (2 * math.pi * 2.0**-32)
    return radius * torch.cos(angle), radius * torch.sin(angle)


_WORD = 0xFFFFFFFF


def _mixed_words(state: Tensor) -> Tensor:
    # 32-bit words in 64-bit integers: a product of two wraps around, and its lower half is still right.
    state = ((state ^ (state >> 16)) * 0x85EBCA6B) & _WORD
    state = ((state ^ (state >> 13)) * 0xC2B2AE35) & _WORD
    return state ^ (state >> 16)


def _mixed(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = state ^ (state >> np.uint64(31))
    return mixed
