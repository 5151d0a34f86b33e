"""Half a copy of a dataset: refused as a whole, or read as far as it goes, and completed later."""

import shutil
from pathlib import Path

import pytest

import warehouse
from braindino import phantom
from braindino.errors import ConfigError, DatasetError
from flows.datasets_file import load, partial_of, remember
from flows.dry_run import dry_run
from flows.ingest import ingest, ingest_all
from tests.flows.test_cli import braindino

RECIPE = "isotropic_2mm"
STATUS = "select source_key, status, message from scans order by source_key"


def pixar(root: Path, lost: int = 1) -> tuple[Path, list[str]]:
    """A copy of three people of whom this many have lost their T1w, but not its sidecar; and the names of the lost."""
    phantom.write_cohort("pixar", root, 3, seed=1, spacing_mm=8.0, heads=False)
    images = sorted(root.glob("sub-*/anat/*_T1w.nii.gz"))
    kept = root.parent / "kept"
    kept.mkdir()
    for image in images[:lost]:
        shutil.move(image, kept / image.name)
    return root, [image.name for image in images[:lost]]


def complete(root: Path) -> None:
    for image in (root.parent / "kept").iterdir():
        shutil.move(image, root / image.name.split("_")[0] / "anat" / image.name)


def rows(home: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = warehouse.open(home).query(STATUS).to_pylist()
    return found


def test_half_a_copy_is_refused_and_nothing_is_stored_or_remembered(tmp_path: Path, home: Path) -> None:
    root, (lost,) = pixar(tmp_path / "raw")
    for run in (lambda: ingest("pixar", str(root), None, RECIPE, str(home), 1),
                lambda: dry_run(home, "pixar", root, None, RECIPE)):  # fmt: skip
        with pytest.raises(DatasetError, match=rf"1 of 3 images are missing.*ds000228\.git.*{lost}.*--partial"):
            run()
    assert load(home) == []


def test_what_is_here_is_read_as_partial_and_the_rest_when_it_comes(tmp_path: Path, home: Path) -> None:
    root, (lost,) = pixar(tmp_path / "raw")
    first = ingest("pixar", str(root), None, RECIPE, str(home), 1, partial=True)
    assert (first.stored, first.absent) == (2, 1)
    assert "1 of 3 images are missing and were left out (--partial)." in first.notes
    (absent,) = [row for row in rows(home) if row["status"] == "absent"]
    assert absent["message"].startswith(f"{lost} is not there: get it with `datalad install")
    assert partial_of(home, "pixar", "pixar")
    (again,) = ingest_all(str(home), 1)
    assert (again.read, again.unchanged) == (0, 3), "kept as options are, so that schedules repeat it"
    complete(root)
    (last,) = ingest_all(str(home), 1)
    assert (last.stored, last.unchanged) == (1, 2)
    assert not any("--partial" in note for note in last.notes)
    assert {row["status"] for row in rows(home)} == {"stored"}


def test_an_image_that_is_lost_later_stops_its_dataset_alone_and_loses_nothing(tmp_path: Path, home: Path) -> None:
    root, _ = pixar(tmp_path / "raw", lost=0)
    ingest("pixar", str(root), None, RECIPE, str(home), 1)
    other = tmp_path / "other"
    phantom.write_cohort("ixi", other, 1, seed=1, spacing_mm=8.0, heads=False)
    remember(home, "ixi", "ixi", other, RECIPE)
    before = rows(home)
    next(root.glob("sub-*/anat/*_T1w.nii.gz")).unlink()
    with pytest.raises(ConfigError, match=r"pixar .*1 of 3 images are missing.* All others were\."):
        ingest_all(str(home), 1)
    after = rows(home)
    assert [row for row in after if row in before] == before
    assert len(after) > len(before), "the other dataset was read"
    ingest("pixar", str(root), None, RECIPE, str(home), 1, partial=True)
    assert [row for row in rows(home) if row in before] == before, "its slices are kept"


def test_an_image_that_stood_in_for_a_better_one_makes_way_for_it(tmp_path: Path, home: Path) -> None:
    """All images are a few voxels, refused at once: what counts is which of them are read."""
    root = tmp_path / "raw"
    phantom.write_cohort("adni", root, 1, seed=3, spacing_mm=10.0, heads=False)
    (tiny,) = list(root.glob("ADNI/*/Axial_DTI/*/*/*.nii"))[:1]
    for image in root.glob("ADNI/*/*/*/*/*.nii"):
        image.write_bytes(tiny.read_bytes())
    best = root / phantom.plan_cohort("adni", 1, 3, heads=False).scans[0].image
    day = best.parents[1].name[:10]
    (worse,) = root.glob(f"ADNI/*/MPRAGE/{day}*/*/*.nii")
    shutil.move(best, tmp_path / "kept.nii")
    for other in root.glob(f"ADNI/*/MPR_*/{day}*/*/*.nii"):
        other.unlink()

    def session() -> dict[str, str]:
        found = warehouse.open(home).query("select * from scans where session = ?", [day]).to_pylist()
        return {row["source_key"].split("/")[1]: row["status"] for row in found}

    ingest("adni", str(root), None, RECIPE, str(home), 1, partial=True)
    assert session() == {best.parent.name: "absent", worse.parent.name: "refused"}
    shutil.move(tmp_path / "kept.nii", best)
    ingest("adni", str(root), None, RECIPE, str(home), 1)
    assert session() == {best.parent.name: "refused", worse.parent.name: "absent"}


def test_the_flag_is_kept_until_the_other_is_given(tmp_path: Path, home: Path) -> None:
    home.mkdir()
    for given, kept in ((True, True), (None, True), (False, False), (None, False)):
        remember(home, "pixar", "pixar", tmp_path, RECIPE, partial=given)
        assert partial_of(home, "pixar", "pixar") is kept
        assert ("partial = true" in (home / "datasets.toml").read_text()) is kept
    remember(home, "pixar", "pixar", tmp_path, RECIPE, partial=True)
    assert not partial_of(home, "pixar", "bids"), "another adapter sees another dataset"


def test_the_command_line_says_what_is_missing_and_goes_on_when_told(tmp_path: Path, home: Path) -> None:
    root, (lost,) = pixar(tmp_path / "raw")
    typed = ("ingest", "pixar", str(root), "--recipe", RECIPE, "--dry-run")
    refused, told = braindino(*typed, home=home), braindino(*typed, "--partial", home=home)
    assert (refused.returncode, told.returncode) == (1, 0)
    assert lost in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "would read 2 scans" in told.stdout
    assert braindino("ingest", "--all", "--partial", home=home).returncode == 2


def test_a_word_that_is_neither_true_nor_false_is_named(home: Path) -> None:
    home.mkdir()
    (home / "datasets.toml").write_text('[mine]\nadapter = "ixi"\nroot = "/raw"\npartial = "yes"\n')
    with pytest.raises(ConfigError, match=r"`partial` of \[mine\] must be true or false"):
        load(home)
