"""Writing a synthetic dataset to disk: all of it or nothing, and marked as synthetic."""

import multiprocessing
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import groupby
from pathlib import Path

from braindino.errors import ConfigError
from braindino.phantom.files import write_scan
from braindino.phantom.layouts import LAYOUTS, layout_seed
from braindino.phantom.plan import Plan, ScanFile

MARKER = "SYNTHETIC"  # the file at the root of a dataset that says it is no data of people
_MARKER_TEXT = (
    "SYNTHETIC: every image and table in this folder was made by a generator (braindino phantom), grown\n"
    "from the ICBM152 template. No person was scanned. Nothing found in it says anything about people.\n\n"
    "layout {layout}, {n} subjects, seed {seed}, {spacing:g} mm\n"
)


def plan_cohort(layout: str, n_subjects: int, seed: int, heads: bool = True) -> Plan:
    """What `write_cohort` would write: people, scans, tables.

    Two layouts share people only where their datasets do: the tumour collections (`layouts.gliomas`).
    Scans of whole heads, as most downloads hold them, become stripped brains where `heads` is False: quicker to
    write, and nothing else changes.

    Raises:
        ConfigError: no such layout, or no subjects.
    """
    if layout not in LAYOUTS:
        raise ConfigError(f"There is no phantom of {layout!r}; there are: {', '.join(sorted(LAYOUTS))}.")
    if n_subjects < 1:
        raise ConfigError(f"A cohort needs at least one subject, not {n_subjects}.")
    plan = LAYOUTS[layout](n_subjects, layout_seed(layout, seed))
    if heads:
        return plan
    scans, further = ([replace(scan, with_skull=False) for scan in part] for part in (plan.scans, plan.further))
    return replace(plan, scans=scans, further=further)


def write_cohort(
    layout: str,
    dest: Path,
    n_subjects: int,
    seed: int,
    spacing_mm: float = 2.0,
    workers: int = 1,
    heads: bool = True,
) -> None:
    """Writes a synthetic dataset in the native layout of `layout` to the folder `dest`.

    The same arguments give the same voxels. It is written to a hidden folder beside `dest` and renamed when complete,
    so that a folder with a `SYNTHETIC` marker is whole. With `workers` above 1, so many processes render people
    side by side. `heads=False` writes every scan stripped to the brain.

    Raises:
        ConfigError: no such layout, or `dest` holds something already (it is left untouched) or cannot be made.
    """
    plan = plan_cohort(layout, n_subjects, seed, heads)
    dest = Path(dest).absolute()
    partial_folder = _folder_beside(dest)
    marker = _MARKER_TEXT.format(layout=layout, n=n_subjects, seed=seed, spacing=spacing_mm)
    try:
        for path, content in {MARKER: marker, **plan.files}.items():
            target = partial_folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        _write_scans(partial_folder, [*plan.scans, *plan.further], spacing_mm, workers)
        if dest.exists():
            dest.rmdir()
        partial_folder.rename(dest)
    finally:
        shutil.rmtree(partial_folder, ignore_errors=True)  # gone already when all went well


def _folder_beside(dest: Path) -> Path:
    """A new hidden folder in which `dest` can be made before it has its name."""
    try:
        if dest.exists() and (not dest.is_dir() or any(dest.iterdir())):
            raise ConfigError(f"{dest} is not empty: choose a new folder, or remove it first.")
        dest.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{dest.name}.", dir=dest.parent))
        folder.chmod(0o755)
    except OSError as error:
        raise ConfigError(f"{dest} cannot be written ({error.strerror}): choose another folder.") from error
    return folder


def _write_scans(root: Path, scans: Sequence[ScanFile], spacing_mm: float, workers: int) -> None:
    # One person's scans stay together: their anatomy is worked out once.
    in_order = sorted(scans, key=lambda scan: scan.subject.number)
    people = [list(group) for _, group in groupby(in_order, key=lambda scan: scan.subject)]
    job = partial(_write_person, root, spacing_mm)
    if workers <= 1:
        for person in people:
            job(person)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        for _ in pool.map(job, people, chunksize=4):
            pass


def _write_person(root: Path, spacing_mm: float, scans: Sequence[ScanFile]) -> None:
    for scan in scans:
        write_scan(root, scan, spacing_mm)
