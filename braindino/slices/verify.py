"""Whether the files of a stored scan are those that were written: by their sizes, or byte by byte."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["missing", "short", "altered", "unreadable"]

_ARRAYS = ("image", "brain", "segmentation")
# The whole of a group, in the order it is hashed; a scan without a segmentation lacks the last two.
FILES = ("zarr.json", *(f"{array}/{file}" for array in _ARRAYS for file in ("zarr.json", "c/0/0/0")))
_ALWAYS = FILES[:5]


@dataclass(frozen=True)
class Damage:
    """What is wrong with one group."""

    kind: Kind
    detail: str


def group_sha256(group: Path) -> str:
    """SHA-256 over names, sizes and bytes of a group's files, in hexadecimal.

    Raises:
        OSError: a file cannot be read.
    """
    digest = hashlib.sha256()
    for name, path in _present(group):
        content = path.read_bytes()
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def check_group(group: Path, size: int, sha256: str | None = None) -> Damage | None:
    """Looks at one group; None if nothing is wrong with it.

    Args:
        group: its folder.
        size: its bytes when it was written.
        sha256: its `group_sha256` when it was written; None looks at sizes only, which takes microseconds.
    """
    found, missing = 0, []
    for name in FILES:
        try:
            found += os.stat(f"{group}/{name}").st_size  # noqa: PTH116 - half the time of Path.stat, for 50,000 groups
        except FileNotFoundError:
            missing.append(name)
        except OSError as error:
            return Damage("unreadable", f"{name}: {error.strerror}")
    lost = [name for name in missing if name in _ALWAYS]
    if lost:
        return Damage("missing", "all of it" if lost == list(_ALWAYS) else ", ".join(lost))
    if found != size:
        kind: Kind = "short" if found < size else "altered"
        return Damage(kind, f"{found:,} bytes instead of {size:,}")
    if sha256 is None:
        return None
    try:
        same = group_sha256(group) == sha256
    except OSError as error:
        return Damage("unreadable", str(error.strerror))
    return None if same else Damage("altered", "the bytes are not those that were written")


def stray_groups(root: Path, named: Iterable[str], settled_before: float) -> Iterator[tuple[Path, str]]:
    """What lies under `slices` and belongs to no scan.

    Args:
        root: the home's folder `slices`, with the stores as <recipe_id>/<dataset>/<group>.
        named: paths of groups that some row names, relative to the home.
        settled_before: seconds since 1970; what was written later may belong to an ingest that is still running.

    Yields:
        The folder, and "leftover" (of a writer that was killed) or "orphan" (whole, but no row has ever named it).
    """
    known = {os.fspath(root.parent / name) for name in named}
    for recipe in _folders(root):
        for dataset in _folders(Path(recipe)):
            for entry in _folders(Path(dataset)):
                kind = "leftover" if entry.path.endswith(".partial") else "orphan"
                if entry.path not in known and entry.stat().st_mtime < settled_before:
                    yield Path(entry.path), kind


def _folders(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted((entry for entry in entries if entry.is_dir()), key=lambda entry: entry.name)
    except FileNotFoundError:
        return []


def _present(group: Path) -> Iterator[tuple[str, Path]]:
    for name in FILES:
        path = group / name
        if name in _ALWAYS or path.exists():
            yield name, path
