"""Is it learning or collapsing? Pure functions of one batch's outputs."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from braindino.pretraining.objective import Outcome


def effective_rank(features: Tensor) -> float:
    """exp of the entropy of the normalised singular values of centred features [n, D]: 1 (a line) to min(n -
    1, D).

    Roy and Vetterli (2007). A collapsing encoder shows it first.
    """
    centred = features.double() - features.double().mean(0)
    if not torch.isfinite(centred).all():
        return 1.0
    values = torch.linalg.svdvals(centred)
    total = values.sum()
    if total <= 1e-12:
        return 1.0
    shares = values / total
    return float(torch.exp(-torch.xlogy(shares, shares).sum()))


def target_entropy(probs: Tensor) -> float:
    """Mean entropy of the targets [n, K] over log K: 0 sharp, 1 uniform (the teacher says nothing)."""
    probs = probs.float()
    return float(-torch.xlogy(probs, probs).sum(-1).mean() / math.log(max(probs.shape[-1], 2)))


def prototypes_in_use(probs: Tensor) -> float:
    """exp of the entropy of the mean target over K: the share of prototypes that a batch [n, K] uses, 0 to
    1.
    """
    mean = probs.float().mean(0)
    return float(torch.exp(-torch.xlogy(mean, mean).sum()) / probs.shape[-1])


def agreement(student_logits: Tensor, teacher_probs: Tensor) -> float:
    """Share of crops [n, K] whose most likely prototype is the same for the student and the teacher."""
    return float((student_logits.argmax(-1) == teacher_probs.argmax(-1)).float().mean())


@torch.no_grad()
def figures(outcome: Outcome) -> dict[str, float]:
    """All of this file's figures of one step's outcome, by name."""
    return {
        "effective_rank": effective_rank(outcome.teacher_cls),
        "target_entropy": target_entropy(outcome.teacher_probs),
        "prototypes_in_use": prototypes_in_use(outcome.teacher_probs),
        "agreement": agreement(outcome.student_logits, outcome.teacher_probs),
    }


def skips(metrics: Mapping[str, float]) -> tuple[str, ...]:
    """How many steps of a log record changed nothing, in a sentence; empty when all were taken."""
    skipped = round(metrics.get("skipped_steps", 0.0))
    return (f"{skipped} steps were skipped: their loss or gradients were not finite.",) if skipped else ()


LOSSES = ("loss_dino", "loss_ibot")
DIVERGED = 1.1
"""A loss so many times that of the first steps."""


def signs_of_trouble(metrics: Mapping[str, float], first_losses: Mapping[str, float]) -> tuple[str, ...]:
    """Signs of a collapse or a divergence in a log record's metrics, in sentences; empty when all is well.

    `first_losses` are those of the first log record, by name. Not to be asked while the learning rate warms up: then
    features are those of random weights.
    """
    signs = []
    if metrics.get("effective_rank", math.inf) < 2:
        signs.append("effective_rank is under 2: features of all slices lie on a line, the encoder has collapsed.")
    if metrics.get("target_entropy", 0.0) > 0.98:
        signs.append(
            "target_entropy is over 0.98: the teacher's targets are uniform; use fewer prototypes, a larger "
            "batch or a larger dino.queue."
        )
    for name, loss in first_losses.items():
        if metrics.get(name, 0.0) > DIVERGED * loss:
            signs.append(f"{name} is over {DIVERGED} times what it was at first: the training diverges.")
    return tuple(signs)
