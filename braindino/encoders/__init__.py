"""What turns slices into features: our checkpoints, DINOv3 weights, random weights."""

# ruff: noqa: E402
from braindino.encoders.torchvision_shim import ensure_torchvision

# Every module of this room is imported after this line, and so is timm.
ensure_torchvision()

from braindino.encoders.load import ENCODERS_VERSION, Encoder, EncoderSpec, Tokens, load
from braindino.encoders.network import NETWORKS, NetworkConfig, TokenNetwork, build_network
from braindino.encoders.pool import POOLINGS, embed_scan, patch_brain_fraction

__all__ = [
    "ENCODERS_VERSION",
    "NETWORKS",
    "POOLINGS",
    "Encoder",
    "EncoderSpec",
    "NetworkConfig",
    "TokenNetwork",
    "Tokens",
    "build_network",
    "embed_scan",
    "load",
    "patch_brain_fraction",
]
