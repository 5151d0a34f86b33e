"""Where a training begins if not at random weights: this project's checkpoints and other people's weights."""

from pathlib import Path
from typing import Any

import torch
from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from timm.models.eva import checkpoint_filter_fn
from torch import Tensor

from braindino.encoders.weights import EXPORT_FORMAT, TRAINING_FORMAT, fill, foreign_tensors, prefixed, read_tensors
from braindino.errors import CheckpointError
from braindino.pretraining.config import StartConfig
from braindino.pretraining.model import Learner, StudentTeacher

HEADS = ("dino_head", "ibot_head")


@torch.no_grad()
def start_from(model: StudentTeacher, start: StartConfig) -> str:
    """Fill student and teacher from a file; returns a sentence that says with what.

    Raises CheckpointError when the file is missing, damaged, or its backbone is of another network.
    """
    path = Path(start.weights).expanduser()
    content, metadata = read_tensors(path)
    if content.get("format") == TRAINING_FORMAT:
        fill(model.student, content["student"], path)
        fill(model.teacher, content["teacher"], path)
        return f"Started from {path.name}: student, teacher and heads of a checkpoint after {content['step']} steps."
    if metadata.get("format") == EXPORT_FORMAT:
        fill(model.student.backbone, content, path)
        taken: tuple[str, ...] = ()
    else:
        taken = _fill_from_others(model.student, path, start.imagenet_input)
    model.teacher.load_state_dict(model.student.state_dict())
    what = "with " + " and ".join(taken) if taken else "without heads, which begin at random weights"
    return f"Started from {path.name}: its backbone for student and teacher, {what}."


def _fill_from_others(student: Learner, path: Path, imagenet_input: bool) -> tuple[str, ...]:
    tensors = foreign_tensors(path)
    backbone = prefixed(tensors, "backbone.") or tensors
    mask_token = backbone.get("mask_token")
    converted: dict[str, Tensor] = checkpoint_filter_fn(backbone, student.backbone)
    weight = converted.get("patch_embed.proj.weight")
    if weight is not None and weight.ndim == 4 and weight.shape[1] == 3 and student.config.in_channels == 1:
        converted |= folded(weight, converted["patch_embed.proj.bias"], imagenet_input)
    fill(student.backbone, converted, path)
    if mask_token is not None and mask_token.numel() == student.mask_token.numel():
        student.mask_token.copy_(mask_token.flatten())
    return tuple(name for name in HEADS if _fill_head(getattr(student, name), _head(tensors, name), path))


def folded(weight: Tensor, bias: Tensor, imagenet_input: bool) -> dict[str, Tensor]:
    """A patch embedding of three channels as one of a grey channel that gives the same of the grey slice repeated.

    sum_c w_c (x - mean_c) / std_c = (sum_c w_c / std_c) x - sum_c w_c mean_c / std_c, whose second part goes into the
    bias. `weight` is [D, 3, p, p], `bias` [D].
    """
    mean, std = (
        torch.tensor(values if imagenet_input else neutral, dtype=weight.dtype).view(1, 3, 1, 1)
        for values, neutral in ((IMAGENET_DEFAULT_MEAN, (0.0,) * 3), (IMAGENET_DEFAULT_STD, (1.0,) * 3))
    )
    shift = (weight * mean / std).sum((1, 2, 3))
    return {
        "patch_embed.proj.weight": (weight / std).sum(1, keepdim=True),
        "patch_embed.proj.bias": bias - shift,
    }


def _head(tensors: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    """A head's tensors with our names; DINOv3's last layer is a plain one, DINOv2's has a direction apart."""
    found = prefixed(tensors, f"{name}.")
    renamed = {"last_layer.weight": "prototypes", "last_layer.weight_v": "prototypes"}
    return {renamed.get(key, key): tensor for key, tensor in found.items() if key != "last_layer.weight_g"}


def _fill_head(head: Any, state: dict[str, Tensor], path: Path) -> bool:
    try:
        fill(head, state, path)
    except CheckpointError:
        return False
    return True
