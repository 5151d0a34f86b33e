"""ADNI's study tables: diagnoses and scores of dated visits, ages at baseline, genes, and field strengths of images."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from braindino.datasets.adni_codes import (
    APOE4,
    CDR,
    DIAGNOSIS,
    DX_COLUMNS,
    EDUCATION,
    MISSING_CODES,
    MMSE,
    SEX,
    Said,
    alleles,
    diagnosis_of_codes,
)
from braindino.datasets.base import Acquisition, Label, Moment
from braindino.datasets.bids_labels import without_conflicts
from braindino.datasets.label_columns import LabelColumn, fill_in, read_labels, require_columns
from braindino.datasets.loni_tables import parse_day, study_table
from braindino.datasets.required import Missing
from braindino.datasets.search import read_table
from braindino.datasets.tables import Row, SourceTable
from braindino.datasets.values import is_missing, parse_age, parse_number

_GET = "get it from https://ida.loni.usc.edu, ADNI, Study Data"
_WHO = ("PTID", "RID")
_VISIT = ("VISCODE2", "VISCODE")  # the second has codes of its own in later phases, unlike ADNIMERGE's
_DAY = ("EXAMDATE", "VISDATE")
_SCREENING = frozenset({"sc", "scmri", "bl"})  # one visit: ADNIMERGE has but `bl`


@dataclass(frozen=True)
class _Table:
    """A study table: its names, columns it needs besides those of its labels, and labels of people and of visits.

    `derived` is a column made of others.
    """

    stems: tuple[str, ...]
    needs: tuple[str | tuple[str, ...], ...]
    people: tuple[LabelColumn, ...] = ()
    visits: tuple[LabelColumn, ...] = ()
    derived: tuple[str, Callable[[Said], str]] | None = None


# The most trusted first.
_TABLES = {
    "merge": _Table(
        ("ADNIMERGE",), (_WHO, "VISCODE", "EXAMDATE", "AGE"), (SEX, EDUCATION, APOE4), (DIAGNOSIS, MMSE)
    ),
    "dx": _Table(
        ("DXSUM_PDXCONV_ADNIALL", "DXSUM"), (_WHO, _VISIT, tuple(DX_COLUMNS)),
        visits=(DIAGNOSIS,), derived=("DX", diagnosis_of_codes),
    ),
    "cdr": _Table(("CDR",), (_WHO, _VISIT), visits=(CDR,)),
    "demographics": _Table(("PTDEMOG",), (_WHO,), (SEX, EDUCATION)),
    "genes": _Table(("APOERES",), (_WHO, "APGEN1", "APGEN2"), (APOE4,), derived=("APOE4", alleles)),
}  # fmt: skip


@dataclass(frozen=True)
class AdniTables:
    """What the study's tables say: labels, and the age and the day of each subject's baseline visit."""

    labels: list[Label]
    baselines: dict[str, tuple[float, date]]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Record:
    """A row of a study table, the subject it is about, its visit ("bl", "m12") and that visit's day, if known."""

    row: Row
    subject: str
    visit: str
    day: date | None


def read_adni_tables(
    paths: Sequence[Path], dataset: str, people: Iterable[str], missing: Missing, root: Path
) -> AdniTables:
    """The labels of the study tables among `paths`; neither ADNIMERGE nor DXSUM is a problem, as is a lacking column.

    `people` are subjects known from folders and lists: some tables have only RID, the last block of the id. What a more
    trusted table says of a person or a visit is not asked of the next; a visit without a day gives no label.
    """
    found = {key: table for key, kind in _TABLES.items() if (table := _read(paths, kind, missing)) is not None}
    if not study_table(paths, *_TABLES["merge"].stems, *_TABLES["dx"].stems):
        missing.say(f"Neither ADNIMERGE.csv nor DXSUM*.csv, which state the diagnoses, is under {root}: {_GET}.")
    roster = {int(rid): who for who in people if (rid := who.rsplit("_", 1)[-1]).isdecimal()}
    days: dict[tuple[str, str], date] = {}
    labels: list[Label] = []
    stated: set[tuple[str, str, str]] = set()
    baselines: dict[str, tuple[float, date]] = {}
    notes: list[str] = []
    for key, table in found.items():
        records = _records(table, roster, days)
        if key == "merge":
            baselines = _baselines(table, records)
            days = {(record.subject, record.visit): record.day for record in records if record.day}
        of_people, oddities = _people_labels(table, records, dataset, _TABLES[key].people)
        of_visits, more = _visit_labels(table, records, dataset, _TABLES[key].visits, stated)
        labels = [*fill_in(labels, of_people), *of_visits]
        notes += [*table.notes, *oddities, *more]
    return AdniTables(labels, baselines, tuple(notes))


