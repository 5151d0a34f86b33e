"""Every loss against a slow reference in float64, written from its formula."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from braindino.pretraining.losses import dino_loss, gram_loss, ibot_loss, koleo_loss, sinkhorn_knopp


def softmax(logits: np.ndarray) -> np.ndarray:
    e = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(e / e.sum(-1, keepdims=True))


def reference_sinkhorn(logits: np.ndarray, temperature: float, iterations: int) -> np.ndarray:
    """SwAV's algorithm as in its paper: prototypes as rows of Q."""
    q = np.exp(logits.astype(np.float64) / temperature).T
    q /= q.sum()
    prototypes, rows = q.shape
    for _ in range(iterations):
        for k in range(prototypes):
            q[k] /= q[k].sum() * prototypes
        for b in range(rows):
            q[:, b] /= q[:, b].sum() * rows
    return np.asarray((q * rows).T)


@settings(max_examples=20, deadline=None)
@given(
    rows=st.integers(1, 9),
    prototypes=st.integers(2, 13),
    iterations=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_sinkhorn_is_the_published_algorithm(rows: int, prototypes: int, iterations: int, seed: int) -> None:
    logits = np.random.default_rng(seed).uniform(-1, 1, (rows, prototypes))
    targets = sinkhorn_knopp(torch.from_numpy(logits), 0.07, iterations).numpy()
    np.testing.assert_allclose(targets, reference_sinkhorn(logits, 0.07, iterations), rtol=2e-4, atol=1e-6)
    np.testing.assert_allclose(targets.sum(1), 1.0, rtol=1e-5)


def test_sinkhorn_uses_the_prototypes_evenly() -> None:
    """All rows prefer prototype 0; after enough rounds each prototype still gets its share."""
    logits = torch.rand(40, 5, generator=torch.Generator().manual_seed(0)) * 0.2
    logits[:, 0] += 0.5
    targets = sinkhorn_knopp(logits, 0.1, 60)
    torch.testing.assert_close(targets.sum(0), torch.full((5,), 8.0), rtol=1e-3, atol=1e-3)


def test_sinkhorn_stays_finite_at_extreme_logits() -> None:
    logits = torch.tensor([[1e3, -1e3, 0.0], [1e3, -1e3, 0.0]])
    assert torch.isfinite(sinkhorn_knopp(logits, 0.04)).all()


@pytest.mark.parametrize(("crops", "batch", "prototypes"), [(2, 3, 7), (5, 1, 4), (10, 3, 11)])
def test_dino_is_the_mean_over_pairs_of_different_crops(crops: int, batch: int, prototypes: int) -> None:
    rng = np.random.default_rng(0)
    student, teacher = (
        rng.normal(size=(crops, batch, prototypes)),
        softmax(rng.normal(size=(2, batch, prototypes))),
    )
    pairs = []
    for s in range(crops):
        for t in range(2):
            if s != t:
                log_probs = np.log(softmax(student[s] / 0.1))
                pairs.append(np.mean([-(teacher[t, b] * log_probs[b]).sum() for b in range(batch)]))
    loss = dino_loss(torch.from_numpy(student), torch.from_numpy(teacher), 0.1)
    assert float(loss) == pytest.approx(np.mean(pairs), rel=1e-5)


def test_ibot_is_the_mean_over_a_crops_patches_then_over_all_crops() -> None:
    """Crop 0 hides three patches, crop 1 one, crop 2 none."""
    rng = np.random.default_rng(1)
    student, teacher = rng.normal(size=(4, 5)), softmax(rng.normal(size=(4, 5)))
    per_patch = -(teacher * np.log(softmax(student / 0.1))).sum(-1)
    expected = (per_patch[:3].mean() + per_patch[3] + 0.0) / 3
    weights = torch.tensor([1 / 3, 1 / 3, 1 / 3, 1.0])
    loss = ibot_loss(torch.from_numpy(student), torch.from_numpy(teacher), weights, 3, 0.1)
    assert float(loss) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("rows", "width"), [(2, 3), (5, 4), (9, 17)])
