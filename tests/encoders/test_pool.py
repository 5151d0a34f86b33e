"""Pooling tokens into one vector per scan, against numpy."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from braindino.encoders import embed_scan, patch_brain_fraction
from braindino.encoders.load import Encoder, EncoderSpec, load
from braindino.encoders.pool import Pool, chosen_slices
from braindino.encoders.weights import export_backbone
from braindino.slices import apply_window
from tests.encoders.helpers import ball_scan, stored_scan, tiny_network


@pytest.fixture
def encoder(tmp_path: Path) -> Encoder:
    export_backbone(tmp_path / "tiny.safetensors", tiny_network(), {})
    return load(EncoderSpec("checkpoint", path=tmp_path / "tiny.safetensors"))


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(1, 19), columns=st.integers(1, 19), patch=st.integers(1, 8), seed=st.integers(0, 99))
def test_brain_fraction_is_the_mean_of_each_patch(rows: int, columns: int, patch: int, seed: int) -> None:
    brain = np.random.default_rng(seed).integers(0, 2, (2, rows, columns)).astype(np.uint8)
    fraction = patch_brain_fraction(torch.from_numpy(brain), patch).numpy()
    high, wide = -(-rows // patch), -(-columns // patch)
    padded = np.zeros((2, high * patch, wide * patch))
    padded[:, :rows, :columns] = brain
    expected = padded.reshape(2, high, patch, wide, patch).mean((2, 4))
    np.testing.assert_allclose(fraction, expected, rtol=1e-6)


def test_pooling_in_batches_is_pooling_at_once() -> None:
    rng = np.random.default_rng(0)
    cls, patches = rng.normal(size=(7, 5)), rng.normal(size=(7, 3, 2, 5))
    fraction = rng.random((7, 3, 2)) * (rng.random((7, 3, 2)) > 0.5)
    pool = Pool(5)
    for rows in (slice(0, 4), slice(4, 7)):
        pool.add(*(torch.from_numpy(a[rows].astype(np.float32)) for a in (cls, patches, fraction)))
    means = pool.means()
    np.testing.assert_allclose(means["cls_mean"], cls.mean(0), rtol=1e-5)
    weighted = (patches * fraction[..., None]).sum((0, 1, 2)) / fraction.sum()
    np.testing.assert_allclose(means["brain_mean"], weighted, rtol=1e-5, atol=1e-6)
    assert means["cls_mean"].dtype == np.float32


def test_pooling_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing was pooled"):
        Pool(4).means()


def test_embedding_a_scan_is_the_mean_over_all_of_its_slices(encoder: Encoder) -> None:
    scan = ball_scan()
    windowed = apply_window(scan.image(list(range(7))), 100.0, 900.0)
    tokens = encoder.encode(torch.from_numpy(windowed))
    for batch_size in (1, 3, 32):
        means = embed_scan(encoder, scan, batch_size=batch_size)  # type: ignore[arg-type]
        np.testing.assert_allclose(means["cls_mean"], tokens.cls.mean(0), rtol=1e-4, atol=1e-5)


def test_brain_mean_ignores_patches_without_brain(encoder: Encoder) -> None:
    """Whatever the tokens of background patches are, they must not count."""
    scan = ball_scan()
    every = list(range(scan.n_slices))
    tokens = encoder.encode(torch.from_numpy(apply_window(scan.image(every), 100.0, 900.0)))
    brain = scan.brain(every).reshape(7, 4, 8, 3, 8).mean((2, 4))
    patches = tokens.patches.numpy().copy()
    patches[brain == 0] = np.nan
    expected = np.nansum(patches * brain[..., None], (0, 1, 2)) / brain.sum()
    means = embed_scan(encoder, scan)  # type: ignore[arg-type]
    np.testing.assert_allclose(means["brain_mean"], expected, rtol=1e-4, atol=1e-5)


def test_a_stored_scan_gives_the_vectors_of_its_slices(encoder: Encoder, tmp_path: Path) -> None:
    stored = embed_scan(encoder, stored_scan(tmp_path))
    in_memory = embed_scan(encoder, ball_scan())  # type: ignore[arg-type]
    for pooling, vector in in_memory.items():
        np.testing.assert_array_equal(stored[pooling], vector)


@given(n=st.integers(1, 200), step=st.integers(1, 9), most=st.none() | st.integers(1, 50))
def test_chosen_slices_are_distinct_ordered_and_within_the_scan(n: int, step: int, most: int | None) -> None:
    indices = chosen_slices(n, step, most)
    assert indices == sorted(set(indices))
    assert 1 <= len(indices) <= (most or n)
    assert indices[0] >= 0
    assert indices[-1] < n
    if most is None:
        assert set(np.diff(indices)) <= {step}


def test_slices_are_thinned_evenly() -> None:
    assert chosen_slices(10) == list(range(10))
    assert chosen_slices(10, step=3) == [0, 3, 6, 9]
    assert chosen_slices(10, max_slices=2) == [2, 7]
