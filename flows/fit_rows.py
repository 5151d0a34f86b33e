"""From fitted heads to the rows of `fits`, `predictions` and `metrics`."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from braindino import heads, keys
from braindino.evaluation import EVALUATION_VERSION, evaluate
from flows.fit_problems import Cell, Dataset

Row = dict[str, Any]


def rows_of(
    data: Dataset, fitted: Sequence[tuple[Cell, heads.Fit]], snapshot: str
) -> tuple[list[Row], list[Row], list[Row]]:
    """Rows of fits, predictions and metrics for the fits of one feature set."""
    fits, predictions, metrics = [], [], []
    for cell, fit in fitted:
        fits.append(_fit_row(data, cell, fit, snapshot))
        predictions += _prediction_rows(data, cell, fit)
        metrics += _metric_rows(data, cell, fit, snapshot)
    return fits, predictions, metrics


def _cell_columns(data: Dataset, cell: Cell) -> Row:
    return {
        "fit_id": cell.fit_id, "task": data.task.name, "encoder_id": data.encoder_id, "recipe_id": data.recipe_id,
        "pooling": data.pooling, "head": cell.head, "fraction": cell.fraction, "seed": cell.seed,
        "synthetic": any(row["synthetic"] for row in data.rows),
    }  # fmt: skip


def _fit_row(data: Dataset, cell: Cell, fit: heads.Fit, snapshot: str) -> Row:
    return {
        **_cell_columns(data, cell),
        "hyperparameters": keys.canonical_json(fit.hyperparameters),
        "grid": keys.canonical_json(fit.grid),
        "classes": json.dumps(fit.classes) if fit.classes is not None else None,
        "data_hash": data.data_hash,
        "n_train": fit.n_train,
        "n_test": fit.n_test,
        "seen_test_subjects": data.seen_test_subjects,
        "snapshot_id": snapshot,
        "seconds": fit.seconds,
        "heads_version": heads.HEADS_VERSION,
        "evaluation_version": EVALUATION_VERSION,
    }


def _prediction_rows(data: Dataset, cell: Cell, fit: heads.Fit) -> list[Row]:
    found = []
    for position, index in enumerate(fit.test_rows):
        row = data.rows[index]
        said: Row = {
            "fit_id": cell.fit_id, "scan_id": row["scan_id"], "content_hash": row["content_hash"],
            "subject_uid": row["subject_uid"], "split": str(data.split[index]),
        }  # fmt: skip
        target, predicted = data.targets[index], fit.predicted[position]
        if fit.scores is None:
            said |= {"target_number": float(target), "predicted_number": float(predicted)}
        else:
            said |= {
                "target": str(target),
                "predicted": str(predicted),
                "scores": fit.scores[position].tolist(),
            }
        found.append(said)
    return found


def _metric_rows(data: Dataset, cell: Cell, fit: heads.Fit, snapshot: str) -> list[Row]:
    """Figures of the frozen test subjects, and of each external dataset by itself."""
    found = []
    for split in sorted(set(data.split[fit.test_rows])):
        chosen = data.split[fit.test_rows] == split
        rows = fit.test_rows[chosen]
        judged = evaluate(
            data.task.kind, data.targets[rows], fit.predicted[chosen], data.people[rows],
            scores=None if fit.scores is None else fit.scores[chosen], classes=fit.classes, seed=cell.seed,
        )  # fmt: skip
        about = {**_cell_columns(data, cell), "split": str(split), "snapshot_id": snapshot}
        # A dataset with one class, or one person, has no such figure.
        found += [{**about, **asdict(metric)} for metric in judged if math.isfinite(metric.value)]
    return found
