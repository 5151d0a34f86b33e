import os
import re
from pathlib import Path

from braindino.datasets.search import look_under
from tests.datasets.helpers import write

CASE = re.compile(r"case\d")


def test_found_folders_come_nearest_first_and_copies_are_noted(tmp_path):
    root = write(tmp_path, {"a/b/case1/x.nii": b"x", "case1/x.nii": b"x", "z/case2/x.nii": b"x"})
    found = look_under(root, CASE)
    assert found.folders == (root / "case1", root / "z/case2", root / "a/b/case1")
    assert found.copies() == ["In more than one folder, and taken from the first: case1."]
    assert found.notes() == []


def test_folders_that_may_not_be_read_are_left_out_and_noted(tmp_path, monkeypatch):
    root = write(tmp_path, {"case1/x.nii": b"x", "case2/x.nii": b"x", "other/case3/x.nii": b"x"})
    allowed = os.access
    hidden = ("case2", "other")
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name not in hidden and allowed(path, mode))
    found = look_under(root, CASE)
    assert found.folders == (root / "case1",)
    (note,) = found.notes()
    assert note.startswith("2 folder(s) may not be read and were skipped")
    assert "may not be read" in found.packed()


def test_links_that_lead_to_themselves_are_no_folders(tmp_path):
    root = write(tmp_path, {"case1/x.nii": b"x"})
    for name in ("case2", "loop", "case1/loop"):
        (root / name).symlink_to(Path(name).name)
    assert look_under(root, CASE).folders == (root / "case1",)


def test_unfinished_downloads_inside_are_noted(tmp_path):
    files = ("case1/x.nii.part", "case2/T1w/y.nii.gz.partial", "case2/T1w/z.nii.gz")
    found = look_under(write(tmp_path, dict.fromkeys(files, b"x")), CASE)
    assert found.notes() == ["1 unfinished downloads: x.nii.part."]
    assert found.notes("T1w") == ["1 unfinished downloads: y.nii.gz.partial."]


def test_archives_that_wait_and_those_that_are_not_all_here_are_told(tmp_path):
    root = write(tmp_path, {"a.zip": b"x", "b.tar.gz.part": b"x", "c.txt.part": b"x", "case1/x.nii": b"x"})
    found = look_under(root, CASE)
    assert found.packed() == " (not unpacked yet: a.zip, b.tar.gz.part)"
    assert found.notes() == ["1 unfinished downloads: b.tar.gz.part."]
