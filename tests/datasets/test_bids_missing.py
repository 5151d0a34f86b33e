"""What a BIDS tree tells of images that are not there."""

from pathlib import Path

import pytest

from braindino.datasets import get_adapter
from braindino.datasets.bids_missing import earlier_runs, one_t1w
from braindino.datasets.bids_tree import TreeRules, read_tree
from tests.datasets.helpers import ANNEX_POINTER, bids

ANAT = "sub-01/anat/sub-01"
T1 = f"{ANAT}_T1w.nii.gz"


def missing(root: Path, rules: TreeRules | None = None) -> list[str]:
    scans = read_tree(root, "mine", rules or TreeRules()).scans
    return [scan.image.name for scan in scans if scan.download is not None]


def test_a_sidecar_without_its_image_names_it(tmp_path):
    root = bids(tmp_path, {T1: b"x", f"{ANAT}_T1w.json": {}, f"{ANAT}_FLAIR.json": {"Manufacturer": "GE"}})
    flair, t1 = sorted(read_tree(root, "mine", TreeRules(get="get it with a download")).scans, key=lambda s: s.image)
    assert (flair.source_key, flair.contrast, flair.image_present) == ("sub-01/anat/sub-01_FLAIR", "FLAIR", False)
    assert flair.absent_hint == "sub-01_FLAIR.nii.gz is not there: get it with a download."
    assert flair.acquisition.vendor == "GE", "the sidecar still tells how it was acquired"
    assert t1.image_present


def test_a_sidecar_may_be_of_several_runs(tmp_path):
    root = bids(tmp_path, {f"{ANAT}_run-1_T1w.nii.gz": b"x", f"{ANAT}_T1w.json": {}})
    assert missing(root) == []
    (root / f"{ANAT}_run-1_T1w.nii.gz").unlink()
    assert missing(root) == ["sub-01_T1w.nii.gz"]


@pytest.mark.parametrize(
    "sidecar",
    [
        f"{ANAT}_mod-T1w_defacemask.json",
        f"{ANAT}_inv-1_MP2RAGE.json",
        f"{ANAT}_part-phase_T1w.json",
        f"{ANAT}_T1map.json",
        f"{ANAT}_label-lesion_mask.json",
        "sub-01/sub-01_FLAIR.json",
        "sub-01/anat/FLAIR.json",
        "FLAIR.json",
        "sub-01/func/sub-01_T2w.json",
        "derivatives/x/sub-01/anat/sub-01_desc-preproc_T2w.json",
    ],
)
def test_sidecars_of_other_things_and_those_above_a_folder_miss_nothing(tmp_path, sidecar):
    root = bids(tmp_path, {T1: b"x", sidecar: {}})
    assert missing(root) == []
    found = get_adapter("bids").discover(root, "mine")
    assert [scan.download for scan in found.scans] == [None]
    assert found.gaps == ()


def test_a_sidecar_of_a_contrast_that_is_not_wanted_misses_nothing(tmp_path):
    root = bids(tmp_path, {T1: b"x", f"{ANAT}_FLAIR.json": {}})
    assert missing(root, TreeRules(contrasts=frozenset({"T1w"}))) == []


def test_images_that_wait_to_be_fetched_are_not_missing(tmp_path):
    root = bids(tmp_path, {T1: ANNEX_POINTER, f"{ANAT}_T1w.json": {}, f"{ANAT}_FLAIR.json": {}})
    (root / f"{ANAT}_FLAIR.nii.gz").symlink_to(ANNEX_POINTER)
    scans = read_tree(root, "mine", TreeRules()).scans
    assert [(scan.image_present, scan.download) for scan in scans] == [(False, None)] * 2
    assert all("datalad get" in str(scan.absent_hint) for scan in scans)


def test_a_download_that_stopped_half_way_is_of_an_image_that_is_missing(tmp_path):
    root = bids(tmp_path, {f"{T1}.part": b"x", f"{ANAT}_FLAIR.nii.gz": b"x", f"{ANAT}_T2w.nii.gz.6eF4A2b1": b"x"})
    assert missing(root) == ["sub-01_T1w.nii.gz", "sub-01_T2w.nii.gz"]


@pytest.mark.parametrize("empty", ["sub-02", "sub-02/ses-1", "sub-02/anat", "sub-02/ses-1/anat"])
def test_an_empty_folder_tells_that_it_lacks_something_and_not_what(tmp_path, empty):
    root = bids(tmp_path, {T1: b"x", "participants.tsv": "participant_id\tage\n01\t30\n"})
    (root / empty).mkdir(parents=True)
    found = get_adapter("bids").discover(root, "mine")
    assert [gap.folder.relative_to(root).as_posix() for gap in found.gaps] == [empty]
    assert [scan.download for scan in found.scans] == [None]


def test_a_person_without_anatomical_scans_lacks_nothing(tmp_path):
    root = bids(tmp_path, {T1: b"x", "sub-02/func/sub-02_task-rest_bold.nii.gz": b"x", "sub-03/anat/notes.txt": b"x"})
    tree = read_tree(root, "mine", TreeRules())
    assert (len(tree.scans), tree.gaps) == (1, ())


def test_where_everybody_has_one_an_empty_folder_lacks_its_t1w(tmp_path):
    root = bids(tmp_path, {T1: b"x"})
    (root / "sub-02/anat").mkdir(parents=True)
    (root / "sub-03").mkdir()
    tree = read_tree(root, "mine", TreeRules(due=one_t1w))
    keys = ["sub-02/anat/sub-02_T1w", "sub-03/anat/sub-03_T1w"]
    assert [scan.source_key for scan in tree.scans if scan.download] == keys
    assert tree.gaps == ()


def test_where_runs_are_numbered_from_one_the_earlier_ones_are_missing(tmp_path):
    root = bids(tmp_path, {f"{ANAT}_run-03_T1w.nii.gz": b"x", f"{ANAT}_run-01_T1w.nii.gz": b"x"})
    assert missing(root) == []
    assert missing(root, TreeRules(due=earlier_runs)) == ["sub-01_run-02_T1w.nii.gz"]


def test_a_run_that_is_a_date_is_no_count(tmp_path):
    root = bids(tmp_path, {f"{ANAT}_run-20060101_T1w.nii.gz": b"x", f"{ANAT}_run-b_FLAIR.nii.gz": b"x"})
    assert missing(root, TreeRules(due=earlier_runs)) == []
