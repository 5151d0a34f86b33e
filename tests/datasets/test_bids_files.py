import os
from pathlib import Path

import pytest

from braindino.datasets import get_adapter
from braindino.datasets.bids_files import content_present, entries, is_folder
from braindino.datasets.bids_tree import TreeRules, bids_roots, join_trees, read_tree
from tests.datasets.helpers import ANNEX_POINTER, bids, problems, write

FIRST = "sub-01/anat/sub-01_T1w.nii.gz"
SECOND = "sub-02/ses-a/anat/sub-02_ses-a_T1w.nii.gz"


def closed(monkeypatch, *names):
    """Makes folders of these names unreadable, for the superuser, too."""
    allowed, scan = os.access, os.scandir

    def scandir(path):
        if Path(path).name in names:
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name not in names and allowed(path, mode))
    monkeypatch.setattr(os, "scandir", scandir)


@pytest.mark.parametrize("folder", ["sub-02", "ses-a", "anat"])
def test_a_folder_that_may_not_be_read_is_skipped_and_named(tmp_path, monkeypatch, folder):
    root = bids(tmp_path, {"sub-01/sub-01_sessions.tsv": "session_id\n", SECOND: b"x"})
    closed(monkeypatch, folder)
    tree = read_tree(root, "mine", TreeRules())
    assert tree.scans == ()
    assert tree.subjects == ("01", "02")
    (note,) = tree.notes
    assert note.startswith("1 folder(s) may not be read and were skipped")
    assert folder in note


@pytest.mark.parametrize("adapter", ["bids", "pixar", "nki_rockland", "abide1", "adhd200", "atlas", "ucsf_pdgm"])
def test_a_root_that_may_not_be_read_is_an_error_that_names_it(tmp_path, monkeypatch, adapter):
    root = bids(tmp_path / "private", {FIRST: b"x"})
    closed(monkeypatch, "private")
    text = problems(get_adapter(adapter), root)
    assert "may not be read" in text
    assert str(root) in text


@pytest.mark.parametrize("loop", ["sub-loop", "loop", "sub-01/ses-loop", "sub-01/anat", "derivatives", "sub-01/x"])
@pytest.mark.parametrize("adapter", ["bids", "abide1", "adhd200", "atlas"])
def test_links_that_lead_to_themselves_are_no_folders(tmp_path, adapter, loop):
    root = bids(tmp_path, {"participants.tsv": "participant_id\tage\n02\t30\n", SECOND: b"x"})
    (root / loop).parent.mkdir(exist_ok=True)
    (root / loop).symlink_to(Path(loop).name)
    assert not any(is_folder(entry) for entry in entries((root / loop).parent) if entry.name == Path(loop).name)
    if adapter == "bids":
        assert [scan.subject for scan in get_adapter(adapter).discover(root, "mine").scans] == ["02"]
    else:
        problems(get_adapter(adapter), root)


def test_a_small_file_that_may_not_be_read_is_there(tmp_path, monkeypatch):
    (entry,) = entries(write(tmp_path, {"x.nii.gz": ANNEX_POINTER}))
    assert not content_present(entry)

    def denied(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    assert content_present(entry)


def test_unfinished_downloads_are_noted_once(tmp_path):
    root = bids(tmp_path, {FIRST: b"x", f"{SECOND}.part": b"x", f"{FIRST}.crdownload": b"x"})
    names = "sub-01_T1w.nii.gz.crdownload, sub-02_ses-a_T1w.nii.gz.part"
    assert f"2 unfinished downloads: {names}." in read_tree(root, "mine", TreeRules()).notes


def test_of_a_copy_further_down_the_nearest_tree_counts(tmp_path):
    root = write(tmp_path, {f"A/copy/site/{FIRST}": b"x", f"site/{FIRST}": b"x"})
    trees = {folder: read_tree(folder, "mine", TreeRules()) for folder in bids_roots(root)}
    joined = join_trees(trees)
    assert [scan.image for scan in joined.scans] == [root / "site" / FIRST]
    assert any("Found in more than one folder" in note for note in joined.notes)
