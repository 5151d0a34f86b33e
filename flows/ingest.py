"""The flow `ingest`: a dataset as downloaded becomes slices, rows and a snapshot. Run again, it does what is new."""

import math
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

import warehouse
from braindino import imaging, keys
from braindino.datasets import ADAPTERS, Discovery
from braindino.errors import ConfigError
from flows import datasets_file
from flows.display import progress
from flows.environment import job_id, resolve_home
from flows.ingest_plan import Plan, Work
from flows.ingest_rows import RowsToCommit, by_reason, what_became
from flows.ingest_scan import Row, absent_row, described_again, ingest_scan, retired_row
from flows.ingest_tables import record_datasets, record_labels, record_links, record_recipe
from flows.survey import GENERIC, default_name, survey
from flows.workers import on_workers

BATCH = 50  # scans per Prefect task: a task costs about 0.1 s, a scan about a second
SCANS_PER_WORKER = 40  # under this many, starting another process takes longer than it saves


@dataclass(frozen=True)
class IngestSummary:
    """What one ingest did, in scans."""

    dataset: str
    recipe_id: str
    snapshot_id: str
    read: int = 0
    described: int = 0
    absent: int = 0
    unchanged: int = 0
    labels: int = 0
    stored: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    kept: Mapping[str, int] = field(default_factory=dict)
    """By reason: stored scans whose files can no longer be used, and whose slices stay."""
    bytes_stored: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()


@task(name="ingest_batch", cache_policy=NO_CACHE, persist_result=False)
def ingest_batch(
    home: Path,
    works: Sequence[Work],
    recipe: imaging.Recipe,
    synthetic: bool,
    job: str,
    advance: Callable[[int, str], object] | None = None,
) -> dict[str, int]:
    """Reads and stores up to a batch of scans and commits their rows once; returns counts by status and reason."""
    done = RowsToCommit(home, job)
    try:
        for work in works:
            row, per_slice = ingest_scan(work, recipe, home, synthetic)
            done.add(row, per_slice)
            if advance is not None:
                advance(1, f"{what_became(row)} {work.source_path}")
    finally:  # what was read before a Ctrl-C is kept as well
        done.commit()
    return dict(done.counts)


@flow(name="read_scans", persist_result=False, log_prints=False)
def read_scans(
    home: Path, works: Sequence[Work], recipe: imaging.Recipe, synthetic: bool, job: str, workers: int
) -> dict[str, int]:
    """Runs the batches of one ingest, in this process or on the Dask workers of its task runner."""
    size = max(1, min(BATCH, math.ceil(len(works) / (4 * workers)))) if workers > 1 else BATCH
    batches = [works[start : start + size] for start in range(0, len(works), size)]
    counts: Counter[str] = Counter()
    with progress("reading scans", len(works)) as ticker:
        if workers == 1:
            for batch in batches:
                counts.update(ingest_batch(home, batch, recipe, synthetic, job, ticker.advance))
            return dict(counts)
        futures = [ingest_batch.submit(home, batch, recipe, synthetic, job) for batch in batches]
        for future, batch in zip(futures, batches, strict=True):
            counts.update(future.result())
            ticker.advance(len(batch))
    return dict(counts)


def _no_longer_listed(store: warehouse.Warehouse, found: Discovery, called: str, recipe_id: str) -> list[Row]:
    """The known rows of scans that the adapter does not list, and that are not absent anyway."""
    listed = {keys.scan_id(scan.dataset, scan.source_key) for scan in found.scans}
    query = "select * from staging.stg_scans where dataset = ? and recipe_id = ? and status <> 'absent'"
    known = store.query(query, [called, recipe_id]).to_pylist()
    return [row for row in known if row["scan_id"] not in listed]


def _retired(
    store: warehouse.Warehouse, found: Discovery, todo: Plan, called: str, recipe_id: str, other_options: bool
) -> list[Row]:
    """Rows of scans that are over: left out by new options, or read for want of an image that has come since."""
    came = {
        (work.scan.subject, work.scan.session, work.scan.contrast)
        for work in todo.read
        if work.known is not None and work.known["status"] == "absent"
    }
    if not other_options and not came:
        return []
    gone = _no_longer_listed(store, found, called, recipe_id)
    if other_options:
        return [retired_row(row, "the dataset is read with other options") for row in gone]
    stood_in = [row for row in gone if (row["subject"], row["session"], row["contrast"]) in came]
    return [retired_row(row, "a better image of its session had been missing and is here now") for row in stood_in]


