"""The small labelled cohort that a training is probed with: scans of its own, never of a frozen test subject."""

import hashlib
from collections import defaultdict
from itertools import zip_longest
from pathlib import Path
from typing import Any

import warehouse
from braindino.pretraining import Labelled
from braindino.slices import ScanRef

Row = dict[str, Any]
SCANS = 96
"""At most so many: their slices stay in memory while it trains."""
LABELS = ("sex", "diagnosis", "lesion")


def scan_ref(scan: Row, home: Path) -> ScanRef:
    """What a training needs to know of a row of `scans`."""
    return ScanRef(
        str(home / scan["store_path"]), scan["scan_id"], scan["subject_uid"], scan["dataset"], scan["n_slices"],
        scan["plane"], scan["session"] or "", scan["contrast"] or "",
    )  # fmt: skip


def probe_cohort(
    store: warehouse.Warehouse, scans: list[Row], home: Path, recipe_id: str, snapshot: str
) -> tuple[Labelled, ...]:
    """Scans in turn from every dataset and contrast, in an order that depends on their ids alone, with their classes:
    contrast, site (the dataset and, where it has several, its site), and whichever of LABELS are known.
    """
    told: dict[str, dict[str, str]] = defaultdict(dict)
    rows = store.query(
        "select scan_id, label, value from labelled_scans where recipe_id = ? and label in ? and value is not null",
        [recipe_id, list(LABELS)],
        snapshot=snapshot,
    )
    for row in rows.to_pylist():
        told[row["scan_id"]][row["label"]] = row["value"]
    strata: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for scan in sorted(scans, key=lambda scan: hashlib.sha256(scan["scan_id"].encode()).digest()):
        strata[scan["dataset"], scan["contrast"] or ""].append(scan)
    turns = [scan for turn in zip_longest(*strata.values()) for scan in turn if scan is not None]
    return tuple(
        Labelled(scan_ref(scan, home), {**told[scan["scan_id"]], **_own_labels(scan)}) for scan in turns[:SCANS]
    )


def _own_labels(scan: Row) -> dict[str, str]:
    site = " ".join(filter(None, (scan["dataset"], scan["site"])))
    return {"site": site, "contrast": scan["contrast"]} if scan["contrast"] else {"site": site}
