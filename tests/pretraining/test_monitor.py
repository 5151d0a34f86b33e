"""The figures that show a collapse."""

import math

import pytest
import torch

from braindino.pretraining import monitor


def test_effective_rank_counts_directions() -> None:
    generator = torch.Generator().manual_seed(0)
    line = torch.randn(50, 1, generator=generator) @ torch.randn(1, 8, generator=generator)
    assert monitor.effective_rank(line + 3.0) == pytest.approx(1.0, abs=1e-3)
    orthogonal = torch.linalg.qr(torch.randn(64, 9, generator=generator) - 0.0)[0][:, :4]
    orthogonal = orthogonal - orthogonal.mean(0)
    assert 3.9 < monitor.effective_rank(torch.linalg.qr(orthogonal)[0]) <= 4.0001
    assert monitor.effective_rank(torch.ones(5, 3)) == 1.0
    assert monitor.effective_rank(torch.full((5, 3), math.nan)) == 1.0


def test_target_entropy_runs_from_sharp_to_uniform() -> None:
    assert monitor.target_entropy(torch.eye(6)) == pytest.approx(0.0)
    assert monitor.target_entropy(torch.full((3, 6), 1 / 6)) == pytest.approx(1.0)


def test_prototypes_in_use() -> None:
    assert monitor.prototypes_in_use(torch.eye(6)) == pytest.approx(1.0)
    assert monitor.prototypes_in_use(torch.eye(6)[:3]) == pytest.approx(0.5)


def test_agreement_is_of_the_likeliest_prototype() -> None:
    teacher = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]])
    student = torch.tensor([[5.0, 1.0], [1.0, 0.0], [2.0, 1.0], [0.0, 1.0]])
    assert monitor.agreement(student, teacher) == 0.75


def test_signs_of_trouble_are_said_in_words() -> None:
    first = {"loss_dino": 4.0, "loss_ibot": 2.0}
    assert monitor.signs_of_trouble({"effective_rank": 20.0, "target_entropy": 0.6, "loss_dino": 4.1}, first) == ()
    sick = {"effective_rank": 1.2, "target_entropy": 0.999, "loss_dino": 3.0, "loss_ibot": 2.5}
    text = " ".join(monitor.signs_of_trouble(sick, first))
    for word in ("collapsed", "uniform", "loss_ibot is over 1.1 times"):
        assert word in text
    assert "loss_dino" not in text


def test_skipped_steps_are_said() -> None:
    assert monitor.skips({"skipped_steps": 0.0}) == ()
    assert monitor.skips({"skipped_steps": 3.0}) == ("3 steps were skipped: their loss or gradients were not finite.",)
