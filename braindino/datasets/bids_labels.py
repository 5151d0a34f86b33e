"""Labels from participants.tsv and the subjects' sessions.tsv."""

import datetime
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from braindino.datasets.base import Label, Moment
from braindino.datasets.bids_files import is_file
from braindino.datasets.tables import Row, SourceTable, read_delimited
from braindino.datasets.values import (
    a_few,
    all_numbers,
    cap_age,
    cap_age_text,
    is_age_column,
    is_missing,
    is_private,
    parse_age,
    parse_number,
    parse_sex,
    shown,
)

# Column names (lower case) that mean the same, the best first.
_AGE = ("age", "age_years", "age (years)", "age_at_scan", "age_scan", "ageatscan", "age_at_mri", "scan_age")
_SEX = ("sex", "gender")
_DIAGNOSIS = ("diagnosis", "dx", "group")
_SITE = ("site", "site_id", "center", "centre")
_SESSION = ("session_id", "session", "ses")
_IN_YEARS = {"month": 12.0, "week": 365.25 / 7, "day": 365.25}


@dataclass
class LabelsFound:
    """What the tables of a dataset say: labels, each subject's site, and sentences about oddities."""

    labels: list[Label] = field(default_factory=list)
    sites: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_labels(root: Path, dataset: str, subjects: Sequence[str]) -> LabelsFound:
    """All labels of a BIDS dataset whose image folders are `subjects` (ids without `sub-`).

    Rows of participants.tsv without an image folder are kept. Ids are matched with or without `sub-`, and
    with or without leading zeros where that is unambiguous. Missing codes give no label, ages over 89
    become 90, columns that may identify a person are left out, and a fact that is stated twice with
    different values is left out and noted.

    Raises:
        DatasetError: a table cannot be read at all.
    """
    found = LabelsFound()
    path = root / "participants.tsv"
    if path.is_file():
        table = read_delimited(path, "\t")
        _read_table(table, _Dictionary(root / "participants.json"), SubjectIds(subjects), dataset, found)
    else:
        found.notes.append("There is no participants.tsv: age, sex and diagnosis are unknown.")
    for subject in subjects:
        sessions = root / f"sub-{subject}" / f"sub-{subject}_sessions.tsv"
        if is_file(sessions):
            dictionary = _Dictionary(root / "sessions.json")
            _read_table(read_delimited(sessions, "\t"), dictionary, subject, dataset, found)
    found.labels, conflicts = without_conflicts(found.labels)
    found.notes += conflicts
    return found


def without_conflicts(labels: Sequence[Label]) -> tuple[list[Label], list[str]]:
    """Drops repeats, and every fact that is stated with different values; says which."""
    stated: dict[tuple[str, ...], list[Label]] = defaultdict(list)
    for label in labels:
        key = (label.dataset, label.subject, label.session or "", label.label, label.when.value if label.when else "")
        if label not in stated[key]:
            stated[key].append(label)
    kept = [versions[0] for versions in stated.values() if len(versions) == 1]
    disputed = [f"{v[0].label} of {v[0].subject}" for v in stated.values() if len(v) > 1]
    if not disputed:
        return kept, []
    return kept, [f"Stated twice with different values and left out: {a_few(disputed)}."]


class SubjectIds:
    """Finds the image folder a table's participant id means."""

    def __init__(self, subjects: Sequence[str]) -> None:
        self._known = set(subjects)
        unpadded: dict[str, list[str]] = defaultdict(list)
        for subject in subjects:
            unpadded[subject.lstrip("0")].append(subject)
        self._unpadded = {short: full[0] for short, full in unpadded.items() if len(full) == 1}

    def resolve(self, participant: str) -> str:
        """The id as its folder has it; the id itself, without `sub-`, where no folder or more than one fits."""
        bare = participant.removeprefix("sub-")
        return bare if bare in self._known else self._unpadded.get(bare.lstrip("0"), bare)


class _Dictionary:
    """The data dictionary beside a table: units and the meaning of codes."""

    def __init__(self, path: Path) -> None:
        try:
            content = json.loads(path.read_bytes()) if is_file(path) else {}
        except (OSError, ValueError, RecursionError):
            content = {}
        columns = content if isinstance(content, dict) else {}
        self._columns = {str(key).lower(): value for key, value in columns.items() if isinstance(value, dict)}

    def unit(self, column: str) -> str | None:
        unit = self._columns.get(column.lower(), {}).get("Units")
        return unit if isinstance(unit, str) and unit.strip() else None

    def level(self, column: str, code: str) -> str:
        """What a code means; the code itself where the dictionary does not say."""
        levels: Any = self._columns.get(column.lower(), {}).get("Levels")
        meaning = levels.get(code) if isinstance(levels, dict) else None
        return meaning if isinstance(meaning, str) else code


