"""AdamW with a learning rate per layer, and what is changed at every step."""

import re
from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from braindino.pretraining.config import PretrainConfig
from braindino.pretraining.model import Learner
from braindino.pretraining.schedules import Values


def build_optimiser(student: Learner, config: PretrainConfig) -> torch.optim.AdamW:
    """AdamW over groups of parameters with equal factors; biases, norms and single vectors are not decayed.

    Each group carries `rate_factor` (layer decay, patch embedding), `decay_factor` (0 or 1) and `last_layer`.
    """
    members: dict[tuple[float, float, bool], list[nn.Parameter]] = defaultdict(list)
    for name, parameter in student.named_parameters():
        # Tokens are vectors, though timm keeps them as [1, n, D].
        decayed = parameter.ndim > 1 and not name.endswith(("cls_token", "reg_token", "mask_token"))
        key = (rate_factor(name, config), float(decayed), name.endswith("prototypes"))
        members[key].append(parameter)
    groups = [
        {"params": parameters, "rate_factor": rate, "decay_factor": decay, "last_layer": last}
        for (rate, decay, last), parameters in members.items()
    ]
    return torch.optim.AdamW(groups, lr=0.0, betas=config.optimiser.betas, weight_decay=0.0, fused=True)


def rate_factor(name: str, config: PretrainConfig) -> float:
    """The factor of a parameter's learning rate: layer_decay ^ (layers above it), embeddings lowest, heads
    1.
    """
    if "_head." in name:
        return 1.0
    depth = config.network.depth
    if block := re.search(r"blocks\.(\d+)\.", name):
        layer = int(block.group(1)) + 1
    else:
        layer = depth + 1 if ".norm." in name else 0
    factor = config.optimiser.layer_decay ** (depth + 1 - layer)
    return factor * config.optimiser.patch_embed_factor if "patch_embed" in name else factor


def apply_schedule(optimiser: torch.optim.Optimizer, values: Values) -> None:
    """Set each group's rate and decay for the coming step; frozen prototypes have neither."""
    for group in optimiser.param_groups:
        frozen = group["last_layer"] and values.last_layer_frozen
        group["lr"] = 0.0 if frozen else values.learning_rate * group["rate_factor"]
        group["weight_decay"] = values.weight_decay * group["decay_factor"]


def clip(parts: Iterable[list[nn.Parameter]], largest: float) -> Tensor:
    """Scale the gradients of each part to a norm of at most `largest`; returns the norm of all before, a
    scalar.

    It is not finite if any gradient is not.
    """
    norms = [nn.utils.clip_grad_norm_(part, largest) for part in parts]
    total: Tensor = torch.linalg.vector_norm(torch.stack(norms))
    return total
