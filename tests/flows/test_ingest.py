"""Ingest as a data engineer meets it: once, again, with one file more, with wrong files, and killed in the middle."""

import gzip
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

import warehouse
from braindino import slices
from braindino.errors import ConfigError, DatasetError, StoreError
from flows.dry_run import dry_run
from flows.embed import embed
from flows.ingest import IngestSummary, ingest, ingest_all

RECIPE = "isotropic_2mm"


def run(root: Path, home: Path, workers: int = 1) -> IngestSummary:
    return ingest("bids", str(root), "tiny", RECIPE, str(home), workers)


def facts(home: Path) -> list[tuple[object, ...]]:
    """Everything a home says of its scans, without when and by whom it was written and how long it took."""
    table = warehouse.open(home).query(
        "select scan_id, status, reason, content_hash, store_path, store_bytes, brain_ml, n_slices, p99_5 "
        "from scans order by scan_id"
    )
    return [tuple(row.values()) for row in table.to_pylist()]


def files(home: Path) -> list[str]:
    return sorted(path.relative_to(home).as_posix() for path in (home / "slices").rglob("*"))


def add_subject(root: Path, subject: str, make: str) -> Path:
    """Adds one subject whose T1w is spoilt in the way asked for, grown from a good scan of the same dataset."""
    good = sorted(root.glob("sub-*/**/*_T1w.nii.gz"))[0]
    image = root / f"sub-{subject}" / "anat" / f"sub-{subject}_T1w.nii.gz"
    image.parent.mkdir(parents=True)
    volume = nib.load(good)
    data = np.asarray(volume.dataobj, dtype=np.float32)
    spoilt = {
        "good": lambda: data,
        "flat": lambda: data[:, :, data.shape[2] // 2],
        "zero": lambda: np.zeros_like(data),
        "nan": lambda: np.where(data > np.median(data[data > 0]), np.nan, data),
    }
    if make == "truncated":
        image.write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    else:
        nib.save(nib.Nifti1Image(spoilt[make]().astype(np.float32), volume.affine), image)
    return image


def test_a_second_ingest_reads_no_voxel_and_one_new_file_is_one_read(
    bids_root: Path, tmp_path: Path, home: Path
) -> None:
    root = Path(shutil.copytree(bids_root, tmp_path / "raw"))
    first = run(root, home)
    assert first.read == first.stored > 0

    before = warehouse.open(home).snapshots()
    second = run(root, home)
    assert (second.read, second.described, second.labels, second.unchanged) == (0, 0, 0, first.read)
    assert warehouse.open(home).snapshots() == before, "nothing was written, so there is no new snapshot"

    add_subject(root, "new", "good")
    third = run(root, home)
    assert (third.read, third.unchanged) == (1, first.read)


def test_wrong_files_are_refused_one_by_one_with_a_reason_and_a_sentence(
    bids_root: Path, tmp_path: Path, home: Path
) -> None:
    root = Path(shutil.copytree(bids_root, tmp_path / "raw"))
    reasons = {"truncated": "truncated", "flat": "not_3d", "zero": "empty", "nan": "not_finite"}
    for make in reasons:
        add_subject(root, make, make)
    summary = run(root, home)
    rows = warehouse.open(home).query("select subject, reason, message from refusals").to_pylist()
    assert {row["subject"]: row["reason"] for row in rows} == reasons
    assert all("_T1w.nii.gz" in row["message"] and row["message"].endswith(".") for row in rows)
    assert summary.refused == dict.fromkeys(reasons.values(), 1)
    assert summary.stored == summary.read - len(reasons), "everything else was done"


def test_a_file_named_in_a_manifest_and_missing_is_refused(bids_root: Path, tmp_path: Path, home: Path) -> None:
    good = sorted(bids_root.glob("sub-*/**/*_T1w.nii.gz"))[0]
    manifest = tmp_path / "clinic.csv"
    manifest.write_text(f"subject,image,age\n1,{good},40\n2,nowhere.nii.gz,50\n")
    summary = ingest("manifest", str(manifest), None, RECIPE, str(home), 1)
    assert (summary.dataset, summary.stored, dict(summary.refused)) == ("clinic", 1, {"missing_file": 1})


def test_a_stored_scan_whose_file_turns_corrupt_keeps_its_slices_and_says_so(
    bids_root: Path, tmp_path: Path, home: Path
) -> None:
    root = Path(shutil.copytree(bids_root, tmp_path / "raw"))
    run(root, home)
    image = sorted(root.glob("sub-*/**/*_T1w.nii.gz"))[0]
    image.write_bytes(gzip.compress(b"not a scan"))
    assert run(root, home).stored == 0
    told = "select status, reason, message, store_path from scans where reason is not null"
    (row,) = warehouse.open(home).query(told).to_pylist()
    assert row["status"] == "stored"
    assert "kept" in row["message"]
    assert (home / row["store_path"]).is_dir()


def test_a_wrong_root_is_one_sentence_and_stores_nothing(tmp_path: Path, home: Path) -> None:
    with pytest.raises(DatasetError, match="nowhere"):
        run(tmp_path / "nowhere", home)
    assert warehouse.open(home).query("select count(*) as n from scans").to_pylist() == [{"n": 0}]


def test_a_dry_run_foretells_the_ingest_and_stores_nothing(bids_root: Path, tmp_path: Path, home: Path) -> None:
    root = Path(shutil.copytree(bids_root, tmp_path / "raw"))
    add_subject(root, "flat", "flat")
    forecast = dry_run(home, "bids", root, "tiny", RECIPE)
    assert forecast.refused == {"not_3d": 1}
    assert forecast.bytes_to_store
    assert forecast.seconds
    assert not home.exists()
    summary = run(root, home)
    assert (summary.stored, dict(summary.refused)) == (forecast.to_read, forecast.refused)


def test_two_workers_give_the_same_home_as_one(bids_root: Path, tmp_path: Path) -> None:
    for workers in (1, 2):
        run(bids_root, tmp_path / str(workers), workers)
    assert facts(tmp_path / "1") == facts(tmp_path / "2")
    assert files(tmp_path / "1") == files(tmp_path / "2")


def test_killed_in_the_middle_and_run_again_it_gives_the_same_home(bids_root: Path, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run(bids_root, whole)
    code = (
        f"from flows.ingest import ingest; ingest('bids', {str(bids_root)!r}, 'tiny', {RECIPE!r}, {str(broken)!r}, 1)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 120
    while len(list(broken.glob("slices/*/*/*.zarr"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)  # with the Prefect server that it started
    process.wait()
    assert len(facts(broken)) < len(facts(whole)), "the kill came before the end"
    run(bids_root, broken)
    assert facts(broken) == facts(whole)
    assert files(broken) == files(whole)


def test_datasets_toml_lets_everything_run_without_arguments(bids_root: Path, home: Path) -> None:
    first = run(bids_root, home)
    (again,) = ingest_all(str(home), 1)
    assert (again.dataset, again.read, again.unchanged) == ("tiny", 0, first.read)


def test_another_way_to_find_the_brain_makes_other_slices(bids_root: Path, tmp_path: Path, home: Path) -> None:
    good = sorted(bids_root.glob("sub-*/**/*_T1w.nii.gz"))[0]
    manifest, mask = tmp_path / "clinic.csv", tmp_path / "mask.nii.gz"
    manifest.write_text(f"subject,image\n1,{good}\n")
    ingest("manifest", str(manifest), None, RECIPE, str(home), 1)
    volume = nib.load(good)
    nib.save(nib.Nifti1Image((np.asarray(volume.dataobj) > 0).astype(np.uint8), volume.affine), mask)
    manifest.write_text(f"subject,image,mask\n1,{good},{mask}\n")
    ingest("manifest", str(manifest), None, RECIPE, str(home), 1)
    (row,) = warehouse.open(home).query("select mask_method, store_path, n_slices from scans").to_pylist()
    assert row["mask_method"] == "provided"
    assert slices.open_scan(home / row["store_path"]).n_slices == row["n_slices"]
    assert len(list((home / "slices").glob("*/*/*.zarr"))) == 2, "what was stored before is not overwritten"


def test_a_verb_with_the_wrong_recipe_names_the_right_one(bids_root: Path, home: Path) -> None:
    run(bids_root, home)
    with pytest.raises(ConfigError, match="--recipe isotropic_2mm"):
        embed(["random"], "isotropic", str(home))


def test_another_dataset_cannot_take_a_name_that_is_in_use(bids_root: Path, tmp_path: Path, home: Path) -> None:
    run(bids_root, home)
    other = Path(shutil.copytree(bids_root, tmp_path / "other"))
    with pytest.raises(ConfigError, match=r"tiny is the dataset at .* another --name"):
        run(other, home)


def test_what_was_stored_can_be_read_back(bids_root: Path, home: Path) -> None:
    run(bids_root, home)
    row = (
        warehouse.open(home)
        .query("select * from scans where status = 'stored' order by scan_id limit 1")
        .to_pylist()[0]
    )
    scan = slices.open_scan(home / row["store_path"])
    assert scan.shape == (row["n_slices"], 112, 96)
    assert scan.image().any()
    with pytest.raises(StoreError):
        slices.open_scan(home / "slices" / "nothing.zarr")
