"""Ready configurations; what a preset leaves out has the default of `config.py`."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from braindino.encoders.network import NETWORKS


def _network(name: str) -> dict[str, Any]:
    return asdict(NETWORKS[name])


_DEMO_HEAD = {"prototypes": 256, "hidden": 256, "bottleneck": 32}
_SMALL_HEAD = {"prototypes": 16_384, "hidden": 2048, "bottleneck": 256}

PRESETS: Mapping[str, Mapping[str, Any]] = {
    # About a minute on two CPU cores, for slices at 2 mm: 150 steps, enough for features to tell levels of the brain
    # and contrasts apart better than random weights do. So few steps need a fast teacher, sharp targets from the
    # start, few prototypes and a high rate in every layer.
    "vit_tiny_cpu": {
        "name": "vit_tiny_cpu",
        "network": _network("vit_micro"),
        "data": {"batch_size": 32},
        "crops": {"global_size": 64, "local_size": 32, "local_number": 2, "local_area": (0.1, 0.32)},
        "dino": {"head": _DEMO_HEAD, "teacher_temperature": 0.04},
        "ibot": {"head": _DEMO_HEAD},
        "optimiser": {"learning_rate": 4e-3, "layer_decay": 1.0, "patch_embed_factor": 1.0, "final_weight_decay": 0.1},
        "schedule": {
            "warmup_images": 480,
            "teacher_warmup_images": 0,
            "freeze_last_layer_images": 96,
            "ema_momentum": 0.95,
            "ema_reference_batch": 32,
        },
        "run": {"images": 3_200, "log_every": 5, "probe_every": 50, "checkpoint_every": 50},
    },
    # One GPU. A quarter of the published prototypes and a queue, because the batch is a quarter of the
    # published one.
    "vit_small": {
        "name": "vit_small",
        "network": _network("vit_small"),
        "dino": {"head": _SMALL_HEAD, "queue": 8192},
        "ibot": {"head": _SMALL_HEAD},
        "run": {"images": 12_000_000, "precision": "bfloat16"},
        "schedule": {
            "warmup_images": 1_200_000,
            "teacher_warmup_images": 3_600_000,
            "freeze_last_layer_images": 120_000,
        },
    },
    # BrainDINO's architecture with the published recipe's heads and schedules, scaled to its length.
    "vit_base": {
        "name": "vit_base",
        "network": _network("vit_base"),
        "dino": {"queue": 16_384},
        "run": {"images": 30_000_000, "precision": "bfloat16"},
    },
}
