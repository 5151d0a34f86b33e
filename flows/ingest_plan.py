"""Decides, without reading a voxel, what an ingest has to do: read, describe anew, note as absent, or leave alone."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from braindino import keys
from braindino.datasets import Label, Scan
from braindino.errors import DatasetError
from braindino.imaging import files_of

Row = Mapping[str, Any]
Ages = Mapping[tuple[str, str, str], float | None]  # years by dataset, subject and session
_NO_AGES: Ages = {}
_NONE_ACCEPTED: Mapping[str, "Accepted"] = {}


@dataclass(frozen=True)
class Accepted:
    """Refusals, by reason code, that a person overruled for the image of this hash."""

    reasons: frozenset[str]
    image_hash: str


@dataclass(frozen=True)
class Work:
    """One scan with its keys and what the warehouse already says of it (None for a new scan).

    `age_years` is the person's age as the source states it for the scan; `accepted` is what a person overruled.
    """

    scan: Scan
    scan_id: str
    source_path: str
    source_bytes: int
    source_fingerprint: str
    description_hash: str
    known: Row | None
    age_years: float | None = None
    accepted: Accepted | None = None


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
    for path in files_of(scan.image):
        yield "image", path
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


def work_of(scan: Scan, root: Path, known: Row | None, ages: Ages, accepted: Accepted | None) -> Work:
    """One scan with its keys; `known` is the latest row of it, `root` the dataset's folder."""
    fingerprint, size = _fingerprint(scan, root)
    return Work(
        scan, keys.scan_id(scan.dataset, scan.source_key), _relative(scan.image, root), size, fingerprint,
        _description(scan), known, _age(scan, ages), accepted,
    )  # fmt: skip


def ages_of(labels: Iterable[Label]) -> Ages:
    """The age in years by (dataset, subject, session), empty for the subject; None where several are stated."""
    ages: dict[tuple[str, str, str], float | None] = {}
    for label in labels:
        if label.label == "age" and label.number is not None:
            key = (label.dataset, label.subject, label.session or "")
            ages[key] = label.number if ages.get(key, label.number) == label.number else None
    return ages


def _age(scan: Scan, ages: Ages) -> float | None:
    of_session = (scan.dataset, scan.subject, scan.session or "")
    return ages[of_session] if of_session in ages else ages.get((scan.dataset, scan.subject, ""))


def plan(
    scans: Iterable[Scan],
    root: Path,
    known: Mapping[str, Row],
    dataset: str,
    ages: Ages = _NO_AGES,
    accepted: Mapping[str, Accepted] = _NONE_ACCEPTED,
) -> Plan:
    """Compares what an adapter found with what the warehouse knows.

    Args:
        scans: everything the adapter found under `root`.
        root: the dataset's folder; paths are recorded relative to it.
        known: the latest row per scan_id of this dataset under the recipe of this ingest.
        dataset: its name, for the error below.
        ages: ages of people, see `ages_of`.
        accepted: what a person overruled, by scan_id.

    Raises:
        DatasetError: two scans share one source key.
    """
    read, describe, absent, unchanged = [], [], [], 0
    seen: dict[str, Scan] = {}
    for scan in scans:
        scan_id = keys.scan_id(scan.dataset, scan.source_key)
        work = work_of(scan, root, known.get(scan_id), ages, accepted.get(scan_id))
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
