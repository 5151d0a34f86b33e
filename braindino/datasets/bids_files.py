"""Walking a BIDS tree: the anatomical files of all subjects, and whether their content is on disk."""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from braindino.datasets.bids_names import BidsName, parse_name, strip_extension
from braindino.datasets.values import a_few

_UNFINISHED = (".part", ".partial", ".crdownload", ".download", ".aria2")  # what browsers and tools call half a file
_POINTER_BYTES = 1024  # a git-annex pointer file is one short path; the smallest useful image is far larger


@dataclass(frozen=True)
class AnatFile:
    """One NIfTI file of an anat/ folder; `present` is False for a git-annex file without content."""

    path: Path
    subject: str
    session: str | None
    name: BidsName
    present: bool


@dataclass(frozen=True)
class AnatFolder:
    """One anat/ folder: images and masks, and the sidecars that may describe them, outermost first.

    `closed` is the folder, itself or one above it, that may not be looked into, if there is one; `unfinished` are the
    names of downloads that stopped half-way.
    """

    subject: str
    session: str | None
    images: tuple[AnatFile, ...]
    sidecars: tuple[Path, ...]
    closed: Path | None = None
    unfinished: tuple[str, ...] = ()


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """The entries of a folder by name, without hidden ones; none if there is no such folder or it may not be read.

    Walkers ask `may_read` to tell the two apart.
    """
    try:
        with os.scandir(folder) as found:
            return sorted((e for e in found if not e.name.startswith(".")), key=lambda e: e.name)
    except OSError:  # also of a link that leads to itself
        return []


def may_read(folder: Path) -> bool:
    """Whether a folder can be looked into, as far as permissions say; one that is not there holds nothing to hide."""
    return os.access(folder, os.R_OK | os.X_OK) or not os.path.lexists(folder)


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder; a link that leads to itself is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_file(path: Path) -> bool:
    """Whether there is a regular file; false, too, in a folder that may not be read."""
    try:
        return path.is_file()
    except OSError:
        return False


def unfinished_downloads(found: Iterable[os.DirEntry[str]]) -> tuple[str, ...]:
    """The names of files that a download left half-way, such as `x.nii.gz.part`."""
    return tuple(entry.name for entry in found if entry.name.endswith(_UNFINISHED))


def folder_notes(closed: Iterable[Path], unfinished: Sequence[str]) -> list[str]:
    """Notes on folders that may not be looked into, and on downloads that stopped half-way, if there are any."""
    names = list(dict.fromkeys(str(Path(*folder.parts[-2:])) for folder in closed))
    notes = [f"{len(names)} folder(s) may not be read and were skipped: {a_few(names)}."] if names else []
    if unfinished:
        notes.append(f"{len(unfinished)} unfinished downloads: {a_few(unfinished)}.")
    return notes


def subject_folders(root: Path) -> list[Path]:
    """The `sub-*` folders of a dataset, sorted."""
    return [Path(e.path) for e in entries(root) if e.name.startswith("sub-") and is_folder(e)]


def anat_folders(root: Path) -> Iterator[AnatFolder]:
    """Every `sub-*/anat` and `sub-*/ses-*/anat`, in order of subject and session."""
    root_sidecars = _sidecars(entries(root))
    for folder in subject_folders(root):
        subject = folder.name.removeprefix("sub-")
        inside = entries(folder)
        outer = (*root_sidecars, *_sidecars(inside))
        if any(e.name == "anat" for e in inside) or not may_read(folder):
            yield _anat(folder / "anat", subject, None, outer)
        for entry in inside:
            if entry.name.startswith("ses-") and is_folder(entry):
                session = Path(entry.path)
                sidecars = (*outer, *_sidecars(entries(session)))
                yield _anat(session / "anat", subject, entry.name.removeprefix("ses-"), sidecars)


def derivative_folders(root: Path) -> Iterator[AnatFolder]:
    """The anat/ folders of every pipeline under derivatives/, which may hold masks of the raw images."""
    for entry in entries(root / "derivatives"):
        if is_folder(entry):
            yield from anat_folders(Path(entry.path))


def content_present(entry: os.DirEntry[str]) -> bool:
    """Whether a file's content is on disk.

    git-annex leaves a broken link where content was not fetched, or, in an unlocked or copied tree, a tiny
    regular file that holds the path the link would have.
    """
    try:
        status = entry.stat()
    except OSError:
        return False
    if status.st_size > _POINTER_BYTES or not stat.S_ISREG(status.st_mode):
        return True  # a pipe would be waited for; reading it as a scan says what is wrong
    try:
        return b"annex/objects/" not in Path(entry.path).read_bytes()
    except OSError:  # it is there, and reading it as a scan says that it may not be read
        return True


def _anat(folder: Path, subject: str, session: str | None, outer: tuple[Path, ...]) -> AnatFolder:
    closed = next((path for path in (folder.parent, folder) if not may_read(path)), None)
    inside = entries(folder) if closed is None else []
    images = []
    for entry in inside:
        stem = strip_extension(entry.name)
        if stem is not None:
            present = content_present(entry)
            images.append(AnatFile(Path(entry.path), subject, session, parse_name(stem), present))
    sidecars = (*outer, *_sidecars(inside))
    return AnatFolder(subject, session, tuple(images), sidecars, closed, unfinished_downloads(inside))


def _sidecars(found: list[os.DirEntry[str]]) -> tuple[Path, ...]:
    return tuple(Path(e.path) for e in found if e.name.endswith(".json"))
