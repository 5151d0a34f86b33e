"""Options of adapters: the fields of their frozen dataclasses, replaced by values of the same type."""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from textwrap import shorten
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from braindino.datasets.values import nearest
from braindino.errors import ConfigError

T = TypeVar("T")


def with_options(adapter: T, name: str, options: Mapping[str, object]) -> T:
    """The adapter called `name` with these fields replaced.

    Lists are taken for tuples and sets, texts for patterns, and whole numbers for others, as files have them.

    Raises:
        ConfigError: options are unknown or of another type; all of them are named, beside the known ones.
    """
    if not options:
        return adapter
    if not is_dataclass(adapter) or isinstance(adapter, type) or not fields(adapter):
        raise ConfigError(f"The adapter {name!r} has no options, but was given {', '.join(options)}.")
    types = get_type_hints(type(adapter))
    defaults = {field.name: getattr(adapter, field.name) for field in fields(adapter)}
    replaced, problems = {}, []
    for option, given in options.items():
        if option not in defaults:
            guess = nearest(option, defaults)
            problems.append(f"There is no option {option!r}." + (f" Did you mean {guess!r}?" if guess else ""))
            continue
        try:
            replaced[option] = as_type(given, types[option])
        except ValueError:
            problems.append(f"{option} is {given!r}, and must be {_spelled(types[option])}.")
    if problems:
        known = "; ".join(f"{option} = {shorten(repr(default), 80)}" for option, default in sorted(defaults.items()))
        raise ConfigError(f"Options of the adapter {name!r}: {' '.join(problems)} Known, with their defaults: {known}.")
    return replace(adapter, **replaced)


def as_type(value: object, kind: Any) -> object:
    """The value as an annotated type: a plain one, a Literal, a union, a tuple or frozenset of such, or a pattern.

    Raises:
        ValueError: it is none.
    """
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Literal and any(value == one and type(value) is type(one) for one in inside):
        return value
    if origin in (Union, UnionType):
        return _first_that_fits(value, inside)
    if origin in (tuple, frozenset) and isinstance(value, (list, tuple, frozenset, set)):
        return origin(_items(value, inside))
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if origin is re.Pattern and isinstance(value, (str, re.Pattern)):
        return _pattern(value)
    if isinstance(kind, type) and origin is None and type(value) is kind:  # True is no number
        return value
    raise ValueError(value)


def _first_that_fits(value: object, kinds: tuple[Any, ...]) -> object:
    for kind in kinds:
        try:
            return as_type(value, kind)
        except ValueError:
            continue
    raise ValueError(value)


def _items(value: Any, kinds: tuple[Any, ...]) -> list[object]:
    """Items of a tuple: each of its own kind, or any number of one, as of a frozenset."""
    if len(kinds) == 1 or kinds[-1:] == (Ellipsis,):
        return [as_type(item, kinds[0]) for item in value]
    if len(value) != len(kinds):
        raise ValueError(value)
    return [as_type(item, kind) for item, kind in zip(value, kinds, strict=True)]


def _pattern(value: str | re.Pattern[str]) -> re.Pattern[str]:
    try:
        return re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(value) from error


def _spelled(kind: Any) -> str:
    """A type in words: a choice by what may be chosen, others as Python writes them."""
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(map(repr, get_args(kind)))
    if get_origin(kind) is re.Pattern:
        return "a regular expression"
    if get_origin(kind) in (Union, UnionType):
        return " or ".join(map(_spelled, get_args(kind)))
    return kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind).replace("typing.", "")
