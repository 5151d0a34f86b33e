"""Feature matrices of the floors: what a head reaches without looking at the image.

A result that does not clear its floors says nothing of the encoder: site or header geometry alone reach an
AUROC of 0.79 to 0.84 on some public "disease" tasks.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from braindino.errors import ConfigError


@dataclass(frozen=True)
class Floor:
    """The columns one floor may use; the names are columns of the mart `scans` or labels."""

    description: str
    numbers: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


# Only what the header says: figures measured on the voxels (brain volume, stored slices) are image content.
FLOORS: dict[str, Floor] = {
    "age_sex": Floor("age and sex", numbers=("age",), categories=("sex",)),
    "site": Floor(
        "where it was scanned", categories=("dataset", "site", "vendor", "model", "field_strength")
    ),
    "geometry": Floor(
        "the volume's geometry",
        numbers=(
            "spacing_x", "spacing_y", "spacing_z", "matrix_x", "matrix_y", "matrix_z", "oblique_degrees",
            "through_plane_mm",
        ),
        categories=("orientation",),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class FloorMatrix:
    """`features` float32 [n, d]; `names` [d] say what each column is: "age", "sex=F", "age missing"."""

    features: NDArray[np.float32]
    names: tuple[str, ...]


def floor_matrix(
    name: str,
    columns: Mapping[str, Sequence[Any]],
    train: NDArray[np.bool_],
    exclude: Collection[str] = (),
) -> FloorMatrix:
    """The features of one floor for n scans.

    Args:
        name: a key of `FLOORS`.
        columns: per column name its n values; None, NaN and empty text are missing.
        train: bool mask [n] of the training rows, which alone decide what a missing number is filled with.
        exclude: columns that must not be used because they are the target (`Task.floors_exclude`).

    A number becomes one column, where missing the median of the training rows, and, if any is missing, an
    indicator column. A category becomes one 0/1 column per value, missing being a value of its own. Scaling
    is left to the head.

    Raises:
        ConfigError: when the floor is unknown, a column it needs is not given, or nothing is left after
            `exclude`.
    """
    if name not in FLOORS:
        raise ConfigError(f"There is no floor {name!r}; the known ones are {', '.join(FLOORS)}.")
    floor = FLOORS[name]
    numbers = [column for column in floor.numbers if column not in exclude]
    categories = [column for column in floor.categories if column not in exclude]
    absent = [column for column in (*numbers, *categories) if column not in columns]
    if absent:
        raise ConfigError(f"The floor {name!r} needs the columns {', '.join(absent)}, which are not given.")
    built = [pair for column in numbers for pair in _number(column, columns[column], train)]
    built += [pair for column in categories for pair in _one_hot(column, columns[column])]
    if not built:
        raise ConfigError(f"The floor {name!r} has no column left once {', '.join(exclude)} is excluded.")
    names, arrays = zip(*built, strict=True)
    return FloorMatrix(np.stack(arrays, axis=1).astype(np.float32), names)


def _missing(value: Any) -> bool:
    return value is None or value == "" or bool(value != value)  # NaN, of any floating-point type


def _number(column: str, values: Sequence[Any], train: NDArray[np.bool_]) -> list[tuple[str, NDArray[np.float64]]]:
    missing = np.array([_missing(value) for value in values], dtype=bool)
    filled = np.array([0.0 if _missing(value) else float(value) for value in values])
    known = filled[train & ~missing]
    filled[missing] = np.median(known) if len(known) else 0.0
    return [(column, filled), *([(f"{column} missing", missing.astype(float))] if missing.any() else [])]


def _one_hot(column: str, values: Sequence[Any]) -> list[tuple[str, NDArray[np.float64]]]:
    texts = ["" if _missing(value) else _text(value) for value in values]
    return [
        (
            f"{column}={value}" if value else f"{column} missing",
            np.array([text == value for text in texts], dtype=float),
        )
        for value in sorted(set(texts))
    ]


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, (float, np.floating)) else str(value)
