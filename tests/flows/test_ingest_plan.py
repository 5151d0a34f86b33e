"""What an ingest decides to do, before it reads anything."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from braindino.datasets import Acquisition, Scan
from braindino.errors import DatasetError
from flows.ingest_plan import Plan, Work, plan


@pytest.fixture
def scan(tmp_path: Path) -> Scan:
    image = tmp_path / "sub-01_T1w.nii.gz"
    image.write_bytes(b"some voxels")
    return Scan("d", "sub-01_T1w", "01", image, contrast="T1w")


def decide(tmp_path: Path, scan: Scan, known: dict[str, Any] | None = None) -> Plan:
    return plan([scan], tmp_path, known or {}, "d")


def as_known(work: Work, status: str = "stored") -> dict[str, Any]:
    row = {
        "source_fingerprint": work.source_fingerprint,
        "description_hash": work.description_hash,
        "status": status,
    }
    return {work.scan_id: row}


def test_a_new_scan_is_read(tmp_path: Path, scan: Scan) -> None:
    todo = decide(tmp_path, scan)
    assert [work.source_path for work in todo.read] == ["sub-01_T1w.nii.gz"]
    assert todo.bytes_to_read == len(b"some voxels")


@pytest.mark.parametrize("status", ["stored", "refused"])
def test_an_unchanged_scan_is_left_alone_whatever_became_of_it(tmp_path: Path, scan: Scan, status: str) -> None:
    known = as_known(decide(tmp_path, scan).read[0], status)
    todo = decide(tmp_path, scan, known)
    assert (todo.read, todo.describe, todo.unchanged) == ((), (), 1)


def test_a_touched_file_is_read_again(tmp_path: Path, scan: Scan) -> None:
    known = as_known(decide(tmp_path, scan).read[0])
    os.utime(scan.image, (1, 1))
    assert len(decide(tmp_path, scan, known).read) == 1


def test_another_orientation_of_the_stored_voxels_makes_the_scan_new(tmp_path: Path, scan: Scan) -> None:
    known = as_known(decide(tmp_path, scan).read[0])
    assert len(decide(tmp_path, replace(scan, orientation="ASL"), known).read) == 1


def test_a_new_mask_makes_the_scan_new(tmp_path: Path, scan: Scan) -> None:
    known = as_known(decide(tmp_path, scan).read[0])
    mask = tmp_path / "mask.nii.gz"
    mask.write_bytes(b"mask")
    assert len(decide(tmp_path, replace(scan, brain_mask=mask), known).read) == 1


def test_another_description_needs_no_voxels(tmp_path: Path, scan: Scan) -> None:
    known = as_known(decide(tmp_path, scan).read[0])
    told = replace(scan, acquisition=Acquisition.of("table", vendor="Siemens"))
    todo = decide(tmp_path, told, known)
    assert (len(todo.read), len(todo.describe)) == (0, 1)


def test_moving_the_dataset_changes_nothing(tmp_path: Path, scan: Scan) -> None:
    known = as_known(decide(tmp_path, scan).read[0])
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    moved = elsewhere / scan.image.name
    scan.image.rename(moved)
    todo = plan([replace(scan, image=moved)], elsewhere, known, "d")
    assert todo.unchanged == 1


def test_a_scan_not_downloaded_is_absent_once(tmp_path: Path, scan: Scan) -> None:
    not_here = replace(scan, image_present=False, absent_hint="git annex get")
    todo = decide(tmp_path, not_here)
    assert len(todo.absent) == 1
    assert decide(tmp_path, not_here, as_known(todo.absent[0], "absent")).unchanged == 1


def test_a_stored_scan_survives_when_its_source_is_dropped(tmp_path: Path, scan: Scan) -> None:
    known = as_known(decide(tmp_path, scan).read[0], "stored")
    todo = decide(tmp_path, replace(scan, image_present=False), known)
    assert (todo.absent, todo.unchanged) == ((), 1)


def test_a_scan_that_arrives_after_it_was_absent_is_read(tmp_path: Path, scan: Scan) -> None:
    hidden = scan.image.rename(tmp_path / "hidden")
    known = as_known(decide(tmp_path, replace(scan, image_present=False)).absent[0], "absent")
    hidden.rename(scan.image)
    assert len(decide(tmp_path, scan, known).read) == 1


def test_two_scans_of_one_key_are_an_error_that_names_both(tmp_path: Path, scan: Scan) -> None:
    other = tmp_path / "other.nii.gz"
    with pytest.raises(DatasetError, match=r"sub-01_T1w\.nii\.gz and .*other\.nii\.gz"):
        plan([scan, replace(scan, image=other)], tmp_path, {}, "d")


def test_analyze_pairs_watch_both_files(tmp_path: Path) -> None:
    header, voxels = tmp_path / "a.hdr", tmp_path / "a.img"
    header.write_bytes(b"header")
    voxels.write_bytes(b"voxels")
    scan = Scan("d", "a", "1", header)
    known = as_known(plan([scan], tmp_path, {}, "d").read[0])
    os.utime(voxels, (1, 1))
    assert len(plan([scan], tmp_path, known, "d").read) == 1


def test_a_folder_of_dicom_files_is_watched_file_by_file(tmp_path: Path) -> None:
    folder = tmp_path / "series"
    (folder / "deeper").mkdir(parents=True)
    for name in ("1.dcm", "2.dcm", "deeper/3.dcm"):
        (folder / name).write_bytes(b"slice")
    scan = Scan("d", "series", "1", folder)
    first = plan([scan], tmp_path, {}, "d")
    assert first.bytes_to_read == 15
    known = as_known(first.read[0])
    assert plan([scan], tmp_path, known, "d").unchanged == 1
    os.utime(folder / "deeper" / "3.dcm", (1, 1))
    assert len(plan([scan], tmp_path, known, "d").read) == 1, "a slice deep inside was replaced"
    known = as_known(plan([scan], tmp_path, {}, "d").read[0])
    (folder / "4.dcm").write_bytes(b"slice")
    assert len(plan([scan], tmp_path, known, "d").read) == 1, "a slice arrived"


def test_voxels_beside_a_text_header_are_watched(tmp_path: Path) -> None:
    header, voxels = tmp_path / "a.nhdr", tmp_path / "a.raw"
    header.write_text("NRRD0004\ntype: short\ndata file: a.raw\n\n")
    voxels.write_bytes(b"voxels")
    scan = Scan("d", "a", "1", header)
    known = as_known(plan([scan], tmp_path, {}, "d").read[0])
    os.utime(voxels, (1, 1))
    assert len(plan([scan], tmp_path, known, "d").read) == 1
