"""`braindino coverage`: the marts coverage and coverage_table under one recipe."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import warehouse
from braindino import imaging
from braindino.errors import ConfigError
from flows.recipes import require_stored

DIMENSIONS = (
    "contrast", "vendor", "model", "field_strength", "slice_thickness", "through_plane_spacing", "orientation",
    "age_band", "sex", "diagnosis",
)  # fmt: skip
DATASET = "dataset"  # one row per dataset, over all dimensions
STRATA = (
    "dimension", "stratum", "n_scans", "n_subjects", "n_stored", "n_refused", "n_excluded", "n_absent",
    "share_of_scans", "unknown_share", "refused_share", "synthetic",
)  # fmt: skip


def coverage(home: Path, by: Sequence[str], recipe: str) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    """Columns and rows: of every dimension over all datasets, or of the dimensions asked for in every dataset.

    Args:
        home: the home folder.
        by: dimensions, or `dataset` alone for the wide table of one row per dataset; empty for all dimensions pooled.
        recipe: a recipe's name.

    Raises:
        ConfigError: an unknown dimension, `dataset` beside others, or no scan under this recipe.
    """
    _check(by)
    store, recipe_id = warehouse.open(home, create=False), imaging.get_recipe(recipe).recipe_id
    if DATASET in by:
        found = store.query(
            "select * exclude (recipe_id, pooled) from coverage_table where recipe_id = ? "
            "order by pooled desc, dataset",
            [recipe_id],
        )
        columns = tuple(found.column_names)
    else:
        columns = ("dataset", *STRATA) if by else STRATA
        names = ", ".join(("dataset", *STRATA))
        found = store.query(
            f"select {names} from coverage where recipe_id = ? and list_contains(?, dimension) "
            + ("" if by else "and pooled ")
            + "order by list_position(?, dimension), pooled desc, dataset, position",
            [recipe_id, list(by or DIMENSIONS), list(by or DIMENSIONS)],
        )
    if not found.num_rows:
        require_stored(store, recipe_id)
    return columns, found.to_pylist()


def at_a_glance(
    columns: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    """What of the columns and rows of `coverage` fits across a terminal, with shares in per cent."""
    shown = [_of_dataset(row) if "n_people" in columns else _of_stratum(columns, row) for row in rows]
    return tuple(shown[0]) if shown else (), shown


def _of_dataset(row: Mapping[str, Any]) -> dict[str, Any]:
    ages = None if row["age_median"] is None else f"{row['age_median']:.0f} [{row['age_min']:.0f}-{row['age_max']:.0f}]"
    return {
        "dataset": row["dataset"], "people": row["n_people"], "stored": row["n_stored"], "refused": _refused(row),
        "female": _percent(row["female_share"]), "age": ages, "no age": _percent(row["age_unknown_share"]),
        "synthetic": row["synthetic"],
    }  # fmt: skip


def _of_stratum(columns: Sequence[str], row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("dataset", "dimension", "stratum") if name in columns},
        "people": row["n_subjects"], "scans": f"{row['n_scans']} ({_percent(row['share_of_scans'])})",
        "stored": row["n_stored"], "refused": _refused(row), "synthetic": row["synthetic"],
    }  # fmt: skip


def _refused(row: Mapping[str, Any]) -> str:
    """The number of refused scans and, where some were read and the stratum is told of refused ones, their share."""
    share = _percent(row["refused_share"])
    return f"{row['n_refused']} ({share})" if share else str(row["n_refused"])


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{100 * share:.0f}%"


def _check(by: Sequence[str]) -> None:
    unknown = [name for name in by if name not in (*DIMENSIONS, DATASET)]
    if unknown:
        raise ConfigError(f"There is no coverage by {unknown[0]!r}; choose from {', '.join((DATASET, *DIMENSIONS))}.")
    if DATASET in by and len(by) > 1:
        raise ConfigError("--by dataset is a table of its own; ask for the other dimensions apart from it.")
