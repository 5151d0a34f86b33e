"""Finds the one scan that a person means, in the tables of a home and in the dataset it came from."""

from typing import Any

import warehouse
from braindino import imaging, keys
from braindino.datasets import get_adapter
from braindino.errors import ConfigError
from flows import datasets_file
from flows.ingest_plan import Work, ages_of, work_of
from flows.survey import accepted_scans

Row = dict[str, Any]
SHOWN = 5  # scans named in the sentence that says a prefix fits several


def find_rows(store: warehouse.Warehouse, scan: str) -> list[Row]:
    """The rows of the mart `scans` of one scan, one per recipe, the one written last first.

    Args:
        store: the home's tables.
        scan: its scan_id, the beginning of it, or its source_path.

    Raises:
        ConfigError: there is no such scan, or several.
    """
    rows: list[Row] = store.query(
        "select * from scans where starts_with(scan_id, ?) or source_path = ? order by recorded_at desc", [scan, scan]
    ).to_pylist()
    found = {row["scan_id"]: row["source_path"] for row in rows}
    if not scan or not found:
        raise ConfigError(
            f"No scan {scan!r} in this home: give a scan_id, the beginning of one, or a source_path, as "
            '`braindino sql "select scan_id, source_path from scans"` lists them.'
        )
    if len(found) > 1:
        listed = ", ".join(f"{scan_id} ({path})" for scan_id, path in sorted(found.items())[:SHOWN])
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise ConfigError(f"{scan!r} fits {len(found)} scans: {listed}{more}; give more of the scan_id.")
    return rows


def recipe_of_row(row: Row) -> imaging.Recipe:
    """The recipe a row was made under.

    Raises:
        ConfigError: this release has no such recipe any more.
    """
    for recipe in imaging.RECIPES.values():
        if recipe.recipe_id == row["recipe_id"]:
            return recipe
    raise ConfigError(
        f"{row['scan_id']} was read under {row['recipe_id']}, which this release does not make any more; "
        "ingest its dataset again."
    )


def source_of_row(store: warehouse.Warehouse, row: Row) -> Work:
    """The scan of a row as its dataset lists it today, with its files.

    Raises:
        ConfigError: the home does not say where the dataset lies, or the dataset lists the scan no more.
        DatasetError: the dataset's folder is not as expected.
    """
    home = store.home.root
    entries = datasets_file.load(home)
    # A manifest may hold scans of datasets that no ingest was named after.
    ours = [e for e in entries if e.name == row["dataset"]] or [e for e in entries if e.adapter == "manifest"]
    for entry in ours:
        found = get_adapter(entry.adapter, entry.options).discover(entry.root, entry.name)
        for scan in found.scans:
            if keys.scan_id(scan.dataset, scan.source_key) == row["scan_id"]:
                root = entry.root if entry.root.is_dir() else entry.root.parent
                accepted = accepted_scans(home).get(row["scan_id"])
                return work_of(scan, root, _as_written(store, row), ages_of(found.labels), accepted)
    where = " and ".join(str(entry.root) for entry in ours) or f"{home / datasets_file.NAME} (no such dataset)"
    raise ConfigError(f"{row['source_path']} of {row['dataset']} is not listed in {where} any more.")


def _as_written(store: warehouse.Warehouse, row: Row) -> Row:
    """The row as the ingest wrote it, without what people decided."""
    written: list[Row] = store.query(
        "select * from staging.stg_scans where scan_id = ? and recipe_id = ?", [row["scan_id"], row["recipe_id"]]
    ).to_pylist()
    return written[0]
