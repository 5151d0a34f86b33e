"""datasets.toml: what a home remembers of its datasets, and which of them a schedule reads."""

from pathlib import Path
from typing import Any

import pytest

import flows.ingest
import warehouse
from braindino import phantom
from braindino.errors import ConfigError, DatasetError
from flows import datasets_file
from flows.datasets_file import load, options_of, parse_options, remember
from flows.dry_run import dry_run
from flows.ingest import ingest, ingest_all, ingest_known
from flows.ingest_scan import without_stamp
from flows.survey import survey


@pytest.fixture
def begun(home: Path) -> Path:
    """A home whose file names five datasets: two copies of one, one with options, two that only bids can read."""
    home.mkdir()
    for name, adapter in (("ixi", "ixi"), ("ixi_again", "ixi"), ("oasis1", "oasis1"), ("d", "bids"), ("adni", "bids")):
        remember(home, name, adapter, Path("/raw") / name, "isotropic")
    return home


def test_options_come_back_as_they_were_given(home: Path) -> None:
    home.mkdir()
    options = {"image": "raw", "one": True, "n": 3, "x": 0.5, "names": ['a "b"', "ü\n"], "odd key": "\\"}
    remember(home, "o", "oasis1", Path("/raw"), "isotropic", options)
    (entry,) = load(home)
    assert entry.options == options
    assert options_of(home, "o", "oasis1") == options


def test_options_stay_until_others_are_given(home: Path) -> None:
    home.mkdir()
    remember(home, "o", "oasis1", Path("/raw"), "isotropic", {"image": "raw"})
    remember(home, "o", "oasis1", Path("/moved"), "isotropic")
    assert load(home)[0].options == {"image": "raw"}
    remember(home, "o", "oasis1", Path("/moved"), "isotropic", {})
    assert load(home)[0].options == {}


def test_options_of_another_adapter_are_not_taken(home: Path) -> None:
    home.mkdir()
    remember(home, "o", "oasis1", Path("/raw"), "isotropic", {"image": "raw"})
    remember(home, "o", "bids", Path("/raw"), "isotropic")
    assert load(home)[0].options == {}


def test_typed_options_are_values_or_text() -> None:
    typed = ["image=raw", "one=false", "n=3", "names=['a', 'b']", "date=2020-01-01", "bad=nan", "empty=", "path=a=b"]
    assert parse_options(typed) == {
        "image": "raw", "one": False, "n": 3, "names": ["a", "b"], "date": "2020-01-01", "bad": "nan", "empty": "",
        "path": "a=b",
    }  # fmt: skip


@pytest.mark.parametrize("typed", [["image"], ["=raw"], ["image=raw", "image=other"]])
def test_typed_options_that_are_wrong_are_named(typed: list[str]) -> None:
    with pytest.raises(ConfigError, match="--option"):
        parse_options(typed)


def test_options_in_the_file_that_are_no_values_are_named(home: Path) -> None:
    home.mkdir()
    (home / datasets_file.NAME).write_text('[o]\nadapter = "oasis1"\nroot = "/raw"\noptions = {a = {b = 1}}\n')
    with pytest.raises(ConfigError, match=r"options of \[o\]"):
        load(home)


def test_the_adapter_reads_with_the_options_that_the_home_keeps(tmp_path: Path, home: Path) -> None:
    """ATLAS can be told in which column of release 2.0's table its subjects stand."""
    phantom.write_cohort("atlas_v2", tmp_path / "raw", 2, seed=1, spacing_mm=8.0)
    home.mkdir()
    survey(home, "atlas", tmp_path / "raw", None, "isotropic_2mm")
    remember(home, "atlas", "atlas", tmp_path / "raw", "isotropic_2mm", {"subject_names": ["no such column"]})
    with pytest.raises(DatasetError, match="no such column"):
        survey(home, "atlas", tmp_path / "raw", None, "isotropic_2mm")


def test_a_dataset_is_read_under_the_recipe_that_the_home_remembers(tmp_path: Path, home: Path) -> None:
    root = tmp_path / "women"
    phantom.write_cohort("hcp_ya", root, 1, seed=2, spacing_mm=8.0, heads=False)
    first = ingest("hcp_ya", str(root), recipe="isotropic_2mm", home=str(home), workers=1)
    again = ingest("hcp_ya", str(root), home=str(home), workers=1)
    assert (again.recipe_id, again.read) == (first.recipe_id, 0)
    assert dry_run(home, "hcp_ya", root, None, None).recipe_id == first.recipe_id
    assert load(home)[0].recipe == "isotropic_2mm"
    given = ingest("hcp_ya", str(root), recipe="isotropic", home=str(home), workers=1)
    assert (given.read, load(home)[0].recipe) == (first.read, "isotropic"), "one that is given is kept instead"


