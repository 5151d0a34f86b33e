"""The tables and sidecars of a layout as text or bytes, as other people's software wrote them."""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook

Row = Sequence[object]
_TIME = re.compile(rb"(?<=dcterms:W3CDTF\">)[^<]+")


def csv_text(header: Sequence[str], rows: Iterable[Row], newline: str = "\n") -> str:
    """A comma-separated table with one header row; None is an empty cell. `newline` ends every line."""
    return _delimited(header, rows, newline, ",")


def tsv_text(header: Sequence[str], rows: Iterable[Row], newline: str = "\n") -> str:
    """A tab-separated table with one header row; None is an empty cell. `newline` ends every line."""
    return _delimited(header, rows, newline, "\t")


def json_text(content: object) -> str:
    """A JSON file, indented, with a final newline."""
    return json.dumps(content, indent=2) + "\n"


def xlsx_bytes(sheets: Mapping[str, Sequence[Row]]) -> bytes:
    """An Excel workbook: rows of cells (numbers stay numbers) by sheet name, header rows included.

    The same rows give the same bytes: the times that a workbook and its parts carry are set to a fixed one.
    """
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    saved, fixed = io.BytesIO(), io.BytesIO()
    book.save(saved)
    with ZipFile(saved) as parts, ZipFile(fixed, "w", ZIP_DEFLATED) as copy:
        for name in parts.namelist():
            copy.writestr(ZipInfo(name), _TIME.sub(b"2020-01-01T00:00:00Z", parts.read(name)), ZIP_DEFLATED)
    return fixed.getvalue()


def _delimited(header: Sequence[str], rows: Iterable[Row], newline: str, delimiter: str) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=newline)
    writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue()
