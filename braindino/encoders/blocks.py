"""The blocks of timm's DINOv3 network as training runs them: the same numbers, fewer passes over memory.

A position's rotation is prepared once for all blocks and touches queries and keys in three operations; stochastic
depth is given from outside and not drawn where it is used. Encoders run timm's own code.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

RunBlocks = Callable[[Sequence[Any], Tensor, Tensor, Tensor | None], Tensor]
"""`run_blocks` or what compiling it gives."""

BLOCKS_AT_ONCE = 3
"""Blocks in one call: where they are compiled, calls cost the processor time that a fast device waits for, and large
graphs cost minutes at the start.
"""


def rotation_of(rope: Tensor, prefix: int) -> Tensor:
    """Cosines and signed sines [2, prefix + N, d] from timm's embedding [N, 2 d] (sines, then cosines).

    With x rolled by half its length, x cos + rolled(x) signed_sin is the rotation of pairs (x_i, x_{i + d/2}) by their
    angles (Su et al., 2021, RoFormer). CLS and registers are not turned.
    """
    sine, cosine = rope.chunk(2, dim=-1)
    half = sine.shape[-1] // 2
    signed = torch.cat([-sine[:, :half], sine[:, half:]], dim=-1)
    turned = torch.stack([cosine, signed])
    still = torch.stack([cosine.new_ones(prefix, 2 * half), cosine.new_zeros(prefix, 2 * half)])
    return torch.cat([still, turned], dim=1)


def embedded_patches(embed: Any, images: Tensor) -> Tensor:
    """timm's patch embedding [B, rows, columns, D] of images [B, C, H, W], as one product of matrices: a convolution
    whose step is its size is one, and no library treats it so.
    """
    patch = embed.proj.weight.shape[-1]
    batch, channels, height, width = images.shape
    rows, columns = height // patch, width // patch
    pixels = images.view(batch, channels, rows, patch, columns, patch).permute(0, 2, 4, 1, 3, 5)
    return functional.linear(pixels.reshape(batch, rows, columns, -1), embed.proj.weight.flatten(1), embed.proj.bias)


def run_blocks(blocks: Sequence[Any], tokens: Tensor, rotation: Tensor, kept: Tensor | None) -> Tensor:
    """Consecutive blocks on tokens [B, prefix + N, D]; `kept` [blocks, 2, B] is stochastic depth, None keeps all."""
    for index, block in enumerate(blocks):
        tokens = run_block(block, tokens, rotation, None if kept is None else kept[index])
    return tokens


def run_block(block: Any, tokens: Tensor, rotation: Tensor, kept: Tensor | None) -> Tensor:
    """One block on tokens [B, prefix + N, D]; `kept` [2, B] scales its two residual branches, None keeps both whole."""
    attention, mlp = (None, None) if kept is None else kept.unbind(0)
    tokens = _added(tokens, _attended(block, tokens, rotation), block.gamma_1, attention)
    return _added(tokens, block.mlp(block.norm2(tokens)), block.gamma_2, mlp)


def _added(tokens: Tensor, branch: Tensor, gamma: Tensor | None, scales: Tensor | None) -> Tensor:
    """tokens + LayerScale x stochastic depth x branch."""
    factor = gamma
    if scales is not None:
        column = scales.view(-1, 1, 1)
        factor = column if gamma is None else column * gamma
    added = tokens + branch if factor is None else torch.addcmul(tokens, factor.to(branch.dtype), branch)
    return added.to(tokens.dtype)


def _attended(block: Any, tokens: Tensor, rotation: Tensor) -> Tensor:
    attention = block.attn
    batch, count, width = tokens.shape
    qkv = attention.qkv(block.norm1(tokens)).view(batch, count, 3, attention.num_heads, -1).permute(2, 0, 3, 1, 4)
    if qkv.device.type == "cpu":
        qkv = qkv.float()  # torch's attention in bfloat16 is several times slower than in float32 on a CPU
    cosine, sine = rotation.to(qkv.dtype).unbind(0)
    pair = qkv[:2]
    query, key = torch.addcmul(pair * cosine, pair.roll(pair.shape[-1] // 2, -1), sine).unbind(0)
    with torch.autocast(qkv.device.type, enabled=False):
        mixed = functional.scaled_dot_product_attention(query, key, qkv[2])
    projected: Tensor = attention.proj(mixed.transpose(1, 2).reshape(batch, count, width))
    return projected
