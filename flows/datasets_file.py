"""The home's `datasets.toml`: which datasets it holds and where they lie, so that schedules need no arguments."""

import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from braindino.errors import ConfigError

NAME = "datasets.toml"
DEFAULT_RECIPE = "isotropic"  # of a dataset that has been read under no other


@dataclass(frozen=True)
class Entry:
    """One dataset of a home; `options` are parameters of its adapter, `partial` says to read half a copy as it is."""

    name: str
    adapter: str
    root: Path
    recipe: str
    options: Mapping[str, Any] = field(default_factory=dict)
    partial: bool = False


def load(home: Path) -> list[Entry]:
    """The datasets of a home, in the order of the file; none where the file is missing.

    Raises:
        ConfigError: the file is not TOML, an entry lacks its adapter or root, its options are no table of values, or
            its `partial` is neither true nor false.
    """
    path = home / NAME
    if not path.exists():
        return []
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML ({error}); mend it or delete it and ingest once more.") from error
    return [_entry(path, name, table) for name, table in tables.items()]


def _entry(path: Path, name: str, table: Any) -> Entry:
    told = {"recipe": DEFAULT_RECIPE, **table} if isinstance(table, dict) else {}
    for key in ("adapter", "root", "recipe"):
        if not isinstance(told.get(key), str):
            raise ConfigError(f"{path}: [{name}] needs `{key}` as a text in quotes.")
    options, partial = _options(path, name, told.get("options", {})), told.get("partial", False)
    if not isinstance(partial, bool):
        raise ConfigError(f"{path}: `partial` of [{name}] must be true or false.")
    return Entry(name, told["adapter"], Path(told["root"]), told["recipe"], options, partial)


def _options(path: Path, name: str, table: Any) -> dict[str, Any]:
    if not isinstance(table, dict) or not all(map(_is_value, table.values())):
        raise ConfigError(f'{path}: the options of [{name}] must be a table of values, such as {{image = "raw"}}.')
    return table


def _is_value(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_value, value))
    return isinstance(value, (str, bool, int)) or (isinstance(value, float) and math.isfinite(value))


def parse_options(pairs: Sequence[str]) -> dict[str, Any]:
    """Options as they are typed, `key=value` each; a value that TOML reads as no text (true, 3, [1, 2]) is none.

    Raises:
        ConfigError: one has no key or no `=`, or a key is given twice.
    """
    options: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = (part.strip() for part in pair.partition("="))
        if not key or not equals:
            raise ConfigError(f"--option {pair!r} is not key=value.")
        if key in options:
            raise ConfigError(f"--option {key} is given twice.")
        options[key] = _value(text)
    return options


def _value(text: str) -> Any:
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    return value if _is_value(value) else text


def options_of(home: Path, name: str, adapter: str) -> Mapping[str, Any]:
    """The options that a dataset was last read with; none for a dataset that is not in the file."""
    known = entry_of(home, name)
    return known.options if known is not None and known.adapter == adapter else {}


def partial_of(home: Path, name: str, adapter: str) -> bool:
    """Whether a dataset was last read as half a copy; no for a dataset that is not in the file."""
    known = entry_of(home, name)
    return known is not None and known.adapter == adapter and known.partial


def recipe_of(home: Path, name: str) -> str:
    """The recipe that a dataset was last read under; the default for one that is not in the file."""
    known = entry_of(home, name)
    return known.recipe if known is not None else DEFAULT_RECIPE


def entry_of(home: Path, name: str) -> Entry | None:
    """The dataset of that name; None where the file has none."""
    return next((entry for entry in load(home) if entry.name == name), None)


def of_same_folder(home: Path, name: str, root: Path) -> list[Entry]:
    """The datasets of other names that lie in the same folder."""
    return [entry for entry in load(home) if entry.root == root and entry.name != name]


def same_as(home: Path, name: str, adapter: str, root: Path) -> str | None:
    """The first dataset of the file that the same adapter reads from the same folder; None if that is this one."""
    alike = (entry.name for entry in load(home) if entry.root == root and entry.adapter == adapter)
    first = next(alike, name)
    return None if first == name else first


def check_name(home: Path, name: str, root: Path) -> None:
    """Refuses to take one dataset for another that has the same name; a dataset that moved may be read from there.

    Raises:
        ConfigError: the name belongs to a dataset whose folder is elsewhere and still there, or the folder's own
            name is no text that a file can hold.
    """
    try:
        str(root).encode()
    except UnicodeEncodeError as error:
        raise ConfigError(f"The folder {str(root)!a} has a name that is not UTF-8: rename it.") from error
    for entry in load(home):
        if entry.name == name and entry.root != root and entry.root.exists():
            raise ConfigError(
                f"{name} is the dataset at {entry.root} in this home; give the one at {root} another --name, "
                f"or change its root in {home / NAME} if it has moved."
            )


def _toml(value: Any) -> str:
    # Texts, numbers, truths and lists are written alike in both, but for one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _block(entry: Entry) -> str:
    values = {"adapter": entry.adapter, "root": str(entry.root), "recipe": entry.recipe}
    lines = [f"[{_toml(entry.name)}]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
    if entry.options:
        options = ", ".join(f"{_toml(key)} = {_toml(value)}" for key, value in sorted(entry.options.items()))
        lines.append(f"options = {{{options}}}")
    if entry.partial:
        lines.append("partial = true")
    return "\n".join(lines) + "\n"


def remember(
    home: Path,
    name: str,
    adapter: str,
    root: Path,
    recipe: str,
    options: Mapping[str, Any] | None = None,
    partial: bool | None = None,
) -> None:
    """Adds or replaces one dataset in the file; without `options` or `partial` its own stay.

    A file that says so is left alone.
    """
    if options is None:
        options = options_of(home, name, adapter)
    if partial is None:
        partial = partial_of(home, name, adapter)
    entries = {entry.name: entry for entry in load(home)}
    entry = Entry(name, adapter, root, recipe, dict(options), partial)
    if entries.get(name) == entry:
        return
    entries[name] = entry
    text = (
        "# Datasets of this home, kept by `braindino ingest`, read by `braindino ingest --all` and the schedules.\n\n"
    )
    written = home / f".{NAME}.partial"
    written.write_text(text + "\n".join(map(_block, entries.values())), encoding="utf-8")
    written.replace(home / NAME)