def test_koleo_is_the_log_distance_to_the_nearest_neighbour(rows: int, width: int) -> None:
    features = np.random.default_rng(2).normal(size=(rows, width))
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    nearest = [min(np.linalg.norm(unit[i] - unit[j]) for j in range(rows) if j != i) for i in range(rows)]
    assert float(koleo_loss(torch.from_numpy(features))) == pytest.approx(-np.mean(np.log(nearest)), rel=1e-5)


def test_koleo_survives_duplicates_and_single_rows() -> None:
    features = torch.ones(3, 4, requires_grad=True)
    loss = koleo_loss(features)
    loss.backward()
    assert loss.item() == pytest.approx(-0.5 * math.log(1e-8), rel=1e-3)
    assert features.grad is not None
    assert torch.isfinite(features.grad).all()
    assert float(koleo_loss(torch.ones(1, 4))) == 0.0


def test_koleo_spreads_features_that_descend_it() -> None:
    generator = torch.Generator().manual_seed(3)
    features = (torch.ones(6, 3) + 0.05 * torch.randn(6, 3, generator=generator)).requires_grad_()
    before = koleo_loss(features).item()
    for _ in range(50):
        (gradient,) = torch.autograd.grad(koleo_loss(features), features)
        features = (features - 0.02 * gradient).detach().requires_grad_()
    assert koleo_loss(features).item() < before - 0.5


def test_gradients_are_those_of_finite_differences() -> None:
    """In float32 with small inputs, because the losses compute in float32 whatever they are given."""
    rng = np.random.default_rng(4)
    teacher = torch.from_numpy(softmax(rng.normal(size=(2, 3, 5))))
    weights = torch.tensor([0.5, 0.5, 1.0])
    cases = {
        "dino": (lambda x: dino_loss(x.view(4, 3, 5), teacher, 0.5), rng.normal(size=60)),
        "ibot": (lambda x: ibot_loss(x.view(3, 5), teacher[0], weights, 2, 0.5), rng.normal(size=15)),
        "koleo": (lambda x: koleo_loss(x.view(5, 3)), rng.normal(size=15)),
    }
    for name, (function, start) in cases.items():
        x = torch.from_numpy(start).requires_grad_()
        (gradient,) = torch.autograd.grad(function(x), x)
        for index in range(0, len(start), 4):
            shift = torch.zeros_like(x)
            shift[index] = 5e-3
            numeric = (function(x + shift) - function(x - shift)).item() / 1e-2
            assert float(gradient[index]) == pytest.approx(numeric, abs=2e-3), name


def test_koleo_gradcheck_in_float64() -> None:
    features = torch.randn(5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    assert torch.autograd.gradcheck(koleo_loss, (features.requires_grad_(),))


@pytest.mark.parametrize(("crops", "patches", "width"), [(1, 1, 3), (3, 7, 5), (2, 16, 4)])
def test_gram_is_the_mean_squared_difference_of_cosines(crops: int, patches: int, width: int) -> None:
    rng = np.random.default_rng(6)
    student, teacher = rng.normal(size=(2, crops, patches, width))
    differences = []
    for crop in range(crops):
        for i in range(patches):
            for j in range(patches):
                cosines = [
                    x[crop, i] @ x[crop, j] / np.linalg.norm(x[crop, i]) / np.linalg.norm(x[crop, j])
                    for x in (student, teacher)
                ]
                differences.append((cosines[0] - cosines[1]) ** 2)
    loss = gram_loss(torch.from_numpy(student), torch.from_numpy(teacher))
    assert float(loss) == pytest.approx(np.mean(differences), rel=1e-10)


def test_gram_gradcheck_in_float64_and_under_autocast() -> None:
    generator = torch.Generator().manual_seed(7)
    student, teacher = torch.randn(2, 2, 3, 4, dtype=torch.float64, generator=generator)
    assert torch.autograd.gradcheck(lambda x: gram_loss(x, teacher), (student.requires_grad_(),))
    with torch.autocast("cpu", torch.bfloat16):
        single = gram_loss(student.detach().float(), teacher.float())
    assert float(single) == pytest.approx(float(gram_loss(student.detach(), teacher)), rel=1e-5)
