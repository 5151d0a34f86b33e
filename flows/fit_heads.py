"""The flow `fit_heads`: light heads on frozen features for every task, with their floors, intervals and pedigree."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

import warehouse
from braindino import heads, imaging
from braindino.errors import ConfigError, FitError
from braindino.evaluation import FLOORS, TASKS, Task, get_task
from flows.display import progress
from flows.environment import job_id, resolve_home
from flows.fit_problems import Cell, Dataset, cells, floor_dataset, load_dataset
from flows.fit_rows import rows_of
from flows.holdout import freeze_holdouts
from flows.recipes import require_stored

FRACTIONS = (0.25, 1.0)
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class FitSummary:
    """What one fitting run did; `skipped` says which tasks could not be fitted, and why."""

    snapshot_id: str
    fitted: int
    up_to_date: int
    skipped: tuple[str, ...]
    seconds: float


@task(name="fit_batch", cache_policy=NO_CACHE, persist_result=False)
def fit_batch(home: Path, data: Dataset, todo: Sequence[Cell], snapshot: str, job: str) -> list[str]:
    """Fits all heads of one task on one feature set together and commits fits, predictions and metrics.

    Returns:
        One sentence per head that could not be fitted.
    """
    outcomes = list(zip(todo, heads.fit_many([cell.problem for cell in todo]), strict=True))
    fitted = [(cell, fit) for cell, fit in outcomes if isinstance(fit, heads.Fit)]
    fits, predictions, metrics = rows_of(data, fitted, snapshot)
    store = warehouse.open(home)
    if fits:
        # The fit's own row comes last: a fit exists when it is committed, with its predictions and metrics in place.
        store.append("predictions", predictions, job)
        store.append("metrics", metrics, job)
        store.append("fits", fits, job)
    return [f"{data.task.name}: {fit}" for _, fit in outcomes if isinstance(fit, FitError)]


def _datasets(
    store: warehouse.Warehouse, task_: Task, encoder_ids: Sequence[str], recipe_id: str, snapshot: str
) -> list[Dataset]:
    """The feature sets of one task: every encoder and pooling, then the floors on the same scans."""
    poolings = store.query(
        "select distinct encoder_id, pooling from embeddings where recipe_id = ? and list_contains(?, encoder_id) "
        "order by all",
        [recipe_id, list(encoder_ids)],
        snapshot=snapshot,
    ).to_pylist()
    sets = [load_dataset(store, task_, p["encoder_id"], recipe_id, p["pooling"], snapshot) for p in poolings]
    return sets + [floor_dataset(store, floor, sets[0], snapshot) for floor in FLOORS]


def _counted(sentences: Sequence[str]) -> list[str]:
    """Each sentence once, with the number of heads that it stands for."""
    return [f"{sentence} ({n} heads)" for sentence, n in sorted(Counter(sentences).items())]


def _wanted(store: warehouse.Warehouse, encoder: list[str] | None, recipe_id: str, snapshot: str) -> list[str]:
    """The encoders to fit on: those asked for, or all that have embeddings under the recipe."""
    embedded = store.query(
        "select distinct encoder_id from embeddings where recipe_id = ? order by all",
        [recipe_id],
        snapshot=snapshot,
    )
    known = [row["encoder_id"] for row in embedded.to_pylist()]
    wanted = encoder or known
    if not known or not set(wanted) <= set(known):
        raise ConfigError(
            f"No embeddings of {', '.join(sorted(set(wanted) - set(known))) or 'any encoder'} under {recipe_id}; "
            f"embedded are {', '.join(known) or 'none'}. Run `braindino embed` with the same --recipe first."
        )
    return wanted


@flow(name="fit_heads", persist_result=False)
def fit_heads(
    tasks: list[str] | None = None,
    encoder: list[str] | None = None,
    recipe: str = "isotropic",
    fractions: list[float] | None = None,
    seeds: list[int] | None = None,
    home: str | None = None,
) -> FitSummary:
    """Fits heads for tasks x encoders (and floors) x heads x label fractions x seeds; what is fitted stays.

    Args:
        tasks: by default all that have labels here.
        encoder: encoder ids; by default all that have embeddings.
        recipe: whose embeddings.
        fractions: shares of the training subjects, each nested in the next.
        seeds: one subset and one set of inner folds each.
        home: the home folder; by default BRAINDINO_HOME or ./data.
    """
    started = time.perf_counter()
    home_path, job = resolve_home(home), job_id()
    chosen_tasks = [get_task(name) for name in tasks] if tasks else list(TASKS.values())
    store = warehouse.open(home_path, create=False)
    require_stored(store, imaging.get_recipe(recipe).recipe_id)
    freeze_holdouts(store, job)
    snapshot = store.publish_snapshot("before fitting heads")
    recipe_id = imaging.get_recipe(recipe).recipe_id
    wanted = _wanted(store, encoder, recipe_id, snapshot)
    done = {row["fit_id"] for row in store.query("select fit_id from fits").to_pylist()}
    jobs: list[tuple[Dataset, list[Cell]]] = []
    skipped: list[str] = []
    up_to_date = 0
    for chosen in chosen_tasks:
        try:
            datasets = _datasets(store, chosen, wanted, recipe_id, snapshot)
        except FitError as error:
            skipped.append(f"{chosen.name}: {error}")
            continue
        for data in datasets:
            all_cells = cells(data, fractions or FRACTIONS, seeds or SEEDS)
            todo = [cell for cell in all_cells if cell.fit_id not in done]
            up_to_date += len(all_cells) - len(todo)
            if todo:
                jobs.append((data, todo))
    asked = sum(len(todo) for _, todo in jobs)
    failed: list[str] = []
    with progress("fitting heads", asked) as ticker:
        for data, todo in jobs:
            failed += fit_batch(home_path, data, todo, snapshot, job)
            ticker.advance(len(todo), f"{data.task.name} on {data.encoder_id}")
    last = store.publish_snapshot("fit heads")
    return FitSummary(
        last, asked - len(failed), up_to_date, (*skipped, *_counted(failed)), time.perf_counter() - started
    )
