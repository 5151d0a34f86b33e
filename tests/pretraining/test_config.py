"""Reading configurations."""

from dataclasses import asdict
from pathlib import Path

import pytest

from braindino.errors import ConfigError
from braindino.pretraining import PRESETS, config_from_dict, load_config


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_loads_and_survives_a_round_trip(preset: str) -> None:
    config = load_config(preset)
    assert config.name == preset
    assert config_from_dict(asdict(config)) == config
    assert config.steps * config.data.batch_size >= config.run.images


def test_overrides_reach_nested_keys() -> None:
    config = load_config(
        "vit_tiny_cpu",
        ["run.seed=7", "dino.head.prototypes=64", "crops.global_area=[0.4, 1]", "run.precision=bfloat16"],
    )
    assert config.run.seed == 7
    assert config.dino.head.prototypes == 64
    assert config.dino.head.hidden == load_config("vit_tiny_cpu").dino.head.hidden
    assert config.crops.global_area == (0.4, 1.0)
    assert config.run.precision == "bfloat16"


def test_a_toml_file_changes_a_preset(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('preset = "vit_tiny_cpu"\nnetwork = "vit_tiny"\n[crops]\nglobal_size = 64\n[run]\nseed = 3\n')
    config = load_config(path, ["crops.local_size=32"])
    assert config.network.name == "vit_tiny"
    assert (config.run.seed, config.crops.global_size) == (3, 64)
    assert config.data == load_config("vit_tiny_cpu").data


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("run.sead=1", "Unknown configuration key run.sead: did you mean run.seed?"),
        ("optimizer.clip=1", "Unknown configuration key optimizer: did you mean optimiser?"),
        ("dino.head.hiden=4", "did you mean dino.head.hidden?"),
        ("run.zzzzzz=1", "known are images, seed"),
        ("run.seed=x", "run.seed needs a value of type int, not 'x'."),
        ("run.seed=1.5", "run.seed needs a value of type int, not 1.5."),
        ("run.seed=true", "run.seed needs a value of type int, not True."),
        ("data=5", "data is a section: set its keys, such as data.batch_size."),
        ("crops.global_area=[0.1]", "crops.global_area needs 2 values"),
        ("crops.global_size=65", "crops.global_size 65 must be a multiple of network.patch_size 8."),
        ("ibot.ratio=[0.5, 0.1]", "ibot.ratio [0.5, 0.1] must rise within 0 to 1."),
        ("data.batch_size=0", "data.batch_size is 0: give 1 or more."),
        ("run.precision=half", "run.precision 'half' is unknown"),
        ("run.seed", "'run.seed' is not of the form section.key=value."),
    ],
)
def test_mistakes_are_answered_in_one_sentence(override: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config("vit_tiny_cpu", [override])
    assert sentence in str(caught.value)


def test_sources_that_are_not_there_are_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("run = [")
    other = tmp_path / "other.toml"
    other.write_text('preset = "vit_huge"')
    for source, sentence in [
        ("vit_smal", "Did you mean vit_small?"),
        (tmp_path / "none.toml", "There is no configuration file"),
        (broken, "is not valid TOML"),
        (other, "unknown preset 'vit_huge'"),
    ]:
        with pytest.raises(ConfigError, match=sentence):
            load_config(source)


def test_nothing_means_nothing_where_a_value_is_optional() -> None:
    assert load_config("vit_tiny_cpu", ["data.gaussian_scale=0.2"]).data.gaussian_scale == 0.2
    assert load_config("vit_tiny_cpu").data.gaussian_scale is None
