"""The rows of one batch of an ingest: what became of each scan, counted and committed."""

import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import warehouse
from flows.ingest_scan import Row

COMMIT_EVERY_S = 120.0  # within a batch: a commit writes two files


class RowsToCommit:
    """Rows of the scans that were read, on their way into the home."""

    def __init__(self, home: Path, job: str) -> None:
        self.counts: Counter[str] = Counter()
        self._home, self._job = home, job
        self._rows: list[Row] = []
        self._slice_rows: list[Row] = []
        self._since = time.monotonic()

    def add(self, row: Row, slice_rows: list[Row]) -> None:
        """Takes one scan's rows; now and then they are committed, so that a kill costs minutes at most."""
        self._rows.append(row)
        self._slice_rows.extend(slice_rows)
        self.counts[what_became(row)] += 1
        if not row.get("reason"):
            self.counts["bytes"] += int(row.get("store_bytes") or 0)
        if time.monotonic() - self._since > COMMIT_EVERY_S:
            self.commit()

    def commit(self) -> None:
        """Appends what was added since."""
        store = warehouse.open(self._home)
        # The scans' rows come last: a scan exists when its row is committed, whenever this process is killed.
        if self._slice_rows:
            store.append("slices", self._slice_rows, self._job)
        if self._rows:
            store.append("scans", self._rows, self._job)
        self._rows, self._slice_rows, self._since = [], [], time.monotonic()


def what_became(row: Row) -> str:
    """What became of a scan: `stored`, `refused:truncated`, or `kept:truncated` for slices of an earlier file."""
    if not row.get("reason"):
        return str(row["status"])
    return f"{'kept' if row['status'] == 'stored' else 'refused'}:{row['reason']}"


def by_reason(counts: Mapping[str, int], kind: str) -> dict[str, int]:
    """The counts of one kind, such as `refused:`, by what follows it."""
    return {code.removeprefix(kind): n for code, n in counts.items() if code.startswith(kind)}
