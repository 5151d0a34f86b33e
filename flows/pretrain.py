"""The flow `pretrain`: self-supervised training on the stored slices, without the test subjects of any task."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import flow

import warehouse
from braindino import encoders, imaging, keys, pretraining
from braindino.errors import TrainingError
from braindino.slices import ScanRef
from flows.display import progress, stderr
from flows.environment import job_id, resolve_home, use_all_cores
from flows.holdout import freeze_holdouts
from flows.recipes import require_stored
from flows.register import register_encoder

Row = dict[str, Any]
METRICS_PER_COMMIT = 20  # log records gathered before they are committed


@dataclass(frozen=True)
class PretrainSummary:
    """What one training did; `already_done` tells a training that had finished before."""

    training_id: str
    encoder_id: str
    n_scans: int
    n_subjects: int
    n_held_out: int
    images_seen: int
    seconds: float
    metrics: dict[str, float]
    already_done: bool = False


def training_scans(store: warehouse.Warehouse, recipe_id: str, snapshot: str) -> tuple[list[Row], int]:
    """The stored axial scans that a training may see, and how many stored scans the frozen test subjects keep out."""
    rows = store.query(
        "select s.scan_id, s.content_hash, s.dataset, s.subject, s.subject_uid, s.n_slices, s.plane, s.store_path, "
        "s.session, s.contrast, s.synthetic, h.subject_uid is not null as held_out "
        "from scans s left join (select distinct subject_uid from holdouts) h using (subject_uid) "
        "where s.status = 'stored' and s.recipe_id = ? and s.plane = 'axial' order by s.scan_id",
        [recipe_id],
        snapshot=snapshot,
    ).to_pylist()
    free = [row for row in rows if not row["held_out"]]
    return free, len(rows) - len(free)


@contextmanager
def stop_requested() -> Iterator[threading.Event]:
    """An event that SIGTERM sets, so that a pre-empted training writes its checkpoint before it ends."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event  # signals reach the main thread only; a training in another thread ends with its process
        return
    previous = signal.signal(signal.SIGTERM, lambda *_: event.set())
    try:
        yield event
    finally:
        signal.signal(signal.SIGTERM, previous)


class _Log:
    """Writes a training's figures to the warehouse in small commits and moves the progress bar."""

    def __init__(self, store: warehouse.Warehouse, training_id: str, job: str, ticker: Any) -> None:
        self._store, self._training_id, self._job, self._ticker = store, training_id, job, ticker
        self._rows: list[Row] = []
        self._records = 0
        self._seen = 0

    def __call__(self, record: pretraining.LogRecord) -> None:
        self._ticker.advance(record.images_seen - self._seen, f"loss {record.metrics.get('loss', float('nan')):.3f}")
        self._seen = record.images_seen
        at = {"training_id": self._training_id, "step": record.step, "images_seen": record.images_seen}
        for sentence in record.warnings:
            stderr.print(f"warning: {sentence}")
        self._rows += [{**at, "metric": name, "value": float(value)} for name, value in record.metrics.items()]
        self._records += 1
        if self._records % METRICS_PER_COMMIT == 0:
            self.flush()

    def flush(self) -> None:
        """Commits what is gathered."""
        if self._rows:
            self._store.append("training_metrics", self._rows, self._job)
            self._rows = []


def _training_row(training_id: str, config: Any, recipe_id: str, snapshot: str, scans: list[Row]) -> Row:
    return {
        "training_id": training_id, "configuration": keys.canonical_json(config), "recipe_id": recipe_id,
        "snapshot_id": snapshot, "synthetic": any(scan["synthetic"] for scan in scans),
        "n_subjects": len({scan["subject_uid"] for scan in scans}), "n_scans": len(scans),
        "n_slices": sum(scan["n_slices"] for scan in scans),
        "pretraining_version": pretraining.PRETRAINING_VERSION,
    }  # fmt: skip


def _record_subjects(store: warehouse.Warehouse, training_id: str, scans: list[Row], job: str) -> None:
    counted: dict[tuple[str, str], int] = {}
    for scan in scans:
        key = (scan["dataset"], scan["subject"])
        counted[key] = counted.get(key, 0) + 1
    known = "select count(*) as n from staging.stg_training_subjects where training_id = ?"
    if store.query(known, [training_id]).to_pylist()[0]["n"] == 0:
        rows = [
            {"training_id": training_id, "dataset": dataset, "subject": subject, "n_scans": n}
            for (dataset, subject), n in sorted(counted.items())
        ]
        store.append("training_subjects", rows, job)


def _finished(store: warehouse.Warehouse, training_id: str) -> Row | None:
    rows = store.query(
        "select * from trainings where training_id = ? and status = 'finished'", [training_id]
    ).to_pylist()
    return rows[0] if rows else None


