"""Damage on the disk is found, named with the command that mends it, and mended by the next ingest."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

import warehouse
from braindino import slices
from flows.ingest import ingest
from flows.verify import ingests, mend, verify
from tests.flows.test_cli import braindino
from tests.slices.test_verify import SHARD, flip

RECIPE = "isotropic_2mm"


@pytest.fixture
def store(bids_root: Path, home: Path) -> warehouse.Warehouse:
    read(bids_root, home)
    return warehouse.open(home)


def read(root: Path, home: Path) -> int:
    return ingest("bids", str(root), "tiny", RECIPE, str(home), 1).read


def groups(store: warehouse.Warehouse) -> list[Path]:
    paths = store.query("select store_path from staging.stg_scans where status = 'stored' order by store_path")
    return [store.home.root / path for path in paths.column(0).to_pylist()]


def contents(store: warehouse.Warehouse) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = store.query(
        "select scan_id, status, content_hash, store_path, store_bytes, store_sha256 from scans order by scan_id"
    ).to_pylist()
    return rows


def problems(store: warehouse.Warehouse, deep: bool = False) -> dict[str, str]:
    return {Path(row["path"]).name: row["problem"] for row in verify(store, deep, settled_s=0.0).rows}


def test_a_sound_home_has_no_problem(store: warehouse.Warehouse) -> None:
    for deep in (False, True):
        found = verify(store, deep)
        assert (found.rows, found.n_scans) == ((), len(groups(store)))


def test_every_kind_of_damage_is_found(store: warehouse.Warehouse) -> None:
    gone, short, altered = groups(store)[:3]
    shutil.rmtree(gone)
    os.truncate(short / SHARD, 100)
    flip(altered / SHARD)
    shutil.copytree(altered, altered.with_name("nobody-knows.zarr"))
    altered.with_name("killed.zarr.partial").mkdir()
    expected = {
        gone.name: "missing",
        short.name: "short",
        "nobody-knows.zarr": "orphan",
        "killed.zarr.partial": "leftover",
    }
    assert problems(store) == expected
    assert problems(store, deep=True) == expected | {altered.name: "altered"}


def test_what_an_ingest_may_be_writing_is_left_alone(store: warehouse.Warehouse) -> None:
    groups(store)[0].with_name("now.zarr.partial").mkdir()
    assert verify(store).rows == ()


def test_marked_scans_are_out_of_use_and_made_again_by_the_next_ingest(
    store: warehouse.Warehouse, bids_root: Path, home: Path
) -> None:
    before = contents(store)
    gone, altered = groups(store)[:2]
    shutil.rmtree(gone)
    flip(altered / SHARD)
    altered.with_name("killed.zarr.partial").mkdir()
    mend(store, verify(store, deep=True, settled_s=0.0))
    assert [row["status"] for row in contents(store)].count("pending") == 2
    assert not list((home / "slices").rglob("*.partial"))
    again = verify(store, deep=True, settled_s=0.0)
    assert (again.rows, len(again.waiting)) == ((), 2)

    assert read(bids_root, home) == 2
    assert contents(store) == before, "the same slices, byte by byte"
    assert verify(store, deep=True, settled_s=0.0).rows == ()


def test_a_scan_that_is_read_again_for_another_reason_is_not_taken_for_sound(
    store: warehouse.Warehouse, bids_root: Path, home: Path, tmp_path: Path
) -> None:
    """Its content is the same, so its group would be kept, and the hash of the damage recorded as right."""
    before = contents(store)
    flip(groups(store)[0] / SHARD)
    moved = Path(shutil.copytree(bids_root, tmp_path / "moved", copy_function=shutil.copy))
    (home / "datasets.toml").unlink()
    assert read(moved, home) == len(before)
    assert contents(store) == before
    assert verify(store, deep=True).rows == ()


def test_slices_of_an_earlier_content_are_nobodys_orphans(
    store: warehouse.Warehouse, bids_root: Path, home: Path
) -> None:
    """Snapshots still pin the rows that name them."""
    row = store.query("select * exclude (recorded_at, job_id) from staging.stg_scans limit 1").to_pylist()[0]
    copy = row["store_path"].replace(".zarr", "-2.zarr")
    shutil.copytree(home / row["store_path"], home / copy)
    store.append("scans", [{**row, "content_hash": "another", "store_path": copy}], "test")
    assert verify(store, settled_s=0.0).rows == ()


def test_an_excluded_scan_is_looked_at_too(store: warehouse.Warehouse) -> None:
    row = contents(store)[0]
    store.append("overrules", [{"scan_id": row["scan_id"], "verdict": "exclude", "why": "x", "who": "y"}], "test")
    shutil.rmtree(store.home.root / row["store_path"])
    assert list(problems(store).values()) == ["missing"]


def test_the_command_says_what_mends_it_and_fails_until_it_is_mended(
    store: warehouse.Warehouse, bids_root: Path, home: Path
) -> None:
    assert braindino("verify", home=home).returncode == 0
    lost = groups(store)[0]
    shutil.rmtree(lost)
    answer = braindino("verify", "--format", "json", home=home)
    assert answer.returncode == 1
    assert [row["problem"] for row in json.loads(answer.stdout)] == ["missing"]
    command = f"braindino ingest bids {bids_root} --name tiny --recipe {RECIPE}"
    assert "braindino verify --mend" in answer.stderr
    assert command in answer.stderr
    assert braindino("verify", "--mend", home=home).returncode == 0
    assert braindino(*command.split()[1:], home=home).returncode == 0
    assert slices.open_scan(lost).image().any()
    assert braindino("verify", "--deep", home=home).returncode == 0


def test_the_commands_are_one_per_dataset_and_recipe(store: warehouse.Warehouse, bids_root: Path) -> None:
    rows = store.query("select * from staging.stg_scans").to_pylist()
    assert ingests(store, rows) == [f"braindino ingest bids {bids_root} --name tiny --recipe {RECIPE}"]