def acquisition_facts(paths: Sequence[Path], missing: Missing) -> dict[str, Acquisition]:
    """The field strength of images by id ("I40966"), in tesla, from MPRAGEMETA and MRILIST where they are there."""
    facts: dict[str, Acquisition] = {}
    for stem in ("MRILIST", "MPRAGEMETA"):
        table = _read(paths, _Table((stem,), ("ImageUID", "MagStrength")), missing)
        for said in map(_sayer(table), table.rows) if table else ():
            image, strength = parse_number(said("ImageUID")), parse_number(said("MagStrength"))
            if image is not None and strength is not None and strength > 0:
                facts[f"I{int(image)}"] = Acquisition.of("table", field_strength=strength)
    return facts


def _read(paths: Sequence[Path], kind: _Table, missing: Missing) -> SourceTable | None:
    """The newest table of a kind with its derived column; None if there is none."""
    path = study_table(paths, *kind.stems)
    table = read_table(path, (), missing, _GET) if path else None
    if table is None:
        return None
    own = [column for column in (*kind.people, *kind.visits) if not (kind.derived and kind.derived[0] in column.names)]
    require_columns(table, kind.needs, own, missing, _GET)
    if kind.derived is None:
        return table
    name, derive = kind.derived
    of_row = _sayer(table)
    rows = tuple(replace(row, cells=row.cells | {name: derive(of_row(row))}) for row in table.rows)
    return replace(table, columns=(*(c for c in table.columns if c != name), name), rows=rows)


def _sayer(table: SourceTable) -> Callable[[Row], Said]:
    """Reads cells by column names in any case."""
    columns = {column.lower(): column for column in reversed(table.columns)}

    def of_row(row: Row) -> Said:
        def said(name: str) -> str:
            text = row.cells.get(columns.get(name.lower(), ""), "")
            return "" if is_missing(text) or text in MISSING_CODES else text

        return said

    return of_row


def _records(table: SourceTable, roster: Mapping[int, str], days: Mapping[tuple[str, str], date]) -> list[_Record]:
    """The rows whose subject is known; `days` are those of visits by ADNIMERGE, for tables without dates."""
    records = []
    of_row = _sayer(table)
    for row in table.rows:
        said = of_row(row)
        number = parse_number(said("RID"))
        subject = said("PTID") or (roster.get(int(number)) if number is not None else None)
        if subject:
            code = next((text.lower() for name in _VISIT if (text := said(name))), "")
            visit = "bl" if code in _SCREENING else code
            day = next((day for name in _DAY if (day := parse_day(said(name)))), days.get((subject, visit)))
            records.append(_Record(row, subject, visit, day))
    return records


def _people_labels(
    table: SourceTable, records: Sequence[_Record], dataset: str, columns: Sequence[LabelColumn]
) -> tuple[list[Label], list[str]]:
    about = {record.row.line: record.subject for record in records}
    known = replace(table, rows=tuple(record.row for record in records))
    labels, notes = read_labels(known, dataset, _by_line(about), columns)
    kept, disputed = without_conflicts(labels)
    return kept, [*notes, *disputed]


def _visit_labels(
    table: SourceTable,
    records: Sequence[_Record],
    dataset: str,
    columns: Sequence[LabelColumn],
    stated: set[tuple[str, str, str]],
) -> tuple[list[Label], list[str]]:
    """The labels of dated visits, but those in `stated` as (subject, visit, label), to which they are added."""
    labels: list[Label] = []
    notes: list[str] = []
    for column in columns:
        new = [r for r in records if r.day and (r.subject, r.visit, column.label) not in stated]
        of_line = {record.row.line: record for record in new}
        dated = [replace(column, of_row_session=True)]
        known = replace(table, rows=tuple(record.row for record in new))
        about = {line: record.subject for line, record in of_line.items()}
        read, oddities = read_labels(known, dataset, _by_line(about), dated, lambda row: str(row.line))
        for label in read:
            record = of_line[int(label.session or 0)]
            stated.add((record.subject, record.visit, label.label))
            labels.append(replace(label, session=None, when=Moment(str(record.day), "date", "day")))
        notes += oddities
    kept, disputed = without_conflicts(labels)
    return kept, [*notes, *disputed]


def _by_line(subjects: Mapping[int, str]) -> Callable[[Row], str]:
    return lambda row: subjects[row.line]


def _baselines(table: SourceTable, records: Sequence[_Record]) -> dict[str, tuple[float, date]]:
    """ADNIMERGE states the age at baseline in the rows of all visits; its day is that of the visit `bl`."""
    baselines = {}
    of_row = _sayer(table)
    for record in records:
        age = parse_age(of_row(record.row)("AGE"))
        if record.visit == "bl" and record.day and age is not None:
            baselines[record.subject] = (age, record.day)
    return baselines
