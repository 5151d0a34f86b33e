"""One scan from its files to stored slices and the rows that say what became of it."""

import time
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from braindino import imaging, slices
from braindino.datasets import FACTS, Moment, Scan
from braindino.errors import Reason, ScanRefused
from flows.ingest_plan import Work

Row = dict[str, Any]

# What a description may change; everything else in a scan's row was found out from its voxels.
_DESCRIBED = (
    "subject", "session", "contrast", "run", "vendor", "model", "field_strength", "slice_thickness", "site",
    "vendor_source", "model_source", "field_strength_source", "slice_thickness_source", "site_source",
    "when", "when_kind", "when_precision", "segmentation_codes", "description_hash",
)  # fmt: skip


def description_row(work: Work, recipe_id: str, synthetic: bool) -> Row:
    """The columns of `scans` that are known without reading a voxel."""
    scan, facts = work.scan, work.scan.acquisition
    sources = dict(facts.sources)
    return {
        "scan_id": work.scan_id,
        "recipe_id": recipe_id,
        "dataset": scan.dataset,
        "synthetic": synthetic,
        "subject": scan.subject,
        "session": scan.session,
        "contrast": scan.contrast,
        "run": scan.run,
        "source_key": scan.source_key,
        "source_path": work.source_path,
        "source_bytes": work.source_bytes,
        "source_fingerprint": work.source_fingerprint,
        "description_hash": work.description_hash,
        **{fact: getattr(facts, fact) for fact in FACTS},
        **{f"{fact}_source": sources.get(fact) for fact in FACTS},
        **moment_columns(scan.when),
        "segmentation_codes": "; ".join(f"{code}={meaning}" for code, meaning in scan.segmentation_codes) or None,
    }


def moment_columns(when: Moment | None) -> Row:
    """The columns `when`, `when_kind` and `when_precision`, in scans and labels alike."""
    if when is None:
        return {"when": None, "when_kind": None, "when_precision": None}
    return {"when": when.value, "when_kind": when.kind, "when_precision": when.precision}


def described_again(work: Work, recipe_id: str, synthetic: bool) -> Row:
    """The known row with what the source now says of the scan: no voxel is read."""
    assert work.known is not None
    new = description_row(work, recipe_id, synthetic)
    return {**without_stamp(work.known), **{column: new[column] for column in _DESCRIBED}}


def absent_row(work: Work, recipe_id: str, synthetic: bool) -> Row:
    """The row of a scan that the source lists and whose image was not downloaded."""
    return {
        **description_row(work, recipe_id, synthetic),
        "status": "absent",
        "message": work.scan.absent_hint,
        "imaging_version": imaging.IMAGING_VERSION,
    }


def retired_row(known: Mapping[str, Any], why: str) -> Row:
    """The row of a scan that the adapter does not list any more; if it does again, the scan is read again."""
    text = f"Not listed any more: {why}."
    return {**without_stamp(known), "status": "absent", "reason": None, "message": text, "source_fingerprint": ""}


def without_stamp(row: Mapping[str, Any]) -> Row:
    """A row as it was given to the warehouse, without the columns that the write adds."""
    return {name: value for name, value in row.items() if name not in ("recorded_at", "job_id")}


def ingest_scan(work: Work, recipe: imaging.Recipe, home: Path, synthetic: bool) -> tuple[Row, list[Row]]:
    """Reads one scan, stores its slices and returns its row of `scans` and its rows of `slices`.

    Nothing that goes wrong with one scan is raised: it becomes the row's status and reason. A scan that was stored
    and whose files can no longer be used keeps its slices, and its row says so.
    """
    started = time.perf_counter()
    base = description_row(work, recipe.recipe_id, synthetic)
    try:
        outcome, slice_rows = _store(work, recipe, home)
    except ScanRefused as refusal:
        outcome, slice_rows = _refused(work, refusal.reason, str(refusal)), []
    except MemoryError:
        text = f"{work.source_path} does not fit into memory; check its header or give the worker more."
        outcome, slice_rows = _refused(work, Reason.INTERNAL, text), []
    except Exception as error:  # one wrong scan never stops a run; the row says where, the words may be a header's
        what = f"{type(error).__name__} in {_place(error)}"
        text = f"{work.source_path}: unexpected {what}; please report this as a fault."
        outcome, slice_rows = _refused(work, Reason.INTERNAL, text), []
    outcome["seconds"] = time.perf_counter() - started
    outcome["imaging_version"] = imaging.IMAGING_VERSION
    return {**base, **outcome}, slice_rows


