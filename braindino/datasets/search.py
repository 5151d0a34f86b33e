"""Finding a dataset's own folders and tables in a download, however deeply its archives were unpacked."""

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from braindino.datasets.bids_files import (
    content_present,
    entries,
    finished_name,
    folder_notes,
    is_folder,
    may_read,
    unfinished_downloads,
)
from braindino.datasets.required import Missing
from braindino.datasets.tables import Row, SourceTable
from braindino.datasets.values import a_few

_TABLES = (".csv", ".tsv", ".txt", ".xls", ".xlsx")
_ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz")
_NOT_DATA = frozenset({"__MACOSX"})  # what macOS adds to archives: shadows of every file


@dataclass(frozen=True)
class Unpacked:
    """What lies under `root`: the folders that were looked for, and the tables and archives outside them.

    Archives whose download stopped half-way are among them. All are in order of depth, then of name. `unreadable` are
    folders that were not looked into, for want of permission.
    """

    root: Path
    folders: tuple[Path, ...]
    tables: tuple[Path, ...]
    archives: tuple[Path, ...]
    unreadable: tuple[Path, ...] = ()

    def table(self, *patterns: str) -> Path | None:
        """The table nearest to the root whose name fits one of these patterns, whatever its case; the first best."""
        for pattern in patterns:
            for path in self.tables:
                if fnmatchcase(path.name.lower(), pattern.lower()):
                    return path
        return None

    def packed(self) -> str:
        """Words about archives that still wait to be unpacked, and folders that hide theirs; empty if none do."""
        names, closed = [path.name for path in self.archives], [str(path) for path in self.unreadable]
        said = [f"not unpacked yet: {a_few(names)}"] if names else []
        said += [f"may not be read: {a_few(closed)}"] if closed else []
        return f" ({'; '.join(said)})" if said else ""

    def notes(self, *inside: str) -> list[str]:
        """Notes on folders that may not be read, and on downloads that stopped half-way in the found ones.

        `inside` are the folders of a found one that hold images; by default it holds them itself.
        """
        folders = [folder / part for folder in self.folders for part in inside or ("",)]
        unfinished = [path.name for path in self.archives if finished_name(path.name)]
        unfinished += [name for folder in folders for name in unfinished_downloads(entries(folder))]
        return folder_notes((*self.unreadable, *(f for f in folders if not may_read(f))), unfinished)

    def copies(self) -> list[str]:
        """A note on folders of one name in several places, of which the one nearest to the root was taken."""
        names = Counter(folder.name for folder in self.folders)
        twice = sorted(name for name, places in names.items() if places > 1)
        return [f"In more than one folder, and taken from the first: {a_few(twice)}."] if twice else []


def look_under(root: Path, wanted: re.Pattern[str], depth: int = 5) -> Unpacked:
    """Looks for folders whose whole name fits `wanted`, at `root` and up to `depth` folders below.

    Found folders are not looked into, and those that may not be read are left out; no file is opened.
    """
    if wanted.fullmatch(root.name) and may_read(root):
        return Unpacked(root, (root,), (), ())
    folders: list[Path] = []
    files: list[Path] = []
    unreadable: list[Path] = []
    level = [root]
    for _ in range(depth + 1):
        deeper = []
        unreadable += [folder for folder in level if not may_read(folder)]
        for entry in (entry for folder in level if may_read(folder) for entry in entries(folder)):
            if not is_folder(entry):
                files.append(Path(entry.path))
            elif wanted.fullmatch(entry.name):
                (folders if may_read(Path(entry.path)) else unreadable).append(Path(entry.path))
            elif entry.name not in _NOT_DATA:
                deeper.append(Path(entry.path))
        level = deeper
    tables = tuple(path for path in files if path.name.lower().endswith(_TABLES))
    archives = tuple(p for p in files if (finished_name(p.name) or p.name).lower().endswith(_ARCHIVES))
    return Unpacked(root, tuple(folders), tables, archives, tuple(unreadable))


def require_table(
    found: Unpacked, patterns: Sequence[str], keys: Sequence[str], missing: Missing, download: str
) -> SourceTable | None:
    """The table, CSV or Excel, whose name fits one of these patterns; a problem if there is none. See `read_table`."""
    path = found.table(*patterns)
    if path is not None:
        return read_table(path, keys, missing, download)
    missing.say(f"No file called {' or '.join(patterns)} is under {found.root}: {download}.")
    return None


def read_table(
    path: Path, keys: Sequence[str], missing: Missing, download: str, delimiter: str = ","
) -> SourceTable | None:
    """A table that is CSV or, by its name, the first sheet of an Excel file; a problem if it is unreadable or empty.

    `keys` are the columns by which the adapter finds its way; each that is missing is a problem. They have these names
    in the result, whatever the case of their letters in the file.
    """
    is_excel = path.suffix.lower() in (".xls", ".xlsx")
    table = missing.excel(path, download) if is_excel else missing.table(path, delimiter, download)
    if table is None:
        return None
    ours = {missing.column(table, key, download): key for key in keys}
    rows = tuple(Row(row.line, {ours.get(name, name): cell for name, cell in row.cells.items()}) for row in table.rows)
    return replace(table, columns=tuple(ours.get(name, name) for name in table.columns), rows=rows)


def pick(folder: Path, files: Mapping[str, os.DirEntry[str]], *names: str) -> tuple[Path, bool]:
    """The first of these files that a folder has, and whether its content is on disk; else the first name, and False.

    `files` are the folder's entries by name.
    """
    for name in names:
        if name in files:
            return folder / name, content_present(files[name])
    return folder / names[0], False


def by_name(folder: Path) -> dict[str, os.DirEntry[str]]:
    """The entries of a folder by name; none if there is no such folder."""
    return {entry.name: entry for entry in entries(folder)}
