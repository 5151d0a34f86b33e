"""Walking a BIDS tree: the anatomical files of all subjects, and whether their content is on disk."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from braindino.datasets.bids_names import BidsName, parse_name, strip_extension

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
    """One anat/ folder: images and masks, and the sidecars that may describe them, outermost first."""

    subject: str
    session: str | None
    images: tuple[AnatFile, ...]
    sidecars: tuple[Path, ...]


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """The entries of a folder by name, without hidden ones; none if there is no such folder."""
    try:
        with os.scandir(folder) as found:
            return sorted((e for e in found if not e.name.startswith(".")), key=lambda e: e.name)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def subject_folders(root: Path) -> list[Path]:
    """The `sub-*` folders of a dataset, sorted."""
    return [Path(e.path) for e in entries(root) if e.name.startswith("sub-") and _is_folder(e)]


def anat_folders(root: Path) -> Iterator[AnatFolder]:
    """Every `sub-*/anat` and `sub-*/ses-*/anat`, in order of subject and session."""
    root_sidecars = _sidecars(entries(root))
    for folder in subject_folders(root):
        subject = folder.name.removeprefix("sub-")
        inside = entries(folder)
        outer = (*root_sidecars, *_sidecars(inside))
        if any(e.name == "anat" for e in inside):
            yield _anat(folder / "anat", subject, None, outer)
        for entry in inside:
            if entry.name.startswith("ses-") and entry.is_dir():
                session = Path(entry.path)
                sidecars = (*outer, *_sidecars(entries(session)))
                yield _anat(session / "anat", subject, entry.name.removeprefix("ses-"), sidecars)


def derivative_folders(root: Path) -> Iterator[AnatFolder]:
    """The anat/ folders of every pipeline under derivatives/, which may hold masks of the raw images."""
    for entry in entries(root / "derivatives"):
        if entry.is_dir():
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
    return b"annex/objects/" not in Path(entry.path).read_bytes()


def _anat(folder: Path, subject: str, session: str | None, outer: tuple[Path, ...]) -> AnatFolder:
    inside = entries(folder)
    images = []
    for entry in inside:
        stem = strip_extension(entry.name)
        if stem is not None:
            present = content_present(entry)
            images.append(AnatFile(Path(entry.path), subject, session, parse_name(stem), present))
    return AnatFolder(subject, session, tuple(images), (*outer, *_sidecars(inside)))


def _sidecars(found: list[os.DirEntry[str]]) -> tuple[Path, ...]:
    return tuple(Path(e.path) for e in found if e.name.endswith(".json"))