def _first(columns: Sequence[str], wanted: Sequence[str]) -> str | None:
    by_lower = {column.lower(): column for column in reversed(columns)}
    return next((by_lower[name] for name in wanted if name in by_lower), None)


def _read_table(
    table: SourceTable, dictionary: _Dictionary, who: SubjectIds | str, dataset: str, found: LabelsFound
) -> None:
    """Adds a table's labels to `found`; `who` finds the subject of a row, or is that of the whole table."""
    found.notes += table.notes
    key = _first(table.columns, ("participant_id",))
    if key is None and isinstance(who, SubjectIds):
        named = ", ".join(table.columns)
        found.notes.append(f"{table.path.name} has no column participant_id and was not read (it has {named}).")
        return
    session_column = _first(table.columns, _SESSION)
    when_column = _first(table.columns, ("acq_time",))
    skip = {key, session_column, when_column}
    private = [column for column in table.columns if is_private(column)]
    if private:
        found.notes.append(f"Left out because they may identify a person: {a_few(private)}.")
    columns = [
        _Column.of(column, table, dictionary)
        for column in table.columns
        if column not in skip and column not in private
    ]
    rejected: dict[str, list[str]] = defaultdict(list)
    for row in table.rows:
        subject = who.resolve(row.cells[key]) if key is not None and isinstance(who, SubjectIds) else str(who)
        session = row.cells[session_column].removeprefix("ses-") if session_column else ""
        base = Label(dataset, subject, "", session=None if is_missing(session) else session)
        if when_column:
            base = _dated(base, row.cells[when_column])
        _read_row(row, base, columns, found, rejected)
    for column in columns:
        if cells := rejected[column.name]:
            found.notes.append(f"{column.name} is not readable as {column.kind} and was left out: {a_few(cells)}.")


def _read_row(
    row: Row, base: Label, columns: Sequence["_Column"], found: LabelsFound, rejected: dict[str, list[str]]
) -> None:
    for column in columns:
        cell = row.cells[column.name]
        if is_missing(cell):
            continue
        label = column.read(cell, base)
        if label is None:
            rejected[column.name].append(shown(cell, base.subject))
            continue
        found.labels.append(label)
        if column.is_site:
            found.sites[base.subject] = cell


def _dated(label: Label, acq_time: str) -> Label:
    try:
        day = datetime.date.fromisoformat(acq_time[:10])
    except ValueError:
        return label
    return replace(label, when=Moment(day.isoformat(), "date", "day"))


@dataclass(frozen=True)
class _Column:
    """How one column becomes labels; `kind` is age, sex, number or text."""

    name: str
    label: str
    kind: str
    unit: str | None
    is_site: bool
    dictionary: _Dictionary

    @classmethod
    def of(cls, column: str, table: SourceTable, dictionary: _Dictionary) -> "_Column":
        label, kind = column.lower(), "number" if all_numbers(table.column(column)) else "text"
        if column == _first(table.columns, _AGE):
            label, kind = "age", "age"
        elif column == _first(table.columns, _SEX):
            label, kind = "sex", "sex"
        elif column == _first(table.columns, _DIAGNOSIS):
            label, kind = "diagnosis", "text"  # codes of a diagnosis are names, not amounts
        return cls(column, label, kind, dictionary.unit(column), column == _first(table.columns, _SITE), dictionary)

    def read(self, cell: str, base: Label) -> Label | None:
        """The label of one cell; None if the cell is not of the column's kind."""
        if self.kind == "age":
            years = self._years(cell)
            return None if years is None else replace(base, label=self.label, number=years, unit="years")
        if self.kind == "sex":
            sex = parse_sex(cell) or parse_sex(self.dictionary.level(self.name, cell))
            return None if sex is None else replace(base, label=self.label, value=sex)
        number = parse_number(cell) if self.kind == "number" else None
        if number is None:
            # A diagnosis coded 1 or 2 is told by the dictionary; `depr` says enough and is shorter than its
            # text.
            coded = self.label == "diagnosis" and parse_number(cell) is not None
            text = self.dictionary.level(self.name, cell) if coded else cell
            return replace(base, label=self.label, value=cap_age_text(text) if is_age_column(self.name) else text)
        capped = cap_age(number) if is_age_column(self.name) else number
        return replace(base, label=self.label, number=capped, unit=self.unit)

    def _years(self, cell: str) -> float | None:
        unit = (self.unit or "year").lower()
        per_year = next((factor for word, factor in _IN_YEARS.items() if word in unit), None)
        if per_year is None:
            return parse_age(cell)
        amount = parse_number(cell)
        return None if amount is None else parse_age(str(amount / per_year))
