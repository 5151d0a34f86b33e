"""What do features with labels cost beside a bare read of the Parquet file, and what does a connection cost?

Run `python -m tests.benchmarks.bench_warehouse [--scans 60000] [--width 768] [--commits 1200]`. All figures
come from one run on one machine; trust the ratios. `connect` is timed on an empty home, on one with as many
scans and vectors, and on one whose vectors came in many small commits, as `embed` writes them.
"""

import argparse
import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import warehouse
from warehouse.home import Home

RECIPE, ENCODER, POOLING = "isotropic", "encoder", "cls_mean"
REPEATS = 5


def timed(action: Callable[[], object]) -> float:
    """The median of several runs, in seconds; the first, which fills the page cache, does not count."""
    action()
    seconds = []
    for _ in range(REPEATS):
        gc.collect()
        started = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def scan_rows(n: int) -> pa.Table:
    """Stored scans, three of each subject."""
    numbers = np.arange(n)
    return pa.table(
        {
            "scan_id": [f"{i:016x}" for i in numbers],
            "recipe_id": [RECIPE] * n,
            "dataset": [f"dataset{i % 20}" for i in numbers // 3],
            "subject": [f"{i:06}" for i in numbers // 3],
            "contrast": [("T1w", "T2w", "FLAIR")[i % 3] for i in numbers],
            "content_hash": [f"{i:032x}" for i in numbers],
            "status": ["stored"] * n,
            "synthetic": [True] * n,
            "n_slices": [150] * n,
        }
    )


def label_rows(n: int) -> pa.Table:
    """An age for every subject."""
    subjects = np.arange((n + 2) // 3)
    return pa.table(
        {
            "dataset": [f"dataset{i % 20}" for i in subjects],
            "subject": [f"{i:06}" for i in subjects],
            "session": [""] * len(subjects),
            "label": ["age"] * len(subjects),
            "number": 20.0 + subjects % 70,
            "when": [""] * len(subjects),
        }
    )


def vectors(n: int, width: int) -> pa.Array:
    """Lists of float32, normal."""
    values = np.random.default_rng(0).standard_normal(n * width, dtype=np.float32)
    return pa.ListArray.from_arrays(pa.array(np.arange(0, n * width + 1, width, dtype=np.int32)), pa.array(values))


def embedding_rows(scans: pa.Table, embedding: pa.Array) -> pa.Table:
    """One vector of each scan."""
    n = scans.num_rows
    named = {"encoder_id": [ENCODER] * n, "recipe_id": [RECIPE] * n, "pooling": [POOLING] * n}
    keys = {name: scans.column(name) for name in ("scan_id", "content_hash", "n_slices")}
    return pa.table({**named, **keys, "embedding": embedding})


def fill(home: Path, n: int, width: int, commits: int) -> warehouse.Warehouse:
    """A home with n labelled scans whose vectors came in so many commits."""
    store = warehouse.open(home)
    scans = scan_rows(n)
    store.append("scans", scans, "benchmark")
    store.append("labels", label_rows(n), "benchmark")
    rows = embedding_rows(scans, vectors(n, width))
    size = -(-n // commits)
    for start in range(0, n, size):
        store.append("embeddings", rows.slice(start, size), "benchmark")
    return store


def connect_seconds(store: warehouse.Warehouse) -> float:
    """A new connection, with its first count of scans."""

    def connect() -> None:
        with store.connect() as opened:
            opened.execute("select count(*) from scans").fetchall()

    return timed(connect)


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scans", type=int, default=60_000)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--commits", type=int, default=1_200, help="commits of the many-commits home")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        empty = warehouse.open(Path(folder) / "empty")
        print(f"connect, empty home: {connect_seconds(empty):.3f} s")
        store = fill(Path(folder) / "full", asked.scans, asked.width, 1)
        print(f"connect and count {asked.scans:,} scans: {connect_seconds(store):.3f} s")
        (file,) = (Home(store.home.root).warehouse / "embeddings").glob("*.parquet")
        print(f"{asked.scans:,} vectors of {asked.width}: {file.stat().st_size / 1e6:.0f} MB on disk")
        bare = timed(lambda: pq.read_table(file, columns=["scan_id", "embedding"]))
        full = timed(lambda: store.features("age", ENCODER, RECIPE, POOLING))
        print(f"bare Parquet read {bare:.3f} s, features with labels {full:.3f} s: ratio {full / bare:.2f}")
        in_sql = timed(
            lambda: store.query(
                "select l.scan_id, l.number, e.embedding from labelled_scans l join embeddings e "
                "using (scan_id, recipe_id, content_hash) where l.label = 'age' and e.encoder_id = ? "
                "order by l.scan_id",
                [ENCODER],
            )
        )
        print(f"the same through the marts in SQL {in_sql:.3f} s: ratio {in_sql / bare:.2f}")
        many = fill(Path(folder) / "many", asked.scans, asked.width, asked.commits)
        print(f"connect, vectors in {asked.commits:,} commits: {connect_seconds(many):.3f} s")
        spread = timed(lambda: many.features("age", ENCODER, RECIPE, POOLING))
        print(f"features from {asked.commits:,} files {spread:.3f} s: ratio to the bare read {spread / bare:.2f}")


if __name__ == "__main__":
    main()
