"""The home: made once, recognised by its layout version, refused in a sentence."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import warehouse
from tests.warehouse.conftest import scan
from warehouse.home import FOLDERS, LAYOUT_VERSION, MARKER, Home, write_if_absent


def test_a_new_home_has_its_marker_and_folders(tmp_path: Path) -> None:
    home = warehouse.open(tmp_path / "new" / "home").home
    assert json.loads((home.root / MARKER).read_text()) == {"layout_version": LAYOUT_VERSION}
    assert {path.name for path in home.root.iterdir()} == {MARKER, *FOLDERS}
    assert (home.slices, home.warehouse, home.snapshots, home.checkpoints, home.reports) == tuple(
        home.root / name for name in FOLDERS
    )


def test_whoever_only_reads_makes_no_home(tmp_path: Path) -> None:
    with pytest.raises(warehouse.NoHome, match=r"no home at .*typo: `braindino ingest DATASET ROOT` makes one"):
        warehouse.open(tmp_path / "typo", create=False)
    assert not (tmp_path / "typo").exists()
    with pytest.raises(warehouse.NoHome):
        warehouse.open(tmp_path, create=False)
    assert list(tmp_path.iterdir()) == [], "a folder of another kind is left as it is"
    warehouse.open(tmp_path / "home")
    assert warehouse.open(tmp_path / "home", create=False).snapshots() == []


def test_opening_again_changes_nothing_and_mends_a_missing_folder(tmp_path: Path) -> None:
    Home.open(tmp_path)
    (tmp_path / MARKER).write_text(f'{{"layout_version": {LAYOUT_VERSION}, "note": "mine"}}')
    (tmp_path / "reports").rmdir()
    Home.open(tmp_path)
    assert "mine" in (tmp_path / MARKER).read_text()
    assert (tmp_path / "reports").is_dir()


def test_a_home_of_another_layout_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / MARKER).write_text(json.dumps({"layout_version": 99}))
    with pytest.raises(warehouse.WrongLayout, match=r"has layout version 99, this program reads \d+; use .* or"):
        warehouse.open(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [MARKER]


@pytest.mark.parametrize("text", ["{", "[]", "{}", "1"])
def test_a_damaged_marker_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / MARKER).write_text(text)
    with pytest.raises(warehouse.WrongLayout, match="cannot be read as a home's marker"):
        warehouse.open(tmp_path)


def test_a_file_is_no_home(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(warehouse.WrongLayout, match="cannot be made"):
        warehouse.open(tmp_path / "home")


@pytest.mark.parametrize("name", ["50%", "a[b]", "what?", "all*"])
def test_a_path_that_delta_or_duckdb_would_misread_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(warehouse.WrongLayout, match="choose another folder"):
        warehouse.open(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["with space", "with 'quote", 'with "quotes"', "été", "a#b", "a&b=c;d", "{x}", "$HOME", "a+b"]
)
def test_other_odd_paths_work(tmp_path: Path, name: str) -> None:
    store = warehouse.open(tmp_path / name)
    store.append("scans", [scan("a")], "job")
    store.append("scans", [scan("b")], "job")
    assert store.query("select count(*) as n from scans").to_pylist() == [{"n": 2}]


def test_of_many_writers_exactly_one_takes_a_name(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        took = list(pool.map(lambda n: write_if_absent(tmp_path / "one", f"writer {n}"), range(32)))
    assert sum(took) == 1
    assert (tmp_path / "one").read_text() == f"writer {took.index(True)}"
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_a_home_that_was_deleted_and_made_anew_shows_the_new_rows(tmp_path: Path) -> None:
    import shutil

    for name in ("a", "b"):
        store = warehouse.open(tmp_path / "home")
        store.append("scans", [scan(name)], "job")
        assert store.query("select scan_id from scans").to_pylist() == [{"scan_id": name}]
        shutil.rmtree(tmp_path / "home")
