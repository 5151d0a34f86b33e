"""From rows as a caller has them to a table that may be committed; one wrong row refuses the whole batch."""

import difflib
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.errors import BatchRefused
from warehouse.schemas import INT, VECTOR, Table

STAMP = ("recorded_at", "job_id")

Rows: TypeAlias = Sequence[Mapping[str, Any]] | pa.Table

_clock = threading.Lock()
_last_us = 0


def _now_us() -> int:
    """Microseconds since 1970, never the same twice in one process: the latest event of a key wins by it."""
    global _last_us
    with _clock:
        _last_us = max(time.time_ns() // 1000, _last_us + 1)
        return _last_us


def checked(table: Table, rows: Rows, job_id: str, widths: Mapping[str, int] | None = None) -> pa.Table:
    """The batch with the table's schema, stamped and sorted by key.

    Args:
        table: where the rows shall go.
        rows: mappings from column to value (a missing or None value is null), or an Arrow table;
            `recorded_at` and `job_id` are added here.
        job_id: the flow run that writes.
        widths: known vector widths by encoder_id; without an entry, an encoder's first vector here sets it.

    Raises:
        BatchRefused: unknown columns, values of another type, missing or repeated keys, vectors that are
            empty, not finite or of several widths; every fault is named with its row.
    """
    data = _typed(table, rows)
    problems = [*_missing_keys(table, data), *_repeated_keys(table, data)]
    for field in table.schema:
        if field.type == VECTOR:
            problems += _vector_faults(table, data, field.name, widths or {})
    if problems:
        raise BatchRefused(table.name, problems)
    n, now = data.num_rows, _now_us()
    stamps = [pa.array([now] * n, pa.timestamp("us", tz="UTC")), pa.array([job_id] * n, pa.string())]
    stamped = pa.Table.from_arrays([*data.columns, *stamps], schema=table.schema)
    return stamped.sort_by([(column, "ascending") for column in table.key])


def _typed(table: Table, rows: Rows) -> pa.Table:
    """Exactly the table's columns without the stamp, in their types; columns not given are null."""
    known = [name for name in table.schema.names if name not in STAMP]
    problems = _unknown_columns(rows, known)
    columns: list[Any] = []
    for name in known:
        kind = table.schema.field(name).type
        try:
            columns.append(_column(rows, name, kind))
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, TypeError, OverflowError):
            problems += _untypable(table, rows, name, kind)
    if problems:
        raise BatchRefused(table.name, problems)
    return pa.table(dict(zip(known, columns, strict=True)))


def _column(rows: Rows, name: str, kind: pa.DataType) -> Any:
    if not isinstance(rows, pa.Table):
        return _array([row.get(name) for row in rows], kind)
    return rows.column(name).cast(kind) if name in rows.column_names else pa.nulls(rows.num_rows, kind)


def _array(values: Sequence[Any], kind: pa.DataType) -> Any:
    fractions = (float, np.floating)
    if kind == INT and any(isinstance(value, fractions) and not float(value).is_integer() for value in values):
        raise pa.ArrowInvalid("a fraction is no integer")  # Arrow itself would cut it off without a word
    return pa.array(values, kind)


def _unknown_columns(rows: Rows, known: Sequence[str]) -> list[str]:
    found: dict[str, list[int]] = {}
    if isinstance(rows, pa.Table):
        found = {name: [] for name in rows.column_names if name not in known}
    else:
        expected = frozenset(known)
        for index, row in enumerate(rows):
            for name in row.keys() - expected:
                found.setdefault(name, []).append(index)
    return [_unknown(name, found[name], known) for name in sorted(found)]


def _unknown(name: str, indices: Sequence[int], known: Sequence[str]) -> str:
    subject = "the batch has"
    if indices:
        subject = f"rows[{indices[0]}]" + (f" and {len(indices) - 1} more have" if indices[1:] else " has")
    if name in STAMP:
        return f"{subject} a column {name}, which is added at the write"
    near = difflib.get_close_matches(name, known, 1)
    hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(known)}"
    return f"{subject} an unknown column {name}{hint}"


def _untypable(table: Table, rows: Rows, name: str, kind: pa.DataType) -> list[str]:
    """Names each row whose value does not fit; only called once a whole column has failed."""
    if isinstance(rows, pa.Table):
        return [f"column {name} is {rows.column(name).type} and does not fit {kind}"]
    problems = []
    for index, row in enumerate(rows):
        try:
            _array([row.get(name)], kind)
        except (pa.ArrowException, TypeError, OverflowError):
            key = ", ".join(f"{column}={row.get(column)}" for column in table.key)
            problems.append(f"rows[{index}] ({key}) has {name}={row.get(name)!r}, which does not fit {kind}")
    return problems


def _name(table: Table, data: pa.Table, index: int) -> str:
    key = ", ".join(f"{column}={data.column(column)[index].as_py()}" for column in table.key)
    return f"rows[{index}] ({key})"


def _missing_keys(table: Table, data: pa.Table) -> list[str]:
    problems = []
    for column in table.key:
        if data.column(column).null_count:
            missing = np.flatnonzero(data.column(column).is_null().to_numpy())
            problems += [f"{_name(table, data, int(index))} lacks its key column {column}" for index in missing]
    return problems


def _repeated_keys(table: Table, data: pa.Table) -> list[str]:
    first: dict[tuple[Any, ...], int] = {}
    problems = []
    keys = zip(*(data.column(column).to_pylist() for column in table.key), strict=True)
    for index, key in enumerate(keys):
        if key in first:
            problems.append(f"{_name(table, data, index)} has the same key as rows[{first[key]}]")
        else:
            first[key] = index
    return problems


def _vector_faults(table: Table, data: pa.Table, column: str, widths: Mapping[str, int]) -> list[str]:
    """Vectors must be there, finite, and of one width per encoder."""
    vectors = data.column(column).combine_chunks()
    lengths = pc.fill_null(pc.list_value_length(vectors), 0).to_numpy()
    finite = pc.is_finite(vectors.flatten()).fill_null(False).to_numpy(zero_copy_only=False)
    bad_before = np.concatenate([[0], np.cumsum(~finite)])
    ends = np.cumsum(lengths)
    n_bad = bad_before[ends] - bad_before[ends - lengths]
    expected = dict(widths)
    problems = []
    for index, encoder in enumerate(data.column("encoder_id").to_pylist()):
        width = int(lengths[index])
        if width == 0:
            problems.append(f"{_name(table, data, index)} has no {column}")
        elif width != expected.setdefault(encoder, width):
            problems.append(f"{_name(table, data, index)} is {width} wide where its encoder gives {expected[encoder]}")
        elif n_bad[index]:
            problems.append(f"{_name(table, data, index)} has {int(n_bad[index])} values that are not finite")
    return problems
