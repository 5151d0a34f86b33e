"""Whose weights a training begins with: by their bytes, and by who was seen before where that is known."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import warehouse
from braindino import encoders, keys
from braindino.errors import CheckpointError

Row = dict[str, Any]


@dataclass(frozen=True)
class Beginning:
    """What a training begins with; all empty for random weights."""

    sha256: str = ""
    sentence: str = ""
    """What a person should read of it."""
    subjects: tuple[Row, ...] = ()
    """`dataset` and `subject` of everybody that a training of this home showed to these weights."""


def beginning_of(store: warehouse.Warehouse, weights: str, home: Path) -> Beginning:
    """What is known of a weights file.

    Raises:
        CheckpointError: there is no such file.
    """
    if not weights:
        return Beginning()
    path = Path(weights).expanduser()
    if not path.is_file():
        raise CheckpointError(f"There is no weights file {path} (start.weights); give the path of an existing file.")
    sha256 = keys.file_sha256(path)
    sentence = f"{path.name} (SHA-256 {sha256[:16]})"
    earlier = _training_of(store, path.resolve(), home)
    if earlier is None:
        return Beginning(sha256, sentence)
    seen = store.query(
        "select dataset, subject from staging.stg_training_subjects where training_id = ? order by all", [earlier]
    )
    return Beginning(sha256, f"{sentence} of {earlier}", tuple(seen.to_pylist()))


def _training_of(store: warehouse.Warehouse, path: Path, home: Path) -> str | None:
    """The training of this home that a file comes from: by where it lies, or by its backbone's bytes."""
    known = {row["training_id"] for row in store.query("select training_id from trainings").to_pylist()}
    if path.is_relative_to(home / "checkpoints") and path.parent.name in known:
        return path.parent.name
    try:
        own = encoders.load(encoders.EncoderSpec(kind="checkpoint", path=path))
    except CheckpointError:  # somebody else's
        return None
    rows = store.query(
        "select training_id from encoders where weights_sha256 = ? and training_id is not null", [own.weights_sha256]
    ).to_pylist()
    return rows[0]["training_id"] if rows else None
