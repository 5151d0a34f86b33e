"""Finds copies of one scan among all stored brains; what has been compared once is compared with new scans only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, overload

import numpy as np
import pyarrow as pa

import warehouse
from braindino import slices
from braindino.errors import StoreError
from braindino.evaluation import FINGERPRINT_VERSION, Fingerprint, find_copies, fingerprint
from flows.display import progress, stderr

Row = dict[str, Any]
BATCH = 200  # fingerprints per commit: what a killed run can lose

# Of a scan that is stored under several recipes the finest slices are looked at: copies are told by fine detail.
_STORED = """
select scan_id, content_hash, recipe_id, store_path
from scans join recipes using (recipe_id)
where status = 'stored'
qualify row_number() over (
    partition by scan_id
    order by coalesce((json_extract(recipes.parameters, '$.spacing_mm'))::double, 1), recipe_id
) = 1
"""
_MISSING = f"""
with chosen as ({_STORED})
select chosen.* from chosen
anti join staging.stg_fingerprints as made
    on made.scan_id = chosen.scan_id and made.content_hash = chosen.content_hash
    and made.recipe_id = chosen.recipe_id and made.fingerprint_version = ?
order by scan_id
"""
_MADE = f"""
with chosen as ({_STORED})
select chosen.scan_id, chosen.content_hash, scans.subject_uid, made.fingerprint, done.scan_id is not null as compared
from chosen
join staging.stg_fingerprints as made using (scan_id, content_hash, recipe_id)
join scans using (scan_id, recipe_id)
left join staging.stg_compared_scans as done
    on done.scan_id = chosen.scan_id and done.content_hash = chosen.content_hash
    and done.fingerprint_version = made.fingerprint_version
where made.fingerprint_version = ?
order by chosen.scan_id
"""


class _Fingerprints(Sequence[Fingerprint]):
    """Fingerprints as they lie in an Arrow column, unpacked one at a time."""

    def __init__(self, blobs: pa.ChunkedArray) -> None:
        self._blobs = blobs

    def __len__(self) -> int:
        return len(self._blobs)

    @overload
    def __getitem__(self, index: int) -> Fingerprint: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Fingerprint]: ...
    def __getitem__(self, index: int | slice) -> Fingerprint | Sequence[Fingerprint]:
        if isinstance(index, slice):
            return _Fingerprints(self._blobs[index])
        return Fingerprint.from_bytes(self._blobs[int(index)].as_py())


def batched(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    """The rows in lists of `size`, the last one shorter."""
    while batch := list(islice(rows, size)):
        yield batch


def _of_scan(path: Path) -> Fingerprint:
    scan = slices.open_scan(path)
    return fingerprint(scan.image(), scan.brain(), np.asarray(scan.attributes["affine"], dtype=np.float64))


def _computed(home: Path, missing: Sequence[Row]) -> Iterator[Row]:
    """Rows of `fingerprints`; a store that cannot be read is named and left for another time."""
    with progress("fingerprints", len(missing)) as ticker:
        for row in missing:
            key = {name: row[name] for name in ("scan_id", "content_hash", "recipe_id")}
            try:
                blob = _of_scan(home / row["store_path"]).to_bytes()
            except StoreError as error:
                stderr.print(f"warning: {error}")
            else:
                yield {**key, "fingerprint_version": FINGERPRINT_VERSION, "fingerprint": blob}
            ticker.advance(1)


@dataclass(frozen=True)
class Compared:
    """What one look for copies did: brains compared for the first time, and stored ones that cannot be read."""

    new: int
    unreadable: int


def update_copies(store: warehouse.Warehouse, job: str) -> Compared:
    """Fingerprints every stored brain that has none, and looks for copies of the new ones among all.

    Scans of one person are not compared: that they belong together is known.

    """
    missing = store.query(_MISSING, [FINGERPRINT_VERSION]).to_pylist()
    computed = 0
    for batch in batched(_computed(store.home.root, missing), BATCH):
        store.append("fingerprints", batch, job)
        computed += len(batch)
    unreadable = len(missing) - computed
    made = store.query(_MADE, [FINGERPRINT_VERSION])
    scans = made.drop_columns(["fingerprint"]).to_pylist()
    new = [row for row in scans if not row["compared"]]
    if not new:
        return Compared(0, unreadable)
    people = [row["subject_uid"] for row in scans]
    matches = find_copies(_Fingerprints(made.column("fingerprint")), people)
    rows = [
        {
            "scan_id": scans[match.first]["scan_id"], "content_hash": scans[match.first]["content_hash"],
            "other_scan_id": scans[match.second]["scan_id"],
            "other_content_hash": scans[match.second]["content_hash"],
            "fingerprint_version": FINGERPRINT_VERSION, "grade": match.grade, "score": match.score,
            "likeness": match.likeness,
        }
        for match in matches
        if not (scans[match.first]["compared"] and scans[match.second]["compared"])
    ]  # fmt: skip
    if rows:
        store.append("scan_copies", rows, job)
    # Only now do the scans count as compared: a run that was killed before compares them again.
    done = [
        {
            "scan_id": row["scan_id"],
            "content_hash": row["content_hash"],
            "fingerprint_version": FINGERPRINT_VERSION,
        }
        for row in new
    ]
    store.append("compared_scans", done, job)
    return Compared(len(new), unreadable)
