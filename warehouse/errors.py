"""Typed errors of the feature store. Each text says what happened, to what, and what to do next."""

from collections.abc import Sequence

SHOWN = 5  # problems spelled out in the text of a refused batch; `problems` holds all of them


class WarehouseError(Exception):
    """The base of every error the feature store raises on purpose; its text is written for a person."""


class WrongLayout(WarehouseError):
    """The home folder cannot be used: another layout, not a folder, or a path its libraries cannot read."""


class NoHome(WarehouseError):
    """A folder that only an existing home may be read from holds none."""


class BatchRefused(WarehouseError):
    """Rows do not fit their table; nothing of the batch was written.

    `problems` has one entry per fault, each naming its row by index and key.
    """

    def __init__(self, table: str, problems: Sequence[str]) -> None:
        shown = "; ".join(problems[:SHOWN])
        more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        super().__init__(f"Nothing was written to {table}: {shown}{more}. Correct the rows and append the batch again.")
        self.table = table
        self.problems = tuple(problems)

    def __reduce__(self) -> tuple[type["BatchRefused"], tuple[str, tuple[str, ...]]]:
        # Exceptions with two arguments do not survive pickling (process pools, Dask) by default.
        return type(self), (self.table, self.problems)


class CommitError(WarehouseError):
    """A batch could not be committed; nothing of it is visible."""


class UnknownSnapshot(WarehouseError):
    """A snapshot is unknown, unreadable or pins files that are gone."""


class QueryRefused(WarehouseError):
    """A query is not one SELECT statement, or DuckDB cannot answer it."""
