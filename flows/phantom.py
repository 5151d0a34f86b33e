"""`braindino phantom`: a synthetic cohort on disk, and what to type next."""

import os
import shlex
from pathlib import Path

from braindino import phantom

PEOPLE_PER_WORKER = 4  # under this many, starting another process takes longer than it saves


def write_phantom(layout: str, dest: Path, subjects: int, seed: int, spacing: float) -> list[str]:
    """Writes a cohort and returns the lines that say what was written and how to read it.

    Raises:
        ConfigError: no such layout (all are listed), or `dest` holds something already.
    """
    workers = max(1, min(os.cpu_count() or 1, subjects // PEOPLE_PER_WORKER))
    phantom.write_cohort(layout, dest, subjects, seed, spacing, workers)
    n_scans = len(phantom.plan_cohort(layout, subjects, seed).scans)
    people = "1 invented person" if subjects == 1 else f"{subjects} invented people"
    return [
        f"SYNTHETIC: {n_scans} scans of {people}, in the layout of {layout}, at {dest}.",
        f"next: {_next_command(layout, dest)}",
    ]


def _next_command(layout: str, dest: Path) -> str:
    """The ingest of what was written."""
    adapter = layout.removesuffix("_v2")  # an earlier release of the same dataset
    root = next(iter(sorted(dest.glob("*.csv"))), dest) if adapter == "manifest" else dest
    name = [] if adapter in ("bids", "manifest") else ["--name", f"phantom_{layout}"]
    return shlex.join(["braindino", "ingest", adapter, str(root), *name, "--recipe", "isotropic_2mm"])
