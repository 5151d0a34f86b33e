"""The first half of an ingest: what is there, what is known of it, and what would have to be done."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import warehouse
from braindino import imaging
from braindino.datasets import Adapter, Discovery, get_adapter, partial_notes, require_whole
from braindino.errors import ConfigError
from flows.datasets_file import check_name, of_same_folder, options_of, partial_of, recipe_of
from flows.ingest_plan import Accepted, Plan, Row, ages_of, plan

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
GENERIC = ("bids", "manifest")  # adapters of any dataset: the folder or file gives the name


def default_name(dataset: str, root: Path) -> str:
    """What a dataset is called unless a person says otherwise: its adapter's name, or its folder's or file's."""
    return root.stem if dataset in GENERIC else dataset


def _check_folder_name(name: str) -> None:
    """A dataset's name is a folder of the home; it must not lead out of it."""
    if name == "all":
        raise ConfigError("A dataset cannot be called `all`: that is all of them together; choose another name.")
    if not NAME.fullmatch(name):
        raise ConfigError(
            f"{name[:60]!r} cannot be a dataset's name; use up to 64 letters, digits, dots, dashes and underscores, "
            "beginning with a letter or digit (--name, or a manifest's column dataset)."
        )


def check_request(
    home: Path, dataset: str, root: Path, name: str | None, recipe_name: str | None, options: Mapping[str, Any] | None
) -> None:
    """Raises at once what `survey` would raise without looking into the dataset: before anything slow is started."""
    called, _, _, adapter = _request(home, dataset, root, name, recipe_name, options)
    check_name(home, called, root)
    if not os.path.lexists(root):
        adapter.discover(root, called)


def _request(
    home: Path, dataset: str, root: Path, name: str | None, recipe_name: str | None, options: Mapping[str, Any] | None
) -> tuple[str, imaging.Recipe, Mapping[str, Any], Adapter]:
    """The dataset's name in the home, the recipe, the adapter's options and the adapter."""
    called = name or default_name(dataset, root)
    recipe = imaging.get_recipe(recipe_name or recipe_of(home, called))
    imaging.require_mask_program(recipe)
    used = options if options is not None else options_of(home, called, dataset)
    return called, recipe, used, get_adapter(dataset, used)


def survey(
    home: Path,
    dataset: str,
    root: Path,
    name: str | None,
    recipe_name: str | None,
    options: Mapping[str, Any] | None = None,
    partial: bool | None = None,
) -> tuple[Discovery, Plan, imaging.Recipe, str]:
    """What an ingest of this dataset would have to do; reads tables, names and sizes, never a voxel.

    Without `recipe_name`, `options` or `partial`, those hold that the home's `datasets.toml` keeps for the dataset.

    Returns:
        What the adapter found, the plan, the recipe, and the dataset's name in the home.

    Raises:
        DatasetError: the dataset is not as expected, or it is half a copy and not to be read as `partial`.
    """
    called, recipe, used, adapter = _request(home, dataset, root, name, recipe_name, options)
    found = adapter.discover(root, called)
    if partial if partial is not None else partial_of(home, called, dataset):
        found = replace(found, notes=(*partial_notes(found, root), *found.notes))
    else:
        require_whole(found, root, called)
    if used:
        told = "read with " + ", ".join(f"{key}={value}" for key, value in sorted(used.items()))
        found = replace(found, notes=(told, *found.notes))
    if others := of_same_folder(home, called, root):
        told = f"{root} is in this home already, as {', '.join(entry.name for entry in others)}: "
        told += f"as {called} its scans are stored once more; figures over all datasets count each scan once."
        found = replace(found, notes=(told, *found.notes))
    for dataset_name in sorted({called, *(scan.dataset for scan in found.scans)}):
        _check_folder_name(dataset_name)
    known = _known(home, recipe.recipe_id, sorted({called, *(scan.dataset for scan in found.scans)}))
    base = root if root.is_dir() else root.parent
    todo = plan(found.scans, base, known, called, ages_of(found.labels), accepted_scans(home))
    return found, todo, recipe, called


def accepted_scans(home: Path) -> dict[str, Accepted]:
    """Refusals that people overruled, by scan_id; none where there is no home."""
    if not warehouse.is_home(home):
        return {}
    rows = warehouse.open(home).query("select * from staging.stg_overrules where reasons is not null").to_pylist()
    return {row["scan_id"]: Accepted(frozenset(row["reasons"].split("; ")), row["image_hash"]) for row in rows}


def _known(home: Path, recipe_id: str, names: Sequence[str]) -> dict[str, Row]:
    """What the home says of the scans of some datasets, by scan_id; a survey makes no home where there is none."""
    if not warehouse.is_home(home):
        return {}
    rows = warehouse.open(home).query(
        "select * from staging.stg_scans where recipe_id = ? and list_contains(?, dataset)", [recipe_id, list(names)]
    )
    return {row["scan_id"]: row for row in rows.to_pylist()}
