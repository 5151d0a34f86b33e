"""The front door: `load(spec)` gives an encoder, whatever its weights are."""

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import timm
import torch
from timm.models.eva import checkpoint_filter_fn
from torch import Tensor, nn
from torch.nn import functional

from braindino.encoders.network import TokenNetwork, build_network, get_network, token_features
from braindino.encoders.weights import fill, foreign_state, read_weights, state_sha256
from braindino.errors import ConfigError
from braindino.keys import file_sha256, short_hash

ENCODERS_VERSION = 1
"""Raised by hand when the numbers that an unchanged encoder gives change; part of every encoder_id."""

WINDOW = "p0.5_99.5"
"""The intensity window of the slices that every encoder is given: in-brain percentiles 0.5 to 99.5 onto
0..1.
"""

Precision = Literal["float32", "bfloat16"]
T = TypeVar("T")


class Tokens(NamedTuple):
    """What an encoder says of a batch of slices, float32: `cls` [B, D] and `patches` [B, h, w, D]."""

    cls: Tensor
    patches: Tensor


@dataclass(frozen=True)
class EncoderSpec:
    """Which encoder to load.

    `checkpoint`: a training checkpoint (its EMA teacher) or an exported encoder of this project, at `path`.
    `random`: the preset `network` as initialised from `seed`; the floor of every comparison. `timm`: the timm
    DINOv3 architecture `network` (such as vit_base_patch16_dinov3) with the weights file at `path`, with
    timm's or the original parameter names.
    """

    kind: Literal["checkpoint", "random", "timm"]
    path: Path | None = None
    network: str | None = None
    seed: int = 0


@dataclass(frozen=True)
class InputConvention:
    """How an encoder's authors feed it: windowed slices in 0..1, repeated over channels, then (x - mean) /
    std.
    """

    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    window: str = WINDOW


class Encoder:
    """A frozen network that turns slices into tokens; always in eval mode, never with gradients."""

    def __init__(
        self,
        *,
        name: str,
        kind: str,
        backbone: nn.Module,
        architecture: dict[str, Any],
        convention: InputConvention,
        identity: object,
        weights_sha256: str | None,
        device: str,
        precision: Precision,
    ) -> None:
        self.name = name
        self.kind = kind
        self.precision = precision
        self.device = torch.device(device)
        self.weights_sha256 = weights_sha256
        self.architecture = {**architecture, "input": dataclasses.asdict(convention)}
        self.width = int(architecture["width"])
        self.patch_size = int(architecture["patch_size"])
        self.window = convention.window
        key = [identity, self.architecture, precision, ENCODERS_VERSION]
        self.encoder_id = f"{name}-{short_hash(key)}"
        self._backbone = backbone.eval().requires_grad_(False).to(self.device)
        self._channels = convention.channels
        self._mean = torch.tensor(convention.mean, device=self.device).view(1, -1, 1, 1)
        self._std = torch.tensor(convention.std, device=self.device).view(1, -1, 1, 1)
        self._prefix = 1 + int(architecture["registers"])

    @torch.inference_mode()
    def encode(self, slices: Tensor) -> Tokens:
        """CLS and patch tokens of windowed slices, float32 [B, H, W] in 0..1 with 0 outside the brain.

        H and W need not be multiples of the patch size p: slices are padded with background at their ends,
        and patches are [B, ceil(H/p), ceil(W/p), D]. Tokens are float32 on the encoder's device.
        """
        height, width = slices.shape[-2:]
        rows, columns = math.ceil(height / self.patch_size), math.ceil(width / self.patch_size)
        images = slices.to(self.device, torch.float32).unsqueeze(1)
        pad = (0, columns * self.patch_size - width, 0, rows * self.patch_size - height)
        images = functional.pad(images, pad).expand(-1, self._channels, -1, -1)
        images = (images - self._mean) / self._std
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            tokens = token_features(self._backbone, images, None, None)
        tokens = tokens.float()
        return Tokens(tokens[:, 0], tokens[:, self._prefix :].reshape(len(slices), rows, columns, -1))


