"""Snapshots pin every table at once, for ever."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import warehouse
from tests.warehouse.conftest import scan


def count(store: warehouse.Warehouse, snapshot: str | None = None) -> int:
    return int(store.query("select count(*) as n from scans", snapshot=snapshot).to_pylist()[0]["n"])


def test_a_snapshot_does_not_see_what_comes_later(store: warehouse.Warehouse) -> None:
    before = store.publish_snapshot("nothing yet")
    store.append("scans", [scan("a")], "job")
    first = store.publish_snapshot("one scan")
    store.append("scans", [scan("b")], "job")
    second = store.publish_snapshot("two scans")
    assert [before, first, second] == ["s0001", "s0002", "s0003"]
    assert [count(store, s) for s in (before, first, second, None)] == [0, 1, 2, 2]


def test_a_change_of_a_row_does_not_reach_into_a_snapshot(store: warehouse.Warehouse) -> None:
    store.append("scans", [scan("a", contrast="T1w")], "job")
    pinned = store.publish_snapshot("as first read")
    store.append("scans", [scan("a", contrast="T2w")], "job")
    for snapshot, contrast in ((pinned, "T1w"), (None, "T2w")):
        assert store.query("select contrast from scans", snapshot=snapshot).to_pylist() == [{"contrast": contrast}]


def test_nothing_new_is_no_new_snapshot(store: warehouse.Warehouse) -> None:
    store.append("scans", [scan("a")], "job")
    assert store.publish_snapshot("once") == store.publish_snapshot("twice")
    (only,) = store.snapshots()
    assert (only.id, only.note, only.versions) == ("s0001", "once", {"scans": 1})
    assert only.created_at.tzinfo is not None


def test_an_open_connection_keeps_its_moment(store: warehouse.Warehouse) -> None:
    store.append("scans", [scan("a")], "job")
    with store.connect() as opened:
        store.append("scans", [scan("b")], "job")
        assert opened.execute("select count(*) from scans").fetchall() == [(1,)]
    assert count(store) == 2


def test_publishers_in_a_race_never_share_or_skip_a_number(store: warehouse.Warehouse) -> None:
    def publish(n: int) -> str:
        store.append("scans", [scan(f"{n}")], "job")
        return store.publish_snapshot(f"after {n}")

    with ThreadPoolExecutor(6) as pool:
        ids = set(pool.map(publish, range(12)))
    kept = store.snapshots()
    assert [snapshot.id for snapshot in kept] == [f"s{n:04}" for n in range(1, len(kept) + 1)]
    assert ids <= {snapshot.id for snapshot in kept}
    pinned = [snapshot.versions["scans"] for snapshot in kept]
    assert pinned == sorted(set(pinned))  # a later snapshot is never older, nor the same
    assert count(store, kept[-1].id) == 12
    assert [path.name for path in store.home.snapshots.iterdir() if not path.name.endswith(".json")] == []


@pytest.mark.parametrize("wrong", ["s9999", "latest", "../s0001", "s1", ""])
def test_an_unknown_snapshot_names_those_there_are(store: warehouse.Warehouse, wrong: str) -> None:
    store.append("scans", [scan("a")], "job")
    store.publish_snapshot("one")
    with pytest.raises(warehouse.UnknownSnapshot, match=r"known are s0001\."):
        store.query("select 1", snapshot=wrong)


def test_before_the_first_snapshot_none_is_known(store: warehouse.Warehouse) -> None:
    with pytest.raises(warehouse.UnknownSnapshot, match="known are none yet"):
        store.connect("s0001")


def test_a_snapshot_whose_files_are_gone_says_so(store: warehouse.Warehouse) -> None:
    import shutil

    store.append("scans", [scan("a")], "job")
    pinned = store.publish_snapshot("one")
    shutil.rmtree(store.home.warehouse / "scans")
    with pytest.raises(warehouse.UnknownSnapshot, match="restore the folder"):
        store.query("select 1", snapshot=pinned)


def test_a_damaged_manifest_is_named(store: warehouse.Warehouse, tmp_path: Path) -> None:
    (store.home.snapshots / "s0001.json").write_text("{}")
    with pytest.raises(warehouse.UnknownSnapshot, match=r"s0001\.json cannot be read"):
        store.snapshots()
