"""What a dataset needs and lacks, collected while looking, so that one error names all of it."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from braindino.datasets import half_copies
from braindino.datasets.base import Gap, Scan
from braindino.datasets.bids_files import is_file, may_read
from braindino.datasets.tables import SourceTable, read_delimited, read_excel
from braindino.datasets.values import a_few
from braindino.errors import DatasetError


@dataclass
class Missing:
    """Collects what is missing; `raise_if_any` ends the search with one error.

    Every `download` is a sentence that says which download provides the missing thing, without its full stop:
    "it is part of the dataset's metadata on https://...".
    """

    problems: list[str] = field(default_factory=list)
    _columns: dict[tuple[Path, str], tuple[int, list[str]]] = field(default_factory=dict)
    _images: list[str] = field(default_factory=list)

    def say(self, sentence: str) -> None:
        """Anything else that is wrong, with its remedy."""
        self.problems.append(sentence)

    def file(self, path: Path, download: str) -> bool:
        """Whether the file is there; if not, that is a problem."""
        if is_file(path):
            return True
        self.problems.append(f"{path} is missing: {download}.")
        return False

    def table(self, path: Path, delimiter: str, download: str) -> SourceTable | None:
        """The delimited table at `path`; None, and a problem, if it is missing, unreadable or without a row."""
        return self._read(path, lambda: read_delimited(path, delimiter), download)

    def excel(self, path: Path, download: str, sheet: str | None = None) -> SourceTable | None:
        """A sheet, by default the first, of the Excel file at `path`; None, and a problem, as for `table`."""
        return self._read(path, lambda: read_excel(path, sheet), download)

    def _read(self, path: Path, read: Callable[[], SourceTable], download: str) -> SourceTable | None:
        if not self.file(path, download):
            return None
        try:
            table = read()
        except DatasetError as error:
            self.problems.extend(f"{problem} For the original, {download}." for problem in error.problems)
            return None
        if not table.rows:
            self.problems.append(f"{path} has a header and no row: {download}.")
        return table

    def column(self, table: SourceTable, names: str | Sequence[str], download: str) -> str:
        """The column called by the first of these names that the table has, whatever the case of its letters.

        If it has none of them that is a problem, and the first name is returned, so that the search can go on.
        """
        wanted = (names,) if isinstance(names, str) else tuple(names)
        found = find_column(table, wanted)
        if found is not None:
            return found
        self._no_column(table, wanted, download)
        return wanted[0]

    def _no_column(self, table: SourceTable, wanted: Sequence[str], download: str) -> None:
        """One sentence for all columns that a table lacks: its header may be long."""
        place, lost = self._columns.setdefault((table.path, download), (len(self.problems), []))
        or_else = f" (nor {', '.join(map(repr, wanted[1:]))})" if len(wanted) > 1 else ""
        lost += [spelled] if (spelled := f"{wanted[0]!r}{or_else}") not in lost else []
        which = f"column {lost[0]}" if len(lost) == 1 else f"columns {', '.join(lost)}"
        has = a_few(table.columns, limit=20)
        told = f"{table.path} has no {which}; it has {has}. For {'it' if len(lost) == 1 else 'them'}, {download}."
        self.problems[place : place + 1] = [told]

    def images(self, scans: Sequence[Scan], gaps: Iterable[Gap], root: Path) -> None:
        """What was found under `root`: if anything else is wrong, the error names the missing images as well.

        They alone are no reason for it, for a user may want to go on without them: see `half_copies`.
        """
        self._images += half_copies.problems(scans, gaps, root)

    def error(self, name: str) -> DatasetError:
        """All that was collected, each thing once, as the error of the dataset `name`."""
        return DatasetError(name, tuple(dict.fromkeys((*self.problems, *self._images))))

    def raise_if_any(self, name: str) -> None:
        """Ends the search.

        Raises:
            DatasetError: `error(name)`, if anything is missing.
        """
        if self.problems:
            raise self.error(name)


def require_folder(root: Path, name: str) -> None:
    """Checks that there is anything to look at.

    Raises:
        DatasetError: `root` does not exist, is no folder, or may not be read.
    """
    if not os.path.exists(root):  # noqa: PTH110 - Path.exists raises where a folder above may not be read
        raise DatasetError(name, (f"{root} does not exist: check the path.",))
    if not root.is_dir():
        raise DatasetError(name, (f"{root} is not a folder: give the folder the dataset was downloaded to.",))
    if not may_read(root):
        raise DatasetError(name, (f"{root} may not be read: get the permission.",))


def find_column(table: SourceTable, names: Sequence[str]) -> str | None:
    """The column called by the first of these names that the table has, whatever the case; None if it has none."""
    by_lower = {column.lower(): column for column in reversed(table.columns)}
    return next((by_lower[name.lower()] for name in names if name.lower() in by_lower), None)