def test_one_folder_under_two_names_is_noted_and_its_people_are_the_same(tmp_path: Path, home: Path) -> None:
    root = tmp_path / "clinic"
    phantom.write_cohort("bids", root, 2, seed=2, spacing_mm=8.0, heads=False)
    first, second, again = (ingest("bids", str(root), name, "isotropic_2mm", str(home), 1) for name in ("b", "a", "b"))
    assert not any("in this home already" in note for note in first.notes)
    for summary, other in ((second, "b"), (again, "a")):
        assert any(f"{root} is in this home already, as {other}:" in note for note in summary.notes)
    store = warehouse.open(home)
    known = store.query("select dataset, same_as from datasets order by dataset").to_pylist()
    assert known == [{"dataset": "a", "same_as": "b"}, {"dataset": "b", "same_as": None}]
    pooled = store.query("select n_scans, n_people from coverage_table order by pooled").to_pylist()
    assert pooled == [{"n_scans": first.read, "n_people": 2}] * 3


def test_a_new_dataset_is_read_under_the_default_recipe(home: Path) -> None:
    assert datasets_file.recipe_of(home, "new") == "isotropic"


@pytest.fixture
def ingested(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the datasets that would have been ingested."""
    names: list[str] = []

    def instead(adapter: str, root: str, name: str, *_: Any) -> str:
        names.append(name)
        return name

    monkeypatch.setattr(flows.ingest, "ingest", instead)
    return names


@pytest.mark.parametrize(
    ("name", "read"), [("ixi", ["ixi", "ixi_again"]), ("d", ["d"]), ("adni", ["adni"]), ("ppmi", [])]
)
def test_a_dataset_is_known_by_its_own_name_and_its_adapters(
    begun: Path, ingested: list[str], name: str, read: list[str]
) -> None:
    assert ingest_known(name, str(begun)) == ingested == read


def test_the_others_are_those_without_a_schedule_of_their_own(begun: Path, ingested: list[str]) -> None:
    ingest_all.fn(str(begun), others_only=True)
    assert ingested == ["d"]
    ingested.clear()
    ingest_all.fn(str(begun))
    assert ingested == ["ixi", "ixi_again", "oasis1", "d", "adni"]


def test_a_home_without_the_dataset_has_nothing_to_read(home: Path) -> None:
    assert ingest_known("ixi", str(home)) == []


@pytest.mark.parametrize("line", ["root = 5", 'adapter = ["ixi"]', "recipe = 3"])
def test_an_entry_of_the_wrong_kind_is_named(home: Path, line: str) -> None:
    home.mkdir()
    told = {"root": 'root = "/raw"', "adapter": 'adapter = "ixi"', line.split()[0]: line}
    (home / "datasets.toml").write_text("[mine]\n" + "\n".join(told.values()))
    with pytest.raises(ConfigError, match=r"\[mine\] needs `\w+` as a text in quotes"):
        load(home)


def test_a_folder_in_place_of_the_file_is_named(home: Path) -> None:
    (home / "datasets.toml").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"datasets\.toml"):
        load(home)


def test_what_is_written_can_be_read_whatever_a_path_holds(home: Path) -> None:
    home.mkdir()
    remember(home, "o", "bids", Path("/raw/\x7f\x01\\ \"'"), "isotropic")
    assert load(home)[0].root == Path("/raw/\x7f\x01\\ \"'")


def test_scans_that_new_options_leave_out_are_no_longer_stored(home: Path, tmp_path: Path) -> None:
    root = tmp_path / "men"
    phantom.write_cohort("hcp_ya", root, 1, seed=2, spacing_mm=8.0, heads=False)
    ingest("hcp_ya", str(root), recipe="isotropic_2mm", home=str(home), workers=1)
    store = warehouse.open(home)
    stored = "select count(*) as n from scans where status = 'stored'"
    (before,) = store.query(stored).to_pylist()
    (scan,) = store.query("select * from staging.stg_scans where status = 'stored' limit 1").to_pylist()
    assert before["n"] > 0
    remember(home, "hcp_ya", "hcp_ya", root, "isotropic_2mm", {"site": "another"})
    gone = {**without_stamp(scan), "scan_id": "0" * 16, "source_key": "listed under the other options only"}
    store.append("scans", [gone], "job")
    ingest("hcp_ya", str(root), recipe="isotropic_2mm", home=str(home), workers=1, options={})
    assert store.query(stored).to_pylist() == [before]
    (left,) = store.query(f"select status, message from scans where scan_id = '{'0' * 16}'").to_pylist()
    assert left["status"] == "absent"
    assert "other options" in left["message"]
