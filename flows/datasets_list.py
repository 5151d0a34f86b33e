"""What can be read, and what a home holds of it, for `braindino datasets`."""

from pathlib import Path
from typing import Any

import warehouse
from braindino.datasets import ADAPTERS

SHORT = ("dataset", "adapter", "stored", "refused", "absent", "subjects", "synthetic", "licence")
IN_FULL = (*SHORT, "restrictions", "title", "homepage")


def _held(home: Path) -> list[dict[str, Any]]:
    here = warehouse.open(home).query(
        "select dataset, adapter, n_stored as stored, n_refused as refused, n_absent as absent, "
        "n_subjects as subjects, synthetic, licence, restrictions, title, homepage from datasets order by dataset"
    )
    rows: list[dict[str, Any]] = here.to_pylist()
    return rows


def dataset_rows(home: Path) -> list[dict[str, Any]]:
    """One row per dataset of the home, if there is one, then one per adapter that none of them was read with.

    The columns are those of `IN_FULL`.
    """
    rows = _held(home) if warehouse.is_home(home) else []
    used = {row["adapter"] for row in rows}
    for name, adapter in sorted(ADAPTERS.items()):
        if name not in used:
            info = adapter.info
            known = {"licence": info.licence, "restrictions": info.restrictions, "title": info.title}
            rows.append({**dict.fromkeys(IN_FULL), "adapter": name, **known, "homepage": info.homepage})
    return rows
