"""The one error on a half-downloaded copy, and what it does not call one."""

from pathlib import Path

import pytest

from braindino.datasets import Discovery, Scan, partial_notes, require_whole
from braindino.datasets.base import Gap
from braindino.datasets.bids_files import finished_name, is_there
from braindino.datasets.half_copies import as_found, problems
from braindino.datasets.required import Missing, require_folder
from braindino.errors import DatasetError
from tests.datasets.helpers import write

T1, T2 = "unpack T1.tar from https://x.org", "unpack T2.tar from https://x.org"


def scan(root: Path, name: str) -> Scan:
    return Scan("mine", name, "1", root / name)


def test_an_image_that_is_there_needs_nothing(tmp_path: Path) -> None:
    there = scan(tmp_path, "a.nii")
    assert as_found(there, True, T1) is there


def test_a_link_without_content_waits_to_be_fetched_and_a_missing_image_makes_half_a_copy(tmp_path: Path) -> None:
    (tmp_path / "link.nii").symlink_to("gone.nii")
    link = as_found(scan(tmp_path, "link.nii"), False, T1, fetch="Run `datalad get link.nii`.")
    assert (link.image_present, link.absent_hint, link.download) == (False, "Run `datalad get link.nii`.", None)
    other = as_found(scan(tmp_path, "link.nii"), False, T1)
    assert (other.absent_hint, other.download) == (f"The link link.nii leads nowhere: {T1}.", None)
    missing = as_found(scan(tmp_path, "gone.nii"), False, T1, fetch="Run `datalad get gone.nii`.")
    assert (missing.image_present, missing.absent_hint) == (False, f"gone.nii is not there: {T1}.")
    assert missing.download == T1


def test_the_error_names_every_image_beside_the_download_that_brings_it(tmp_path: Path) -> None:
    names = {"T1/a.nii": T1, "T2/a.nii": T2, "T1/b.nii": T1}
    scans = [as_found(scan(tmp_path, name), False, download) for name, download in names.items()]
    found = Discovery((*scans, scan(tmp_path, "T1/c.nii")), (), gaps=(Gap(tmp_path / "T1/d", T1),))
    with pytest.raises(DatasetError) as caught:
        require_whole(found, tmp_path, "mine")
    assert caught.value.dataset == "mine"
    first, second, empty, go_on = caught.value.problems
    assert first == f"2 of 4 images are missing, it is half a copy: {T1}. Missing: T1/a.nii, T1/b.nii."
    assert second == f"1 of 4 images are missing, it is half a copy: {T2}. Missing: T2/a.nii."
    assert empty == f"1 folder(s) hold none of their images, it is half a copy: {T1}. Empty: T1/d."
    assert "--partial" in go_on
    assert partial_notes(found, tmp_path) == [
        "3 of 4 images are missing and were left out (--partial).",
        "1 folder(s) hold none of their images and were left out (--partial): T1/d.",
    ]


def test_a_whole_copy_and_a_clone_before_its_images_are_fetched_are_no_error(tmp_path: Path) -> None:
    (tmp_path / "link.nii").symlink_to("gone.nii")
    scans = (scan(tmp_path, "a.nii"), as_found(scan(tmp_path, "link.nii"), False, T1))
    require_whole(Discovery(scans, ()), tmp_path, "mine")
    assert partial_notes(Discovery(scans, ()), tmp_path) == []


def test_very_many_images_are_counted_and_the_mart_is_named(tmp_path: Path) -> None:
    scans = [as_found(scan(tmp_path, f"{number:04d}.nii"), False, T1) for number in range(350)]
    (said,) = problems(scans, (), tmp_path)
    assert "0099.nii and 250 more; after --partial, the mart `scans` lists all." in said
    assert "0100.nii" not in said


def test_missing_images_are_said_beside_what_else_is_missing_and_are_no_error_alone(tmp_path: Path) -> None:
    missing = Missing()
    missing.images([as_found(scan(tmp_path, "a.nii"), False, T1)], (), tmp_path)
    missing.raise_if_any("mine")
    missing.say("There is no table.")
    table, image = missing.error("mine").problems
    assert table == "There is no table."
    assert "Missing: a.nii." in image


@pytest.mark.parametrize(
    ("half", "whole"),
    [
        ("x.nii.gz.part", "x.nii.gz"),
        ("x.nii.crdownload", "x.nii"),
        ("a.zip.aria2", "a.zip"),
        ("x.nii.gz.6eF4A2b1", "x.nii.gz"),
        ("x.nii.gz.6eF4A2b1.txt", None),
        ("x.nii.gz", None),
        ("x.part.nii", None),
    ],
)
def test_names_of_downloads_that_stopped_half_way(half: str, whole: str | None) -> None:
    assert finished_name(half) == whole


def test_what_is_there_and_what_is_not(tmp_path: Path) -> None:
    files = {"a.nii": b"x", "b.nii": b"", "b.nii.part": b"x", "c.nii": b"x", "c.nii.aria2": b"x", "d.nii.part": b"x",
             "old.nii": b"x", "old.nii.part": b"x", "full/x.dcm": b"x"}  # fmt: skip
    root = write(tmp_path, files)
    (root / "empty").mkdir()
    (root / "link").symlink_to("nowhere")
    there = [name for name in ("a.nii", "b.nii", "c.nii", "d.nii", "old.nii", "full", "empty", "link", "none")
             if is_there(root / name)]  # fmt: skip
    assert there == ["a.nii", "old.nii", "full", "link"], "a browser writes beside an empty file, aria2 into the file"


def test_a_folder_that_does_not_exist_is_no_missing_download(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"nowhere does not exist: check the path\.$"):
        require_folder(tmp_path / "nowhere", "mine")
    with pytest.raises(DatasetError, match="is not a folder"):
        require_folder(write(tmp_path, {"file": b"x"}) / "file", "mine")
