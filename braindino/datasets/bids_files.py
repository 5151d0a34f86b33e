"""Walking a BIDS tree: the anatomical files of all subjects, and whether their content is on disk."""

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from braindino.datasets.bids_names import BidsName, parse_name, strip_extension
from braindino.datasets.values import a_few

_UNFINISHED = (".part", ".partial", ".crdownload", ".download", ".aria2")  # what browsers and tools call half a file
_OF_AWS = re.compile(r"\.nii(?:\.gz)?(\.[0-9A-Fa-f]{8})")  # `aws s3 sync` ends it with eight random digits
_POINTER_BYTES = 1024  # a git-annex pointer file is one short path; the smallest useful image is far larger


@dataclass(frozen=True)
class AnatFile:
    """One NIfTI file of an anat/ folder; `present` is False for a git-annex file without content, and a missing one."""

    path: Path
    subject: str
    session: str | None
    name: BidsName
    present: bool


@dataclass(frozen=True)
class AnatFolder:
    """One anat/ folder: images and masks, and the sidecars that may describe them, outermost first.

    `closed` is the folder, itself or one above it, that may not be looked into, if there is one, and `empty` the one
    that holds nothing; `unfinished` are the names of downloads that stopped half-way.
    """

    path: Path
    subject: str
    session: str | None
    images: tuple[AnatFile, ...]
    sidecars: tuple[Path, ...]
    closed: Path | None = None
    empty: Path | None = None
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


def is_there(path: Path) -> bool:
    """Whether anything has this name: a file, a link even if it leads nowhere, or a folder that is not empty.

    A file whose download has not ended, as another beside it tells, is not there.
    """
    try:
        status = path.stat()
    except OSError:
        return os.path.lexists(path)
    if stat.S_ISDIR(status.st_mode):
        return not may_read(path) or bool(entries(path))
    return not _is_unfinished(str(path), status.st_size)


def unfinished_downloads(found: Iterable[os.DirEntry[str]]) -> tuple[str, ...]:
    """The names of files that a download left half-way, such as `x.nii.gz.part`."""
    return tuple(entry.name for entry in found if finished_name(entry.name) is not None)


def finished_name(name: str) -> str | None:
    """What a file that a download left half-way would be called: `x.nii.gz` for `x.nii.gz.part`; None for others."""
    for ending in _UNFINISHED:
        if name.endswith(ending):
            return name.removesuffix(ending)
    match = _OF_AWS.search(name)
    return name.removesuffix(match[1]) if match and match.end() == len(name) else None


def _is_unfinished(path: str, size: int) -> bool:
    """Whether a download still writes here: aria2 into the file itself, browsers beside one that they leave empty."""
    beside = _UNFINISHED if size == 0 else (".aria2",)
    return any(os.path.lexists(path + ending) for ending in beside)


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
        if any(e.name == "anat" for e in inside) or not inside:
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
    regular file that holds the path the link would have. Some tools have another file beside one that they still write.
    """
    try:
        status = entry.stat()
    except OSError:
        return False
    if _is_unfinished(entry.path, status.st_size):
        return False
    if status.st_size > _POINTER_BYTES or not stat.S_ISREG(status.st_mode):
        return True  # a pipe would be waited for; reading it as a scan says what is wrong
    try:
        return b"annex/objects/" not in Path(entry.path).read_bytes()
    except OSError:  # it is there, and reading it as a scan says that it may not be read
        return True


def volumes(found: Iterable[os.DirEntry[str]]) -> dict[Path, bool]:
    """The NIfTI files of a folder, and whether the content of each is on disk.

    One whose download stopped half-way is among them by the name that it should have, without content.
    """
    files: dict[Path, bool] = {}
    for entry in found:
        finished = finished_name(entry.name)
        if strip_extension(finished or entry.name) is None:
            continue
        if finished is None:
            files[Path(entry.path)] = content_present(entry)
        else:
            files.setdefault(Path(entry.path).with_name(finished), False)
    return files


def _anat(folder: Path, subject: str, session: str | None, outer: tuple[Path, ...]) -> AnatFolder:
    closed = next((path for path in (folder.parent, folder) if not may_read(path)), None)
    inside = entries(folder) if closed is None else []
    if not inside:
        empty = None if closed else next((path for path in (folder.parent, folder) if _is_empty(path)), None)
        return AnatFolder(folder, subject, session, (), outer, closed, empty)
    images = [
        AnatFile(path, subject, session, parse_name(strip_extension(path.name) or ""), present)
        for path, present in volumes(inside).items()
    ]
    sidecars = (*outer, *_sidecars(inside))
    return AnatFolder(folder, subject, session, tuple(images), sidecars, unfinished=unfinished_downloads(inside))


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not entries(folder)


def _sidecars(found: list[os.DirEntry[str]]) -> tuple[Path, ...]:
    return tuple(Path(e.path) for e in found if e.name.endswith(".json"))