@flow(name="ingest", persist_result=False)
def ingest(
    dataset: str,
    root: str,
    name: str | None = None,
    recipe: str | None = None,
    home: str | None = None,
    workers: int | None = None,
    options: dict[str, Any] | None = None,
    partial: bool | None = None,
) -> IngestSummary:
    """Ingests one dataset.

    Args:
        dataset: an adapter's name: `braindino datasets` lists them.
        root: the dataset's folder, or the CSV of a manifest.
        name: what to call it in the home; by default the adapter's name, or the folder's for bids and manifest.
        recipe: how volumes become slices; by default as last time, `isotropic` for a new dataset.
        home: the home folder; by default BRAINDINO_HOME or ./data.
        workers: processes of one thread each; by default as many as there are cores and work for.
        options: parameters of the adapter; by default those it had last time.
        partial: whether to go on where images are missing that a download should have brought: they are then absent.
            By default as last time, and no for a new dataset.
    """
    started = time.perf_counter()
    home_path, root_path, job = resolve_home(home), Path(root).expanduser().resolve(), job_id()
    expected = name or default_name(dataset, root_path)
    datasets_file.check_name(home_path, expected, root_path)
    before = datasets_file.entry_of(home_path, expected)
    found, todo, used_recipe, called = survey(home_path, dataset, root_path, name, recipe, options, partial)
    store = warehouse.open(home_path)
    synthetic = ((root_path if root_path.is_dir() else root_path.parent) / "SYNTHETIC").exists()
    recipe_id = used_recipe.recipe_id
    record_recipe(store, used_recipe, job)
    known_as = datasets_file.same_as(home_path, called, dataset, root_path)
    record_datasets(store, found, dataset, called, synthetic, job, same_as=known_as)
    labels = record_labels(store, found.labels, called, job)
    record_links(store, found.links, called, job)
    light = [absent_row(work, recipe_id, synthetic) for work in todo.absent]
    light += [described_again(work, recipe_id, synthetic) for work in todo.describe]
    other_options = options is not None and before is not None and dict(before.options) != options
    light += _retired(store, found, todo, called, recipe_id, other_options)
    if light:
        store.append("scans", light, job)
    # Before the long part: what is killed in the middle of it goes on with `ingest --all`.
    datasets_file.remember(home_path, called, dataset, root_path, used_recipe.name, options, partial)
    counts: Mapping[str, int] = {}
    if todo.read:
        n = workers or max(1, min(os.cpu_count() or 1, math.ceil(len(todo.read) / SCANS_PER_WORKER)))
        with on_workers(read_scans, n) as reading:
            counts = reading(home_path, todo.read, used_recipe, synthetic, job, n)
    summary = IngestSummary(
        called, recipe_id, store.publish_snapshot(f"ingest {called}"), len(todo.read), len(todo.describe),
        len(todo.absent), todo.unchanged, labels, counts.get("stored", 0),
        by_reason(counts, "refused:"), by_reason(counts, "kept:"), counts.get("bytes", 0), notes=found.notes,
    )  # fmt: skip
    return replace(summary, seconds=time.perf_counter() - started)


@flow(name="ingest_all", persist_result=False)
def ingest_all(home: str | None = None, workers: int | None = None, others_only: bool = False) -> list[IngestSummary]:
    """Ingests every dataset that the home's `datasets.toml` names; one that cannot be read does not stop the others.

    Args:
        home: the home folder; by default BRAINDINO_HOME or ./data.
        workers: as of `ingest`.
        others_only: leave out what `ingest_known` reads under the name of an adapter: it has a schedule of its own,
            and no dataset should be read twice at a time.

    Raises:
        ConfigError: after all were tried, naming those that failed and why.
    """
    own_schedule = set(ADAPTERS) - set(GENERIC) if others_only else set()
    entries = datasets_file.load(resolve_home(home))
    return _ingest_each([e for e in entries if not {e.name, e.adapter} & own_schedule], home, workers)


@flow(name="ingest_known", persist_result=False)
def ingest_known(name: str, home: str | None = None, workers: int | None = None) -> list[IngestSummary]:
    """Ingests what the home's `datasets.toml` has under a dataset's or an adapter's name; nothing where it has none.

    Raises:
        ConfigError: after all of them were tried, naming those that failed and why.
    """
    home_path = resolve_home(home)
    entries = [entry for entry in datasets_file.load(home_path) if name in (entry.name, entry.adapter)]
    if not entries:
        get_run_logger().info(f"{home_path / datasets_file.NAME} has no dataset {name}: nothing to read.")
    return _ingest_each(entries, home, workers)


def _ingest_each(entries: Sequence[datasets_file.Entry], home: str | None, workers: int | None) -> list[IngestSummary]:
    summaries, failures = [], []
    for entry in entries:
        try:
            summaries.append(ingest(entry.adapter, str(entry.root), entry.name, entry.recipe, home, workers))
        except Exception as error:  # the next dataset is still worth reading
            failures.append(f"{entry.name} ({error})")
    if failures:
        raise ConfigError("Not ingested: " + "; ".join(failures) + " All others were.")
    return summaries
