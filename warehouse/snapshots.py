"""Snapshots: small immutable manifests that pin the versions of all tables together."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from warehouse import commits
from warehouse.errors import UnknownSnapshot
from warehouse.home import Home, write_if_absent
from warehouse.schemas import TABLES

SETTLING = 20  # readings of all versions after which a busy store is pinned as last read


@dataclass(frozen=True)
class Snapshot:
    """One published snapshot: its id, when and why it was made, and the version of every table there was."""

    id: str
    created_at: datetime
    note: str
    versions: Mapping[str, int]


def current_versions(home: Home) -> dict[str, int]:
    """The newest version of every table that exists.

    Delta is atomic per table only. Two equal readings in a row prove that all these versions were the newest
    at one moment in between, so a row is never seen without those that were committed before it.
    """
    last = _read_versions(home)
    for _ in range(SETTLING):
        again = _read_versions(home)
        if again == last:
            break
        last = again
    return last


def _read_versions(home: Home) -> dict[str, int]:
    found = {name: commits.latest_version(home.warehouse / name) for name in TABLES}
    return {name: version for name, version in found.items() if version is not None}


def publish(home: Home, note: str) -> str:
    """Pins the newest versions under the next free id, or returns the last id if nothing has changed since.

    Ids are taken by put-if-absent: of two publishers one gets the id, the other looks again for the next.
    """
    while True:
        last = _latest(home)
        versions = current_versions(home)
        if last is not None and last.versions == versions:
            return last.id
        number = 1 if last is None else int(last.id[1:]) + 1
        record = {
            "id": f"s{number:04}",
            "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "note": note,
            "versions": versions,
        }
        if write_if_absent(home.snapshots / f"s{number:04}.json", json.dumps(record, indent=2) + "\n"):
            return f"s{number:04}"


def published(home: Home) -> list[Snapshot]:
    """All snapshots, oldest first."""
    return [_read(path) for path in _paths(home)]


def find(home: Home, snapshot_id: str) -> Snapshot:
    """The snapshot of this id.

    Raises:
        UnknownSnapshot: there is none; the text names those there are.
    """
    for path in _paths(home):
        if path.stem == snapshot_id:
            return _read(path)
    known = [path.stem for path in _paths(home)]
    listed = ", ".join(known[-10:]) or "none yet"
    more = f" and {len(known) - 10} older" if len(known) > 10 else ""
    raise UnknownSnapshot(f"There is no snapshot {snapshot_id} in {home.root}; known are {listed}{more}.")


def _paths(home: Home) -> list[Path]:
    found = (path for path in home.snapshots.glob("s*.json") if path.stem[1:].isdigit())
    return sorted(found, key=lambda path: int(path.stem[1:]))


def _latest(home: Home) -> Snapshot | None:
    paths = _paths(home)
    return _read(paths[-1]) if paths else None


def _read(path: Path) -> Snapshot:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        created = datetime.fromisoformat(record["created_at"])
        return Snapshot(record["id"], created, record["note"], {str(k): int(v) for k, v in record["versions"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnknownSnapshot(f"{path} cannot be read as a snapshot; restore it from a backup.") from error
