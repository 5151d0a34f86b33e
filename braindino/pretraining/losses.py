"""The losses of DINOv3's two stages, as pure functions in float32."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor
from torch.nn import functional

from braindino.pretraining.compiling import maybe_compiled
from braindino.pretraining.team import Team

ALONE = Team(torch.device("cpu"))

P = ParamSpec("P")
R = TypeVar("R")


def _in_full_precision(function: Callable[P, R]) -> Callable[P, R]:
    """Autocast would turn the products of a loss into half precision: it ends at the door of every one of them."""

    @wraps(function)
    def guarded(*arguments: P.args, **named: P.kwargs) -> R:
        tensor = arguments[0]
        assert isinstance(tensor, Tensor)
        with torch.autocast(tensor.device.type, enabled=False):
            return function(*arguments, **named)

    return guarded


LOGITS_AT_ONCE = 2**30
"""Logits that are held at once (4 GB in float32): those of more rows are made anew in every iteration."""


@dataclass(frozen=True)
class Balance:
    """What Sinkhorn-Knopp found: how much each prototype's column is scaled, so that all are used about evenly."""

    temperature: Tensor
    """float32 scalar"""
    log_scales: Tensor
    """float32 [prototypes]"""

    def targets(self, logits: Tensor) -> Tensor:
        """Teacher targets float32 [rows, prototypes] for logits of the rows that were balanced; each sums to 1."""
        return balanced_targets(logits, self.temperature, self.log_scales)


def balanced_targets(logits: Tensor, temperature: Tensor, log_scales: Tensor) -> Tensor:
    """Teacher targets float32 [rows, prototypes]: the last normalisation of Sinkhorn-Knopp, over each row."""
    return torch.softmax(logits.float() / temperature + log_scales, dim=-1)