def _last_metrics(store: warehouse.Warehouse, training_id: str) -> dict[str, float]:
    rows = store.query(
        "select metric, value from training_metrics where training_id = ? "
        "qualify row_number() over (partition by metric order by step desc) = 1",
        [training_id],
    )
    return {row["metric"]: row["value"] for row in rows.to_pylist()}


def _train(
    store: warehouse.Warehouse,
    config: pretraining.PretrainConfig,
    base: Row,
    scans: list[Row],
    home: Path,
    job: str,
    workers: int,
) -> Row:
    """Runs the training and records its start and its end; returns the last row of `trainings`."""
    directory = home / "checkpoints" / base["training_id"]
    refs = [
        ScanRef(
            str(home / s["store_path"]),
            s["scan_id"],
            s["subject_uid"],
            s["dataset"],
            s["n_slices"],
            s["plane"],
            s["session"] or "",
            s["contrast"] or "",
        )
        for s in scans
    ]
    store.append("trainings", [{**base, "status": "started"}], job)
    started = time.perf_counter()
    with progress("pretraining", config.run.images) as ticker, stop_requested() as stop:
        log = _Log(store, base["training_id"], job, ticker)
        try:
            result = pretraining.train(config, refs, directory, workers=workers, on_log=log, should_stop=stop.is_set)
        except TrainingError as error:
            store.append("trainings", [{**base, "status": "failed", "message": str(error)}], job)
            raise
        finally:
            log.flush()
    ended: Row = {**base, "images_seen": result.images_seen, "seconds": time.perf_counter() - started}
    ended["checkpoint_path"] = result.checkpoint.relative_to(home).as_posix()
    if not result.finished:
        store.append("trainings", [{**ended, "status": "stopped", "message": "asked to stop"}], job)
        raise TrainingError(
            f"{base['training_id']} was stopped after {result.images_seen:,} of {config.run.images:,} images; "
            "the same command goes on from its checkpoint."
        )
    spec = encoders.EncoderSpec(kind="checkpoint", path=result.encoder)
    encoder_id = register_encoder(store, spec, home, job, training_id=base["training_id"])
    ended |= {"status": "finished", "encoder_id": encoder_id}
    store.append("trainings", [ended], job)
    return ended


def _readers(config: pretraining.PretrainConfig) -> int:
    return 0 if pretraining.choose_device(config.run.device).type == "cpu" else 2


@flow(name="pretrain", persist_result=False)
def pretrain(
    config: str = "vit_tiny_cpu",
    overrides: list[str] | None = None,
    recipe: str = "isotropic",
    home: str | None = None,
    workers: int | None = None,
) -> PretrainSummary:
    """Trains an encoder on the stored slices of one recipe; the same call again resumes, or finds it done.

    Args:
        config: a preset (vit_tiny_cpu, vit_small, vit_base) or a TOML file.
        overrides: single values as "key=value".
        recipe: whose slices.
        home: the home folder; by default BRAINDINO_HOME or ./data.
        workers: processes that read slices; by default two beside a GPU, and none (a thread) where the training
            itself takes the cores. They change no weight.
    """
    home_path, job = resolve_home(home), job_id()
    used = pretraining.load_config(config, overrides or [])
    use_all_cores()
    store = warehouse.open(home_path, create=False)
    recipe_id = imaging.get_recipe(recipe).recipe_id
    require_stored(store, recipe_id)
    freeze_holdouts(store, job)
    snapshot = store.publish_snapshot("before pretraining")
    scans, held_out = training_scans(store, recipe_id, snapshot)
    if not scans:
        raise TrainingError(
            f"All {held_out} axial scans under {recipe_id} are of frozen test subjects, or there are none; "
            "ingest more subjects, with or without labels."
        )
    identity = [
        used,
        recipe_id,
        [[s["scan_id"], s["content_hash"]] for s in scans],
        pretraining.PRETRAINING_VERSION,
    ]
    training_id = f"{used.name}-{keys.short_hash(identity, 8)}"
    base = _training_row(training_id, used, recipe_id, snapshot, scans)
    done = _finished(store, training_id)
    if done is None:
        _record_subjects(store, training_id, scans, job)
    row = done or _train(store, used, base, scans, home_path, job, _readers(used) if workers is None else workers)
    store.publish_snapshot(f"pretrain {training_id}")
    return PretrainSummary(
        training_id, row["encoder_id"], len(scans), base["n_subjects"], held_out, row["images_seen"], row["seconds"],
        _last_metrics(store, training_id), already_done=done is not None,
    )  # fmt: skip
