"""A look at every stored scan by size, against pathlib adding up the same files, and what the hash costs a write.

    python -m tests.benchmarks.bench_verify [--scans 50000]

Makes a home of that many groups with the files of real ones (empty shards: only their names and sizes are looked at),
times `verify` on it and `rglob` over it in one run, and prints the ratio. Then writes slices of a brain's size, hashes
them, and prints both times and the share of the write that the hash adds.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

import warehouse
from braindino import slices
from braindino.slices.verify import FILES
from flows.verify import verify
from tests.benchmarks.bench_slices import brain_like
from tests.slices.helpers import small_scan

Row = dict[str, Any]


def seconds(work: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def rows(root: Path, n_scans: int) -> Iterator[Row]:
    """Makes the groups, and gives the rows that name them."""
    for number in range(n_scans):
        path = f"slices/r/d{number % 20}/{number:016x}-{number:016x}.zarr"
        for name in FILES[:5]:
            file = root / path / name
            file.parent.mkdir(parents=True)
            file.write_bytes(b"1234567890")
        yield {
            "scan_id": f"{number:016x}", "recipe_id": "r", "dataset": f"d{number % 20}", "status": "stored",
            "store_path": path, "store_bytes": 50,
        }  # fmt: skip


def with_pathlib(home: Path, store: warehouse.Warehouse) -> None:
    """The alternative: the size of every group by `rglob`, compared with its row."""
    for row in store.query("select store_path, store_bytes from scans").to_pylist():
        size = sum(file.stat().st_size for file in (home / row["store_path"]).rglob("*") if file.is_file())
        assert size == row["store_bytes"]


def hash_cost(folder: Path) -> tuple[float, float]:
    """Seconds to write the slices of one brain, and to hash what was written; the best of five."""
    image = brain_like(0)
    scan = small_scan()
    whole = type(scan)(
        image, (image > 0).astype("uint8"), None, scan.affine, scan.plane, scan.intensity, scan.facts, scan.slices
    )
    written = [seconds(lambda n=n: slices.write_scan(folder / f"{n}.zarr", whole, {})) for n in range(5)]  # type: ignore[misc]
    hashed = [seconds(lambda n=n: slices.group_sha256(folder / f"{n}.zarr")) for n in range(5)]  # type: ignore[misc]
    return min(written), min(hashed)


def main() -> None:
    """Makes the home, times both ways and prints the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scans", type=int, default=50_000)
    n_scans = parser.parse_args().scans
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        store = warehouse.open(home)
        store.append("scans", pa.Table.from_pylist(list(rows(home, n_scans))), "bench")
        ours = min(seconds(lambda: verify(store)) for _ in range(2))
        theirs = seconds(lambda: with_pathlib(home, store))
        assert not verify(store).rows
        write, digest = hash_cost(home)
    print(f"verify of {n_scans:,} scans  {ours:6.2f} s\npathlib              {theirs:6.2f} s")
    print(f"ratio                {theirs / ours:6.2f}")
    print(f"write {1000 * write:.0f} ms, hash {1000 * digest:.1f} ms: {digest / write:.1%} of the write")


if __name__ == "__main__":
    main()
