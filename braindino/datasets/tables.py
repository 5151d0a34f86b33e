"""Reading the tables that datasets come with: delimited text of any encoding, and old Excel files."""

import csv
import datetime
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from braindino.errors import DatasetError


@dataclass(frozen=True)
class Row:
    """One row of a table: its line number in the file (the header is line 1) and its cells by column name."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True)
class SourceTable:
    """A table as text: column names as written (stripped), rows, and sentences about what was odd."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def column(self, name: str) -> list[str]:
        """All cells of one column, in row order."""
        return [row.cells[name] for row in self.rows]


def decode(data: bytes) -> tuple[str, bool]:
    """The text of a table's bytes, and whether it had to be read as Latin-1 because it is not UTF-8."""
    try:
        return data.decode("utf-8-sig"), False
    except UnicodeDecodeError:
        return data.decode("latin-1"), True


def _lines(reader: Any, path: Path) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        text = f"{path} line {reader.line_num} is no line of a table ({error}); mend it or delete it."
        raise DatasetError(path.name, (text,)) from error


def read_delimited(path: Path, delimiter: str) -> SourceTable:
    """A comma- or tab-separated file with one header row.

    Byte-order marks, CRLF line ends, blank lines and spaces around cells are tolerated; Latin-1 files and
    rows of another length than the header are noted (missing cells are empty, surplus cells are dropped).

    Raises:
        DatasetError: the file cannot be read, has no header, or names a column twice.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError(path.name, (f"{path} cannot be read ({error.strerror}).",)) from error
    text, latin = decode(data)
    notes = [f"{path.name} is not UTF-8 and was read as Latin-1."] if latin else []
    stream = io.StringIO(text, newline="")
    if delimiter == "\t":  # in the TSV of BIDS a quote is a character like any other
        reader = csv.reader(stream, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    else:
        reader = csv.reader(stream, delimiter=delimiter)
    columns: tuple[str, ...] = ()
    rows: list[Row] = []
    for fields in _lines(reader, path):
        cells = [cell.strip() for cell in fields]
        if not any(cells):
            continue
        if not columns:
            columns = _header(path, cells)
            continue
        if len(cells) != len(columns):
            wrong = f"{len(cells)} cells instead of {len(columns)}"
            notes.append(f"{path.name} line {reader.line_num} has {wrong}.")
        padded = cells + [""] * (len(columns) - len(cells))
        rows.append(Row(reader.line_num, dict(zip(columns, padded, strict=False))))
    if not columns:
        raise DatasetError(path.name, (f"{path} is empty: it needs a header row.",))
    return SourceTable(path, columns, tuple(rows), tuple(notes))


def read_excel(path: Path, sheet: str | None = None) -> SourceTable:
    """One sheet, by default the first, of an .xls or .xlsx file; every cell becomes text (5.0 -> "5", dates -> ISO).

    Raises:
        DatasetError: the file cannot be read or has no such sheet.
    """
    import python_calamine  # few datasets come as Excel

    try:
        workbook = python_calamine.CalamineWorkbook.from_path(path)
        raw = workbook.get_sheet_by_name(sheet or workbook.sheet_names[0]).to_python()
    except (OSError, python_calamine.CalamineError) as error:
        message = f"The sheet {sheet or 1!r} of {path} cannot be read ({error}); download the file again."
        raise DatasetError(path.name, (message,)) from error
    if not raw:
        raise DatasetError(path.name, (f"The sheet {sheet or 1!r} of {path} is empty.",))
    columns = _header(path, [_cell_text(cell) for cell in raw[0]])
    rows = [
        Row(line, dict(zip(columns, map(_cell_text, cells), strict=False)))
        for line, cells in enumerate(raw[1:], start=2)
    ]
    return SourceTable(path, columns, tuple(row for row in rows if any(row.cells.values())))


def _header(path: Path, names: list[str]) -> tuple[str, ...]:
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise DatasetError(path.name, (f"{path} names the column {twice[0]!r} twice; rename one of them.",))
    return tuple(names)


def _cell_text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime.date):  # a datetime, too
        return cell.isoformat()[:10]
    return str(cell).strip()
