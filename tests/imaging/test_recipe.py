"""A recipe's id says everything that changes a voxel."""

from dataclasses import fields, replace

import pytest

from braindino.errors import ConfigError
from braindino.imaging import IMAGING_VERSION, RECIPES, get_recipe

GOLDEN = {
    "isotropic": "isotropic-755c3417",
    "isotropic_2mm": "isotropic_2mm-d5cfc74e",
    "isotropic_synthstrip": "isotropic_synthstrip-90cdb323",
    "isotropic_hd_bet": "isotropic_hd_bet-9d4a1037",
    "isotropic_n4": "isotropic_n4-d01e4fec",
    "paper_pretrain": "paper_pretrain-2ef37140",
    "paper_downstream": "paper_downstream-373d4e16",
}


def test_ids_are_golden() -> None:
    """If this fails, every stored slice has another key: raise IMAGING_VERSION only if voxels changed."""
    assert IMAGING_VERSION == 3
    assert {name: recipe.recipe_id for name, recipe in RECIPES.items()} == GOLDEN


def test_every_parameter_changes_the_id() -> None:
    recipe = get_recipe("isotropic")
    others = {
        "name": "other", "spacing_mm": 1.5, "canvas_ap": 1, "canvas_lr": 1, "canvas_si": 1, "thick_mm": 9.0,
        "thick": "resample", "four_d": "first", "mask": "atlas", "interpolation": "bspline", "n_slices": 7,
        "bias_field": True,
    }  # fmt: skip
    assert set(others) | {"center"} == {field.name for field in fields(recipe)}
    ids = {replace(recipe, **{name: value}).recipe_id for name, value in others.items()}  # type: ignore[arg-type]
    assert len(ids | {recipe.recipe_id}) == len(others) + 1


def test_the_paper_recipes_are_256_squared() -> None:
    for name in ("paper_pretrain", "paper_downstream"):
        assert (RECIPES[name].canvas_ap, RECIPES[name].canvas_lr) == (256, 256)
    assert RECIPES["paper_downstream"].n_slices == 128


def test_an_unknown_recipe_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'isotropic'") as caught:
        get_recipe("isotropc")
    assert all(name in str(caught.value) for name in RECIPES)
