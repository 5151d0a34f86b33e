"""A DuckDB connection over the files of one moment: readers never lock and never see half a commit."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from warehouse import catalogue
from warehouse.errors import QueryRefused
from warehouse.schemas import FLAG, INT, REAL, TABLES, TEXT, VECTOR
from warehouse.views import views

SQL_TYPES = {TEXT: "VARCHAR", INT: "BIGINT", REAL: "DOUBLE", FLAG: "BOOLEAN", VECTOR: "FLOAT[]"} | {
    pa.list_(pa.float64()): "DOUBLE[]",
    pa.binary(): "BLOB",
    pa.timestamp("us", tz="UTC"): "TIMESTAMPTZ",
}

# What a query may be made of. A common table expression may also hold a COPY or an INSERT, and DuckDB still
# calls the whole a SELECT: those have node types of their own, and what is not listed here is refused.
READING_NODES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}


def connect(files: Mapping[str, Sequence[Path]]) -> duckdb.DuckDBPyConnection:
    """An in-memory connection with the schemas `events` and `staging` and, unqualified, the marts.

    It reads exactly the given files, may touch no other, and no setting can be changed any more.

    Args:
        files: Parquet files by table; a table without any is an empty view of the right types.
    """
    connection = duckdb.connect()
    # Results are the same wherever they are read, and names in SQL never reach into the caller's variables.
    connection.execute("set timezone = 'UTC'; set python_enable_replacements = false")
    connection.execute("create schema events; create schema staging")
    for name in TABLES:
        connection.execute(f"create view events.{name} as {_events(name, files.get(name, ()))}")
    meanings = ", ".join(f"({', '.join(map(_quoted, row))})" for row in catalogue.meanings())
    columns = "table_name, column_name, description"
    connection.execute(f"create view events.column_descriptions as from (values {meanings}) t({columns})")
    for view in views():
        connection.execute(f"create view {view.full_name} as {view.sql}")
        connection.execute(f"comment on view {view.full_name} is {_quoted(view.description)}")
    allowed = ", ".join(_quoted(path) for paths in files.values() for path in paths)
    connection.execute(f"set allowed_paths = [{allowed}]")
    connection.execute("set enable_external_access = false; set lock_configuration = true")
    return connection


def shared(files: Mapping[str, Sequence[Path]]) -> duckdb.DuckDBPyConnection:
    """A cursor on a connection kept for the next query of the same files; for checked queries only."""
    # A forked child must not use its parent's connection: DuckDB's threads do not survive a fork.
    return _kept(tuple((name, tuple(paths)) for name, paths in sorted(files.items())), os.getpid()).cursor()


@lru_cache(maxsize=2)
def _kept(files: tuple[tuple[str, tuple[Path, ...]], ...], _process: int) -> duckdb.DuckDBPyConnection:
    return connect(dict(files))


def _quoted(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def _events(name: str, paths: Sequence[Path]) -> str:
    if paths:
        return f"select * from read_parquet([{', '.join(map(_quoted, paths))}])"
    columns = ", ".join(f'null::{SQL_TYPES[field.type]} as "{field.name}"' for field in TABLES[name].schema)
    return f"select {columns} where false"


def check_select(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Admits exactly one statement that only reads.

    Raises:
        QueryRefused: no, several or other statements, or text that DuckDB cannot parse.
    """
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise QueryRefused(f"The query cannot be read: {_in_words(error)}") from error
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        kinds = ", ".join(statement.type.name for statement in statements) or "nothing"
        raise QueryRefused(f"A query is one SELECT statement; this is {kinds}. Only flows write to the store.")
    parsed = connection.execute("select json_serialize_sql(?)", [statements[0].query]).fetchall()[0][0]
    tree = json.loads(parsed)
    if tree["error"]:
        raise QueryRefused(f"The query cannot be read: {tree['error_message']}.")
    foreign = sorted(set(_nodes(tree)) - READING_NODES)
    if foreign:
        inside = ", ".join(name.removesuffix("_NODE").removesuffix("_QUERY") for name in foreign)
        raise QueryRefused(f"A query is one SELECT statement; this has {inside} inside. Only flows write to the store.")


def _nodes(tree: Any) -> Iterator[str]:
    """The types of all query nodes of a serialised statement."""
    if isinstance(tree, dict):
        kind = tree.get("type")
        if isinstance(kind, str) and kind.endswith("_NODE"):
            yield kind
        tree = list(tree.values())
    if isinstance(tree, list):
        for item in tree:
            yield from _nodes(item)


def run(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] | None) -> pa.Table:
    """The answer to one checked query.

    Raises:
        QueryRefused: it is not one SELECT statement, or DuckDB cannot answer it (its own words are kept).
    """
    check_select(connection, sql)
    try:
        return connection.sql(sql, params=list(parameters or [])).to_arrow_table()
    except duckdb.Error as error:
        raise QueryRefused(f"The query failed: {_in_words(error)}") from error


def _in_words(error: duckdb.Error) -> str:
    """DuckDB's message on one line, without its picture of the query."""
    return " ".join(str(error).split("\n\nLINE")[0].split())
