"""`braindino inspect`, for scans of the home whatever became of them, and for files that are not in it."""

import gzip
import shutil
from pathlib import Path
from typing import Any

import matplotlib.image
import pytest

import flows.inspect
import warehouse
from braindino.errors import ConfigError
from braindino.imaging.sheet import BAD, DOUBT, GOOD, Sheet, draw
from flows.ingest import ingest
from flows.inspect import inspect_path, inspect_scan
from flows.overrule import accept, exclude
from tests.flows.test_cli import braindino
from tests.flows.test_overrule import scan, touch, write_small

RECIPE = "isotropic_2mm"


@pytest.fixture
def root(bids_root: Path, tmp_path: Path) -> Path:
    root = Path(shutil.copytree(bids_root, tmp_path / "raw"))
    write_small(root, 0.6)
    return root


@pytest.fixture
def store(root: Path, home: Path) -> warehouse.Warehouse:
    read(root, home)
    return warehouse.open(home)


def read(root: Path, home: Path) -> None:
    ingest("bids", str(root), "tiny", RECIPE, str(home), 1)


@pytest.fixture
def sheets(monkeypatch: pytest.MonkeyPatch) -> list[Sheet]:
    """Every page that is drawn, as it was given to be drawn."""
    drawn: list[Sheet] = []

    def noted(sheet: Sheet) -> Any:
        drawn.append(sheet)
        return draw(sheet)

    monkeypatch.setattr(flows.inspect, "draw", noted)
    return drawn


def test_a_stored_scan_is_shown_in_its_head_with_the_stored_mask(
    store: warehouse.Warehouse, sheets: list[Sheet]
) -> None:
    row = scan(store, "status = 'stored' and contrast = 'T1w'")
    seen = inspect_scan(store, row["scan_id"][:10], None, None)
    assert seen.path == store.home.reports / f"inspect-{row['scan_id']}.png"
    assert matplotlib.image.imread(seen.path).shape == (1000, 1500, 4)
    (sheet,) = sheets
    assert (sheet.verdict, sheet.colour) == ("STORED", GOOD)
    assert sheet.volume is not None
    assert sheet.mask is not None
    assert sheet.volume.data.shape == (row["matrix_x"], row["matrix_y"], row["matrix_z"])
    assert sheet.mask.sum() * sheet.volume.voxel_ml == pytest.approx(row["brain_ml"], rel=0.05)
    assert len(sheet.positions_mm) == row["n_slices"]
    assert any("SYNTHETIC" in note for note in sheet.notes)


def test_a_refused_scan_is_shown_with_the_mask_it_was_refused_for(
    store: warehouse.Warehouse, sheets: list[Sheet]
) -> None:
    seen = inspect_scan(store, "sub-small/anat/sub-small_T1w.nii.gz", None, None)
    (sheet,) = sheets
    assert (seen.verdict, sheet.colour) == ("REFUSED: brain_too_small", BAD)
    assert "a whole brain has" in seen.message
    assert sheet.mask is not None
    assert sheet.mask.any()
    assert [finding.figure for finding in sheet.findings if not finding.passed] == ["brain volume"]
    assert "A person may accept it" in sheet.notes[0]


def test_what_people_decided_is_on_the_page(store: warehouse.Warehouse, sheets: list[Sheet]) -> None:
    small = scan(store, "subject = 'small'")["scan_id"]
    accept(store, [small], "microcephaly")
    assert inspect_scan(store, small, None, None).verdict == "STORED, accepted by a person"
    exclude(store, [small], "moved too much")
    assert inspect_scan(store, small, None, None).message == "By a person: moved too much"
    assert sheets[-1].colour == DOUBT
    assert sheets[-1].mask is not None
    assert len(sheets[-1].positions_mm) > 0


def test_a_stored_scan_whose_file_turned_corrupt_shows_its_slices_and_says_so(
    store: warehouse.Warehouse, root: Path, home: Path, sheets: list[Sheet]
) -> None:
    row = scan(store, "status = 'stored' and contrast = 'T1w'")
    (root / row["source_path"]).write_bytes(gzip.compress(b"not a scan"))
    read(root, home)
    seen = inspect_scan(store, row["scan_id"], None, None)
    assert seen.verdict.startswith("STORED, file since unusable: ")
    assert "kept" in seen.message
    (sheet,) = sheets
    assert sheet.colour == DOUBT
    assert sheet.mask is not None
    assert sheet.mask.sum() * 0.008 == pytest.approx(row["brain_ml"], rel=0.05)
    status = braindino("status", "--format", "csv", home=home).stdout
    assert "file since unusable" in status


def test_another_file_in_the_place_of_the_source_is_not_shown_under_the_old_mask(
    store: warehouse.Warehouse, root: Path, sheets: list[Sheet]
) -> None:
    row = scan(store, "status = 'stored' and contrast = 'T1w'")
    touch(root / row["source_path"])
    inspect_scan(store, row["scan_id"], None, None)
    assert "stored slices are shown" in sheets[0].notes[0]


def test_without_its_source_a_refused_scan_has_a_page_of_words(
    store: warehouse.Warehouse, root: Path, sheets: list[Sheet]
) -> None:
    shutil.rmtree(root / "sub-small")
    seen = inspect_scan(store, "sub-small/anat/sub-small_T1w.nii.gz", None, None)
    assert seen.verdict == "REFUSED: brain_too_small"
    assert sheets[0].volume is None
    assert "not listed in" in sheets[0].notes[0]


def test_damaged_slices_are_named(store: warehouse.Warehouse, sheets: list[Sheet]) -> None:
    row = scan(store, "status = 'stored'")
    shutil.rmtree(store.home.root / row["store_path"])
    inspect_scan(store, row["scan_id"], None, None)
    assert "braindino verify" in sheets[0].notes[0]


def test_a_recipe_can_be_asked_for(store: warehouse.Warehouse) -> None:
    row = scan(store, "status = 'stored'")
    assert inspect_scan(store, row["scan_id"], RECIPE, None).verdict == "STORED"
    with pytest.raises(ConfigError, match=rf"not read under isotropic-.*; it was under {row['recipe_id']}"):
        inspect_scan(store, row["scan_id"], "isotropic", None)


def test_a_file_is_looked_at_and_nothing_is_stored(root: Path, tmp_path: Path, sheets: list[Sheet]) -> None:
    image = sorted(root.glob("sub-*/**/*_T1w.nii.gz"))[0]
    seen = inspect_path(image, RECIPE, tmp_path / "new" / "page.png")
    assert (seen.verdict, seen.path.exists()) == ("WOULD BE STORED", True)
    image.write_bytes(image.read_bytes()[:20_000])
    seen = inspect_path(image, RECIPE, tmp_path / "page.png")
    assert seen.verdict == "WOULD BE REFUSED: truncated"
    assert sheets[-1].volume is not None
    assert "Nobody can accept it" in sheets[-1].notes[0]


def test_the_command_prints_verdict_and_path(root: Path, home: Path, tmp_path: Path) -> None:
    image = root / "sub-small" / "anat" / "sub-small_T1w.nii.gz"
    answer = braindino("inspect", str(image), "--recipe", RECIPE, "--out", str(tmp_path / "a.png"), home=home)
    assert answer.returncode == 0
    verdict, path = answer.stdout.splitlines()
    assert verdict.startswith("WOULD BE REFUSED: brain_too_small: ")
    assert Path(path).is_file()
    assert not home.exists(), "a file needs no home"
    answer = braindino("inspect", "nothing-such", home=home)
    assert (answer.returncode, answer.stderr.count("error: ")) == (1, 1)
