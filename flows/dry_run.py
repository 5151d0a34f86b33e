"""What an ingest would do, said beforehand: from headers, sizes and the speed measured so far, nothing stored."""

import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import warehouse
from braindino import imaging, slices
from braindino.errors import ScanRefused
from flows.ingest_plan import Work
from flows.survey import survey

ENOUGH_MEASURED = 3  # scans under the same recipe that make the home's own figures a fair estimate


@dataclass(frozen=True)
class Forecast:
    """What an ingest would do; sizes in bytes, `seconds` for one worker."""

    dataset: str
    recipe_id: str
    to_read: int
    bytes_to_read: int
    refused: dict[str, int]
    refusals: list[tuple[str, str, str]] = field(repr=False)  # path, reason, sentence
    absent: int
    unchanged: int
    to_describe: int
    bytes_to_store: int | None
    seconds: float | None
    basis: str
    notes: tuple[str, ...] = ()


def _measured(home: Path, recipe_id: str) -> tuple[float, float, int]:
    if not warehouse.is_home(home):
        return 0.0, 0.0, 0
    rows = warehouse.open(home).query(
        "select avg(seconds) as seconds, avg(store_bytes) as bytes, count(*) as n from scans "
        "where recipe_id = ? and status = 'stored'",
        [recipe_id],
    )
    row = rows.to_pylist()[0]
    return float(row["seconds"] or 0), float(row["bytes"] or 0), int(row["n"])


def _try_one(works: list[Work], recipe: imaging.Recipe) -> tuple[float, float] | None:
    """Seconds and bytes of the first scan that can be stored, made in a temporary folder and thrown away."""
    for work in works[:3]:
        started = time.perf_counter()
        try:
            result = imaging.preprocess(
                work.scan.image, recipe, brain_mask=work.scan.brain_mask, segmentation=work.scan.segmentation,
                skull_stripped=work.scan.skull_stripped, orientation=work.scan.orientation,
            )  # fmt: skip
        except ScanRefused:
            continue
        with tempfile.TemporaryDirectory() as folder:
            size = slices.write_scan(Path(folder) / "trial.zarr", result, {})
        return time.perf_counter() - started, float(size)
    return None


def dry_run(
    home: Path,
    dataset: str,
    root: Path,
    name: str | None,
    recipe_name: str | None,
    options: Mapping[str, Any] | None = None,
    partial: bool | None = None,
) -> Forecast:
    """Forecasts an ingest: headers are read, voxels only of one trial scan where the home has no figures yet.

    Refusals that only voxels can show (an uncertain brain mask, an empty image) are not foreseen.
    """
    found, todo, recipe, called = survey(home, dataset, root, name, recipe_name, options, partial)
    refusals, readable = [], []
    for work in todo.read:
        try:
            imaging.check_header(work.scan.image, recipe)
            readable.append(work)
        except ScanRefused as refusal:
            refusals.append((work.source_path, refusal.reason.value, str(refusal)))
    seconds, size, n = _measured(home, recipe.recipe_id)
    basis = f"the mean of {n} scans stored under this recipe"
    if readable and n < ENOUGH_MEASURED:
        trial = _try_one(readable, recipe)
        basis = "one scan, read for this forecast" if trial else "nothing: none of the first scans could be stored"
        seconds, size = trial or (0.0, 0.0)
    known = bool(seconds) or not readable
    return Forecast(
        called, recipe.recipe_id, len(readable), sum(work.source_bytes for work in readable),
        dict(Counter(reason for _, reason, _ in refusals)), refusals, len(todo.absent), todo.unchanged,
        len(todo.describe), round(size * len(readable)) if known else None,
        seconds * len(readable) if known else None, basis, found.notes,
    )  # fmt: skip
