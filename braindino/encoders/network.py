"""The vision transformer: timm's DINOv3 architecture for grey slices of any size, with a mask token for
iBOT.
"""

import dataclasses
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Any

import torch
from timm.layers import LayerNorm
from timm.models.eva import Eva
from torch import Tensor, nn

from braindino.encoders.blocks import BLOCKS_AT_ONCE, RunBlocks, embedded_patches, rotation_of, run_blocks
from braindino.errors import ConfigError


@dataclass(frozen=True)
class NetworkConfig:
    """A vision transformer: the defaults are those of BrainDINO's ViT-B/16 but for its size (facts of its
    release).
    """

    name: str
    image_size: tuple[int, int]
    """Rows and columns of the slices it is meant for; any size that patches divide is accepted."""
    patch_size: int
    width: int
    depth: int
    heads: int
    in_channels: int = 1
    registers: int = 4
    """Tokens beside CLS that carry no feature (Darcet et al., 2024)."""
    mlp_ratio: float = 4.0
    drop_path: float = 0.0
    """Stochastic depth of the student while training; rises linearly over the blocks to this value."""
    layer_scale: float = 1e-5
    """Initial scale of every residual branch (Touvron et al., 2021)."""
    rope_temperature: float = 100.0
    """Base of the axial rotary position embedding, whose coordinates are normalised per axis."""

    def __post_init__(self) -> None:
        for name in ("patch_size", "width", "depth", "heads", "in_channels"):
            if getattr(self, name) < 1:
                raise ConfigError(f"network.{name} is {getattr(self, name)}: give 1 or more.")
        # Rotary embedding turns pairs of channels for each of two axes.
        if self.width % (4 * self.heads):
            raise ConfigError(
                f"network.width {self.width} must be a multiple of 4 x heads (4 x {self.heads}): "
                "rotary position embedding needs it."
            )


NETWORKS: dict[str, NetworkConfig] = {
    config.name: config
    for config in (
        # For minutes on a laptop. A larger layer scale, because a few hundred steps are too few to grow from
        # 1e-5.
        NetworkConfig("vit_micro", (112, 96), patch_size=8, width=128, depth=4, heads=4, layer_scale=0.1),
        NetworkConfig("vit_tiny", (224, 192), patch_size=16, width=192, depth=12, heads=3, drop_path=0.1),
        NetworkConfig("vit_small", (224, 192), patch_size=16, width=384, depth=12, heads=6, drop_path=0.1),
        NetworkConfig("vit_base", (224, 192), patch_size=16, width=768, depth=12, heads=12, drop_path=0.2),
    )
}


def get_network(name: str) -> NetworkConfig:
    """The preset of this name; ConfigError names the known ones and the nearest."""
    if name not in NETWORKS:
        near = get_close_matches(name, NETWORKS, 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ConfigError(f"There is no network named {name!r}; known are {', '.join(NETWORKS)}.{hint}")
    return NETWORKS[name]


def network_from_dict(values: dict[str, Any]) -> NetworkConfig:
    """A NetworkConfig from its own `dataclasses.asdict`, as stored in weights files."""
    known = {field.name for field in dataclasses.fields(NetworkConfig)}
    if unknown := set(values) - known:
        raise ConfigError(f"The network has unknown parameters {', '.join(sorted(unknown))}.")
    return NetworkConfig(**{**values, "image_size": tuple(values["image_size"])})


def token_features(
    backbone: nn.Module,
    images: Tensor,
    mask: Tensor | None = None,
    mask_token: Tensor | None = None,
    kept: Tensor | None = None,
    run: RunBlocks | None = None,
) -> Tensor:
    """All normalised tokens [B, prefix + N, D] of a timm Eva; masked patches get `mask_token` before the
    blocks.

    Everything runs as timm runs it, or with `run`, as training does: then `kept` [depth, 2, B] scales the two residual
    branches of every block, 0 where a branch is dropped for a sample, and under autocast tokens are in half precision
    from block to block.
    """
    eva: Any = backbone
    embedded = eva.patch_embed(images) if run is None else embedded_patches(eva.patch_embed, images)  # [B, h, w, D]
    if mask is not None and mask_token is not None:
        batch, rows, columns, _ = embedded.shape
        replaced = mask_token.to(embedded.dtype)
        embedded = torch.where(mask.view(batch, rows, columns, 1), replaced, embedded)
    tokens, rope = eva._pos_embed(embedded)
    tokens = eva.norm_pre(tokens)
    if run is None:
        for block in eva.blocks:
            tokens = block(tokens, rope=rope)
    else:
        tokens = tokens.to(embedded.dtype)
        rotation = rotation_of(rope, eva.num_prefix_tokens)
        blocks = list(eva.blocks)
        for first in range(0, len(blocks), BLOCKS_AT_ONCE):
            some = slice(first, first + BLOCKS_AT_ONCE)
            tokens = run(blocks[some], tokens, rotation, None if kept is None else kept[some])
    normalised: Tensor = eva.norm(tokens)
    return normalised


class TokenNetwork(nn.Module):
    """A timm Eva and the mask token that iBOT needs; the Eva keeps timm's own parameter names."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone: nn.Module = _eva(config)
        self.mask_token = nn.Parameter(torch.zeros(config.width))
        self._run: RunBlocks = run_blocks

    def compile_blocks(self) -> None:
        """Compile the transformer's blocks, all as one function, when they are first used at a size."""
        self._run = torch.compile(run_blocks, dynamic=False)

    def forward_tokens(
        self, images: Tensor, mask: Tensor | None = None, kept: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """CLS token [B, D] and patch tokens [B, N, D] of images [B, C, H, W].

        H and W are any multiples of the patch size, N = H/p x W/p in row-major order. `mask` is bool [B, N]:
        where it is true the patch's embedding is replaced by the mask token before the first block (Zhou et
        al., 2022, iBOT). `kept` [depth, 2, B] is stochastic depth, as `token_features` takes it.
        """
        tokens = token_features(self.backbone, images, mask, self.mask_token, kept, self._run)
        return tokens[:, 0], tokens[:, 1 + self.config.registers :]

    def depth_rates(self) -> list[float]:
        """Each block's probability that a residual branch is dropped: rising linearly to `drop_path`."""
        last = max(self.config.depth - 1, 1)
        return [self.config.drop_path * index / last for index in range(self.config.depth)]


def _eva(config: NetworkConfig) -> nn.Module:
    """timm's `vit_*_patch16_dinov3` with the sizes of `config` (no qkv bias, RoPE only, CLS then
    registers).
    """
    eva: nn.Module = Eva(
        img_size=config.image_size,
        patch_size=config.patch_size,
        in_chans=config.in_channels,
        num_classes=0,
        global_pool="token",
        embed_dim=config.width,
        depth=config.depth,
        num_heads=config.heads,
        mlp_ratio=config.mlp_ratio,
        qkv_bias=False,
        norm_layer=partial(LayerNorm, eps=1e-5),
        init_values=config.layer_scale,
        num_reg_tokens=config.registers,
        use_abs_pos_emb=False,
        use_rot_pos_emb=True,
        rope_type="dinov3",
        rope_temperature=config.rope_temperature,
        rope_rotate_half=True,
        use_fc_norm=False,
        dynamic_img_size=True,
    )
    return eva


def build_network(config: NetworkConfig) -> TokenNetwork:
    """A freshly initialised network; its weights come from torch's global generator."""
    return TokenNetwork(config)
