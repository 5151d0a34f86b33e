"""One forward pass of student and teacher over a batch of crops, and its three losses."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from braindino.encoders.network import TokenNetwork
from braindino.pretraining.config import PretrainConfig
from braindino.pretraining.losses import dino_loss, gram_loss, ibot_loss, koleo_loss, sinkhorn_knopp
from braindino.pretraining.model import StudentTeacher


@dataclass(frozen=True)
class Crops:
    """A batch of crops on the device, crop-major: `globals_` [2B, 1, G, G], `locals_` [L B, 1, S, S].

    `masks` is bool [2B, N]: the patches of the global crops that the student does not see. `undistorted` are the
    global crops as the Gram teacher sees them, [2B, 1, rG, rG]; None where there is none.
    """

    globals_: Tensor
    locals_: Tensor
    masks: Tensor
    undistorted: Tensor | None = None


@dataclass(frozen=True)
class Outcome:
    """The loss to minimise, its terms, and what the monitor looks at (all but `loss` detached)."""

    loss: Tensor
    dino: Tensor
    ibot: Tensor
    koleo: Tensor
    gram: Tensor
    teacher_cls: Tensor
    """[2B, D], float32"""
    teacher_probs: Tensor
    """[2B, K]"""
    student_logits: Tensor
    """[2B, K], of the global crops"""
    teacher_projected: Tensor
    """[2B, bottleneck]: what the queue remembers"""


@dataclass(frozen=True)
class Targets:
    """The teacher's side of a step."""

    dino: Tensor
    ibot: Tensor
    cls: Tensor
    projected: Tensor


@torch.no_grad()
def teacher_targets(
    model: StudentTeacher, crops: Crops, masked: Tensor, temperature: float, iterations: int
) -> Targets:
    """Sinkhorn targets from the unmasked global crops: `dino` [2B, K] of CLS, `ibot` [M, K] of the masked
    patches.

    `masked` [M] are flat indices of masked patches. The queue's features take part in the CLS assignment, and
    only the batch's rows are kept.
    """
    teacher = model.teacher
    cls, patches = teacher.forward_tokens(crops.globals_)
    projected = teacher.dino_head.project(cls)
    queue = model.queue.to(projected.device, projected.dtype)
    logits = teacher.dino_head.logits(torch.cat([projected, queue]))
    dino = sinkhorn_knopp(logits, temperature, iterations)[: len(cls)]
    tokens = patches.flatten(0, 1)[masked]
    ibot = sinkhorn_knopp(teacher.ibot_head(tokens), temperature, iterations) if len(masked) else tokens
    return Targets(dino, ibot, cls.float(), projected)


@torch.no_grad()
def gram_targets(gram_teacher: TokenNetwork, undistorted: Tensor, side: tuple[int, int]) -> Tensor:
    """Patch tokens [2B, N, D] of the Gram teacher, seen at a higher resolution and brought down to the `side` (rows,
    columns) of the student's grid by a bicubic filter (DINOv3, section 4.3).
    """
    _, patches = gram_teacher.forward_tokens(undistorted)
    patch = gram_teacher.config.patch_size
    rows, columns = undistorted.shape[-2] // patch, undistorted.shape[-1] // patch
    grid = patches.float().transpose(1, 2).reshape(len(patches), -1, rows, columns)
    if (rows, columns) != side:
        grid = functional.interpolate(grid, side, mode="bicubic", align_corners=False, antialias=True)
    return grid.flatten(2).transpose(1, 2)


def evaluate(
    model: StudentTeacher, crops: Crops, config: PretrainConfig, teacher_temperature: float, gram_weight: float = 0.0
) -> Outcome:
    """The step's loss: DINO over all pairs of crops, iBOT over masked patches, KoLeo on CLS of each global
    crop, Gram over all patches of the global crops where there are undistorted ones.

    Global crops go through the student in one pass and local crops in another; each head is called once.
    """
    count = crops.globals_.shape[0]
    batch = count // 2
    masked = torch.nonzero(crops.masks.flatten()).squeeze(1)
    targets = teacher_targets(model, crops, masked, teacher_temperature, config.dino.sinkhorn_iterations)
    student = model.student
    cls, patches = student.forward_tokens(crops.globals_, crops.masks)
    every_cls = torch.cat([cls, student.forward_tokens(crops.locals_)[0]]) if len(crops.locals_) else cls
    logits = student.dino_head(every_cls)
    temperature = config.dino.student_temperature
    dino = dino_loss(logits.view(-1, batch, logits.shape[-1]), targets.dino.view(2, batch, -1), temperature)
    koleo = koleo_loss(cls[:batch]) + koleo_loss(cls[batch:])
    if len(masked):
        per_crop = crops.masks.sum(1, keepdim=True).clamp_min(1)
        weights = (1.0 / per_crop).expand_as(crops.masks)[crops.masks]
        patch_logits = student.ibot_head(patches.flatten(0, 1)[masked])
        ibot = ibot_loss(patch_logits, targets.ibot, weights, count, temperature)
    else:
        ibot = torch.zeros((), device=cls.device)
    gram = torch.zeros((), device=cls.device)
    if model.gram_teacher is not None and crops.undistorted is not None:
        patch = student.config.patch_size
        side = (crops.globals_.shape[-2] // patch, crops.globals_.shape[-1] // patch)
        gram = gram_loss(patches, gram_targets(model.gram_teacher, crops.undistorted, side))
    loss = config.dino.weight * dino + config.ibot.weight * ibot + config.koleo_weight * koleo + gram_weight * gram
    return Outcome(
        loss=loss,
        dino=dino.detach(),
        ibot=ibot.detach(),
        koleo=koleo.detach(),
        gram=gram.detach(),
        teacher_cls=targets.cls,
        teacher_probs=targets.dino,
        student_logits=logits[:count].detach(),
        teacher_projected=targets.projected,
    )
