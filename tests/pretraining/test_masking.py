"""Block-wise masks."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from braindino.pretraining.masking import block_mask, crop_masks
from braindino.pretraining.randomness import sample_seeds


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 12), columns=st.integers(1, 12), share=st.floats(0, 1), seed=st.integers(0, 999))
def test_a_block_mask_hides_exactly_what_was_asked(rows: int, columns: int, share: float, seed: int) -> None:
    count = round(share * rows * columns)
    mask = block_mask(np.random.default_rng(seed), (rows, columns), count)
    assert mask.shape == (rows, columns)
    assert mask.sum() == count


def test_half_of_the_crops_are_masked_within_the_ratio() -> None:
    masks = crop_masks(sample_seeds(0, 0, 400), (8, 8), masked_share=0.5, ratio=(0.1, 0.5))
    hidden = masks.sum(1)
    assert (hidden > 0).sum() == 200
    shares = hidden[hidden > 0] / 64
    assert 0.1 - 1 / 64 <= shares.min() < 0.13
    assert 0.47 < shares.max() <= 0.5 + 1 / 64
    assert abs(shares.mean() - 0.3) < 0.03


def test_masks_are_blocks_and_not_scattered_patches() -> None:
    """A hidden patch has far more hidden neighbours than in a random mask of the same size."""
    neighbours = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])

    def clustering(mask: np.ndarray) -> float:
        return float(ndimage.convolve(mask.astype(int), neighbours, mode="constant")[mask].mean())

    rng = np.random.default_rng(0)
    blocks = [block_mask(np.random.default_rng(seed), (10, 10), 30) for seed in range(50)]
    scattered = [rng.permutation(np.arange(100) < 30).reshape(10, 10) for _ in range(50)]
    assert np.mean([clustering(m) for m in blocks]) > 2 * np.mean([clustering(m) for m in scattered])


def test_masks_are_a_function_of_their_seeds() -> None:
    first = crop_masks(sample_seeds(1, 7, 16), (6, 5), 0.5, (0.1, 0.5))
    again = crop_masks(sample_seeds(1, 7, 16), (6, 5), 0.5, (0.1, 0.5))
    other = crop_masks(sample_seeds(1, 8, 16), (6, 5), 0.5, (0.1, 0.5))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_nothing_or_everything_can_be_masked() -> None:
    seeds = sample_seeds(0, 0, 6)
    assert not crop_masks(seeds, (4, 4), 0.0, (0.1, 0.5)).any()
    assert crop_masks(seeds, (4, 4), 1.0, (1.0, 1.0)).all()
    # Even a ratio that rounds to no patch hides one: a masked crop has something to predict.
    assert (crop_masks(seeds, (2, 2), 1.0, (0.01, 0.02)).sum(1) == 1).all()
