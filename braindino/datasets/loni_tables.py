"""The tables of LONI's Image and Data Archive (IDA): the list of a collection's images, and a study's own tables."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from braindino.datasets.base import Label
from braindino.datasets.bids_labels import without_conflicts
from braindino.datasets.required import Missing, find_column
from braindino.datasets.tables import Row, SourceTable, decode
from braindino.datasets.values import a_few, is_missing, parse_age, parse_sex

# The columns of the list of a collection's images; the second spelling is that of a search's list (idaSearch*.csv).
_COLUMNS = {
    "image": ("Image Data ID", "Image ID"),
    "subject": ("Subject", "Subject ID"),
    "group": ("Group", "Research Group"),
    "sex": ("Sex",),
    "age": ("Age",),
    "visit": ("Visit",),
    "modality": ("Modality",),
    "description": ("Description",),
    "day": ("Acq Date", "Study Date"),
}
_ENOUGH = 5  # columns that make a table the list of a collection's images, even if others were renamed
_OPTIONAL = frozenset({"group", "visit", "modality"})
_STAMP = r"(?:_\d{1,2}[a-z]{3}\d{4}|_\d{4}-\d\d-\d\d)?"
_DAY_FORMATS = ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y")


@dataclass(frozen=True)
class IdaRow:
    """One image of a collection, by the archive's list `table`; cells that say nothing are empty or None.

    `image` is "I495208" (some lists have the bare number), `day` an ISO date, `age` in years.
    """

    image: str
    subject: str
    day: str
    description: str
    group: str
    visit: str
    modality: str
    age: float | None
    sex: str | None
    table: str


@dataclass(frozen=True)
class IdaList:
    """The images of all collections, and notes on oddities."""

    rows: tuple[IdaRow, ...] = ()
    notes: tuple[str, ...] = ()

    def ages(self, dataset: str) -> list[Label]:
        """The age at every session; a session is the day of its images."""
        return [
            Label(dataset, row.subject, "age", number=row.age, unit="years", session=row.day)
            for row in {(row.subject, row.day): row for row in self.rows if row.age is not None and row.day}.values()
        ]

    def sexes(self, dataset: str) -> tuple[list[Label], list[str]]:
        """The sex of every subject, and a note on those of whom two are stated."""
        return without_conflicts([Label(dataset, row.subject, "sex", row.sex) for row in self.rows if row.sex])

    def phantoms(self) -> frozenset[str]:
        """Subjects that are test objects, not people."""
        return frozenset(row.subject for row in self.rows if row.group.lower() == "phantom")


def read_ida_lists(tables: Iterable[Path], missing: Missing, get: str, root: Path | None = None) -> IdaList:
    """The rows of all lists of images among `tables`; none of them is a problem if a `root` is given to name in it.

    Lists are known by their columns, for each is called as its collection. `get` says which download provides them.
    """
    found: list[SourceTable] = []
    for path in tables:
        columns = _header(path) if path.suffix.lower() == ".csv" and path.is_file() else None
        if columns == []:
            missing.say(f"{path} is empty: download it again from the archive.")
        elif columns and sum(name in columns for names in _COLUMNS.values() for name in _lower(names)) >= _ENOUGH:
            table = missing.table(path, ",", get)
            found += [table] if table else []
    if not found and root is not None:
        wanted = ", ".join(names[0] for names in _COLUMNS.values())
        missing.say(f"No list of a collection's images, a CSV with the columns {wanted}, is under {root}: {get}.")
    rows = [row for table in found for row in _rows(table, missing, get)]
    notes = [note for table in found for note in table.notes]
    if undated := [row.image or row.subject for row in rows if not row.day]:
        notes.append(f"{len(undated)} row(s) of the lists of images have no readable date: {a_few(undated)}.")
    return IdaList(tuple(rows), tuple(notes))


def study_table(tables: Iterable[Path], *stems: str) -> Path | None:
    """The newest table called as one of `stems`, whatever was added: `All_Subjects_DXSUM_02Apr2024.csv` is DXSUM."""
    called = re.compile(
        rf"(?:all_subjects_)?(?:{'|'.join(map(re.escape, stems))}){_STAMP}\.(?:csv|xlsx?)", re.IGNORECASE
    )
    found = [path for path in tables if called.fullmatch(path.name)]
    return max(found, key=lambda path: _stamp(path.stem), default=None)


def parse_day(text: str) -> date | None:
    """A day as the archive's tables write it: 2006-11-02, with or without a time, or 11/2/2006 (month first)."""
    for form in _DAY_FORMATS:
        try:
            return datetime.strptime(text.strip().split(" ")[0], form).date()
        except ValueError:
            continue
    return None


def _stamp(stem: str) -> date:
    """The day of download at the end of a table's name; none is older than any."""
    word = stem.rsplit("_", 1)[-1]
    for form in ("%d%b%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(word, form).date()
        except ValueError:
            continue
    return date.min


def _lower(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)


def _header(path: Path) -> list[str] | None:
    """The column names of a CSV in lower case, by its first line alone; [] if it is empty, None if unreadable."""
    try:
        with path.open("rb") as file:
            line = file.readline(65536)
    except OSError:
        return None
    return [name.strip().strip('"').lower() for name in decode(line)[0].split(",")] if line.strip() else []


def _rows(table: SourceTable, missing: Missing, get: str) -> list[IdaRow]:
    # The list of a search has no image ids: it tells of sessions, and no image can be missed by it.
    optional = _OPTIONAL | ({"image"} if table.path.name.lower().startswith("idasearch") else set())
    columns = {
        key: find_column(table, names) if key in optional else missing.column(table, names, get)
        for key, names in _COLUMNS.items()
    }

    def said(row: Row, key: str) -> str:
        text = row.cells.get(columns[key] or "", "")
        return "" if is_missing(text) else text

    rows = []
    for row in table.rows:
        image, day, age = said(row, "image").upper().removeprefix("I"), parse_day(said(row, "day")), said(row, "age")
        rows.append(
            IdaRow(
                f"I{image}" if image else "", said(row, "subject"), day.isoformat() if day else "",
                said(row, "description"), said(row, "group"), said(row, "visit"), said(row, "modality"),
                parse_age(age) if age else None, parse_sex(said(row, "sex")), table.path.name,
            )
        )  # fmt: skip
    return rows
