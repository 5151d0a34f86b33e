"""Reading a configuration: a preset or a TOML file, overrides, and errors that name the nearest key."""

import dataclasses
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from braindino.encoders.network import get_network
from braindino.errors import ConfigError
from braindino.pretraining.config import PretrainConfig
from braindino.pretraining.presets import PRESETS

T = TypeVar("T")


def load_config(source: str | Path, overrides: Sequence[str] = ()) -> PretrainConfig:
    """A preset by name (vit_tiny_cpu, vit_small, vit_base) or a TOML file, with `section.key=value` overrides.

    A TOML file has the fields of PretrainConfig as tables; `preset = "..."` at its top names what it starts
    from (vit_base without it). Values of overrides are TOML; bare words are strings. Raises ConfigError for
    an unknown key, naming the nearest known one, and for a value of the wrong type or out of range.
    """
    values = _source_values(source)
    for override in overrides:
        key, separator, text = override.partition("=")
        if not separator:
            raise ConfigError(f"{override!r} is not of the form section.key=value.")
        values = _merged(values, _nested(key.strip().split("."), _toml_value(text.strip())))
    return config_from_dict(values)


def config_from_dict(values: Mapping[str, Any]) -> PretrainConfig:
    """A configuration from nested plain data, such as `dataclasses.asdict` of one; errors as in
    `load_config`.

    `network` may also be the name of a network preset.
    """
    if isinstance(values.get("network"), str):
        values = {**values, "network": dataclasses.asdict(get_network(values["network"]))}
    return _build(PretrainConfig, values, "")


def _source_values(source: str | Path) -> dict[str, Any]:
    if str(source) in PRESETS:
        return dict(PRESETS[str(source)])
    path = Path(source)
    if path.suffix != ".toml":
        near = get_close_matches(str(source), PRESETS, 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ConfigError(f"No preset {str(source)!r} and no .toml file; presets are {', '.join(PRESETS)}.{hint}")
    try:
        values = tomllib.loads(path.read_text())
    except FileNotFoundError as error:
        raise ConfigError(f"There is no configuration file {path}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from error
    preset = values.pop("preset", "vit_base")
    if preset not in PRESETS:
        raise ConfigError(f"{path} starts from the unknown preset {preset!r}; known are {', '.join(PRESETS)}.")
    return _merged(PRESETS[preset], values)


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _nested(keys: Sequence[str], value: Any) -> dict[str, Any]:
    return {keys[0]: _nested(keys[1:], value) if len(keys) > 1 else value}


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        nested = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = _merged(old, value) if nested else value  # type: ignore[arg-type]
    return merged


def _build(kind: type[T], values: Mapping[str, Any], prefix: str) -> T:
    """An instance of the dataclass `kind` from plain data; unknown keys and wrong types are ConfigErrors."""
    hints = get_type_hints(kind)
    arguments: dict[str, Any] = {}
    for key, value in values.items():
        if key not in hints:
            near = get_close_matches(key, hints, 1)
            hint = f"did you mean {prefix}{near[0]}?" if near else f"known are {', '.join(hints)}."
            raise ConfigError(f"Unknown configuration key {prefix}{key}: {hint}")
        arguments[key] = _converted(hints[key], value, prefix + key)
    return kind(**arguments)


def _converted(hint: Any, value: Any, key: str) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, Mapping):
            raise ConfigError(f"{key} is a section: set its keys, such as {key}.{dataclasses.fields(hint)[0].name}.")
        return _build(hint, value, key + ".")
    if get_origin(hint) is tuple:
        kinds = get_args(hint)
        if kinds[-1] is Ellipsis:
            if not isinstance(value, (list, tuple)):
                raise ConfigError(f"{key} needs a list, not {value!r}.")
            return tuple(_converted(kinds[0], item, f"{key}[{index}]") for index, item in enumerate(value))
        if not isinstance(value, (list, tuple)) or len(value) != len(kinds):
            raise ConfigError(f"{key} needs {len(kinds)} values, not {value!r}.")
        return tuple(_converted(kind, item, key) for kind, item in zip(kinds, value, strict=True))
    kinds = get_args(hint) or (hint,)
    if value is None and type(None) in kinds:
        return None
    if float in kinds and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    # A bool is an int to Python, but not to a person.
    if not any(type(value) is kind for kind in kinds):
        wanted = " or ".join(kind.__name__ for kind in kinds if kind is not type(None))
        raise ConfigError(f"{key} needs a value of type {wanted}, not {value!r}.")
    return value
