"""Numbers as a function of where they are used."""

import numpy as np
import torch
from scipy import stats

from braindino.pretraining.randomness import normal_pairs, sample_seeds, stream_seed, uniforms


def test_numbers_are_uniform_and_streams_are_independent() -> None:
    seeds = sample_seeds(0, 0, 2000)
    first, second = uniforms(seeds, 10), uniforms(seeds, 10, stream=1)
    assert first.min() >= 0
    assert first.max() < 1
    np.testing.assert_allclose(np.histogram(first, 10, (0, 1))[0] / first.size, 0.1, atol=0.01)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(first[:-1].ravel(), first[1:].ravel())[0, 1]) < 0.02


def test_seeds_differ_by_seed_step_and_sample() -> None:
    every = np.concatenate([sample_seeds(seed, step, 50) for seed in range(4) for step in range(5)])
    assert len(np.unique(every)) == len(every)
    np.testing.assert_array_equal(sample_seeds(1, 2, 50)[:10], sample_seeds(1, 2, 10))


def test_numbers_are_the_same_on_every_machine() -> None:
    """Golden: a change here changes every training, and needs a new PRETRAINING_VERSION."""
    assert stream_seed(0, "noise", 3) == 4299398423391567196
    np.testing.assert_allclose(
        uniforms(sample_seeds(0, 0, 1), 3), [[0.6162093691450478, 0.2664734182803754, 0.4610218806867856]]
    )


def test_normal_pairs_are_normal_independent_and_of_their_seed_alone() -> None:
    seeds = torch.from_numpy(sample_seeds(0, 0, 50).astype(np.int64))
    real, imaginary = (part.numpy() for part in normal_pairs(seeds, 4000))
    for part in (real, imaginary):
        assert stats.kstest(part.ravel(), "norm").pvalue > 1e-3
    assert abs(np.corrcoef(real.ravel(), imaginary.ravel())[0, 1]) < 0.01
    assert abs(np.corrcoef(real[:-1].ravel(), real[1:].ravel())[0, 1]) < 0.01
    assert abs(np.corrcoef(real[:, :-1].ravel(), real[:, 1:].ravel())[0, 1]) < 0.01
    np.testing.assert_array_equal(normal_pairs(seeds[7:8], 4000)[0][0].numpy(), real[7])
