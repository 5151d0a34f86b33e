"""The first half of an ingest: what is there, what is known of it, and what would have to be done."""

from pathlib import Path

import warehouse
from braindino import imaging
from braindino.datasets import Discovery, get_adapter
from flows.ingest_plan import Plan, plan

GENERIC = ("bids", "manifest")  # adapters of any dataset: the folder or file gives the name


def default_name(dataset: str, root: Path) -> str:
    """What a dataset is called unless a person says otherwise: its adapter's name, or its folder's or file's."""
    return root.stem if dataset in GENERIC else dataset


def survey(
    home: Path, dataset: str, root: Path, name: str | None, recipe_name: str
) -> tuple[Discovery, Plan, imaging.Recipe, str]:
    """What an ingest of this dataset would have to do; reads tables, names and sizes, never a voxel.

    Returns:
        What the adapter found, the plan, the recipe, and the dataset's name in the home.
    """
    adapter = get_adapter(dataset)
    recipe = imaging.get_recipe(recipe_name)
    called = name or default_name(dataset, root)
    found = adapter.discover(root, called)
    store = warehouse.open(home)
    names = sorted({called, *(scan.dataset for scan in found.scans)})
    rows = store.query(
        "select * from staging.stg_scans where recipe_id = ? and list_contains(?, dataset)",
        [recipe.recipe_id, names],
    )
    known = {row["scan_id"]: row for row in rows.to_pylist()}
    base = root if root.is_dir() else root.parent
    return found, plan(found.scans, base, known, called), recipe, called
