"""Checkpoints that survive being killed at any moment, and tell when they are damaged.

A checkpoint is one file, `step-<step>-<digest>.pt`, written beside and renamed into place; the digest of its
bytes in its name shows damage. It holds tensors and plain values only, so that it loads with
`weights_only=True`. It needs no generator states: whatever is random in a training is a function of seed and
step.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from torch import Tensor

from braindino.encoders.weights import TRAINING_FORMAT, read_tensors
from braindino.errors import CheckpointError, TrainingError
from braindino.keys import canonical_json, file_sha256
from braindino.pretraining.config import PRETRAINING_VERSION, PretrainConfig
from braindino.pretraining.model import StudentTeacher

_NAME = re.compile(r"step-(\d{9})-([0-9a-f]{16})\.pt")
_KEYS_FREE_TO_CHANGE = (
    "log_every", "checkpoint_every", "keep", "milestone_every", "alarms", "probe_every", "device", "compile",
)  # fmt: skip
_FREE_TO_CHANGE = frozenset({"start.weights", *(f"run.{key}" for key in _KEYS_FREE_TO_CHANGE)})
"""What may differ from run to run of a training: nothing of it is asked for once there is a checkpoint, or changes a
weight.
"""


@dataclass
class TrainingState:
    """Everything that a training changes: what a checkpoint holds."""

    model: StudentTeacher
    optimiser: torch.optim.Optimizer
    skipped: Tensor
    """int64 [2] on the device: steps skipped in all, and the last ones in a row."""
    step: int = 0
    images_seen: int = 0
    alarms_in_a_row: int = 0
    """Log records with signs of trouble, up to the last."""
    first_losses: dict[str, float] = field(default_factory=dict)
    """Of the first log record: a training that does worse later has diverged."""
    seconds: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)
    """Of the last log record."""


def save_checkpoint(directory: Path, state: TrainingState, config: PretrainConfig, data_hash: str) -> Path:
    """Write the state of a training; returns the new file.

    All but the newest `run.keep` checkpoints and the milestones are removed.
    """
    gram_teacher = state.model.gram_teacher
    content = {
        "format": TRAINING_FORMAT,
        "pretraining_version": PRETRAINING_VERSION,
        "network": asdict(config.network),
        "config": canonical_json(config),
        "data_hash": data_hash,
        "step": state.step,
        "images_seen": state.images_seen,
        "skipped": state.skipped.cpu(),
        "alarms_in_a_row": state.alarms_in_a_row,
        "first_losses": dict(state.first_losses),
        "seconds": state.seconds,
        "metrics": dict(state.metrics),
        "student": _on_cpu(state.model.student.state_dict()),
        "teacher": _on_cpu(state.model.teacher.state_dict()),
        "gram_teacher": None if gram_teacher is None else _on_cpu(gram_teacher.state_dict()),
        "queue": state.model.queue.cpu(),
        "queue_filled": state.model.queue_filled.cpu(),
        "optimiser": state.optimiser.state_dict(),
    }
    directory.mkdir(parents=True, exist_ok=True)
    partial = directory / "checkpoint.partial"
    with partial.open("wb") as stream:
        torch.save(content, stream)
        stream.flush()
        os.fsync(stream.fileno())
    path = directory / f"step-{state.step:09d}-{file_sha256(partial)[:16]}.pt"
    partial.replace(path)
    for old in list_checkpoints(directory)[config.run.keep :]:
        if not _is_milestone(old, config.run.milestone_every):
            old.unlink(missing_ok=True)
    return path


def _is_milestone(path: Path, every: int) -> bool:
    name = _NAME.fullmatch(path.name)
    return bool(every) and name is not None and int(name.group(1)) % every == 0


@contextmanager
def alone_in(directory: Path, patience_s: float = 60.0) -> Iterator[None]:
    """Holds a training's folder: two trainings in one would remove each other's checkpoints.

    One that was asked to stop may still write its last checkpoint: it is waited for.

    Raises:
        TrainingError: another process still trains there after `patience_s` seconds.
    """
    directory.mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(directory / "training.lock").acquire(
            timeout=patience_s
        )  # the system's: a killed process lets go
    except Timeout as error:
        raise TrainingError(f"Another process trains in {directory}: wait until it has ended, or stop it.") from error
    with held:
        yield


def list_checkpoints(directory: Path) -> list[Path]:
    """The checkpoints in a folder, newest first, damaged or not."""
    found = [path for path in directory.glob("step-*.pt") if _NAME.fullmatch(path.name)]
    return sorted(found, key=lambda path: (path.name[:14], path.stat().st_mtime_ns), reverse=True)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The content of one checkpoint; raises CheckpointError when it is missing, damaged or of another
    version.
    """
    name = _NAME.fullmatch(path.name)
    if path.is_file() and name is not None and file_sha256(path)[:16] != name.group(2):
        raise CheckpointError(f"The checkpoint {path} is damaged (its bytes do not match its name): delete it.")
    content, _ = read_tensors(path)
    if content.get("format") != TRAINING_FORMAT:
        raise CheckpointError(f"{path} is not a training checkpoint of this project.")
    if content["pretraining_version"] != PRETRAINING_VERSION:
        raise CheckpointError(
            f"{path} was written by version {content['pretraining_version']} of pretraining, this is version "
            f"{PRETRAINING_VERSION}: its steps would not continue exactly; finish it with the old version or "
            "start in a new folder."
        )
    return content


