"""Noise spoils quiet places, interpolation spoils all alike: the difference that tells repeats from copies."""

import numpy as np
import pytest
from scipy import ndimage

from braindino.evaluation.align import align
from braindino.evaluation.coherence import BANDS_MM, CLASSES, coherence

SHAPE = (28, 36, 30)


@pytest.fixture(scope="module")
def block() -> np.ndarray:
    """Detail that is strong in some places and weak in others."""
    rng = np.random.default_rng(0)
    fine, wide, where = (ndimage.gaussian_filter(rng.standard_normal(SHAPE), sigma) for sigma in (0.8, 2.0, 3.0))
    strength = np.clip(1 + where / where.std(), 0.2, 3)
    return (strength * (fine / fine.std() + wide / wide.std())).astype(np.float32)


def everywhere() -> np.ndarray:
    return np.ones(SHAPE, dtype=bool)


def test_a_block_is_coherent_with_itself(block: np.ndarray) -> None:
    found = coherence(block, block, everywhere(), 1.0)
    assert found is not None
    assert found.shared.shape == found.detail.shape == (len(BANDS_MM), CLASSES)
    np.testing.assert_allclose(found.shared, 1, atol=1e-6)
    assert (np.diff(found.detail, axis=1) > 0).all()


def test_noise_spoils_quiet_places_more(block: np.ndarray) -> None:
    noise = 0.3 * block.std() * np.random.default_rng(1).standard_normal(SHAPE)
    found = coherence(block, (block + noise).astype(np.float32), everywhere(), 1.0)
    assert found is not None
    assert (found.shared[2:4, -1] > 0.9).all()
    lost = 1 - found.shared[2:]
    assert (lost[:, 0] > 3 * lost[:, -1]).all()


def test_blocks_that_hardly_overlap_are_not_compared(block: np.ndarray) -> None:
    seen = everywhere()
    seen[5:] = False
    assert coherence(block, block, seen, 1.0) is None


@pytest.mark.parametrize("start_degrees", [0.0, 2.0])
def test_a_block_of_a_moved_brain_is_laid_back(start_degrees: float) -> None:
    turn, shift, margin = about_z(3.0), np.array([1.4, -2.3, 0.6]), 6
    rng = np.random.default_rng(0)
    brain = ndimage.gaussian_filter(rng.standard_normal([count + 2 * margin for count in SHAPE]), 1.2)
    fixed = brain[margin:-margin, margin:-margin, margin:-margin].astype(np.float32)
    centre = (np.array(SHAPE) - 1) / 2
    offset = centre + margin - turn.T @ (centre + shift)
    moving = ndimage.affine_transform(brain, turn.T, offset, SHAPE, order=3).astype(np.float32)
    placement = align(fixed, moving, about_z(start_degrees))
    np.testing.assert_allclose(placement.matrix, turn, atol=0.003)
    np.testing.assert_allclose(placement.shift, shift, atol=0.01)


def about_z(degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    return np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
