"""The home's `datasets.toml`: which datasets it holds and where they lie, so that schedules need no arguments."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from braindino.errors import ConfigError

NAME = "datasets.toml"


@dataclass(frozen=True)
class Entry:
    """One dataset of a home."""

    name: str
    adapter: str
    root: Path
    recipe: str


def load(home: Path) -> list[Entry]:
    """The datasets of a home, in the order of the file; none where the file is missing.

    Raises:
        ConfigError: the file is not TOML, or an entry lacks its adapter or root.
    """
    path = home / NAME
    if not path.exists():
        return []
    try:
        tables = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML ({error}); mend it or delete it and ingest once more.") from error
    entries = []
    for name, table in tables.items():
        if not isinstance(table, dict) or not {"adapter", "root"} <= table.keys():
            raise ConfigError(f"{path}: [{name}] needs `adapter` and `root`.")
        entries.append(Entry(name, table["adapter"], Path(table["root"]), table.get("recipe", "isotropic")))
    return entries


def check_name(home: Path, name: str, root: Path) -> None:
    """Refuses to take one dataset for another that has the same name; a dataset that moved may be read from there.

    Raises:
        ConfigError: the name belongs to a dataset whose folder is elsewhere and still there.
    """
    for entry in load(home):
        if entry.name == name and entry.root != root and entry.root.exists():
            raise ConfigError(
                f"{name} is the dataset at {entry.root} in this home; give the one at {root} another --name, "
                f"or change its root in {home / NAME} if it has moved."
            )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def remember(home: Path, name: str, adapter: str, root: Path, recipe: str) -> None:
    """Adds or replaces one dataset in the file; the file is left alone if it already says so."""
    entries = {entry.name: entry for entry in load(home)}
    entry = Entry(name, adapter, root, recipe)
    if entries.get(name) == entry:
        return
    entries[name] = entry
    blocks = [
        f"[{_quoted(e.name)}]\nadapter = {_quoted(e.adapter)}\n"
        f"root = {_quoted(str(e.root))}\nrecipe = {_quoted(e.recipe)}\n"
        for e in entries.values()
    ]
    text = (
        "# Datasets of this home, kept by `braindino ingest`, read by `braindino ingest --all` and the schedules.\n\n"
    )
    partial = home / f".{NAME}.partial"
    partial.write_text(text + "\n".join(blocks))
    partial.replace(home / NAME)
