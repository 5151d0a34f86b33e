"""What ADNI's study tables say: diagnoses and scores of dated visits, ages at baseline, sex, education and genes."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from braindino.datasets.adni_study import (
    DAY,
    GET,
    STUDY_TABLES,
    VISIT,
    cells_of,
    columns_not_there,
    not_there,
    read_study_table,
)
from braindino.datasets.agreed import Agreed
from braindino.datasets.base import Label, Moment
from braindino.datasets.label_columns import LabelColumn, fill_in, read_labels
from braindino.datasets.loni_tables import parse_day, study_table
from braindino.datasets.required import Missing
from braindino.datasets.tables import Row, SourceTable
from braindino.datasets.values import a_few, parse_age, parse_whole, shown

SUBJECT = re.compile(r"\d{3}_S_\d{4,5}")  # 002_S_0295: the site, and the number that the tables call RID
_SCREENING = frozenset({"sc", "scmri", "bl"})  # one visit: ADNIMERGE has but `bl`


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
    trusted table says of a person or a visit is not asked of the next; a visit without a day gives no label. Facts that
    a table states with different values are all among the labels, for the caller to leave out.
    """
    found = {
        key: table
        for key, kind in STUDY_TABLES.items()
        if (table := read_study_table(paths, kind, missing)) is not None
    }
    if not study_table(paths, *STUDY_TABLES["merge"].stems, *STUDY_TABLES["dx"].stems):
        missing.say(f"Neither ADNIMERGE.csv nor DXSUM*.csv, which state the diagnoses, is under {root}: {GET}.")
    roster: Agreed[int, str] = Agreed()
    for who in people:
        roster.add(int(who.rsplit("_", 1)[-1]), who)
    told = AdniTables([], {}, tuple(not_there(found)))
    days: dict[tuple[str, str], date] = {}
    stated: set[tuple[str, str, str]] = set()
    for key, table in found.items():
        records, notes = _records(table, roster, days)
        if key == "merge":
            records, days, disputed = _agreed_days(records)
            told = replace(told, baselines=(of := _baselines(table, records, days)).facts())
            notes += [*disputed, *of.notes("ADNIMERGE's age at baseline")]
        of_people, oddities = _people_labels(table, records, dataset, STUDY_TABLES[key].people)
        of_visits, more = _visit_labels(table, records, dataset, STUDY_TABLES[key].visits, stated)
        lost = columns_not_there(table, STUDY_TABLES[key])
        labels = [*fill_in(told.labels, of_people), *of_visits]
        told = replace(told, labels=labels, notes=(*told.notes, *table.notes, *lost, *notes, *oddities, *more))
    return told


def _records(
    table: SourceTable, roster: Agreed[int, str], days: Mapping[tuple[str, str], date]
) -> tuple[list[_Record], list[str]]:
    """The rows whose subject is known, and notes on others.

    `days` are those of visits by ADNIMERGE, for tables without dates.
    """
    records = []
    known, doubtful = roster.facts(), set(roster.disputed())
    odd: dict[str, list[str]] = {"nobody": [], "ambiguous": []}
    of_row = cells_of(table)
    for row in table.rows:
        said = of_row(row)
        number, who = parse_whole(said("RID")), said("PTID")
        subject = who or known.get(number if number is not None else -1)
        if (who and not SUBJECT.fullmatch(who)) or (not who and number is None):
            odd["nobody"].append(shown(who or said("RID"), f"line {row.line}"))
        elif number in doubtful and not who:
            odd["ambiguous"].append(str(number))
        elif subject:
            code = next((text.lower() for name in VISIT if (text := said(name))), "")
            visit = "bl" if code in _SCREENING else code
            day = next((day for name in DAY if (day := parse_day(said(name)))), days.get((subject, visit)))
            records.append(_Record(row, subject, visit, day))
    notes = []
    if odd["nobody"]:
        notes.append(f"{table.path.name}: no id of a subject in {a_few(odd['nobody'])}.")
    if several := list(dict.fromkeys(odd["ambiguous"])):
        notes.append(f"{table.path.name}: more than one subject has the RID {a_few(several)}; no label of these rows.")
    return records, notes


def _agreed_days(records: Sequence[_Record]) -> tuple[list[_Record], dict[tuple[str, str], date], list[str]]:
    """ADNIMERGE's rows, of which those have no day whose visit is stated to be on two; the days; notes."""
    stated: Agreed[tuple[str, str], date] = Agreed()
    for record in records:
        if record.visit and record.day:
            stated.add((record.subject, record.visit), record.day)
    days, doubtful = stated.facts(), set(stated.disputed())
    kept = [replace(r, day=None) if (r.subject, r.visit) in doubtful else r for r in records]
    return kept, days, stated.notes("The day of a visit", lambda key: f"{key[0]} {key[1]}")


def _people_labels(
    table: SourceTable, records: Sequence[_Record], dataset: str, columns: Sequence[LabelColumn]
) -> tuple[list[Label], list[str]]:
    about = {record.row.line: record.subject for record in records}
    known = replace(table, rows=tuple(record.row for record in records))
    labels, notes = read_labels(known, dataset, _by_line(about), columns)
    return list(dict.fromkeys(labels)), notes  # a table of visits says them again and again


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
    undated = [f"{record.subject} {record.visit or '(no visit)'}" for record in records if not record.day]
    if columns and undated:
        notes.append(f"{len(undated)} row(s) of {table.path.name} are of visits without a day: {a_few(undated)}.")
    return list(dict.fromkeys(labels)), notes


def _by_line(subjects: Mapping[int, str]) -> Callable[[Row], str]:
    return lambda row: subjects[row.line]


def _baselines(
    table: SourceTable, records: Sequence[_Record], days: Mapping[tuple[str, str], date]
) -> Agreed[str, tuple[float, date]]:
    """ADNIMERGE states the age at baseline in the rows of all visits; its day is that of the visit `bl`."""
    baselines: Agreed[str, tuple[float, date]] = Agreed()
    of_row = cells_of(table)
    for record in records:
        age, day = parse_age(of_row(record.row)("AGE")), days.get((record.subject, "bl"))
        if record.visit == "bl" and age is not None and day is not None:
            baselines.add(record.subject, (age, day))
    return baselines
