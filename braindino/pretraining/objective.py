"""One forward pass of teacher and student over a batch of crops, and its losses."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from braindino.encoders.network import TokenNetwork
from braindino.pretraining.compiling import maybe_compiled
from braindino.pretraining.config import PretrainConfig
from braindino.pretraining.losses import (
    Balance,
    balanced_targets,
    dino_loss,
    gram_loss,
    ibot_loss,
    koleo_loss,
    sinkhorn_balance,
)
from braindino.pretraining.model import Learner, StudentTeacher
from braindino.pretraining.schedules import Values
from braindino.pretraining.team import Team


@dataclass(frozen=True)
class Crops:
    """Crops of b slices on the device: a process's part of a step, or a part of that."""

    globals_: Tensor
    """float32 [2, b, 1, G, G]"""
    locals_: Tensor
    """float32 [L, b, 1, S, S]"""
    masks: Tensor
    """bool [2, b, N], the patches of the global crops that the student does not see."""
    masked: Tensor
    """int64 [M], flat indices of the masked patches."""
    mask_weights: Tensor
    """float32 [M], 1 over the number of masked patches in each one's crop."""
    kept: Tensor | None
    """float32 [2 + L, b, depth, 2], stochastic depth of the student; None where there is none."""
    undistorted: Tensor | None = None
    """float32 [2, b, 1, rG, rG], the global crops as the Gram teacher sees them; None where there is none."""


@dataclass(frozen=True)
class Targets:
    """The teacher's side of a step, for each part of the batch; scales are of the whole batch."""

    dino: Balance
    ibot: Balance
    cls: list[Tensor]
    """[2b, D]"""
    projected: list[Tensor]
    """[2b, bottleneck] of the CLS tokens: what the queue remembers."""
    patches: list[Tensor]
    """[M, bottleneck] of the masked patches."""


@dataclass(frozen=True)
class Outcome:
    """The loss to minimise, its terms, and what the monitor looks at (all but `loss` detached)."""

    loss: Tensor
    terms: dict[str, Tensor]
    """Scalars by name: dino, ibot, koleo, gram."""
    teacher_cls: Tensor
    """[2b, D], float32"""
    teacher_probs: Tensor
    """[2b, K]"""
    student_logits: Tensor
    """[2b, K], of the global crops"""


class StudentPass(nn.Module):
    """The student's forward pass over one part of a batch: what is called, and wrapped, as one module."""

    def __init__(self, student: Learner) -> None:
        super().__init__()
        self.student = student

    def forward(self, crops: Crops) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """CLS tokens [2b, D] and patch tokens [2b, N, D] of the global crops, logits [(2 + L) b, K] of all crops' CLS
        tokens, and logits [M, K] of the masked patches.

        Global crops go through the network in one pass and local crops in another; each head is called once.
        """
        student = self.student
        kept = None if crops.kept is None else crops.kept.permute(2, 3, 0, 1)  # [depth, 2, crops, b]
        masks = crops.masks.flatten(0, 1)
        cls, patches = student.forward_tokens(crops.globals_.flatten(0, 1), masks, _crops(kept, slice(2)))
        every_cls = cls
        if len(crops.locals_):
            local_cls, _ = student.forward_tokens(crops.locals_.flatten(0, 1), None, _crops(kept, slice(2, None)))
            every_cls = torch.cat([cls, local_cls])
        patch_logits = student.ibot_head(patches.flatten(0, 1)[crops.masked])
        return cls, patches, student.dino_head(every_cls), patch_logits


@torch.no_grad()
def teacher_targets(
    model: StudentTeacher, parts: Sequence[Crops], config: PretrainConfig, temperature: float, team: Team
) -> Targets:
    """What the teacher makes of the unmasked global crops, its prototypes balanced over all parts of all processes.

    The queue's features take part in the balance of the CLS tokens' prototypes.
    """
    teacher, every_cls, projected, patches = model.teacher, [], [], []
    with _autocast(config, team):
        for crops in parts:
            cls, tokens = teacher.forward_tokens(crops.globals_.flatten(0, 1))
            every_cls.append(cls.float())
            projected.append(teacher.dino_head.project(cls).float())
            patches.append(teacher.ibot_head.project(tokens.flatten(0, 1)[crops.masked]).float())

    def logits_of(head: nn.Module, rows: Tensor) -> Tensor:
        with _autocast(config, team):
            logits: Tensor = head.logits(rows)  # type: ignore[operator]
            return logits

    iterations = config.dino.sinkhorn_iterations
    rows = torch.cat([*projected, model.queue])
    # Every process holds the same queue: its rows share their mass.
    weights = torch.cat([rows.new_ones(len(rows) - len(model.queue)), model.queue_filled / team.size])
    dino_head, ibot_head = teacher.dino_head, teacher.ibot_head
    return Targets(
        dino=sinkhorn_balance(
            rows, lambda r: logits_of(dino_head, r), temperature, iterations, weights, team, config.run.compile
        ),
        ibot=sinkhorn_balance(
            torch.cat(patches),
            lambda r: logits_of(ibot_head, r),
            temperature,
            iterations,
            None,
            team,
            config.run.compile,
        ),
        cls=every_cls,
        projected=projected,
        patches=patches,
    )


