"""What every column means, for the mart `columns`: said once, in the schemas or behind it in the SQL."""

from collections.abc import Iterator
from functools import cache

from warehouse.schemas import TABLES
from warehouse.views import SCHEMAS, views

SOURCES = ("scans", "metrics", "fits", "labels")  # asked first, in this order
Meaning = tuple[str, str, str]  # mart (empty: any mart), column, description


@cache
def meanings() -> tuple[Meaning, ...]:
    """Descriptions of columns, each for one mart or, under an empty name, for any other."""
    own = {(mart, column): text for mart, column, text in (*_from_tables(), *_from_sql())}
    return (*((mart, column, text) for (mart, column), text in own.items()), *_shared())


def _from_tables() -> Iterator[Meaning]:
    for table in TABLES.values():
        for field in table.schema:
            yield table.name, field.name, field.metadata[b"description"].decode()


def _from_sql() -> Iterator[Meaning]:
    for view in views():
        if view.schema == SCHEMAS["marts"]:
            yield from ((view.name, column, text) for column, text in view.column_notes.items())


def _shared() -> Iterator[Meaning]:
    """What a column means in the first source that has it: an id means the same wherever it stands."""
    found = [*_from_sql(), *_from_tables()]
    found.sort(key=lambda meaning: SOURCES.index(meaning[0]) if meaning[0] in SOURCES else len(SOURCES))
    texts: dict[str, str] = {}
    for _, column, text in found:
        texts.setdefault(column, text)
    yield from (("", column, text) for column, text in texts.items())
