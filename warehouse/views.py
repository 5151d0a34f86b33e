"""The SQL files: where they are, and in what order they can be created."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from warehouse.errors import WarehouseError

# Beside this package in a checkout and in site-packages alike.
SQL = Path(__file__).resolve().parent.parent / "sql"
SCHEMAS = {"staging": "staging", "marts": "main"}

_COMMENT = re.compile(r"--[^\n]*")
_SOURCE = re.compile(r"\b(?:from|join)\s+([a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)?)", re.IGNORECASE)
_NOTED = re.compile(r"(?:\bas\s+)?\"?(\w+)\"?,?[ \t]+--[ \t]*(\S.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class View:
    """One view: its schema and name, its SELECT, the first comment of its file, and its columns' comments."""

    schema: str
    name: str
    sql: str
    description: str

    @property
    def full_name(self) -> str:
        """Schema and name."""
        return f"{self.schema}.{self.name}"

    @property
    def sources(self) -> set[str]:
        """Full names of what it selects from; names without a schema are marts (or its own common tables)."""
        found = _SOURCE.findall(_COMMENT.sub("", self.sql))
        return {name if "." in name else f"main.{name}" for name in found} - {self.full_name}

    @property
    def column_notes(self) -> dict[str, str]:
        """What stands in a comment behind a column, by column."""
        return dict(_NOTED.findall(self.sql))


def leading_comment(sql: str) -> str:
    """The comment lines an SQL file begins with, as one text."""
    lines = []
    for line in sql.splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").strip())
    return " ".join(lines)


@cache
def views() -> tuple[View, ...]:
    """All staging views and marts, each after those it selects from.

    Raises:
        WarehouseError: the SQL folder is missing, or views need each other in a circle.
    """
    found = [
        View(
            schema,
            path.stem,
            path.read_text(encoding="utf-8"),
            leading_comment(path.read_text(encoding="utf-8")),
        )
        for folder, schema in SCHEMAS.items()
        for path in sorted((SQL / folder).glob("*.sql"))
    ]
    if not found:
        raise WarehouseError(f"No SQL files in {SQL}; install BrainDINO again.")
    return tuple(in_order(found))


def in_order(found: Iterable[View]) -> list[View]:
    """Views sorted so that each comes after its sources.

    Raises:
        WarehouseError: naming the views that need each other in a circle.
    """
    by_name = {view.full_name: view for view in found}
    # Sorted, so that the order is the same in every process.
    graph = {name: sorted(view.sources & by_name.keys()) for name, view in by_name.items()}
    try:
        return [by_name[name] for name in TopologicalSorter(graph).static_order()]
    except CycleError as error:
        raise WarehouseError(f"Views need each other in a circle: {' -> '.join(error.args[1])}.") from error


def queries() -> dict[str, str]:
    """The ready questions of sql/queries: SQL by file name without its ending."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted((SQL / "queries").glob("*.sql"))}
