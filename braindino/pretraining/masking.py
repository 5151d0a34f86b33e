"""Block-wise masks for iBOT (Bao et al., 2022, BEiT, algorithm 1), as a function of per-crop seeds."""

import math

import numpy as np
from numpy.typing import NDArray

from braindino.pretraining.randomness import uniforms

SMALLEST_BLOCK = 4
"""Patches of the smallest block (BEiT: 16 of 196; fewer here, because crops of slices have fewer patches)."""
BLOCK_ASPECT = 0.3
"""Blocks are between 0.3 and 1/0.3 times as high as wide (BEiT)."""
ATTEMPTS = 10
"""Tries for one block; when all fail, the rest of the mask is filled patch by patch."""


def crop_masks(
    seeds: NDArray[np.uint64],
    grid: tuple[int, int],
    masked_share: float,
    ratio: tuple[float, float],
    wanted: NDArray[np.integer] | None = None,
) -> NDArray[np.bool_]:
    """Masks bool [crops, rows x columns] for crops with these seeds; true patches are hidden from the
    student.

    Exactly round(masked_share x crops) crops are masked, the rest not at all. A masked crop hides
    round(r x patches) patches, at least one, with r uniform in `ratio`, in rectangular blocks. With `wanted`, only the
    masks of these crops are made and returned; which are masked is still decided among all.
    """
    draws = uniforms(seeds, 2)
    patches = grid[0] * grid[1]
    masked = np.zeros(len(seeds), dtype=bool)
    masked[np.argsort(draws[:, 0], kind="stable")[: round(masked_share * len(seeds))]] = True
    wanted = np.arange(len(seeds)) if wanted is None else wanted
    masks = np.zeros((len(wanted), patches), dtype=bool)
    for row, crop in enumerate(wanted):
        if not masked[crop]:
            continue
        share = ratio[0] + (ratio[1] - ratio[0]) * draws[crop, 1]
        count = min(patches, max(1, round(share * patches)))
        masks[row] = block_mask(np.random.default_rng(int(seeds[crop])), grid, count).ravel()
    return masks


def block_mask(random: np.random.Generator, grid: tuple[int, int], count: int) -> NDArray[np.bool_]:
    """A mask bool [rows, columns] with exactly `count` true patches, in blocks; single patches only fill it
    up.
    """
    mask = np.zeros(grid, dtype=bool)
    missing = count
    while missing >= SMALLEST_BLOCK and (block := _block(random, mask, missing)) is not None:
        mask[block] = True
        missing = count - int(mask.sum())
    if missing:
        free = np.flatnonzero(~mask)
        mask.flat[random.choice(free, size=missing, replace=False)] = True
    return mask


def _block(random: np.random.Generator, mask: NDArray[np.bool_], largest: int) -> tuple[slice, slice] | None:
    """A rectangle that hides something new and at most `largest` new patches; None when no try finds one."""
    rows, columns = mask.shape
    for _ in range(ATTEMPTS):
        area = random.uniform(SMALLEST_BLOCK, largest)
        aspect = math.exp(random.uniform(math.log(BLOCK_ASPECT), -math.log(BLOCK_ASPECT)))
        height, width = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if not (1 <= height <= rows and 1 <= width <= columns):
            continue
        top, left = int(random.integers(rows - height + 1)), int(random.integers(columns - width + 1))
        block = (slice(top, top + height), slice(left, left + width))
        new = height * width - int(mask[block].sum())
        if 0 < new <= largest:
            return block
    return None