def load(spec: EncoderSpec, device: str = "cpu", precision: Precision = "float32") -> Encoder:
    """The encoder of a spec, on `device` (cpu, cuda, ...), computing in `precision`.

    Raises ConfigError when the spec is incomplete or names an unknown network, and CheckpointError when the
    weights are missing, damaged, or of another network.
    """
    if precision not in ("float32", "bfloat16"):
        raise ConfigError(f"Unknown precision {precision!r}: choose float32 or bfloat16.")
    if spec.kind == "checkpoint":
        return _from_checkpoint(_required(spec.path, "checkpoint", "path"), device, precision)
    if spec.kind == "random":
        return _random(_required(spec.network, "random", "network"), spec.seed, device, precision)
    if spec.kind == "timm":
        network = _required(spec.network, "timm", "network")
        return _from_timm(network, _required(spec.path, "timm", "path"), device, precision)
    raise ConfigError(f"Unknown kind of encoder {spec.kind!r}: choose checkpoint, random or timm.")


def _required(value: T | None, kind: str, field: str) -> T:
    if value is None:
        raise ConfigError(f"An encoder of kind {kind} needs {field}: give it.")
    return value


def _grey(network: TokenNetwork) -> tuple[dict[str, Any], InputConvention]:
    channels = network.config.in_channels
    # Stochastic depth acts in training only: the same weights are the same encoder.
    facts = {key: value for key, value in dataclasses.asdict(network.config).items() if key != "drop_path"}
    return facts, InputConvention(channels, mean=(0.0,) * channels, std=(1.0,) * channels)


def _from_checkpoint(path: Path, device: str, precision: Precision) -> Encoder:
    weights = read_weights(path)
    network = build_network(weights.network)
    fill(network.backbone, weights.backbone, path)
    architecture, convention = _grey(network)
    return Encoder(
        name=weights.network.name,
        kind="checkpoint",
        backbone=network.backbone,
        architecture=architecture,
        convention=convention,
        identity=state_sha256(weights.backbone),
        weights_sha256=file_sha256(path),
        device=device,
        precision=precision,
    )


def _random(name: str, seed: int, device: str, precision: Precision) -> Encoder:
    config = get_network(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build_network(config)
    architecture, convention = _grey(network)
    return Encoder(
        name=f"random_{name}",
        kind="random",
        backbone=network.backbone,
        architecture=architecture,
        convention=convention,
        identity=["random", seed],
        weights_sha256=None,
        device=device,
        precision=precision,
    )


def _from_timm(name: str, path: Path, device: str, precision: Precision) -> Encoder:
    known = timm.list_models("vit_*_dinov3*")
    if name.partition(".")[0] not in known:
        raise ConfigError(f"timm has no DINOv3 network {name!r}; known are {', '.join(known)}.")
    # Upstream's summary is the CLS token; timm's default pooling is the mean.
    backbone = timm.create_model(name, pretrained=False, global_pool="token", num_classes=0)
    state = foreign_state(path)
    fill(backbone, checkpoint_filter_fn(state, backbone), path)
    defaults = backbone.pretrained_cfg
    architecture = {
        "name": name,
        "width": backbone.embed_dim,
        "patch_size": backbone.patch_embed.patch_size[0],
        "depth": len(backbone.blocks),
        "heads": backbone.blocks[0].attn.num_heads,
        "registers": backbone.num_prefix_tokens - 1,
    }
    return Encoder(
        name=name,
        kind="timm",
        backbone=backbone,
        architecture=architecture,
        convention=InputConvention(3, tuple(defaults["mean"]), tuple(defaults["std"])),
        identity=state_sha256(backbone.state_dict()),
        weights_sha256=file_sha256(path),
        device=device,
        precision=precision,
    )
