import pytest

from braindino.datasets import get_adapter
from tests.datasets.helpers import ANNEX_POINTER, bids, problems, values

ID1000 = get_adapter("aomic_id1000")
HEADER = "participant_id\tage\tsex\tBMI\thandedness\teducation_level\tbackground_SES\tNEO_N\n"
ROWS = "sub-0001\t22.25\tfemale\t23\tright\tmedium\t3.5\t33\nsub-0331\tn/a\tmale\t20\tleft\tlow\tn/a\t40\n"


def tree(root, table=HEADER + ROWS, image=b"x"):
    runs = {f"sub-0001/anat/sub-0001_run-{run}_T1w.nii.gz": image for run in (1, 2, 3)}
    fmriprep = "derivatives/fmriprep/sub-0331/anat/sub-0331_desc-brain_mask.nii.gz"
    return bids(
        root,
        {
            "participants.tsv": table,
            "T1w.json": {"Manufacturer": "Philips", "RepetitionTime": 0.081},
            "sub-0331/anat/sub-0331_run-1_T1w.nii.gz": image,
            fmriprep: b"x",
            **runs,
        },
    )


def test_three_runs_are_repeats_of_one_scan_not_sessions(tmp_path):
    found = ID1000.discover(tree(tmp_path), "mine")
    assert [(scan.subject, scan.session, scan.run) for scan in found.scans] == [
        ("0001", None, "1"), ("0001", None, "2"), ("0001", None, "3"), ("0331", None, "1"),
    ]  # fmt: skip
    assert {scan.source_key for scan in found.scans if scan.subject == "0331"} == {"sub-0331/anat/sub-0331_run-1_T1w"}


def test_facts_of_the_shared_sidecar_come_before_those_of_the_documentation(tmp_path):
    scan = ID1000.discover(tree(tmp_path), "mine").scans[0]
    assert (scan.acquisition.vendor, scan.acquisition.model, scan.acquisition.field_strength) == (
        "Philips", "Intera", 3.0,
    )  # fmt: skip
    assert dict(scan.acquisition.sources)["vendor"] == "sidecar"
    assert dict(scan.acquisition.sources)["model"] == "documentation"


def test_masks_of_fmriprep_lie_on_another_grid_and_are_not_used(tmp_path):
    assert all(scan.brain_mask is None for scan in ID1000.discover(tree(tmp_path), "mine").scans)


def test_labels(tmp_path):
    found = ID1000.discover(tree(tmp_path), "mine")
    assert values(found, "age") == {"0001": 22.25}, "a missing age gives no label"
    assert values(found, "sex") == {"0001": "female", "0331": "male"}
    assert values(found, "handedness") == {"0001": "right", "0331": "left"}
    assert {label.unit for label in found.labels if label.label == "age"} == {"years"}


def test_what_is_missing_is_named_with_its_download(tmp_path):
    assert "no sub-* folder" in problems(ID1000, tmp_path)
    renamed = tree(tmp_path / "renamed", HEADER.replace("\tsex", "\tgeslacht") + ROWS)
    assert "no column 'sex'" in problems(ID1000, renamed)
    assert "ds003097.git" in problems(ID1000, renamed)
    assert "is empty" in problems(ID1000, tree(tmp_path / "empty", ""))


@pytest.mark.parametrize("image", [ANNEX_POINTER])
def test_a_clone_without_images(tmp_path, image):
    found = ID1000.discover(tree(tmp_path, image=image), "mine")
    assert not any(scan.image_present for scan in found.scans)
    assert any(note.startswith("4 scan(s) are links without content") for note in found.notes)
