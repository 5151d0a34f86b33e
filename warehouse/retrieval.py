"""Features for heads: which vectors belong to the labelled scans of one moment, and what they are."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.connection import run
from warehouse.errors import WarehouseError
from warehouse.schemas import VECTOR

# Vectors are named by file and row and taken with Arrow: through SQL each of them would be copied and sorted.
LOCATED = """
with located as (
    select scan_id, content_hash, filename, file_row_number
    from read_parquet($files, filename = true, file_row_number = true)
    where encoder_id = $encoder_id and recipe_id = $recipe_id and pooling = $pooling
    qualify row_number() over (
        partition by scan_id, content_hash order by recorded_at desc, job_id desc, n_slices desc
    ) = 1
)
select labelled_scans.*, located.filename, located.file_row_number
from labelled_scans join located using (scan_id, content_hash)
where label = $target and recipe_id = $recipe_id
order by scan_id
"""
PLACE = ("filename", "file_row_number")


def features(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[Path],
    target: str,
    encoder_id: str,
    recipe_id: str,
    pooling: str,
) -> pa.Table:
    """The rows of `labelled_scans` for one label with a vector each, ordered by scan_id.

    Args:
        connection: to the moment that `files` belong to.
        files: the Parquet files of the embeddings.
        target: a label's name, or "contrast".
        encoder_id: whose vectors.
        recipe_id: of which slices.
        pooling: cls_mean or brain_mean.

    Returns:
        The columns of `labelled_scans` and `embedding` (list of float32, all of one width); no row for a
        label that no stored scan has.

    Raises:
        WarehouseError: there are no such vectors; the text names those there are.
    """
    asked = {"encoder_id": encoder_id, "recipe_id": recipe_id, "pooling": pooling}
    parameters = {**asked, "target": target, "files": [str(path) for path in files]}
    if not files:
        raise _never_made(connection, asked)
    found = connection.sql(LOCATED, params=parameters).to_arrow_table()
    if not found.num_rows and asked not in _made(connection):
        raise _never_made(connection, asked)
    return found.drop_columns(list(PLACE)).append_column("embedding", _taken(found))


def _made(connection: duckdb.DuckDBPyConnection) -> list[dict[str, str]]:
    """The combinations of encoder, recipe and pooling that have vectors."""
    query = "select distinct encoder_id, recipe_id, pooling from events.embeddings order by all"
    found: list[dict[str, str]] = run(connection, query, None).to_pylist()
    return found


def _never_made(connection: duckdb.DuckDBPyConnection, asked: dict[str, str]) -> WarehouseError:
    listed = "; ".join(" / ".join(row.values()) for row in _made(connection)) or "none yet"
    return WarehouseError(f"No embeddings of {' / '.join(asked.values())} here; there are {listed}. Embed them first.")


def _taken(found: pa.Table) -> pa.ChunkedArray:
    """The vectors at the places that `found` names, in its order; each file is read once."""
    places = found.column("filename").combine_chunks().dictionary_encode()
    columns, starts = [], [0]
    for name in places.dictionary.to_pylist():
        # Plain files: `read_table` would plan a whole data set around each, which costs more than to read a small one.
        column = pq.ParquetFile(name).read(columns=["embedding"]).column("embedding")
        columns += column.chunks
        starts.append(starts[-1] + len(column))
    rows = np.asarray(starts)[places.indices.to_numpy()] + found.column("file_row_number").to_numpy()
    vectors = pa.chunked_array(columns, VECTOR)
    if len(rows) == len(vectors) and np.array_equal(rows, np.arange(len(rows))):
        return vectors
    return vectors.take(pa.array(rows))
