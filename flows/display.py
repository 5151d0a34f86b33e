"""What people see: results as tables, CSV or JSON on stdout, progress with rate and remaining time on stderr."""

import csv
import json
import math
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column, Table
from rich.text import Text

stderr = Console(stderr=True, emoji=False)


class Format(StrEnum):
    """How a verb that lists prints its rows."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


class _Rate(ProgressColumn):
    """Units per second, or seconds per unit where it is slow."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if not speed:
            return Text("")
        return Text(f"{speed:,.1f}/s" if speed >= 1 else f"{1 / speed:,.1f} s each")


class Ticker:
    """Counts units of work done on one progress bar."""

    def __init__(self, progress: Progress, task: Any) -> None:
        self._progress, self._task = progress, task

    def advance(self, units: int = 1, note: str | None = None) -> None:
        """Adds finished units and, if given, replaces the note at the end of the line."""
        if note is not None:
            self._progress.update(self._task, note=note)
        self._progress.update(self._task, advance=units)


@contextmanager
def progress(title: str, total: int) -> Iterator[Ticker]:
    """A progress bar on stderr with count, rate and remaining time; it leaves one line behind."""
    note = TextColumn("{task.fields[note]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"))
    bar = Progress(
        TextColumn("{task.description}", table_column=Column(no_wrap=True)), BarColumn(bar_width=16),
        MofNCompleteColumn(), _Rate(table_column=Column(no_wrap=True)),
        TimeRemainingColumn(elapsed_when_finished=True), note,
        console=stderr, disable=total == 0, expand=True,
    )  # fmt: skip
    with bar:
        yield Ticker(bar, bar.add_task(title, total=total, note=""))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else f"{value:.4g}" if abs(value) < 1e5 else f"{value:,.0f}"
    if isinstance(value, list) and len(value) > 6:
        return f"[{', '.join(_cell(item) for item in value[:4])}, ... {len(value)} numbers]"
    return str(value)


def _json(value: Any) -> Any:
    """JSON has no word for NaN and infinity; null is what other programs write."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def distinct(names: Sequence[str]) -> list[str]:
    """Column names with a number behind each that stood before: two columns of one name are two columns."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return found


def print_rows(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], form: Format = Format.TABLE) -> None:
    """Prints rows to stdout in the form asked for."""
    if form is Format.JSON:
        print(json.dumps([{c: _json(row[c]) for c in columns} for row in rows], default=str, indent=2))
    elif form is Format.CSV:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([["" if row[c] is None else row[c] for c in columns] for row in rows])
    else:
        table = Table(box=None, header_style="bold", pad_edge=False)
        for column in columns:
            numeric = any(isinstance(row[column], (int, float)) for row in rows)
            table.add_column(column, justify="right" if numeric else "left", overflow="fold")
        for row in rows:
            table.add_row(*(Text(_cell(row[c])) for c in columns))
        # A pipe has no width of its own: never fold a table that a program reads.
        width = None if sys.stdout.isatty() else 400
        Console(width=width).print(table)
        if not rows:
            print("(no rows)")
