"""The feature store: event tables, commits and snapshots, DuckDB over them, features for heads."""

from warehouse.errors import (
    BatchRefused,
    CommitError,
    QueryRefused,
    UnknownSnapshot,
    WarehouseError,
    WrongLayout,
)
from warehouse.home import Home
from warehouse.snapshots import Snapshot
from warehouse.store import Warehouse, open

__all__ = [
    "BatchRefused",
    "CommitError",
    "Home",
    "QueryRefused",
    "Snapshot",
    "UnknownSnapshot",
    "Warehouse",
    "WarehouseError",
    "WrongLayout",
    "open",
]
