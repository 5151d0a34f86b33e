"""The feature store's front door: append events, ask in SQL, publish snapshots, fetch features."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake.exceptions import DeltaError

from warehouse import commits, connection, retrieval, rows, snapshots
from warehouse.errors import UnknownSnapshot, WarehouseError
from warehouse.home import Home
from warehouse.schemas import TABLES
from warehouse.snapshots import Snapshot

Files = dict[str, tuple[Path, ...]]


@dataclass(frozen=True)
class Warehouse:
    """The event tables of one home. Writers append; readers see one moment and never lock."""

    home: Home

    def append(self, table: str, batch: rows.Rows, job_id: str) -> int:
        """Commits rows to an event table: all of them or, if one is wrong, none.

        Args:
            table: a name of `warehouse.schemas.TABLES`.
            batch: mappings from column to value, or an Arrow table; columns that are left out are null, and
                `recorded_at` and `job_id` are added.
            job_id: the flow run that writes.

        Returns:
            The number of rows written; without rows there is no commit.

        Raises:
            BatchRefused: unknown columns, wrong types, missing or repeated keys, bad vectors, named by row.
            CommitError: the commit failed; nothing is visible.
            WarehouseError: there is no such table.
        """
        if table not in TABLES:
            near = difflib.get_close_matches(table, TABLES, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(TABLES)}."
            raise WarehouseError(f"There is no table {table}; {hint}")
        widths = self._encoder_widths() if table == "embeddings" else None
        data = rows.checked(TABLES[table], batch, job_id, widths)
        if data.num_rows:
            commits.append(self.home.warehouse / table, TABLES[table], data)
        return int(data.num_rows)

    def connect(self, snapshot: str | None = None) -> duckdb.DuckDBPyConnection:
        """A DuckDB connection to a snapshot, or to this moment; what is committed later does not show in it.

        The marts are its tables; `staging` has the latest event of each key, `events` every row ever written.
        It reads the files of that moment only, can reach no other and cannot be unlocked. Close it after use.

        Raises:
            UnknownSnapshot: there is no such snapshot, or files it pins are gone.
        """
        return connection.connect(self._files(snapshot))

    def query(self, sql: str, parameters: Sequence[Any] | None = None, snapshot: str | None = None) -> pa.Table:
        """The answer to exactly one SELECT statement in DuckDB's dialect; `from tables` lists the marts.

        Args:
            sql: the statement, with `?` for parameters.
            parameters: their values.
            snapshot: the moment to ask; now, if None.

        Raises:
            QueryRefused: it is anything but one SELECT, or DuckDB cannot answer it.
            UnknownSnapshot: there is no such snapshot.
        """
        with connection.shared(self._files(snapshot)) as opened:
            return connection.run(opened, sql, parameters)

    def features(
        self, target: str, encoder_id: str, recipe_id: str, pooling: str, snapshot: str | None = None
    ) -> pa.Table:
        """Labelled scans with their vectors: one row per stored scan that has both, ordered by scan_id.

        Args:
            target: a label's name, or "contrast".
            encoder_id: whose vectors.
            recipe_id: of which slices.
            pooling: cls_mean or brain_mean.
            snapshot: the moment to read; now, if None.

        Returns:
            The columns of the mart `labelled_scans` and `embedding` (list of float32).

        Raises:
            WarehouseError: there are no such vectors; the text names those there are.
            UnknownSnapshot: there is no such snapshot.
        """
        files = self._files(snapshot)
        with connection.shared(files) as opened:
            vectors = files.get("embeddings", ())
            return retrieval.features(opened, vectors, target, encoder_id, recipe_id, pooling)

    def publish_snapshot(self, note: str) -> str:
        """Pins the newest version of every table; returns the new id, or the last if nothing changed."""
        return snapshots.publish(self.home, note)

    def snapshots(self) -> list[Snapshot]:
        """All snapshots, oldest first."""
        return snapshots.published(self.home)

    def _files(self, snapshot: str | None) -> Files:
        """The Parquet files of every table at one moment."""
        if snapshot is None:
            versions = snapshots.current_versions(self.home)
        else:
            versions = dict(snapshots.find(self.home, snapshot).versions)
        try:
            return {name: commits.files(self.home.warehouse / name, at) for name, at in versions.items()}
        except DeltaError as error:
            raise UnknownSnapshot(
                f"{self.home.root}: {snapshot or 'the present state'} needs files that are gone ({error}); "
                "restore the folder `warehouse` from a backup."
            ) from error

    def _encoder_widths(self) -> dict[str, int]:
        """The vector width of every registered encoder."""
        paths = self._files(None).get("encoders", ())
        tables = [pq.read_table(path, columns=["encoder_id", "width", "recorded_at"]) for path in paths]
        if not tables:
            return {}
        latest = pa.concat_tables(tables).sort_by("recorded_at").to_pylist()
        return {row["encoder_id"]: row["width"] for row in latest if row["width"] is not None}


def open(home: str | Path, create: bool = True) -> Warehouse:
    """The feature store of a home; the home is made if there is none.

    Raises:
        NoHome: there is none, and `create` is False; whoever only reads should say so.
        WrongLayout: the path cannot be a home, or holds one of another layout version.
    """
    return Warehouse(Home.open(home, create))
