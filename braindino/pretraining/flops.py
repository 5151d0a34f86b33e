"""Floating-point operations of a training step, and what devices can do: for the share of a device that is used."""

import torch

from braindino.pretraining.config import HeadConfig, PretrainConfig

PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "RTX 4090": 165e12}
"""Dense bfloat16 operations a second, from the vendor's data sheets, by a part of the device's name."""


def peak_of(device: torch.device) -> float | None:
    """The most bfloat16 operations a second of a device; None where it is not known."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    return next((peak for known, peak in PEAKS.items() if known in name), None)


def per_image(config: PretrainConfig, with_gram: bool = False) -> float:
    """Operations for one slice of a step: a multiply-add counts two, a backward pass twice its forward pass.

    Counted are the products of matrices of networks and heads as they must be done, none that recomputation repeats.
    """
    crops, patch = config.crops, config.network.patch_size
    patches = (crops.global_size // patch) ** 2
    whole = 2 * _network(config, crops.global_size)
    student = whole + crops.local_number * _network(config, crops.local_size)
    masked = 2 * patches * config.ibot.masked_share * sum(config.ibot.ratio) / 2
    dino, ibot = (_head(head, config.network.width) for head in (config.dino.head, config.ibot.head))
    student += (2 + crops.local_number) * dino + masked * ibot
    teacher = whole + 2 * dino + masked * ibot
    if with_gram:
        teacher += 2 * _network(config, crops.global_size * config.gram.resolution)
    return 3 * student + teacher


def _network(config: PretrainConfig, size: int) -> float:
    """Forward operations of the transformer for one square crop."""
    network = config.network
    patches = (size // network.patch_size) ** 2
    tokens, width = patches + 1 + network.registers, network.width
    block = 2 * tokens * width**2 * (4 + 2 * network.mlp_ratio) + 4 * tokens**2 * width
    return network.depth * block + 2 * patches * network.in_channels * network.patch_size**2 * width


def _head(head: HeadConfig, width: int) -> float:
    mlp = width * head.hidden + head.hidden**2 + head.hidden * head.bottleneck
    return 2.0 * (mlp + head.bottleneck * head.prototypes)