@torch.no_grad()
@_in_full_precision
def sinkhorn_balance(
    rows: Tensor,
    logits_of: Callable[[Tensor], Tensor],
    temperature: float,
    iterations: int = 3,
    weights: Tensor | None = None,
    team: Team = ALONE,
    compiled: bool = False,
) -> Balance:
    """Balance the prototypes over all rows of all processes.

    Caron et al. (2020), SwAV, section 3.1: Q = exp(logits / temperature) is normalised in turn over prototypes (each
    gets 1/K of the mass) and over rows (each has mass 1/B), `iterations` times, rows last. Only the two scaling
    vectors change, so Q itself is never written again: diag(u) Q diag(v). `rows` [R, ...] are given to `logits_of`, in
    parts where there are many; `weights` float32 [R] are 1, or 0 for rows that do not count.
    """
    weights = rows.new_ones(len(rows), dtype=torch.float32) if weights is None else weights
    exponentials = maybe_compiled(_exponentials, compiled)
    heat = torch.full((), temperature, device=rows.device)
    prototypes = logits_of(rows[:1]).shape[-1]
    at_once = max(1, LOGITS_AT_ONCE // prototypes)
    parts, weights_of = torch.split(rows, at_once), torch.split(weights, at_once)
    held = [logits_of(parts[0])] if len(parts) == 1 else None
    lowest = torch.full((), torch.finfo(torch.float32).min, device=rows.device)
    tops = [part.max().float() if len(part) else lowest for part in (held or map(logits_of, parts))]
    shift = team.max(torch.stack(tops).max()) / heat
    if held is not None:
        held = [exponentials(held[0], heat, shift)]

    def masses() -> Iterable[Tensor]:
        return held or (exponentials(logits_of(part), heat, shift) for part in parts)

    count = team.sum(weights.sum())
    tiny = torch.finfo(torch.float32).tiny
    row_scales = list(weights_of)
    for iteration in range(iterations):
        used = team.sum(torch.stack([u @ q for u, q in zip(row_scales, masses(), strict=True)]).sum(0))
        column_scales = 1.0 / (used * prototypes).clamp_min(tiny)
        if iteration + 1 < iterations:
            row_scales = [
                w / ((q @ column_scales) * count).clamp_min(tiny) for w, q in zip(weights_of, masses(), strict=True)
            ]
    return Balance(heat, column_scales.log())


def _exponentials(logits: Tensor, temperature: Tensor, shift: Tensor) -> Tensor:
    return torch.exp(logits.float() / temperature - shift)


def sinkhorn_knopp(logits: Tensor, temperature: float, iterations: int = 3) -> Tensor:
    """Teacher targets float32 [rows, prototypes] of logits of the same shape, in one call; see `sinkhorn_balance`."""
    return sinkhorn_balance(logits, lambda part: part, temperature, iterations).targets(logits)


@_in_full_precision
def dino_loss(student_logits: Tensor, teacher_probs: Tensor, temperature: float, local_weight: float = 1.0) -> Tensor:
    """Mean cross-entropy over all pairs of a student crop and a teacher crop of the same slice, but not the
    same crop.

    `student_logits` [S, B, K]: crops x batch x prototypes, the T global crops first; `teacher_probs` [T, B,
    K]. Pair (t, t) is left out; pairs with a local crop count `local_weight` times. Caron et al. (2021), DINO,
    equation 3.
    """
    log_probs = functional.log_softmax(student_logits.float() / temperature, dim=-1)
    teacher_probs = teacher_probs.float()
    crops, batch, _ = log_probs.shape
    targets = teacher_probs.shape[0]
    # A student crop meets the sum of its targets: one pass over the prototypes for each crop, whatever their number.
    every = teacher_probs.sum(0)
    own = sum((log_probs[crop] * (every - teacher_probs[crop])).sum() for crop in range(targets))
    local = (log_probs[targets:] * every).sum()
    return -(own + local_weight * local) / (batch * (crops * targets - min(crops, targets)))


@_in_full_precision
def ibot_loss(student_logits: Tensor, teacher_probs: Tensor, weights: Tensor, crops: int, temperature: float) -> Tensor:
    """Cross-entropy of the masked patches: the mean within each crop, averaged over all `crops`, masked or
    not.

    `student_logits` and `teacher_probs` [M, K] for the M masked patches of a batch; `weights` [M] is 1 over
    the number of masked patches of the patch's crop. Zhou et al. (2022), iBOT, equation 2, with DINOv2's
    weighting. Zero when nothing is masked.
    """
    log_probs = functional.log_softmax(student_logits.float() / temperature, dim=-1)
    per_patch = -(teacher_probs.float() * log_probs).sum(-1)
    return (per_patch * weights).sum() / crops


@_in_full_precision
def koleo_loss(features: Tensor, team: Team = ALONE, epsilon: float = 1e-8) -> Tensor:
    """-mean log distance of each L2-normalised row of [B, D] to its nearest neighbour: it spreads features.

    Neighbours are looked for in the rows of all processes. Sablayrolles et al. (2019), equation 2. `epsilon` is added
    to the squared distance, so that duplicates give a large finite loss and a zero gradient instead of infinities.
    A single row gives zero.
    """
    normalised = functional.normalize(features if features.dtype == torch.float64 else features.float(), dim=-1)
    everyone = team.gather(normalised)
    if len(everyone) < 2:
        return features.sum() * 0.0
    with torch.no_grad():
        similarity = normalised @ everyone.T
        own = torch.arange(len(normalised), device=features.device)
        similarity[own, own + team.rank * len(normalised)] = -2.0
        nearest = similarity.argmax(1)
    squared = (normalised - everyone[nearest]).square().sum(-1)
    return -0.5 * torch.log(squared + epsilon).mean()


@_in_full_precision
def gram_loss(student_patches: Tensor, teacher_patches: Tensor) -> Tensor:
    """Mean squared difference of the patches' cosine similarities within each crop: it anchors local features.

    Both are [n, N, D], patch tokens of the same n crops. Simeoni et al. (2025), DINOv3, section 4.2, equation 2,
    as a mean over the N x N pairs.
    """
    student, teacher = (_gram(patches) for patches in (student_patches, teacher_patches))
    return functional.mse_loss(student, teacher)


def _gram(patches: Tensor) -> Tensor:
    unit = functional.normalize(patches if patches.dtype == torch.float64 else patches.float(), dim=-1)
    return unit @ unit.transpose(-1, -2)
