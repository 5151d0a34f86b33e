"""Which recipes a home holds scans of: a verb that finds none under its recipe says under which there are some."""

import warehouse
from braindino.errors import ConfigError


def require_stored(store: warehouse.Warehouse, recipe_id: str) -> None:
    """Checks that some scan is stored under a recipe.

    Raises:
        ConfigError: none is; the sentence names the recipes that have some.
    """
    found = store.query(
        "select r.name, s.recipe_id, count(*) as n from scans s left join recipes r using (recipe_id) "
        "where s.status = 'stored' group by all order by n desc"
    ).to_pylist()
    if any(row["recipe_id"] == recipe_id for row in found):
        return
    others = " or ".join(f"--recipe {row['name']} ({row['n']} scans)" for row in found)
    remedy = f"choose {others}" if others else "run `braindino ingest` first"
    raise ConfigError(f"This home holds no stored scan under {recipe_id}; {remedy}.")
