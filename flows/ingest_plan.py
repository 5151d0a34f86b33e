"""Decides, without reading a voxel, what an ingest has to do: read, describe anew, note as absent, or leave alone."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from braindino import keys
from braindino.datasets import Scan
from braindino.errors import DatasetError

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Work:
    """One scan with its keys and what the warehouse already says of it (None for a new scan)."""

    scan: Scan
    scan_id: str
    source_path: str
    source_bytes: int
    source_fingerprint: str
    description_hash: str
    known: Row | None


@dataclass(frozen=True)
class Plan:
    """What an ingest has to do, by scan."""

    read: tuple[Work, ...]
    describe: tuple[Work, ...]
    absent: tuple[Work, ...]
    unchanged: int

    @property
    def bytes_to_read(self) -> int:
        """Size on disk of the files that will be read."""
        return sum(work.source_bytes for work in self.read)


def _files(scan: Scan) -> Iterable[tuple[str, Path]]:
    yield "image", scan.image
    if scan.image.suffix == ".hdr":
        yield "image", scan.image.with_suffix(".img")
    elif scan.image.suffix == ".img":
        yield "image", scan.image.with_suffix(".hdr")
    if scan.brain_mask is not None:
        yield "brain_mask", scan.brain_mask
    if scan.segmentation is not None:
        yield "segmentation", scan.segmentation


def _relative(path: Path, root: Path) -> str:
    """The path under the dataset's root; a file elsewhere keeps its name only: its folders are not ours to tell."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _fingerprint(scan: Scan, root: Path) -> tuple[str, int]:
    """Hash over role, relative path, size and modification time of a scan's files, and their total size in bytes.

    What the source says of the voxels (stripped, how they are stored) counts, too: it changes the slices.
    """
    entries: list[list[Any]] = []
    total = 0
    for role, path in _files(scan):
        try:
            status = path.stat()
            entries.append([role, _relative(path, root), status.st_size, status.st_mtime_ns])
            total += status.st_size
        except (OSError, ValueError):  # missing, or a name that no file can have
            entries.append([role, _relative(path, root), None, None])
    said = [scan.skull_stripped] if scan.orientation is None else [scan.skull_stripped, scan.orientation]
    return keys.short_hash([entries, *said], 16), total


def _description(scan: Scan) -> str:
    said = {"session": scan.session, "contrast": scan.contrast, "run": scan.run, "subject": scan.subject}
    when = asdict(scan.when) if scan.when else None
    return keys.short_hash([said, asdict(scan.acquisition), when, scan.segmentation_codes], 16)


def _work(scan: Scan, root: Path, known: Mapping[str, Row]) -> Work:
    scan_id = keys.scan_id(scan.dataset, scan.source_key)
    fingerprint, size = _fingerprint(scan, root)
    return Work(scan, scan_id, _relative(scan.image, root), size, fingerprint, _description(scan), known.get(scan_id))


def plan(scans: Iterable[Scan], root: Path, known: Mapping[str, Row], dataset: str) -> Plan:
    """Compares what an adapter found with what the warehouse knows.

    Args:
        scans: everything the adapter found under `root`.
        root: the dataset's folder; paths are recorded relative to it.
        known: the latest row per scan_id of this dataset under the recipe of this ingest.
        dataset: its name, for the error below.

    Raises:
        DatasetError: two scans share one source key.
    """
    read, describe, absent, unchanged = [], [], [], 0
    seen: dict[str, Scan] = {}
    for scan in scans:
        work = _work(scan, root, known)
        if work.scan_id in seen:
            twice = f"{seen[work.scan_id].image} and {scan.image} are listed as the same scan ({scan.source_key});"
            raise DatasetError(dataset, (f"{twice} give each its own session or run.",))
        seen[work.scan_id] = scan
        row = work.known
        same_description = row is not None and row["description_hash"] == work.description_hash
        if not scan.image_present:
            # A scan that was stored keeps its slices when its source is dropped from disk again.
            if row is None or (row["status"] in ("absent", "pending") and not same_description):
                absent.append(work)
            else:
                unchanged += 1
        elif row is None or row["source_fingerprint"] != work.source_fingerprint:
            read.append(work)
        elif not same_description:
            describe.append(work)
        else:
            unchanged += 1
    return Plan(tuple(read), tuple(describe), tuple(absent), unchanged)
