"""Small problems whose answer is known."""

from typing import Any

import numpy as np

from braindino.heads import Problem


def class_problem(
    head: str = "logistic", *, n: int = 90, d: int = 12, classes: int = 2, signal: float = 2.0, seed: int = 0,
    scans: int = 1, **changes: Any,
) -> Problem:  # fmt: skip
    """`n` subjects with `scans` scans each, two thirds for training; the first columns carry the class."""
    rng = np.random.default_rng(seed)
    code = np.repeat(rng.permutation(np.arange(n) % classes), scans)
    features = rng.normal(size=(n * scans, d)) * np.linspace(1, 5, d)
    features[:, :classes] += signal * np.eye(classes)[code] * np.linspace(1, 5, d)[:classes]
    subject = np.repeat(np.arange(n), scans)
    values: dict[str, Any] = {
        "features": features.astype(np.float32),
        "targets": np.array([f"c{value}" for value in code]),
        "groups": np.array([f"s{value:03}" for value in subject]),
        "train": subject < 2 * n // 3,
        "test": subject >= 2 * n // 3,
        "head": head,
        "kind": "classification",
    }
    return Problem(**(values | changes))


def number_problem(
    head: str = "ridge", *, n: int = 90, d: int = 12, noise: float = 3.0, seed: int = 0, **changes: Any
) -> Problem:
    """`n` subjects with one scan each; the number is a weighted sum of the first three columns and noise."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, d)) * np.linspace(1, 5, d) + 7
    numbers = 50 + features[:, :3] @ np.array([5.0, -3.0, 2.0]) + noise * rng.normal(size=n)
    values: dict[str, Any] = {
        "features": features.astype(np.float32),
        "targets": numbers,
        "groups": np.array([f"s{i:03}" for i in range(n)]),
        "train": np.arange(n) < 2 * n // 3,
        "test": np.arange(n) >= 2 * n // 3,
        "head": head,
        "kind": "regression",
    }
    return Problem(**(values | changes))