def _place(error: Exception) -> str:
    """Which line of this software an error came through last, such as `braindino/imaging/mask.py line 120`."""
    root = Path(__file__).parents[1]
    packages = [root / name for name in ("flows", "braindino", "warehouse")]
    places = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    path, line = [place for place in places if any(place[0].is_relative_to(package) for package in packages)][-1]
    return f"{path.relative_to(root).as_posix()} line {line}"


def _refused(work: Work, reason: Reason, message: str) -> Row:
    if work.known is not None and work.known["status"] == "stored":
        described = description_row(work, work.known["recipe_id"], work.known["synthetic"])
        kept = {name: value for name, value in without_stamp(work.known).items() if name not in described}
        text = f"{message} The slices stored earlier are kept."
        return {**kept, "reason": reason.value, "message": text}
    if work.accepted is not None and reason.value in work.accepted.reasons:
        message = f"{message} A person accepted another image of this scan: look at this one (braindino inspect)."
    return {"status": "refused", "reason": reason.value, "message": message}


def _overruled(work: Work, recipe: imaging.Recipe) -> frozenset[Reason]:
    """What a person overruled for this very image; another image that lies there now is judged like any."""
    if work.accepted is None or image_hash(work.scan, recipe) != work.accepted.image_hash:
        return frozenset()
    return frozenset(map(Reason, work.accepted.reasons))


def image_hash(scan: Scan, recipe: imaging.Recipe) -> str:
    """Hash of a scan's voxels and affine alone.

    Raises:
        ScanRefused: the image cannot be read.
    """
    return imaging.content_hash(imaging.read_volume(scan.image, recipe.four_d, orientation=scan.orientation))


def _store(work: Work, recipe: imaging.Recipe, home: Path) -> tuple[Row, list[Row]]:
    scan = work.scan
    result = imaging.preprocess(
        scan.image, recipe, brain_mask=scan.brain_mask, segmentation=scan.segmentation,
        skull_stripped=scan.skull_stripped, orientation=scan.orientation, age_years=work.age_years,
        overruled=_overruled(work, recipe),
    )  # fmt: skip
    facts, intensity = result.facts, result.intensity
    relative = f"slices/{recipe.recipe_id}/{scan.dataset}/{work.scan_id}-{facts.content_hash}.zarr"
    known = work.known or {}
    written = known.get("store_sha256") if known.get("store_path") == relative else None
    keys_of_it = {"scan_id": work.scan_id, "recipe_id": recipe.recipe_id}
    size = slices.write_scan(home / relative, result, keys_of_it, sha256=written)
    described = asdict(facts)
    for told in ("repairs", "overruled"):
        described[told] = "; ".join(described[told]) or None
    row = {
        **described,
        **{name: getattr(intensity, name) for name in ("p0_1", "p0_5", "p1", "p99", "p99_5", "p99_9")},
        "status": "stored",
        "intensity_mean": intensity.mean,
        "intensity_std": intensity.std,
        "n_slices": int(result.image.shape[0]),
        "plane": result.plane,
        "has_segmentation": result.segmentation is not None,
        "store_path": relative,
        "store_bytes": size,
        "store_sha256": slices.group_sha256(home / relative),
    }
    key = {"recipe_id": recipe.recipe_id, "scan_id": work.scan_id, "content_hash": facts.content_hash}
    per_slice = [{**key, "slice_index": index, **asdict(s)} for index, s in enumerate(result.slices)]
    return row, per_slice
