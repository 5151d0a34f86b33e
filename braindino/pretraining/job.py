"""A training as a file, and its progress as lines of JSON: what starts it and what trains are two processes."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from braindino.errors import BrainDINOError, CheckpointError, ConfigError, StoreError, TrainingError
from braindino.keys import canonical_json
from braindino.pretraining.config import PretrainConfig
from braindino.pretraining.config_file import config_from_dict
from braindino.pretraining.loop import LogRecord, TrainingResult
from braindino.pretraining.probe import Labelled
from braindino.slices.sampler import ScanRef

JOB_FILE = "job.json"
_ERRORS = {kind.__name__: kind for kind in (ConfigError, StoreError, CheckpointError, TrainingError)}


@dataclass(frozen=True)
class Job:
    """All that `train` is given, in a file: `torchrun ... -m braindino.pretraining JOB` needs nothing else."""

    config: PretrainConfig
    directory: Path
    scans: tuple[ScanRef, ...]
    cohort: tuple[Labelled, ...] = ()
    workers: int = 0


def write_job(path: Path, job: Job) -> None:
    """Write a job, in one atomic step; its folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(canonical_json(job))
    partial.replace(path)


def read_job(path: Path) -> Job:
    """The job in a file; raises ConfigError when it is missing or none."""
    try:
        content = json.loads(path.read_text())
        return Job(
            config=config_from_dict(content["config"]),
            directory=Path(content["directory"]),
            scans=tuple(ScanRef(**scan) for scan in content["scans"]),
            cohort=tuple(Labelled(ScanRef(**one["scan"]), one["labels"]) for one in content["cohort"]),
            workers=content["workers"],
        )
    except FileNotFoundError as error:
        raise ConfigError(f"There is no job {path}; `braindino pretrain` writes one.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} is no job of this version ({error}): `braindino pretrain` writes one.") from error


def line_of(event: LogRecord | TrainingResult | BrainDINOError) -> str:
    """One line of JSON: a log record, how a training ended, or why it could not go on."""
    if isinstance(event, BrainDINOError):
        return json.dumps({"error": type(event).__name__, "message": str(event)})
    kind = "record" if isinstance(event, LogRecord) else "result"
    return json.dumps({kind: asdict(event)}, default=str)


def event_of(line: str) -> LogRecord | TrainingResult | BrainDINOError | None:
    """What a line says; None for a line of somebody else's, such as a library's greeting."""
    try:
        content: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    if not isinstance(content, Mapping):
        return None
    if "record" in content:
        record = content["record"]
        return LogRecord(**{**record, "warnings": tuple(record["warnings"])})
    if "result" in content:
        result = content["result"]
        paths = {name: Path(result[name]) for name in ("checkpoint", "encoder")}
        return TrainingResult(**{**result, **paths})
    if "error" in content:
        return _ERRORS.get(content["error"], TrainingError)(content["message"])
    return None
