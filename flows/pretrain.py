"""The flow `pretrain`: self-supervised training on the stored slices, without the test subjects of any task."""

import dataclasses
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import flow

import warehouse
from braindino import encoders, imaging, keys, pretraining
from braindino.errors import BrainDINOError, TrainingError
from braindino.pretraining.job import Job
from flows.cohort import probe_cohort, scan_ref
from flows.display import progress, stderr
from flows.environment import job_id, resolve_home
from flows.holdout import freeze_holdouts
from flows.model_card import Card, write_card
from flows.recipes import require_stored
from flows.register import register_encoder
from flows.start_weights import Beginning, beginning_of
from flows.train_process import processes_for, train_in_process

Row = dict[str, Any]
RECORDS_PER_COMMIT = 20
SECONDS_PER_COMMIT = 60.0
"""Log records are committed when there are so many, or the last commit is so long ago."""


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
        "s.session, s.contrast, s.site, s.synthetic, h.subject_uid is not null as held_out "
        "from scans s left join (select distinct subject_uid from holdouts) h using (subject_uid) "
        "where s.status = 'stored' and s.recipe_id = ? and s.plane = 'axial' order by s.scan_id",
        [recipe_id],
        snapshot=snapshot,
    ).to_pylist()
    free = [row for row in rows if not row["held_out"]]
    return free, len(rows) - len(free)


def _some_scans(store: warehouse.Warehouse, recipe_id: str, snapshot: str) -> tuple[list[Row], int]:
    scans, held_out = training_scans(store, recipe_id, snapshot)
    if not scans:
        raise TrainingError(
            f"All {held_out} axial scans under {recipe_id} are of frozen test subjects, or there are none; "
            "ingest more subjects, with or without labels."
        )
    return scans, held_out


class _Log:
    """Writes a training's figures to the warehouse in small commits and moves the progress bar."""

    def __init__(self, store: warehouse.Warehouse, training_id: str, job: str, ticker: Any) -> None:
        self._store, self._training_id, self._job, self._ticker = store, training_id, job, ticker
        self._rows: list[Row] = []
        self._records = 0
        self._seen = 0
        self._committed = time.monotonic()

    def __call__(self, record: pretraining.LogRecord) -> None:
        self._ticker.advance(record.images_seen - self._seen, f"loss {record.metrics.get('loss', float('nan')):.3f}")
        self._seen = record.images_seen
        at = {"training_id": self._training_id, "step": record.step, "images_seen": record.images_seen}
        for sentence in record.warnings:
            stderr.print(f"warning: {sentence}")
        self._rows += [{**at, "metric": name, "value": float(value)} for name, value in record.metrics.items()]
        self._records += 1
        if self._records >= RECORDS_PER_COMMIT or time.monotonic() - self._committed > SECONDS_PER_COMMIT:
            self.flush()

    def flush(self) -> None:
        """Commits what is gathered."""
        if self._rows:
            self._store.append("training_metrics", self._rows, self._job)
            self._rows = []
        self._records, self._committed = 0, time.monotonic()


def _training_row(training_id: str, config: Any, recipe_id: str, snapshot: str, scans: list[Row]) -> Row:
    return {
        "training_id": training_id, "configuration": keys.canonical_json(config), "recipe_id": recipe_id,
        "snapshot_id": snapshot, "synthetic": any(scan["synthetic"] for scan in scans),
        "n_subjects": len({scan["subject_uid"] for scan in scans}), "n_scans": len(scans),
        "n_slices": sum(scan["n_slices"] for scan in scans),
        "pretraining_version": pretraining.PRETRAINING_VERSION,
    }  # fmt: skip


def _record_subjects(
    store: warehouse.Warehouse, training_id: str, scans: list[Row], beginning: Beginning, job: str
) -> None:
    """Who the encoder will have seen: the subjects of these scans, and those of the training it goes on from."""
    known = "select count(*) as n from staging.stg_training_subjects where training_id = ?"
    if store.query(known, [training_id]).to_pylist()[0]["n"]:
        return
    counted = {(subject["dataset"], subject["subject"]): 0 for subject in beginning.subjects}
    for scan in scans:
        key = (scan["dataset"], scan["subject"])
        counted[key] = counted.get(key, 0) + 1
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


@dataclass(frozen=True)
class _Work:
    """A training that is to be begun, or gone on with."""

    base: Row
    job: Job
    scans: list[Row]
    n_held_out: int
    beginning: Beginning
    processes: int


