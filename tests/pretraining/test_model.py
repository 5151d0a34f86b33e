"""Heads, teacher and optimiser."""

import pytest
import torch

from braindino.pretraining.model import ProjectionHead, StudentTeacher
from braindino.pretraining.optimiser import apply_schedule, build_optimiser, clip, rate_factor
from braindino.pretraining.schedules import Values
from tests.pretraining.helpers import tiny_config


def model() -> StudentTeacher:
    torch.manual_seed(0)
    return StudentTeacher(tiny_config())


def values(frozen: bool = False) -> Values:
    return Values(
        learning_rate=0.1,
        weight_decay=0.3,
        momentum=0.9,
        teacher_temperature=0.05,
        last_layer_frozen=frozen,
        gram_weight=0.0,
        local_weight=1.0,
    )


def test_logits_are_cosines_whatever_the_length_of_prototypes() -> None:
    head = ProjectionHead(16, tiny_config().dino.head)
    tokens = torch.randn(5, 16)
    logits = head(tokens)
    assert logits.shape == (5, 32)
    assert logits.abs().max() <= 1 + 1e-5
    with torch.no_grad():
        head.prototypes.mul_(torch.rand(32, 1) * 9 + 1)
    torch.testing.assert_close(head(tokens), logits)
    torch.testing.assert_close(head.project(tokens).norm(dim=-1), torch.ones(5))


def test_the_teacher_starts_equal_and_learns_nothing_itself() -> None:
    pair = model()
    for student, teacher in zip(pair.student.parameters(), pair.teacher.parameters(), strict=True):
        assert torch.equal(student, teacher)
        assert not teacher.requires_grad


def test_the_teacher_is_a_moving_average_of_the_student() -> None:
    pair = model()
    with torch.no_grad():
        for parameter in pair.student.parameters():
            parameter.add_(1.0)
    before = [parameter.clone() for parameter in pair.teacher.parameters()]
    pair.follow(0.75, torch.tensor(1.0))
    for old, new in zip(before, pair.teacher.parameters(), strict=True):
        torch.testing.assert_close(new, old + 0.25)
    pair.follow(0.5, torch.tensor(0.0))  # a skipped step
    for old, new in zip(before, pair.teacher.parameters(), strict=True):
        torch.testing.assert_close(new, old + 0.25)


def test_the_queue_keeps_the_newest_rows() -> None:
    pair = model()  # a queue of 24
    for step in range(4):
        pair.remember(torch.full((10, 8), float(step)), torch.tensor(1.0))
        assert pair.queue_filled.sum() == min(10 * (step + 1), 24)
    pair.remember(torch.full((10, 8), torch.nan), torch.tensor(0.0))  # of a skipped step
    assert pair.queue[:, 0].tolist() == [3.0] * 10 + [2.0] * 10 + [1.0] * 4


def test_lower_layers_learn_more_slowly() -> None:
    config = tiny_config(optimiser={"layer_decay": 0.5, "patch_embed_factor": 0.2})  # two blocks
    assert rate_factor("dino_head.mlp.0.weight", config) == 1.0
    assert rate_factor("backbone.norm.weight", config) == 1.0
    assert rate_factor("backbone.blocks.1.attn.proj.weight", config) == 0.5
    assert rate_factor("backbone.blocks.0.attn.proj.weight", config) == 0.25
    assert rate_factor("backbone.cls_token", config) == 0.125
    assert rate_factor("mask_token", config) == 0.125
    assert rate_factor("backbone.patch_embed.proj.weight", config) == pytest.approx(0.025)


def test_every_parameter_is_optimised_once_and_only_matrices_decay() -> None:
    pair = model()
    optimiser = build_optimiser(pair.student, tiny_config())
    members = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    assert len(members) == len({id(p) for p in members}) == len(list(pair.student.parameters()))
    apply_schedule(optimiser, values())
    names = {id(parameter): name for name, parameter in pair.student.named_parameters()}
    for group in optimiser.param_groups:
        for parameter in group["params"]:
            name = names[id(parameter)]
            vector = parameter.ndim < 2 or "token" in name
            assert group["weight_decay"] == (0.0 if vector else 0.3), name


def test_frozen_prototypes_do_not_move() -> None:
    pair = model()
    optimiser = build_optimiser(pair.student, tiny_config())
    for frozen in (True, False):
        before = pair.student.dino_head.prototypes.detach().clone()
        other = pair.student.dino_head.mlp[0].weight.detach().clone()
        pair.student.dino_head(torch.randn(4, 16)).square().sum().backward()
        apply_schedule(optimiser, values(frozen))
        optimiser.step()
        assert torch.equal(pair.student.dino_head.prototypes, before) is frozen
        assert not torch.equal(pair.student.dino_head.mlp[0].weight, other)


def test_each_part_is_clipped_by_itself_and_the_norm_shows_infinities() -> None:
    pair = model()
    for index, part in enumerate(pair.student.parts()):
        for parameter in part:
            parameter.grad = torch.full_like(parameter, 10.0 if index == 0 else 1e-4)
    small = pair.student.parts()[1][0].grad.clone()  # type: ignore[union-attr]
    assert float(clip(pair.student.parts(), 3.0)) > 3
    backbone = torch.cat([p.grad.flatten() for p in pair.student.parts()[0] if p.grad is not None])
    assert float(backbone.norm()) == pytest.approx(3.0, rel=1e-3)
    assert torch.equal(pair.student.parts()[1][0].grad, small)
    pair.student.dino_head.prototypes.grad[0, 0] = torch.inf  # type: ignore[index]
    assert not torch.isfinite(clip(pair.student.parts(), 3.0))
