"""`braindino exclude` and `accept`: a person's word on a scan, an event like any other, above the rules' own."""

import getpass
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import warehouse
from braindino.errors import ConfigError, Reason, ScanRefused
from braindino.imaging.quality import OVERRULABLE
from flows.environment import job_id
from flows.find_scan import find_rows, recipe_of_row, source_of_row
from flows.ingest_plan import Accepted
from flows.ingest_scan import image_hash, ingest_scan

Row = dict[str, Any]
COLUMNS = ("scan_id", "recipe_id", "source_path", "status", "verdict", "reasons", "why")


def exclude(store: warehouse.Warehouse, scans: Sequence[str], why: str) -> list[Row]:
    """Excludes scans from everything that is made later: embeddings, trainings, heads, coverage.

    Args:
        store: the home's tables.
        scans: scan_ids, beginnings of them, or source_paths.
        why: in the person's words.

    Returns:
        What holds of them now, one row per recipe.

    Raises:
        ConfigError: a scan is not there or not the only one, or nobody said why; then none is excluded.
    """
    _check_why(why)
    found = [find_rows(store, scan)[0] for scan in scans]
    words = [_word(store, row, "exclude", why) for row in _once(found)]
    return _recorded(store, words, f"exclude {len(words)} scans")


def accept(store: warehouse.Warehouse, scans: Sequence[str], why: str) -> list[Row]:
    """Takes back the exclusion of scans, and stores those that were refused for a reason that a person may overrule.

    A refused scan is read again at once, under every recipe that refused it. Its refusals do not count any more as long
    as the image stays the same; a stored scan that nobody excluded is left as it is.

    Args:
        store: the home's tables.
        scans: scan_ids, beginnings of them, or source_paths.
        why: in the person's words.

    Returns:
        What holds of them now, one row per recipe.

    Raises:
        ConfigError: a scan is not there or not the only one, was not read yet, was refused for a reason that nobody can
            overrule, or cannot be read; the scans before it are accepted then.
    """
    _check_why(why)
    found = [find_rows(store, scan) for scan in scans]
    try:
        for rows in found:
            _accept(store, rows, why)
    finally:
        store.publish_snapshot(f"accept {len(found)} scans")
    return _standing(store, [rows[0]["scan_id"] for rows in found])


def _accept(store: warehouse.Warehouse, rows: Sequence[Row], why: str) -> None:
    """Accepts one scan; `rows` has one for each recipe."""
    refused = [row for row in rows if row["status"] == "refused"]
    if refused:
        for row in refused:
            _accept_refused(store, row, why)
    elif any(row["excluded_why"] is not None for row in rows):
        store.append("overrules", [_word(store, rows[0], "accept", why)], job_id())
    elif all(row["status"] in ("absent", "pending") for row in rows):
        raise ConfigError(f"{rows[0]['source_path']} is {rows[0]['status']}: it was not read yet; ingest it first.")


def _accept_refused(store: warehouse.Warehouse, row: Row, why: str) -> None:
    """Reads one refused scan again without the limits that a person may overrule, and stores it."""
    reason = Reason(row["reason"])
    name, can = row["source_path"], ", ".join(sorted(code.value for code in OVERRULABLE))
    if reason not in OVERRULABLE:
        raise ConfigError(f"{name} was refused as {reason.value}, which nobody can overrule; what can be is {can}.")
    recipe, job = recipe_of_row(row), job_id()
    work = source_of_row(store, row)
    try:
        judged = image_hash(work.scan, recipe)
    except ScanRefused as refusal:
        raise ConfigError(f"{name} cannot be read any more ({refusal.reason.value}): {refusal}") from refusal
    everything = Accepted(frozenset(code.value for code in OVERRULABLE), judged)
    made, per_slice = ingest_scan(replace(work, accepted=everything), recipe, store.home.root, bool(row["synthetic"]))
    if made["status"] != "stored":
        raise ConfigError(f"{name} is refused all the same ({made['reason']}): {made['message']}")
    before = set(work.accepted.reasons) if work.accepted and work.accepted.image_hash == judged else set()
    told = {text.partition(":")[0] for text in (made["overruled"] or "").split("; ") if text}
    reasons = sorted(before | (told & {code.value for code in OVERRULABLE}))
    word = _word(store, row, "accept", why) | {"reasons": "; ".join(reasons) or None, "image_hash": judged}
    # The word comes first: slices without it would look as if no rule had been broken.
    store.append("overrules", [word], job)
    store.append("slices", per_slice, job)
    store.append("scans", [made], job)


def _check_why(why: str) -> None:
    if not why.strip():
        raise ConfigError("Say why (--why TEXT): whoever finds the scan missing or present will ask.")


def _once(rows: Sequence[Row]) -> list[Row]:
    return list({row["scan_id"]: row for row in rows}.values())


def _word(store: warehouse.Warehouse, row: Row, verdict: str, why: str) -> Row:
    """A decision; what was overruled before stays overruled beside it."""
    known = store.query("select * from staging.stg_overrules where scan_id = ?", [row["scan_id"]]).to_pylist()
    kept = {name: known[0][name] if known else None for name in ("reasons", "image_hash")}
    return {"scan_id": row["scan_id"], "dataset": row["dataset"], "verdict": verdict, "why": why, "who": _who(), **kept}


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run as a number without a name
        return "unknown"


def _recorded(store: warehouse.Warehouse, words: Sequence[Row], note: str) -> list[Row]:
    store.append("overrules", words, job_id())
    store.publish_snapshot(note)
    return _standing(store, [word["scan_id"] for word in words])


def _standing(store: warehouse.Warehouse, scan_ids: Sequence[str]) -> list[Row]:
    rows: list[Row] = store.query(
        "select s.scan_id, s.recipe_id, s.source_path, s.status, o.verdict, o.reasons, o.why from scans s "
        "left join overrules o using (scan_id, recipe_id) where list_contains(?, s.scan_id) order by all",
        [list(scan_ids)],
    ).to_pylist()
    return rows
