"""The feature store: event tables, commits and snapshots, DuckDB over them, features for heads."""

from warehouse.errors import (
    BatchRefused,
    CommitError,
    NoHome,
    QueryRefused,
    UnknownSnapshot,
    WarehouseError,
    WrongLayout,
)
from warehouse.home import Home, is_home
from warehouse.snapshots import Snapshot
from warehouse.store import Warehouse, open

__all__ = [
    "BatchRefused",
    "CommitError",
    "Home",
    "NoHome",
    "QueryRefused",
    "Snapshot",
    "UnknownSnapshot",
    "Warehouse",
    "WarehouseError",
    "WrongLayout",
    "is_home",
    "open",
]
