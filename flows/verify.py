"""`braindino verify`: compares stored slices with what the tables say of them, and marks what must be made again."""

import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import warehouse
from braindino import imaging, slices
from flows import datasets_file
from flows.display import progress
from flows.environment import job_id
from flows.ingest_scan import without_stamp

Row = dict[str, Any]
COLUMNS = ("problem", "dataset", "scan_id", "recipe_id", "path", "detail")
BATCH = 200  # groups per thread and task
THREADS = 8  # files are waited for more than read, on a network most of all; hashing lets other threads run
SETTLED_S = 3600.0  # a group that is younger may belong to an ingest that has not committed its row yet

_STORED = (
    "select dataset, scan_id, recipe_id, store_path, store_bytes, store_sha256 from staging.stg_scans "
    "where status = 'stored' and store_path is not null order by store_path"
)
_NAMED = "select distinct store_path from events.scans where store_path is not null"
_WAITING = "select dataset, recipe_id from staging.stg_scans where status = 'pending' and store_path is not null"


@dataclass(frozen=True)
class Verified:
    """What one look found: `damaged` scans, and `stray` folders that belong to none; `rows` shows both.

    `waiting` are scans that an earlier look marked, and that no ingest has read since.
    """

    n_scans: int
    damaged: tuple[Row, ...]
    stray: tuple[str, ...]
    rows: tuple[Row, ...]
    waiting: tuple[Row, ...]
    seconds: float


def verify(store: warehouse.Warehouse, deep: bool = False, settled_s: float = SETTLED_S) -> Verified:
    """Looks at the slices of every stored scan; nothing is changed.

    Args:
        store: the home's tables.
        deep: read and hash every byte, instead of comparing sizes.
        settled_s: age in seconds under which a folder without a row is left to the ingest that may be writing it.
    """
    started = time.perf_counter()
    home = store.home.root
    scans: list[Row] = store.query(_STORED).to_pylist()
    damaged, rows = [], []
    for row, damage in _checked(store, scans, deep):
        damaged.append(row)
        shown = {name: row[name] for name in ("dataset", "scan_id", "recipe_id")}
        rows.append({"problem": damage.kind, **shown, "path": row["store_path"], "detail": damage.detail})
    named = store.query(_NAMED).column(0).to_pylist()
    stray = []
    for folder, kind in slices.stray_groups(store.home.slices, named, time.time() - settled_s):
        path = folder.relative_to(home).as_posix()
        stray.append(path)
        blank = dict.fromkeys(("dataset", "scan_id", "recipe_id"))
        rows.append({"problem": kind, **blank, "path": path, "detail": "belongs to no scan"})
    waiting = store.query(_WAITING).to_pylist()
    seconds = time.perf_counter() - started
    return Verified(len(scans), tuple(damaged), tuple(stray), tuple(rows), tuple(waiting), seconds)


def _checked(store: warehouse.Warehouse, scans: Sequence[Row], deep: bool) -> Iterator[tuple[Row, slices.Damage]]:
    """The scans whose group is damaged, in the order given."""
    home = store.home.root

    def look(batch: Sequence[Row]) -> list[slices.Damage | None]:
        return [
            slices.check_group(home / row["store_path"], row["store_bytes"], row["store_sha256"] if deep else None)
            for row in batch
        ]

    batches = [scans[start : start + BATCH] for start in range(0, len(scans), BATCH)]
    with progress("looking at slices", len(scans)) as ticker, ThreadPoolExecutor(THREADS) as threads:
        for batch, found in zip(batches, threads.map(look, batches), strict=True):
            yield from ((row, damage) for row, damage in zip(batch, found, strict=True) if damage is not None)
            ticker.advance(len(batch))


def mend(store: warehouse.Warehouse, found: Verified) -> None:
    """Marks damaged scans so that the next ingest reads them again, and removes what belongs to no scan.

    A marked scan is `pending`: nothing is made of it until then. Its damaged group stays where it is and is replaced.
    """
    paths = [row["store_path"] for row in found.damaged]
    query = "select * from staging.stg_scans where status = 'stored' and list_contains(?, store_path)"
    marked = [_pending(row) for row in store.query(query, [paths]).to_pylist()]
    if marked:
        store.append("scans", marked, job_id())
        store.publish_snapshot(f"verify: {len(marked)} scans are to be read again")
    for path in found.stray:
        shutil.rmtree(store.home.root / path, ignore_errors=True)


def _pending(row: Row) -> Row:
    text = "Its stored slices were found damaged; the next ingest reads it again."
    return {**without_stamp(row), "status": "pending", "reason": None, "message": text, "source_fingerprint": ""}


def ingests(store: warehouse.Warehouse, scans: Sequence[Row]) -> list[str]:
    """The commands that read these scans again."""
    names = {recipe.recipe_id: recipe.name for recipe in imaging.RECIPES.values()}
    entries = datasets_file.load(store.home.root)
    wanted = {(row["dataset"], names[row["recipe_id"]]) for row in scans if row["recipe_id"] in names}
    lines = set()
    for dataset, recipe in sorted(wanted):
        # A manifest may hold scans of datasets that no ingest was named after.
        ours = [e for e in entries if e.name == dataset] or [e for e in entries if e.adapter == "manifest"]
        lines |= {f"braindino ingest {e.adapter} {e.root} --name {e.name} --recipe {recipe}" for e in ours}
    return sorted(lines)