def newest_checkpoint(directory: Path) -> tuple[Path | None, dict[str, Any], tuple[str, ...]]:
    """The newest readable checkpoint (None where there is none at all), its content, and what was wrong with
    newer ones.

    Raises CheckpointError when there are checkpoints but not one is readable: starting anew would hide the
    loss.
    """
    problems: list[str] = []
    for path in list_checkpoints(directory):
        try:
            return path, read_checkpoint(path), tuple(problems)
        except CheckpointError as error:
            problems.append(str(error))
    if problems:
        raise CheckpointError(
            f"Not one of the {len(problems)} checkpoints in {directory} can be read, the newest "
            f"because: {problems[0]} Delete them, or choose a new folder, to start from the beginning."
        )
    return None, {}, ()


def restore(state: TrainingState, content: dict[str, Any], config: PretrainConfig, data_hash: str) -> None:
    """Put a checkpoint's content into a freshly built state.

    Raises TrainingError when it belongs to another configuration or to other scans, naming what differs.
    """
    _same_training(content, config, data_hash)
    state.model.student.load_state_dict(content["student"])
    state.model.teacher.load_state_dict(content["teacher"])
    if content.get("gram_teacher") is not None:
        state.model.anchor()
        state.model.gram_teacher.load_state_dict(content["gram_teacher"])  # type: ignore[union-attr]
    state.model.queue.copy_(content["queue"])
    state.model.queue_filled.copy_(content["queue_filled"])
    state.optimiser.load_state_dict(content["optimiser"])
    state.step = content["step"]
    state.images_seen = content["images_seen"]
    state.skipped.copy_(content["skipped"])
    state.alarms_in_a_row = content["alarms_in_a_row"]
    state.first_losses = dict(content["first_losses"])
    state.seconds = content["seconds"]
    state.metrics = dict(content["metrics"])


def _same_training(content: dict[str, Any], config: PretrainConfig, data_hash: str) -> None:
    old, new = _flat(json.loads(content["config"])), _flat(json.loads(canonical_json(config)))
    for key in sorted(old.keys() | new.keys()):
        if key not in _FREE_TO_CHANGE and old.get(key) != new.get(key):
            raise TrainingError(
                f"The training in this folder was started with {key} = {old.get(key)}, now it is "
                f"{new.get(key)}: resume with the old value, or start in a new folder."
            )
    if content["data_hash"] != data_hash:
        raise TrainingError(
            "The training in this folder was started on other scans: resume with the same snapshot, or start "
            "in a new folder."
        )


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat.update(_flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value})
    return flat


def _on_cpu(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu() for name, tensor in state.items()}