def _train(store: warehouse.Warehouse, work: _Work, home: Path, job: str) -> Row:
    """Runs the training and records its start and its end; returns the last row of `trainings`."""
    base, config = work.base, work.job.config
    training_id = base["training_id"]
    store.append("trainings", [{**base, "status": "started"}], job)
    started = time.perf_counter()
    with progress("pretraining", config.run.images) as ticker:
        log = _Log(store, training_id, job, ticker)
        try:
            result = train_in_process(work.job, work.processes, log)
        except BrainDINOError as error:
            store.append("trainings", [{**base, "status": "failed", "message": str(error)}], job)
            raise
        finally:
            log.flush()
    ended: Row = {**base, "images_seen": result.images_seen, "seconds": time.perf_counter() - started}
    ended["checkpoint_path"] = result.checkpoint.relative_to(home).as_posix()
    if not result.finished:
        store.append("trainings", [{**ended, "status": "stopped", "message": "asked to stop"}], job)
        raise TrainingError(
            f"{training_id} was stopped after {result.images_seen:,} of {config.run.images:,} images; "
            "the same command goes on from its checkpoint."
        )
    spec = encoders.EncoderSpec(kind="checkpoint", path=result.encoder)
    begun_with = work.beginning.sentence
    encoder_id = register_encoder(store, spec, home, job, training_id=training_id, begun_with=begun_with)
    card = Card(ended, work.scans, config, encoder_id, work.n_held_out, begun_with, dict(result.metrics))
    write_card(store, card, result.encoder.parent)
    ended |= {"status": "finished", "encoder_id": encoder_id}
    store.append("trainings", [ended], job)
    return ended


def _readers(config: pretraining.PretrainConfig, processes: int) -> int:
    """For each process that trains: the cores are shared between them."""
    if pretraining.choose_device(config.run.device).type == "cpu":
        return 0
    return min(8, max(2, (os.cpu_count() or 2) // processes - 2))


@flow(name="pretrain", persist_result=False)
def pretrain(
    config: str = "vit_tiny_cpu",
    overrides: list[str] | None = None,
    recipe: str = "isotropic",
    home: str | None = None,
    workers: int | None = None,
    processes: int | None = None,
) -> PretrainSummary:
    """Trains an encoder on the stored slices of one recipe; the same call again resumes, or finds it done.

    The training is a process of its own (several under torchrun), which this one listens to. Where this one ends,
    however, the training writes a checkpoint and stops.

    Args:
        config: a preset (vit_tiny_cpu, vit_small, vit_base) or a TOML file.
        overrides: single values as "key=value".
        recipe: whose slices.
        home: the home folder; by default BRAINDINO_HOME or ./data.
        workers: processes that read slices, for each one that trains; by default some beside a GPU, and none (a
            thread) where the training itself takes the cores. They change no weight.
        processes: processes that share every batch; by default one per GPU. Another number changes weights within
            rounding only.
    """
    home_path, job = resolve_home(home), job_id()
    used = pretraining.load_config(config, overrides or [])
    number = processes_for(used.run.device, processes)
    store = warehouse.open(home_path, create=False)
    recipe_id = imaging.get_recipe(recipe).recipe_id
    require_stored(store, recipe_id)
    freeze_holdouts(store, job)
    snapshot = store.publish_snapshot("before pretraining")
    scans, held_out = _some_scans(store, recipe_id, snapshot)
    beginning = beginning_of(store, used.start.weights, home_path)
    training_id = _training_id(used, recipe_id, scans, beginning)
    base = _training_row(training_id, used, recipe_id, snapshot, scans)
    done = _finished(store, training_id)
    if done is None:
        _record_subjects(store, training_id, scans, beginning, job)
        readers = _readers(used, number) if workers is None else workers
        todo = Job(
            used,
            home_path / "checkpoints" / training_id,
            tuple(scan_ref(scan, home_path) for scan in scans),
            probe_cohort(store, scans, home_path, recipe_id, snapshot),
            readers,
        )
        row = _train(store, _Work(base, todo, scans, held_out, beginning, number), home_path, job)
    else:
        row = done
    store.publish_snapshot(f"pretrain {training_id}")
    return PretrainSummary(
        training_id, row["encoder_id"], len(scans), base["n_subjects"], held_out, row["images_seen"], row["seconds"],
        _last_metrics(store, training_id), already_done=done is not None,
    )  # fmt: skip


def _training_id(config: pretraining.PretrainConfig, recipe_id: str, scans: list[Row], beginning: Beginning) -> str:
    """The same for the same weights to come: of the file that it begins with, the bytes count and not the place."""
    start = dataclasses.replace(config.start, weights=beginning.sha256)
    identity = [
        dataclasses.replace(config, start=start),
        recipe_id,
        [[s["scan_id"], s["content_hash"]] for s in scans],
        pretraining.PRETRAINING_VERSION,
    ]
    return f"{config.name}-{keys.short_hash(identity, 8)}"
