"""A store on an empty home, and rows that say as little as they can."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import warehouse

Row = dict[str, Any]
Ask = Callable[[str], list[Row]]


@pytest.fixture
def store(tmp_path: Path) -> warehouse.Warehouse:
    return warehouse.open(tmp_path / "home")


@pytest.fixture
def ask(store: warehouse.Warehouse) -> Ask:
    """The rows that answer a query."""

    def answer(query: str) -> list[Row]:
        rows: list[Row] = store.query(query).to_pylist()
        return rows

    return answer


def scan(scan_id: str, subject: str = "1", **more: Any) -> Row:
    base = {
        "scan_id": scan_id, "recipe_id": "r", "dataset": "d", "subject": subject, "status": "stored",
        "content_hash": f"{scan_id}-v1", "contrast": "T1w", "synthetic": True,
    }  # fmt: skip
    return {**base, **more}


def label(subject: str, name: str, session: str = "", **more: Any) -> Row:
    return {"dataset": "d", "subject": subject, "session": session, "label": name, "when": "", **more}


def embedding(scan_id: str, vector: list[float], encoder: str = "e", **more: Any) -> Row:
    base = {
        "encoder_id": encoder, "recipe_id": "r", "scan_id": scan_id, "content_hash": f"{scan_id}-v1",
        "pooling": "cls_mean", "n_slices": 3, "embedding": vector,
    }  # fmt: skip
    return {**base, **more}


def fit(fit_id: str, seed: int = 0, encoder: str = "e", **more: Any) -> Row:
    base = {
        "fit_id": fit_id, "task": "age", "encoder_id": encoder, "recipe_id": "r", "pooling": "cls_mean",
        "head": "ridge", "fraction": 1.0, "seed": seed, "data_hash": "h", "n_train": 7, "n_test": 3,
        "seen_test_subjects": 0, "synthetic": True, "snapshot_id": "s0001",
    }  # fmt: skip
    return {**base, **more}


def metric(fit_id: str, value: float, seed: int = 0, encoder: str = "e", **more: Any) -> Row:
    base = {
        "fit_id": fit_id, "task": "age", "encoder_id": encoder, "recipe_id": "r", "pooling": "cls_mean",
        "head": "ridge", "fraction": 1.0, "seed": seed, "split": "test", "metric": "mae", "value": value,
        "ci_low": value - 1, "ci_high": value + 1, "n": 3, "n_scans": 3, "smoke_test": True,
        "synthetic": True, "snapshot_id": "s0001",
    }  # fmt: skip
    return {**base, **more}
