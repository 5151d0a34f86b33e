"""If one fails, results change for the same input: raise EVALUATION_VERSION and renew the figures."""

from typing import Any

import numpy as np
import pytest

from braindino.evaluation import EVALUATION_VERSION, evaluate, freeze, inner_folds, nested_fractions

SEXES = {f"s{i:02}": "FM"[i % 2] for i in range(20)}
AGES = {f"s{i:02}": 20.0 + i for i in range(20)}


GOLDEN: dict[str, Any] = {
    "sex": ["s00", "s01", "s04", "s10", "s13", "s17"],
    "age": ["s00", "s01", "s08", "s10", "s13", "s17"],
    "fraction": ["s01", "s05", "s08", "s16"],
    "folds": "43003222143003214114",
    "mae": (2.5, 2.15, 2.85),
    "r2": (0.943715, 0.91327, 0.960118),
}


def test_splits_are_the_ones_of_this_version() -> None:
    assert EVALUATION_VERSION == 1
    frozen = freeze({"sex": SEXES, "age": AGES}, 0.3, seed=0)
    assert sorted(frozen["sex"]) == GOLDEN["sex"]
    assert sorted(frozen["age"]) == GOLDEN["age"]
    assert sorted(nested_fractions(SEXES, [0.2], 0)[0.2]) == GOLDEN["fraction"]
    folds = inner_folds(list(SEXES.values()), list(SEXES), "classification", 0)
    assert "".join(map(str, folds)) == GOLDEN["folds"]


def test_intervals_are_the_ones_of_this_version() -> None:
    ages = np.arange(20.0, 60.0)
    mae, r2 = evaluate("regression", ages, ages + np.resize([1, -4, 2, 3], 40), [f"s{i}" for i in range(40)])
    assert (mae.value, mae.ci_low, mae.ci_high) == pytest.approx(GOLDEN["mae"])
    assert (r2.value, r2.ci_low, r2.ci_high) == pytest.approx(GOLDEN["r2"], rel=1e-5)
