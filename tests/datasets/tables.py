"""Writing small Excel tables for the tests."""

from collections.abc import Sequence
from pathlib import Path

import openpyxl


def excel(path: Path, *rows: Sequence[object]) -> Path:
    """An .xlsx file with one sheet of these rows, the first of which is the header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    book.save(path)
    return path
