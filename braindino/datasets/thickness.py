"""The slice thickness per contrast, from tables with one column for each."""

import re
from collections.abc import Mapping

from braindino.datasets.tables import Row, SourceTable
from braindino.datasets.values import is_plausible, parse_number


def thickness_columns(table: SourceTable, words: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """The column that holds the slice thickness of each contrast.

    `words` are the spellings of each contrast in the table's header. A column is found by its words, whatever stands
    between them: "T1GD Slice Thickness", "T1GD_slice_thickness_mm" and "Slice thickness (T1GD)" are one.
    """
    columns: dict[str, str] = {}
    for column in table.columns:
        parts = set(re.split(r"[^a-z0-9]+", column.lower()))
        if {"slice", "thickness"} <= parts:
            for contrast, spellings in words.items():
                if parts & {word.lower() for word in spellings}:
                    columns.setdefault(contrast, column)
    return columns


def thickness_of(row: Row, column: str | None) -> float | None:
    """The thickness in mm that a row states; None where it states none, or none that a slice can have."""
    number = parse_number(row.cells.get(column, "")) if column else None
    return number if number is not None and is_plausible("slice_thickness", number) else None
