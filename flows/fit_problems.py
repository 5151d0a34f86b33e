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
    Target,
    Task,
    floor_matrix,
    nested_fractions,
    subject_targets,
    usable_rows,
)
from flows.holdout import EXTERNAL, frozen

SMALLEST = 4  # subjects on either side of the split, under which a head says nothing at all
HEADS: dict[Kind, tuple[heads.Head, ...]] = {
    "classification": ("logistic", "knn"),
    "regression": ("ridge", "knn"),
}


@dataclass(frozen=True, eq=False)
class Dataset:
    """One task's labelled scans with one set of features; rows are scans.

    `split` says what each row is for: "train", "test" (frozen subjects), or "external:<dataset>". `seen_test_subjects`
    counts test subjects that the encoder saw in pretraining; None where nobody knows.
    """

    task: Task
    encoder_id: str
    recipe_id: str
    pooling: str
    features: NDArray[np.float32]
    targets: NDArray[np.generic]
    rows: list[dict[str, Any]]
    split: NDArray[np.str_]
    seen_test_subjects: int | None = None

    @property
    def test(self) -> NDArray[np.bool_]:
        """The rows that nothing is learned from."""
        return np.asarray(self.split != "train")

    @property
    def groups(self) -> NDArray[np.str_]:
        """The family of each row, or its person where no relatives are known: the unit of every split."""
        return np.array([row["split_group"] for row in self.rows], dtype=str)

    @property
    def people(self) -> NDArray[np.str_]:
        """The person of each row."""
        return np.array([row["subject_uid"] for row in self.rows], dtype=str)

    @property
    def data_hash(self) -> str:
        """Hash of scans, contents, targets and splits: the same for every feature set of a task."""
        columns = ("scan_id", "content_hash", "split_group")
        told = [
            [*(row[c] for c in columns), str(target), str(split)]
            for row, target, split in zip(self.rows, self.targets, self.split, strict=True)
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
    rows = _with_groups(store, table.drop_columns(["embedding"]).to_pylist(), snapshot)
    targets = [
        task.target(row["value"], row["number"]) if not task.contrasts or row["contrast"] in task.contrasts else None
        for row in rows
    ]
    groups = [row["split_group"] for row in rows]
    split = _splits(groups, frozen(store, snapshot), task.name)
    usable = usable_rows(targets, groups, split == "train", split == "test", task.kind)
    judged_elsewhere = _external_rows(targets, split, usable.rows, task)
    keep = np.flatnonzero(usable.rows | judged_elsewhere)
    kept = [rows[index] for index in keep]
    _check_sides(groups, split, usable.rows)
    dtype = np.float64 if task.kind == "regression" else np.str_
    data = Dataset(
        task, encoder_id, recipe_id, pooling,
        features=np.stack(table.column("embedding").take(keep).to_numpy()),
        targets=np.array([targets[index] for index in keep], dtype=dtype),
        rows=kept, split=split[keep],
    )  # fmt: skip
    return replace(data, seen_test_subjects=_seen(store, encoder_id, set(data.groups[data.test]), snapshot))


def _with_groups(store: warehouse.Warehouse, rows: list[dict[str, Any]], snapshot: str) -> list[dict[str, Any]]:
    found = store.query("select distinct subject_uid, split_group from subjects", snapshot=snapshot).to_pylist()
    group_of = {row["subject_uid"]: row["split_group"] for row in found}
    return [{**row, "split_group": group_of[row["subject_uid"]]} for row in rows]


def _splits(groups: Sequence[str], held: dict[str, set[str]], task: str) -> NDArray[np.str_]:
    """What each row is for; whoever is in an external dataset as well is external, whatever was frozen before."""
    side = dict.fromkeys(held.get(task, set()), "test")
    for name in sorted(name for name in held if name.startswith(EXTERNAL)):
        side |= dict.fromkeys(held[name], name)
    return np.array([side.get(group, "train") for group in groups], dtype=np.str_)


def _external_rows(
    targets: Sequence[Target | None], split: NDArray[np.str_], usable: NDArray[np.bool_], task: Task
) -> NDArray[np.bool_]:
    """Rows of external datasets that a head trained on the usable rows can be judged by."""
    external = np.char.startswith(split, EXTERNAL) if len(split) else np.zeros(0, dtype=bool)
    learned = {str(target) for target, row in zip(targets, usable, strict=True) if row}
    known = [target is not None and (task.kind == "regression" or str(target) in learned) for target in targets]
    return np.asarray(external & np.array(known, dtype=bool))


def _check_sides(groups: Sequence[str], split: NDArray[np.str_], usable: NDArray[np.bool_]) -> None:
    uids = np.array(groups, dtype=str)
    train, judged = (len(set(uids[usable & (split == side)])) for side in ("train", "test"))
    if min(train, judged) < SMALLEST:
        raise FitError(
            f"{train} training and {judged} test subjects have a usable label; at least {SMALLEST} of each are needed."
        )


def _seen(store: warehouse.Warehouse, encoder_id: str, test_groups: set[str], snapshot: str) -> int | None:
    """Test subjects (or families) that the encoder's training was given; None where nobody knows what it saw."""
    (row,) = store.query(
        "select kind, training_id from encoders where encoder_id = ?", [encoder_id], snapshot=snapshot
    ).to_pylist()
    if row["kind"] == "random":
        return 0
    if row["training_id"] is None:
        return None
    seen = store.query(
        "select distinct s.split_group from staging.stg_training_subjects t join subjects s using (dataset, subject) "
        "where t.training_id = ?",
        [row["training_id"]],
        snapshot=snapshot,
    )
    return len(test_groups & {found["split_group"] for found in seen.to_pylist()})


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
