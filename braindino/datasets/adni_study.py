"""ADNI's study tables: which are read, the columns of each, and what is lost where one is not there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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
from braindino.datasets.label_columns import LabelColumn, require_columns
from braindino.datasets.loni_tables import study_table
from braindino.datasets.required import Missing, find_column
from braindino.datasets.search import read_table
from braindino.datasets.tables import Row, SourceTable
from braindino.datasets.values import a_few, is_missing

GET = "get it from https://ida.loni.usc.edu, ADNI, Study Data"
_WHO = ("PTID", "RID")
VISIT = ("VISCODE2", "VISCODE")  # the second has codes of its own in later phases, unlike ADNIMERGE's
DAY = ("EXAMDATE", "VISDATE")


@dataclass(frozen=True)
class StudyTable:
    """A study table: its names, columns it needs besides those of its labels, and labels of people and of visits.

    `derived` is a column made of others. `without` says what is lost where the table is not there.
    """

    stems: tuple[str, ...]
    without: str
    needs: tuple[str | tuple[str, ...], ...]
    people: tuple[LabelColumn, ...] = ()
    visits: tuple[LabelColumn, ...] = ()
    derived: tuple[str, Callable[[Said], str]] | None = None


# The most trusted first.
STUDY_TABLES = {
    "merge": StudyTable(
        ("ADNIMERGE",), "no MMSE, and ages at scans are those of the list of images",
        (_WHO, "VISCODE", "EXAMDATE", "AGE"), (SEX, EDUCATION, APOE4), (DIAGNOSIS, MMSE),
    ),
    "dx": StudyTable(
        ("DXSUM_PDXCONV_ADNIALL", "DXSUM"), "diagnoses are those of ADNIMERGE alone",
        (_WHO, VISIT, tuple(DX_COLUMNS)), visits=(DIAGNOSIS,), derived=("DX", diagnosis_of_codes),
    ),
    "cdr": StudyTable(("CDR",), "no CDR", (_WHO, VISIT), visits=(CDR,)),
    "demographics": StudyTable(
        ("PTDEMOG",), "sex and education are those of ADNIMERGE and the list of images alone",
        (_WHO,), (SEX, EDUCATION),
    ),
    "genes": StudyTable(
        ("APOERES",), "APOE4 is that of ADNIMERGE alone",
        (_WHO, "APGEN1", "APGEN2"), (APOE4,), derived=("APOE4", alleles),
    ),
}  # fmt: skip


def not_there(found: Mapping[str, SourceTable]) -> list[str]:
    """A note on the study tables that are not among those found, by key, if any is not."""
    lost = [f"no {kind.stems[-1]} ({kind.without})" for key, kind in STUDY_TABLES.items() if key not in found]
    return [f"Study tables that are not there: {'; '.join(lost)}. If that matters, {GET}."] if lost else []


def columns_not_there(table: SourceTable, kind: StudyTable) -> list[str]:
    """A note on the columns without which the table is read, if it lacks any."""
    own = (*kind.people, *kind.visits)
    lost = [column.names[0] for column in own if column.optional and find_column(table, column.names) is None]
    if kind is STUDY_TABLES["dx"]:  # each phase of the study has its own
        lost += [name for name in DX_COLUMNS if find_column(table, (name,)) is None]
    lost += [" nor ".join(DAY)] if kind.visits and all(find_column(table, (name,)) is None for name in DAY) else []
    return [f"{table.path.name} has no column {a_few(lost)}, and tells nothing of it; for it, {GET}."] if lost else []


def read_study_table(paths: Sequence[Path], kind: StudyTable, missing: Missing) -> SourceTable | None:
    """The newest table of a kind with its derived column; None if there is none."""
    path = study_table(paths, *kind.stems)
    table = read_table(path, (), missing, GET) if path else None
    if table is None:
        return None
    own = [column for column in (*kind.people, *kind.visits) if not (kind.derived and kind.derived[0] in column.names)]
    require_columns(table, kind.needs, own, missing, GET)
    if kind.derived is None:
        return table
    name, derive = kind.derived
    of_row = cells_of(table)
    rows = tuple(replace(row, cells=row.cells | {name: derive(of_row(row))}) for row in table.rows)
    return replace(table, columns=(*(c for c in table.columns if c != name), name), rows=rows)


def cells_of(table: SourceTable) -> Callable[[Row], Said]:
    """Reads cells by column names in any case."""
    columns = {column.lower(): column for column in reversed(table.columns)}

    def of_row(row: Row) -> Said:
        def said(name: str) -> str:
            text = row.cells.get(columns.get(name.lower(), ""), "")
            return "" if is_missing(text) or text in MISSING_CODES else text

        return said

    return of_row
