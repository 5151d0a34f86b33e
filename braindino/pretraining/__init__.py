"""DINOv3-style self-distillation on 2D slices: DINO, iBOT and KoLeo, then Gram anchoring."""

from braindino.pretraining.checkpoint import newest_checkpoint, read_checkpoint
from braindino.pretraining.config import PRETRAINING_VERSION, PretrainConfig
from braindino.pretraining.config_file import config_from_dict, load_config
from braindino.pretraining.loop import LogRecord, TrainingResult, train
from braindino.pretraining.presets import PRESETS
from braindino.pretraining.probe import Labelled
from braindino.pretraining.team import choose_device

__all__ = [
    "PRESETS",
    "PRETRAINING_VERSION",
    "Labelled",
    "LogRecord",
    "PretrainConfig",
    "TrainingResult",
    "choose_device",
    "config_from_dict",
    "load_config",
    "newest_checkpoint",
    "read_checkpoint",
    "train",
]
