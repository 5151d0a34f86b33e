"""Weights on disk: our exported encoders, our training checkpoints, and other people's files."""

import dataclasses
import hashlib
import json
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from braindino.encoders.network import NetworkConfig, TokenNetwork, network_from_dict
from braindino.errors import CheckpointError

EXPORT_FORMAT = "braindino-encoder-1"
TRAINING_FORMAT = "braindino-training-1"
"""The `format` of a training checkpoint: a dict with `network` (a NetworkConfig as a dict) and `teacher`
(tensors named `backbone.*`, `dino_head.*`, `ibot_head.*`), beside what only the training needs.
"""


@dataclass(frozen=True)
class Weights:
    """The backbone of one of our networks, with timm's parameter names, and the network it belongs to."""

    network: NetworkConfig
    backbone: dict[str, Tensor]


def export_backbone(path: Path, network: TokenNetwork, facts: Mapping[str, str]) -> None:
    """Write a network's backbone to a .safetensors file, in one atomic step.

    The tensors carry timm's own names, so `timm.models.eva.Eva` loads the file without us; the network's
    configuration and `facts` (what was trained on what) travel as the file's metadata.
    """
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.backbone.state_dict().items()}
    metadata = {
        **facts,
        "format": EXPORT_FORMAT,
        "network": json.dumps(dataclasses.asdict(network.config), sort_keys=True),
    }
    partial = path.with_name(path.name + ".partial")
    save_file(state, partial, metadata=metadata)
    partial.replace(path)


def read_weights(path: Path) -> Weights:
    """The backbone in an exported .safetensors file or, of a training checkpoint, its EMA teacher.

    Raises CheckpointError when the file is missing, damaged or not one of ours.
    """
    content, metadata = read_tensors(path)
    if metadata.get("format") == EXPORT_FORMAT:
        return Weights(network_from_dict(json.loads(metadata["network"])), content)
    if content.get("format") == TRAINING_FORMAT:
        return Weights(network_from_dict(content["network"]), prefixed(content["teacher"], "backbone."))
    raise CheckpointError(
        f"{path} is no checkpoint or encoder of this project; for DINOv3 weights name the timm network."
    )


def read_tensors(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Whatever a weights file holds, read without running code from it, and its metadata (safetensors only).

    Raises CheckpointError when the file is missing or damaged.
    """
    if not path.is_file():
        raise CheckpointError(f"There is no weights file {path}; give the path of an existing file.")
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as stream:
                names = list(stream.keys())
                return {name: stream.get_tensor(name) for name in names}, dict(stream.metadata() or {})
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (
        SafetensorError,
        pickle.UnpicklingError,
        zipfile.BadZipFile,
        RuntimeError,
        EOFError,
        OSError,
    ) as error:
        raise CheckpointError(
            f"{path} cannot be read as weights ({_detail(error)}); "
            "it is damaged, incomplete or holds more than tensors: fetch or export it again."
        ) from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} holds a {type(content).__name__}, not a dictionary of weights.")
    return content, {}


def _detail(error: Exception) -> str:
    if isinstance(error, pickle.UnpicklingError):
        return "no file of tensors"  # torch's own words advise to run whatever code the file holds
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def foreign_state(path: Path) -> dict[str, Tensor]:
    """The backbone's tensors in somebody else's file: bare, under `teacher`/`model`/`state_dict`, or
    `backbone.*`.

    BrainDINO's and DINOv3's own releases wrap them under `teacher` with the prefix `backbone.`, beside their
    heads.
    """
    state = foreign_tensors(path)
    return prefixed(state, "backbone.") or state


def foreign_tensors(path: Path) -> dict[str, Tensor]:
    """All tensors of somebody else's network, heads included, under the names they have there."""
    content, _ = read_tensors(path)
    for key in ("teacher", "model", "state_dict"):
        if isinstance(content.get(key), dict):
            content = content[key]
            break
    return {name: value for name, value in content.items() if isinstance(value, Tensor)}


def fill(network: nn.Module, state: dict[str, Tensor], path: Path) -> None:
    """Load `state` into `network`, every tensor of both, or raise CheckpointError, which says in one
    sentence what does not fit.
    """
    own = network.state_dict()
    missing = sorted(own.keys() - state.keys())
    unexpected = sorted(state.keys() - own.keys())
    shapes = [name for name in own.keys() & state.keys() if own[name].shape != state[name].shape]
    for what, names in (
        ("lacks", missing),
        ("has no place for", unexpected),
        ("has other sizes in", sorted(shapes)),
    ):
        if names:
            more = f" and {len(names) - 2} more" if len(names) > 2 else ""
            subject = f"The network {what}" if what == "has no place for" else f"{path} {what}"
            raise CheckpointError(
                f"{subject} {', '.join(names[:2])}{more}: the weights in {path.name} are of another network."
            )
    network.load_state_dict(state)


def state_sha256(state: Mapping[str, Tensor]) -> str:
    """The SHA-256 of tensors' names, types, shapes and bytes: the same weights, whatever file they lie in."""
    digest = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        digest.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def prefixed(state: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The entries whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
