"""The tables of LONI's Image and Data Archive (IDA): the list of a collection's images, and a study's own tables."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from braindino.datasets.base import Label
from braindino.datasets.required import Missing, find_column
from braindino.datasets.tables import Row, SourceTable, decode
from braindino.datasets.values import a_few, is_missing, parse_age, parse_sex, shown

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
_OPTIONAL = {
    "group": "test objects from people",
    "visit": "the visit of an image",
    "modality": "magnetic resonance from other images",
}
_IMAGE = re.compile(r"I?(\d{1,12})", re.IGNORECASE)
_AN_ID = re.compile(r"(?=\D*\d)(?!.*\d{7})\w{1,20}")  # what is no id may be a name, and is not shown
# What is wrong with rows of the lists; the key is that of the column.
_ODD = {
    "subject": "are about subjects whose id is none of this project, and were left out",
    "image": "have no readable image id, so that their image cannot be found",
    "day": "have no readable date",
    "age": "have an age that is none",
    "sex": "have a sex that is not known",
}
_STAMP = r"(?:_\d{1,2}[a-z]{3}\d{4}|_\d{4}-\d\d-\d\d)?"
_DAY_FORMATS = ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y")


@dataclass(frozen=True)
class IdaRow:
    """One image of a collection, by the archive's list `table`; cells that say nothing are empty or None.

    `image` is "I495208" (some lists have the bare number), `day` an ISO date, `age` in years. `expected` tells whether
    the image should be on disk: not one that a search found, nor one without a day in the column Downloaded of a list
    that has such days.
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
    expected: bool = True


@dataclass(frozen=True)
class IdaList:
    """The images of all collections, and notes on oddities."""

    rows: tuple[IdaRow, ...] = ()
    notes: tuple[str, ...] = ()

    def ages(self, dataset: str) -> list[Label]:
        """The age at every session, which is the day of its images; all of them where lists contradict each other.

        The list of a collection has whole years where that of a search has fractions: one age, if they agree so far.
        """
        stated: dict[tuple[str, str], set[float]] = defaultdict(set)
        for row in self.rows:
            if row.age is not None and row.day:
                stated[row.subject, row.day].add(row.age)
        return [
            Label(dataset, subject, "age", number=age, unit="years", session=day)
            for (subject, day), ages in stated.items()
            for age in _most_precise(ages)
        ]

    def sexes(self, dataset: str) -> list[Label]:
        """The sex of every subject; both where lists contradict each other."""
        return list(dict.fromkeys(Label(dataset, row.subject, "sex", row.sex) for row in self.rows if row.sex))

    def phantoms(self) -> frozenset[str]:
        """Subjects that are test objects, not people."""
        return frozenset(row.subject for row in self.rows if row.group.lower() == "phantom")


def _most_precise(ages: set[float]) -> list[float]:
    exact = [age for age in ages if not age.is_integer()]
    return exact if len(exact) == 1 and max(ages) - min(ages) < 1 else sorted(ages)


def read_ida_lists(
    tables: Iterable[Path], subject: re.Pattern[str], missing: Missing, get: str, root: Path | None = None
) -> IdaList:
    """The rows of all lists of images among `tables`; none of them is a problem if a `root` is given to name in it.

    Rows about subjects whose id is not like `subject` are of another project, and left out. Lists are known by their
    columns, for each is called as its collection. `get` says which download provides them.
    """
    found: list[SourceTable] = []
    notes: list[str] = []
    for path in tables:
        columns = _header(path) if path.suffix.lower() == ".csv" and path.is_file() else None
        if columns is None and path.suffix.lower() == ".csv" and path.is_file():
            notes.append(f"{path} cannot be read; if it is a list of images, allow yourself to read it.")
        elif columns == []:
            missing.say(f"{path} is empty: download it again from the archive.")
        elif columns and sum(name in columns for names in _COLUMNS.values() for name in _lower(names)) >= _ENOUGH:
            table = missing.table(path, ",", get)
            found += [table] if table else []
    if not found and root is not None:
        wanted = ", ".join(names[0] for names in _COLUMNS.values())
        missing.say(f"No list of a collection's images, a CSV with the columns {wanted}, is under {root}: {get}.")
    odd: dict[str, list[str]] = defaultdict(list)
    rows = [row for table in found for row in _rows(table, subject, missing, get, odd)]
    notes += [note for table in found for note in (*table.notes, *_lost(table, get))]
    for key, which in odd.items():
        notes.append(f"{len(which)} row(s) of the lists of images {_ODD[key]}: {a_few(list(dict.fromkeys(which)))}.")
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


def _optional(table: SourceTable) -> tuple[str, ...]:
    # The list of a search may have no image ids: it tells of sessions, and no image can be missed by it.
    return (*_OPTIONAL, *(["image"] if _is_search(table) else []))


def _is_search(table: SourceTable) -> bool:
    return table.path.name.lower().startswith("idasearch")


def _lost(table: SourceTable, get: str) -> list[str]:
    lost = [key for key in _OPTIONAL if find_column(table, _COLUMNS[key]) is None]
    told = "; ".join(f"{_COLUMNS[key][0]}, which would tell {_OPTIONAL[key]}" for key in lost)
    return [f"{table.path.name} has no column {told}. For it, {get}."] if lost else []


def _rows(
    table: SourceTable, subject: re.Pattern[str], missing: Missing, get: str, odd: dict[str, list[str]]
) -> list[IdaRow]:
    """The rows about subjects of this project; what is odd about others is added to `odd`."""
    columns = {
        key: find_column(table, names) if key in _optional(table) else missing.column(table, names, get)
        for key, names in _COLUMNS.items()
    }

    def said(row: Row, key: str) -> str:
        text = row.cells.get(columns[key] or "", "")
        return "" if is_missing(text) else text

    fetched = find_column(table, ("Downloaded",))
    tells = fetched is not None and any(map(str.strip, table.column(fetched)))
    rows = []
    for row in table.rows:
        who = said(row, "subject")
        if subject.fullmatch(who) is None:
            odd["subject"].append(who if _AN_ID.fullmatch(who) else f"line {row.line} of {table.path.name}")
            continue
        image, day = _IMAGE.fullmatch(said(row, "image")), parse_day(said(row, "day"))
        age, sex = parse_age(said(row, "age")), parse_sex(said(row, "sex"))
        read = {"image": image, "day": day, "age": age, "sex": sex}
        if said(row, "group").lower() == "phantom":  # which has neither age nor sex
            read = {"image": image, "day": day}
        for key, value in read.items():
            if value is None and (key == "day" or said(row, key)):
                odd[key].append(shown(said(row, key), who))
        rows.append(
            IdaRow(
                f"I{image[1]}" if image else "", who, day.isoformat() if day else "", said(row, "description"),
                said(row, "group"), said(row, "visit"), said(row, "modality"), age, sex, table.path.name,
                not _is_search(table) and not (tells and is_missing(row.cells.get(fetched or "", ""))),
            )
        )  # fmt: skip
    return rows
