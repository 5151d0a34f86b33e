"""What an ingest writes beside scans: the dataset, its recipe and its labels; only what is new or has changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import warehouse
from braindino import imaging, keys
from braindino.datasets import Discovery, Label, SubjectLink, get_adapter
from flows.ingest_scan import Row, moment_columns, without_stamp

_LINK_KEY = ("dataset", "subject", "other_dataset", "other_subject")
_LABEL_KEY = ("dataset", "subject", "session", "label", "when")


def record_recipe(store: warehouse.Warehouse, recipe: imaging.Recipe, job: str) -> None:
    """Makes the recipe known, once."""
    row = {
        "recipe_id": recipe.recipe_id, "name": recipe.name, "parameters": keys.canonical_json(recipe),
        "imaging_version": imaging.IMAGING_VERSION,
    }  # fmt: skip
    latest = store.query("select * from staging.stg_recipes").to_pylist()
    store.append("recipes", _changed([row], latest, ("recipe_id",)), job)


def record_datasets(
    store: warehouse.Warehouse,
    found: Discovery,
    adapter: str,
    called: str,
    synthetic: bool,
    job: str,
    same_as: str | None = None,
) -> None:
    """Makes the dataset known with its licence and size; a manifest may hold several.

    `same_as` is the earlier name of the folder that it was read from, if it has one.
    """
    info = get_adapter(adapter).info
    rows = [
        {
            "dataset": name, "adapter": adapter, "same_as": same_as if name == called else None,
            "title": found.title or info.title, "licence": found.licence or info.licence,
            "restrictions": info.restrictions, "homepage": info.homepage, "synthetic": synthetic,
            "n_scans": sum(scan.dataset == name for scan in found.scans),
            "n_subjects": len({scan.subject for scan in found.scans if scan.dataset == name}),
        }
        for name in sorted({scan.dataset for scan in found.scans} or {called})
    ]  # fmt: skip
    latest = store.query("select * from staging.stg_datasets").to_pylist()
    store.append("datasets", _changed(rows, latest, ("dataset",)), job)


def record_labels(store: warehouse.Warehouse, labels: Iterable[Label], called: str, job: str) -> int:
    """Writes labels that are new or have changed, and an empty one for each that the source no longer states.

    Returns:
        The number of rows written.
    """
    rows = []
    for label in labels:
        row = {name: getattr(label, name) for name in Label.__dataclass_fields__ if name != "when"}
        moment = moment_columns(label.when)
        rows.append({**row, **moment, "session": label.session or "", "when": moment["when"] or ""})
    names = sorted({called, *(row["dataset"] for row in rows)})
    latest = store.query("select * from staging.stg_labels where list_contains(?, dataset)", [names]).to_pylist()
    stated = {_key(row, _LABEL_KEY) for row in rows}
    gone = [
        {**without_stamp(row), "value": None, "number": None}
        for row in latest
        if _key(row, _LABEL_KEY) not in stated and (row["value"] is not None or row["number"] is not None)
    ]
    return store.append("labels", _changed(rows, latest, _LABEL_KEY) + gone, job)


def record_links(store: warehouse.Warehouse, links: Iterable[SubjectLink], called: str, job: str) -> int:
    """Writes links between subjects that are new or have changed, and withdraws those no longer stated.

    Returns:
        The number of rows written.
    """
    rows: list[Row] = [{**asdict(link), "withdrawn": False} for link in links]
    names = sorted({called, *(row["dataset"] for row in rows)})
    known = store.query("select * from staging.stg_subject_links where list_contains(?, dataset)", [names])
    latest = known.to_pylist()
    stated = {_key(row, _LINK_KEY) for row in rows}
    gone = [
        {**without_stamp(row), "withdrawn": True}
        for row in latest
        if _key(row, _LINK_KEY) not in stated and not row["withdrawn"]
    ]
    return store.append("subject_links", _changed(rows, latest, _LINK_KEY) + gone, job)


def _key(row: Mapping[str, Any], names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def _changed(rows: Iterable[Row], latest: Iterable[Mapping[str, Any]], key: Sequence[str]) -> list[Row]:
    """The rows that differ from the latest of their key: a second run then writes nothing."""
    known = {_key(row, key): without_stamp(row) for row in latest}
    return [row for row in rows if known.get(_key(row, key)) != row]
