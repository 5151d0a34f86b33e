"""How columns of a source table become labels: declared per dataset, read in one way for all."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from braindino.datasets.base import Label
from braindino.datasets.required import Missing, find_column
from braindino.datasets.tables import Row, SourceTable
from braindino.datasets.values import (
    a_few,
    is_missing,
    is_plausible,
    parse_age,
    parse_handedness,
    parse_number,
    parse_sex,
    shown,
)

Reading = Callable[[str], str | float | None]


@dataclass(frozen=True)
class LabelColumn:
    """One column of a table and the label its cells state.

    `names` are the spellings of the column, the best first. `read` gives a cell's text or number, None where it says
    nothing that the label knows; cells with a code for missing are never read. With a `session`, the column is about
    that session alone; `of_row_session` says that it is about the session of its row. `silent` are cells that say
    nothing in this column alone. An optional column may be absent from the table.
    """

    label: str
    names: tuple[str, ...]
    read: Reading
    unit: str | None = None
    session: str | None = None
    of_row_session: bool = False
    silent: frozenset[str] = frozenset()
    optional: bool = False


def age_column(*names: str, session: str | None = None) -> LabelColumn:
    """A column of ages in years."""
    return LabelColumn("age", names, parse_age, "years", session)


def sex_column(*names: str, codes: Mapping[str, str] | None = None) -> LabelColumn:
    """A column of sexes, as words or letters, or as `codes`."""
    return LabelColumn("sex", names, coded(codes) if codes else parse_sex)


def handedness_column(*names: str) -> LabelColumn:
    """A column of handedness in words or letters; scores give no label, for they are another quantity."""
    return LabelColumn("handedness", names, parse_handedness)


def coded(codes: Mapping[str, str]) -> Reading:
    """Reads codes: numbers however they are written (`1`, `1.0`), words in any case."""
    meanings = {code.lower(): meaning for code, meaning in codes.items()}

    def read(cell: str) -> str | None:
        number = parse_number(cell)
        return meanings.get(f"{number:g}" if number is not None else cell.strip().lower())

    return read


def require_columns(
    table: SourceTable, names: Iterable[str | Sequence[str]], columns: Sequence[LabelColumn], missing: Missing, get: str
) -> None:
    """Notes in `missing` which of these columns the table lacks; `get` says which download provides them."""
    for name in names:
        missing.column(table, name, get)
    for column in columns:
        if not column.optional:
            missing.column(table, column.names, get)


def read_labels(
    table: SourceTable,
    dataset: str,
    subject: Callable[[Row], str | None],
    columns: Sequence[LabelColumn],
    session: Callable[[Row], str | None] = lambda _: None,
) -> tuple[list[Label], list[str]]:
    """The labels that a table's columns state, and notes on cells that could not be read.

    `subject` finds the subject of a row, and `session` its session; rows without a subject, and numbers that
    the label cannot have (see `is_plausible`), are noted and give no label.
    """
    found = [(column, name) for column in columns if (name := find_column(table, column.names)) is not None]
    labels: list[Label] = []
    unread: dict[str, list[str]] = defaultdict(list)
    nobody: list[str] = []
    for row in table.rows:
        who = subject(row)
        if who is None:
            nobody.append(str(row.line))
            continue
        for column, name in found:
            cell = row.cells.get(name, "")
            if is_missing(cell) or cell in column.silent:
                continue
            value = column.read(cell)
            if value is None or not (isinstance(value, str) or is_plausible(column.label, value)):
                unread[name].append(shown(cell, who))
            else:
                when = session(row) if column.of_row_session else column.session
                labels.append(_label(Label(dataset, who, column.label, session=when), value, column.unit))
    notes = [f"{table.path.name}: rows without a subject id, lines {a_few(nobody)}."] if nobody else []
    notes += [f"{table.path.name}: {name} says nothing known in {a_few(cells)}." for name, cells in unread.items()]
    return labels, notes


def fill_in(labels: Sequence[Label], others: Iterable[Label]) -> list[Label]:
    """These labels, and of less trusted ones those that they leave open."""
    stated = {(label.subject, label.session, label.label) for label in labels}
    return [*labels, *(label for label in others if (label.subject, label.session, label.label) not in stated)]


def _label(label: Label, value: str | float, unit: str | None) -> Label:
    return replace(label, value=value) if isinstance(value, str) else replace(label, number=value, unit=unit)