def student_loss(
    student_pass: nn.Module,
    model: StudentTeacher,
    crops: Crops,
    targets: Targets,
    part: int,
    config: PretrainConfig,
    values: Values,
    team: Team,
) -> Outcome:
    """The loss of one part: DINO over all pairs of crops, iBOT over masked patches, KoLeo on CLS of each global crop,
    Gram over all patches of the global crops where there are undistorted ones.
    """
    batch = crops.globals_.shape[1]
    with _autocast(config, team):
        cls, patches, logits, patch_logits = student_pass(crops)
        with torch.no_grad():
            teacher_probs = targets.dino.targets(model.teacher.dino_head.logits(targets.projected[part]))
            teacher_patch_logits = model.teacher.ibot_head.logits(targets.patches[part])
    temperature = config.dino.student_temperature
    by_crop = logits.view(-1, batch, logits.shape[-1])
    terms = {
        "dino": maybe_compiled(dino_loss, config.run.compile)(
            by_crop, teacher_probs.view(2, batch, -1), temperature, values.local_weight
        ),
        "ibot": maybe_compiled(_ibot_term, config.run.compile)(
            patch_logits,
            teacher_patch_logits,
            targets.ibot.temperature,
            targets.ibot.log_scales,
            crops.mask_weights,
            temperature,
        )
        / (2 * batch),
        "koleo": koleo_loss(cls[:batch], team) + koleo_loss(cls[batch:], team),
        "gram": cls.new_zeros((), dtype=torch.float32),
    }
    if model.gram_teacher is not None and crops.undistorted is not None:
        side = _side(model.gram_teacher, crops.globals_)
        with _autocast(config, team):
            anchored = gram_targets(model.gram_teacher, crops.undistorted.flatten(0, 1), side)
        terms["gram"] = gram_loss(patches, anchored)
    weights = (config.dino.weight, config.ibot.weight, config.koleo_weight, values.gram_weight)
    loss = torch.stack([weight * term for weight, term in zip(weights, terms.values(), strict=True)]).sum()
    return Outcome(
        loss=loss,
        terms={name: term.detach() for name, term in terms.items()},
        teacher_cls=targets.cls[part],
        teacher_probs=teacher_probs,
        student_logits=logits[: 2 * batch].detach(),
    )


def _ibot_term(
    student_logits: Tensor,
    teacher_logits: Tensor,
    teacher_temperature: Tensor,
    log_scales: Tensor,
    weights: Tensor,
    temperature: float,
) -> Tensor:
    """`ibot_loss` from both sides' logits, not divided by the crops: as one function it needs no matrix of targets."""
    targets = balanced_targets(teacher_logits, teacher_temperature, log_scales)
    return ibot_loss(student_logits, targets, weights, 1, temperature)


@torch.no_grad()
def gram_targets(gram_teacher: TokenNetwork, undistorted: Tensor, side: tuple[int, int]) -> Tensor:
    """Patch tokens [2b, N, D] of the Gram teacher, seen at a higher resolution and brought down to the `side` (rows,
    columns) of the student's grid by a bicubic filter (DINOv3, section 4.3).
    """
    _, patches = gram_teacher.forward_tokens(undistorted)
    grid = patches.float().transpose(1, 2).reshape(len(patches), -1, *_side(gram_teacher, undistorted))
    if grid.shape[-2:] != side:
        grid = functional.interpolate(grid, side, mode="bicubic", align_corners=False, antialias=True)
    return grid.flatten(2).transpose(1, 2)


def _crops(kept: Tensor | None, chosen: slice) -> Tensor | None:
    return None if kept is None else kept[:, :, chosen].flatten(2)


def _side(network: TokenNetwork, images: Tensor) -> tuple[int, int]:
    patch = network.config.patch_size
    return images.shape[-2] // patch, images.shape[-1] // patch


def _autocast(config: PretrainConfig, team: Team) -> torch.autocast:
    return torch.autocast(team.device.type, torch.bfloat16, enabled=config.run.precision == "bfloat16")
