"""Freezes the test subjects of every task before anything is trained; what is frozen stays frozen."""

from collections import defaultdict
from collections.abc import Sequence

import warehouse
from braindino.errors import ConfigError
from braindino.evaluation import TASKS, Target, Task, freeze, subject_targets
from flows.copies import update_copies

TEST_FRACTION = 0.3
SEED = 0
EXTERNAL = "external:"  # the task under which the people of a dataset kept for external testing stand


def labelled_groups(store: warehouse.Warehouse, task: Task) -> dict[str, Target]:
    """The target of every labelled person of a task, or of every family, by split_group; no external datasets."""
    rows = store.query(
        "select split_group, contrast, value, number from labelled_scans join subjects using (dataset, subject) "
        "where label = ? and split_group not in (select split_group from holdouts where starts_with(task, ?)) "
        "order by scan_id",
        [task.label, EXTERNAL],
    ).to_pylist()
    used = [row for row in rows if not task.contrasts or row["contrast"] in task.contrasts]
    targets = [task.target(row["value"], row["number"]) for row in used]
    return subject_targets(targets, [row["split_group"] for row in used], task.kind)


def frozen(store: warehouse.Warehouse, snapshot: str | None = None) -> dict[str, set[str]]:
    """The frozen people by task, as split_group; those of external datasets under `external:<dataset>`."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in store.query("select distinct task, split_group from holdouts", snapshot=snapshot).to_pylist():
        found[row["task"]].add(row["split_group"])
    return dict(found)


def freeze_holdouts(store: warehouse.Warehouse, job: str) -> dict[str, int]:
    """Freezes the test subjects of all tasks that have labelled subjects; returns the number of people by task.

    Tasks share one ranking of the subjects, so that their test subjects overlap and few are lost to pretraining.
    Families are frozen whole. Copies of scans are looked for first, so that a person whose scan lies here under two
    names is one person to the draw.
    """
    update_copies(store, job)
    already = frozen(store)
    groups = {task.name: labelled_groups(store, task) for task in TASKS.values()}
    chosen = freeze(groups, fraction=TEST_FRACTION, seed=SEED, already=_of_tasks(already))
    names: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in store.query("select split_group, dataset, subject from subjects").to_pylist():
        names[row["split_group"]].append((row["dataset"], row["subject"]))
    rows = [
        {"task": task, "dataset": dataset, "subject": subject, "seed": SEED, "test_fraction": TEST_FRACTION}
        for task, members in sorted(chosen.items())
        for group in sorted(members - already.get(task, set()))
        for dataset, subject in names[group]
    ]
    if rows:
        store.append("holdouts", rows, job)
    return {task: len(members) for task, members in sorted(chosen.items()) if members}


def _of_tasks(already: dict[str, set[str]]) -> dict[str, set[str]]:
    return {task: groups for task, groups in already.items() if not task.startswith(EXTERNAL)}


def keep_external(store: warehouse.Warehouse, datasets: Sequence[str], job: str) -> None:
    """Keeps whole datasets for external testing: from now on nobody in them trains an encoder or a head.

    Raises:
        ConfigError: a name is no dataset of this home; nothing is written then.
    """
    known = [row["dataset"] for row in store.query("select dataset from datasets order by all").to_pylist()]
    unknown = sorted(set(datasets) - set(known))
    if unknown:
        raise ConfigError(
            f"No dataset {', '.join(unknown)} in this home; there are {', '.join(known) or 'none yet'}. "
            "Ingest it first, so that its people are known."
        )
    kept = {row["dataset"] for row in store.query("select dataset from staging.stg_external_datasets").to_pylist()}
    rows = [{"dataset": name} for name in dict.fromkeys(datasets) if name not in kept]
    if rows:
        store.append("external_datasets", rows, job)
