"""Encoders as rows: what a row must say so that the same encoder can be loaded again, and the way back."""

import json
from pathlib import Path
from typing import Any

import warehouse
from braindino import encoders, keys
from braindino.errors import ConfigError


def register_encoder(
    store: warehouse.Warehouse,
    spec: encoders.EncoderSpec,
    home: Path,
    job: str,
    *,
    training_id: str | None = None,
    begun_with: str = "",
) -> str:
    """Adds an encoder to the warehouse, once; returns its id.

    Raises:
        CheckpointError: its weights cannot be loaded.
    """
    encoder = encoders.load(spec)
    known = store.query("select encoder_id from encoders where encoder_id = ?", [encoder.encoder_id])
    if known.num_rows == 0:
        path = spec.path.resolve() if spec.path else None
        inside = path is not None and path.is_relative_to(home)
        row = {
            "encoder_id": encoder.encoder_id,
            "name": encoder.encoder_id.rsplit("-", 1)[0],
            "kind": encoder.kind,
            "width": encoder.width,
            "weights_sha256": encoder.weights_sha256,
            "weights_path": (path.relative_to(home).as_posix() if inside else str(path)) if path else None,
            "architecture": keys.canonical_json(encoder.architecture),
            "precision": encoder.precision,
            "training_id": training_id,
            "pretrained_on": _seen(encoder.kind, training_id, begun_with),
            "encoders_version": encoders.ENCODERS_VERSION,
        }
        store.append("encoders", [row], job)
    return encoder.encoder_id


def _seen(kind: str, training_id: str | None, begun_with: str) -> str | None:
    if kind == "random":
        return "nothing: random weights"
    if training_id is None:
        return None
    seen = f"training_subjects of {training_id}"
    return f"{seen}, begun with {begun_with}" if begun_with else seen


def spec_of(row: dict[str, Any], home: Path) -> encoders.EncoderSpec:
    """The specification that loads the encoder of a row of `encoders`."""
    path = home / row["weights_path"] if row["weights_path"] else None
    network = None if row["kind"] == "checkpoint" else json.loads(row["architecture"])["name"]
    return encoders.EncoderSpec(row["kind"], path, network)


def resolve(store: warehouse.Warehouse, names: list[str], home: Path, job: str) -> list[str]:
    """Encoder ids from what a person writes.

    `trained` is the encoder of the latest finished training; `random` has the same network with random weights;
    `timm:<model>:<file>` is a checkpoint file of one of timm's models; everything else is an encoder's id.

    Raises:
        ConfigError: an encoder is unknown, or nothing has been trained yet.
    """
    return [_resolve(store, name, home, job) for name in names]


def _resolve(store: warehouse.Warehouse, name: str, home: Path, job: str) -> str:
    if name in ("trained", "random"):
        latest = _latest_trained(store)
        if name == "trained":
            return str(latest["encoder_id"])
        network = json.loads(latest["architecture"])["name"]
        return register_encoder(store, encoders.EncoderSpec("random", network=network), home, job)
    if name.startswith("timm:"):
        model, _, file = name.removeprefix("timm:").partition(":")
        if not file:
            raise ConfigError(
                f"{name}: write timm:<model>:<file>, such as timm:vit_small_patch16_dinov3:weights.safetensors."
            )
        spec = encoders.EncoderSpec(kind="timm", network=model, path=Path(file).expanduser())
        return register_encoder(store, spec, home, job)
    known = [row["encoder_id"] for row in store.query("select encoder_id from encoders order by all").to_pylist()]
    if name not in known:
        raise ConfigError(
            f"No encoder {name} in this home; known are {', '.join(known) or 'none yet'}, "
            "and trained, random, timm:<model>:<file>."
        )
    return name


def _latest_trained(store: warehouse.Warehouse) -> dict[str, Any]:
    rows: list[dict[str, Any]] = store.query(
        "select e.* from trainings t join encoders e using (encoder_id) where t.status = 'finished' "
        "order by t.recorded_at desc limit 1"
    ).to_pylist()
    if not rows:
        raise ConfigError("Nothing has been trained in this home yet; run `braindino pretrain` first.")
    return rows[0]
