"""Small stored scans and a training that takes a fraction of a second."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor

from braindino.encoders import NetworkConfig
from braindino.pretraining import PretrainConfig, config_from_dict
from braindino.pretraining.batches import BatchMaker
from braindino.pretraining.step import initial_state
from braindino.pretraining.team import Team
from braindino.slices import Intensity, ScanRef, write_scan

NETWORK = NetworkConfig(
    "tiny", (32, 24), patch_size=8, width=16, depth=2, heads=2, registers=1, drop_path=0.2, layer_scale=0.1
)
ALONE = Team(torch.device("cpu"))
HEAD = {"prototypes": 32, "hidden": 16, "bottleneck": 8}


def tiny_config(**changes: object) -> PretrainConfig:
    """Eight steps of four slices; `changes` replace whole sections or, as dicts, some of their keys."""
    values: dict[str, object] = {
        "network": asdict(NETWORK),
        "data": {"batch_size": 4},
        "crops": {"global_size": 24, "local_size": 16, "local_number": 2},
        "dino": {"head": HEAD, "queue": 24},
        "ibot": {"head": HEAD},
        "schedule": {
            "warmup_images": 8,
            "teacher_warmup_images": 16,
            "freeze_last_layer_images": 8,
            "ema_momentum": 0.9,
            "ema_reference_batch": 4,
        },
        "run": {"images": 32, "log_every": 2, "checkpoint_every": 3, "device": "cpu"},
    }
    for section, change in changes.items():
        old = values.get(section)
        values[section] = {**old, **change} if isinstance(old, dict) and isinstance(change, dict) else change
    return config_from_dict(values)


@dataclass
class NoFacts:
    """The store writes a scan's facts; these tests have none."""


def batch_maker(config: PretrainConfig, scans: Sequence[ScanRef]) -> BatchMaker:
    """What the loop makes of them, for one process."""
    return BatchMaker(config, scans, initial_state(config, ALONE).model.student.depth_rates(), ALONE)


def write_cohort(folder: Path, subjects: int, shape: tuple[int, int, int] = (10, 32, 24)) -> Sequence[ScanRef]:
    """One textured ellipsoid per subject, each with its own size, in the real slice store."""
    refs = []
    for subject in range(subjects):
        rng = np.random.default_rng(subject)
        z, y, x = np.meshgrid(*(np.linspace(-1, 1, n + 2)[1:-1] for n in shape), indexing="ij")
        brain = (x**2 + y**2 + 0.9 * z**2 < 0.55 + 0.08 * subject).astype(np.uint8)
        image = (1000 * (1.5 + np.sin(4 * x * (subject + 1)) * np.cos(5 * y))).astype(np.uint16)
        image = (image + rng.integers(0, 100, shape)).astype(np.uint16) * brain
        intensity = Intensity(1.0, 1.0, 2600.0, 600.0, 620.0, 650.0, 2400.0, 2450.0, 2500.0, 1500.0, 300.0)
        preprocessed = SimpleNamespace(
            image=image, brain=brain, segmentation=None, plane="axial", affine=np.eye(4), intensity=intensity,
            facts=NoFacts(),
        )  # fmt: skip
        path = folder / f"scan{subject}.zarr"
        write_scan(path, preprocessed, {})
        refs.append(ScanRef(str(path), f"scan{subject}", f"person{subject}", "balls", shape[0], "axial"))
    return refs


def same_tensors(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    """Whether two state dicts hold bit-identical tensors under the same names."""
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)
