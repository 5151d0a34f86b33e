from dataclasses import replace

import pytest

from braindino.datasets import get_adapter
from tests.datasets.helpers import bids, problems, values, write

NKI = get_adapter("nki_rockland")
HEADER = "participant_id\tsession\tage\tsex\thandedness\n"
ROWS = "A00008326\tBAS1\t57\tM\tR\nA00008326\tBAS2\t59\tM\tR\nA00086238\tBAS1\t21.5\tF\tL\n"
FIRST = "sub-A00008326/ses-BAS1/anat/sub-A00008326_ses-BAS1_T1w"


def tree(root, table=HEADER + ROWS):
    return bids(
        root,
        {
            "participants.tsv": table,
            f"{FIRST}.nii.gz": b"x",
            f"{FIRST}.json": {"Manufacturer": "SIEMENS", "SliceThickness": 1},
            "sub-A00008326/ses-TRT/anat/sub-A00008326_ses-TRT_T1w.nii.gz": b"x",
            "sub-A00086238/ses-BAS1/anat/sub-A00086238_ses-BAS1_T2w.nii.gz": b"x",
            "sub-A00086238/ses-BAS1/anat/sub-A00086238_ses-BAS1_inplaneT2.nii.gz": b"x",
        },
    )


def test_scans_of_all_sessions(tmp_path):
    found = NKI.discover(tree(tmp_path), "mine")
    assert [(scan.subject, scan.session, scan.contrast) for scan in found.scans] == [
        ("A00008326", "BAS1", "T1w"),
        ("A00008326", "TRT", "T1w"),
        ("A00086238", "BAS1", "T2w"),
    ]
    assert any("inplaneT2 are not taken" in note for note in found.notes)
    facts = found.scans[0].acquisition
    assert (facts.vendor, facts.model, facts.field_strength, facts.slice_thickness) == ("Siemens", "TrioTim", 3.0, 1.0)


def test_an_age_belongs_to_the_session_of_its_row(tmp_path):
    found = NKI.discover(tree(tmp_path), "mine")
    ages = {(label.subject, label.session): label.number for label in found.labels if label.label == "age"}
    assert ages == {("A00008326", "BAS1"): 57, ("A00008326", "BAS2"): 59, ("A00086238", "BAS1"): 21.5}
    assert [(label.subject, label.session, label.value) for label in found.labels if label.label == "sex"] == [
        ("A00008326", None, "male"),
        ("A00086238", None, "female"),
    ]


def test_a_table_without_sessions_and_in_other_spellings(tmp_path):
    found = NKI.discover(tree(tmp_path, "Subject\tAge\tDominant Hand\tSex\nA00008326\t57\tR\tM\n"), "mine")
    assert values(found, "age") == {"A00008326": 57}
    assert values(found, "handedness") == {"A00008326": "right"}
    assert all(label.session is None for label in found.labels)


def test_spellings_can_be_given(tmp_path):
    root = tree(tmp_path, "id\tAGE_04\tsex\nA00008326\t57\tM\n")
    said = problems(NKI, root)
    assert "no columns 'participant_id' (nor 'Subject'" in said
    assert "RocklandSample/RawDataBIDSLatest RawDataBIDSLatest`" in said, "the command has a destination"
    found = replace(NKI, id_names=("id",), age_names=("AGE_04",)).discover(root, "mine")
    assert values(found, "age") == {"A00008326": 57}


def test_the_folder_above_will_do_and_the_pilot_sample_is_noted(tmp_path):
    tree(tmp_path / "RawDataBIDSLatest")
    assert len(NKI.discover(tmp_path, "mine").scans) == 3
    write(tmp_path, {"RawDataBIDSLatest/MR_1013090_500c/1/x/NIFTI/MPRAGE.nii.gz": b"x"})
    assert any("pilot sample" in note for note in NKI.discover(tmp_path, "mine").notes)


@pytest.mark.parametrize(
    ("table", "says"),
    [("", "is empty"), (HEADER, "no row"), (HEADER.replace("age", "years") + ROWS, "no column 'age'")],
)
def test_a_table_that_cannot_be_used(tmp_path, table, says):
    text = problems(NKI, tree(tmp_path, table))
    assert says in text
    assert "RocklandSample" in text


def test_a_wrong_root(tmp_path):
    text = problems(NKI, tmp_path)
    assert "no sub-* folder" in text
    assert "participants.tsv is missing" in text


def test_the_tree_of_another_dataset_is_refused(tmp_path):
    other = {"participants.tsv": HEADER + "0001\tBAS1\t30\tM\tR\n", "sub-0001/anat/sub-0001_T1w.nii.gz": b"x"}
    assert "no subject named like sub-A00008326" in problems(NKI, bids(tmp_path, other))
    assert len(replace(NKI, subject_form=r"\d{4}").discover(tmp_path, "mine").scans) == 1
