"""From SQL rows to the problems that heads solve: features, targets, the frozen split, and what identifies a fit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import warehouse
from braindino import heads, keys
from braindino.errors import FitError
from braindino.evaluation import (
    EVALUATION_VERSION,
    Kind,
    Task,
    floor_matrix,
    nested_fractions,
    subject_targets,
    usable_rows,
)
from flows.holdout import frozen

SMALLEST = 4  # subjects on either side of the split, under which a head says nothing at all
HEADS: dict[Kind, tuple[heads.Head, ...]] = {
    "classification": ("logistic", "knn"),
    "regression": ("ridge", "knn"),
}


@dataclass(frozen=True, eq=False)
class Dataset:
    """One task's labelled scans with one set of features; rows are scans, `test` marks those of frozen subjects.

    `seen_test_subjects` counts test subjects that the encoder saw in pretraining; None where nobody knows.
    """

    task: Task
    encoder_id: str
    recipe_id: str
    pooling: str
    features: NDArray[np.float32]
    targets: NDArray[np.generic]
    rows: list[dict[str, Any]]
    test: NDArray[np.bool_]
    seen_test_subjects: int | None = None

    @property
    def groups(self) -> NDArray[np.str_]:
        """The person of each row."""
        return np.array([row["subject_uid"] for row in self.rows], dtype=str)

    @property
    def data_hash(self) -> str:
        """Hash of scans, contents, targets and splits: the same for every feature set of a task."""
        columns = ("scan_id", "content_hash", "subject_uid")
        told = [
            [*(row[c] for c in columns), str(target), bool(test)]
            for row, target, test in zip(self.rows, self.targets, self.test, strict=True)
        ]
        return keys.short_hash(sorted(told), 16)


@dataclass(frozen=True, eq=False)
class Cell:
    """One fit to make: a head on a share of the training subjects under one seed."""

    fit_id: str
    head: heads.Head
    fraction: float
    seed: int
    problem: heads.Problem


def load_dataset(
    store: warehouse.Warehouse, task: Task, encoder_id: str, recipe_id: str, pooling: str, snapshot: str
) -> Dataset:
    """The labelled scans of a task with the embeddings of one encoder and pooling.

    Raises:
        FitError: too few subjects on either side of the frozen split, or fewer than two classes that can be both
            learned and judged.
    """
    table = store.features(task.label, encoder_id, recipe_id, pooling, snapshot=snapshot)
    rows = table.drop_columns(["embedding"]).to_pylist()
    targets = [
        task.target(row["value"], row["number"]) if not task.contrasts or row["contrast"] in task.contrasts else None
        for row in rows
    ]
    groups = [row["subject_uid"] for row in rows]
    test_uids = frozen(store, snapshot).get(task.name, set())
    test = np.array([uid in test_uids for uid in groups], dtype=bool)
    keep = np.flatnonzero(usable_rows(targets, groups, ~test, test, task.kind).rows)
    kept = [rows[index] for index in keep]
    _check_sides(kept, test[keep])
    dtype = np.float64 if task.kind == "regression" else np.str_
    data = Dataset(
        task, encoder_id, recipe_id, pooling,
        features=np.stack(table.column("embedding").take(keep).to_numpy()),
        targets=np.array([targets[index] for index in keep], dtype=dtype),
        rows=kept, test=test[keep],
    )  # fmt: skip
    return replace(data, seen_test_subjects=_seen(store, encoder_id, set(data.groups[data.test]), snapshot))


def _check_sides(rows: list[dict[str, Any]], test: NDArray[np.bool_]) -> None:
    uids = np.array([row["subject_uid"] for row in rows], dtype=str)
    train, judged = len(set(uids[~test])), len(set(uids[test]))
    if min(train, judged) < SMALLEST:
        raise FitError(
            f"{train} training and {judged} test subjects have a usable label; at least {SMALLEST} of each are needed."
        )


def _seen(store: warehouse.Warehouse, encoder_id: str, test_uids: set[str], snapshot: str) -> int | None:
    """Test subjects that the encoder's training was given; None where nobody knows what it has seen."""
    (row,) = store.query(
        "select kind, training_id from encoders where encoder_id = ?", [encoder_id], snapshot=snapshot
    ).to_pylist()
    if row["kind"] == "random":
        return 0
    if row["training_id"] is None:
        return None
    seen = store.query(
        "select distinct s.subject_uid from staging.stg_training_subjects t join subjects s using (dataset, subject) "
        "where t.training_id = ?",
        [row["training_id"]],
        snapshot=snapshot,
    )
    return len(test_uids & {found["subject_uid"] for found in seen.to_pylist()})


def floor_dataset(store: warehouse.Warehouse, floor: str, like: Dataset, snapshot: str) -> Dataset:
    """The same scans, targets and split with the features of a floor: what no image is needed for."""
    facts = store.query(
        "select s.*, a.number as age, x.value as sex from scans s "
        "left join labelled_scans a on a.scan_id = s.scan_id and a.recipe_id = s.recipe_id and a.label = 'age' "
        "left join labelled_scans x on x.scan_id = s.scan_id and x.recipe_id = s.recipe_id and x.label = 'sex' "
        "where s.recipe_id = ?",
        [like.recipe_id],
        snapshot=snapshot,
    )
    by_scan = {row["scan_id"]: row for row in facts.to_pylist()}
    ordered = [by_scan[row["scan_id"]] for row in like.rows]
    columns = {name: [row[name] for row in ordered] for name in ordered[0]}
    matrix = floor_matrix(floor, columns, ~like.test, exclude=like.task.floors_exclude)
    return replace(like, encoder_id=f"floor:{floor}", pooling="", features=matrix.features, seen_test_subjects=0)


def cells(data: Dataset, fractions: Sequence[float], seeds: Sequence[int]) -> list[Cell]:
    """Every fit of one task on one feature set."""
    groups, data_hash = data.groups, data.data_hash
    train = ~data.test
    by_subject = subject_targets(data.targets[train].tolist(), groups[train].tolist(), data.task.kind)
    found = []
    for seed in seeds:
        subsets = nested_fractions(by_subject, fractions, seed)
        for fraction in fractions:
            chosen = train & np.isin(groups, list(subsets[fraction]))
            for head in HEADS[data.task.kind]:
                problem = heads.Problem(
                    data.features, data.targets, groups, chosen, data.test, head, data.task.kind, seed=seed
                )
                identity = [
                    data.task.name, data.encoder_id, data.recipe_id, data.pooling, head, fraction, seed,
                    problem.values, data_hash, heads.HEADS_VERSION, EVALUATION_VERSION,
                ]  # fmt: skip
                found.append(Cell(keys.short_hash(identity, 16), head, fraction, seed, problem))
    return found
