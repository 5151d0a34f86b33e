"""Freezes the test subjects of every task before anything is trained; what is frozen stays frozen."""

from collections import defaultdict

import warehouse
from braindino.evaluation import TASKS, Target, Task, freeze, subject_targets

TEST_FRACTION = 0.3
SEED = 0


def labelled_subjects(store: warehouse.Warehouse, task: Task) -> dict[str, Target]:
    """The target of every labelled subject of a task, by subject_uid."""
    rows = store.query(
        "select subject_uid, contrast, value, number from labelled_scans where label = ? order by scan_id",
        [task.label],
    ).to_pylist()
    used = [row for row in rows if not task.contrasts or row["contrast"] in task.contrasts]
    targets = [task.target(row["value"], row["number"]) for row in used]
    return subject_targets(targets, [row["subject_uid"] for row in used], task.kind)


def frozen(store: warehouse.Warehouse, snapshot: str | None = None) -> dict[str, set[str]]:
    """The frozen test subjects by task, as subject_uid."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in store.query("select distinct task, subject_uid from holdouts", snapshot=snapshot).to_pylist():
        found[row["task"]].add(row["subject_uid"])
    return dict(found)


def freeze_holdouts(store: warehouse.Warehouse, job: str) -> dict[str, int]:
    """Freezes the test subjects of all tasks that have labelled subjects; returns their number by task.

    Tasks share one ranking of the subjects, so that their test subjects overlap and few are lost to pretraining.
    """
    already = frozen(store)
    subjects = {task.name: labelled_subjects(store, task) for task in TASKS.values()}
    chosen = freeze(subjects, fraction=TEST_FRACTION, seed=SEED, already=already)
    names: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in store.query("select subject_uid, dataset, subject from subjects").to_pylist():
        names[row["subject_uid"]].append((row["dataset"], row["subject"]))
    rows = [
        {"task": task, "dataset": dataset, "subject": subject, "seed": SEED, "test_fraction": TEST_FRACTION}
        for task, uids in sorted(chosen.items())
        for uid in sorted(uids - already.get(task, set()))
        for dataset, subject in names[uid]
    ]
    if rows:
        store.append("holdouts", rows, job)
    return {task: len(uids) for task, uids in sorted(chosen.items()) if uids}
