import pytest

from braindino.datasets import get_adapter
from tests.datasets.helpers import ANNEX_POINTER, bids, problems, values

LONG579 = get_adapter("long579")
HEADER = (
    "participant_id\tbirthdate\tsex\thandedness_ses-5\thandedness_ses-7\thandedness_ses-9\tses-5_date_ST\t"
    "ses-7_date_ST\tses-9_date_ST\r\n"
)
ROWS = (
    "sub-5002\t1809-08-09\tFemale\t5\tn/a\tn/a\t1815-05-06\tn/a\tn/a\r\n"
    "sub-5085\t1808-01-01\tMale\t5\t4\tn/a\tn/a\t1815-05-06\tn/a\r\n"
)
ANAT = "sub-5002/ses-5/anat/sub-5002_ses-5_acq"
SIDECAR = {"Manufacturer": "Siemens", "ManufacturersModelName": "Skyra", "MagneticFieldStrength": 3}


def tree(root, table=HEADER + ROWS, image=b"x"):
    return bids(
        root,
        {
            "participants.tsv": table,
            f"{ANAT}-D1S7_T1w.nii.gz": image,
            f"{ANAT}-D1S7_T1w.json": {**SIDECAR, "ShiftedAquisitionDate": "1815-03-06 00:00:00"},
            f"{ANAT}-D2S2_T1w.nii.gz": image,
            f"{ANAT}-D2S2_T1w.json": {**SIDECAR, "ShiftedAquisitionDate": "1815-03-20 00:00:00"},
            # One of the four sidecars that were written by hand.
            "sub-5085/ses-7/anat/sub-5085_ses-7_acq-D1S2_T1w.nii.gz": image,
            "sub-5085/ses-7/anat/sub-5085_ses-7_acq-D1S2_T1w.json": {"RepetitionTime": 1.9},
        },
    )


def test_the_acquisition_tells_repeats_apart_and_the_sidecar_the_shifted_date(tmp_path):
    found = LONG579.discover(tree(tmp_path), "mine")
    first, second, handmade = found.scans
    assert (first.subject, first.session, first.run, first.contrast) == ("5002", "5", "D1S7", "T1w")
    assert second.run == "D2S2"
    assert first.when is not None
    assert (first.when.value, first.when.kind, first.when.precision) == ("1815-03-06", "shifted_date", "day")
    assert handmade.when is None
    assert (handmade.acquisition.model, handmade.acquisition.field_strength) == ("Skyra", 3.0)


def test_age_is_that_at_the_earliest_scan_of_the_session(tmp_path):
    found = LONG579.discover(tree(tmp_path), "mine")
    (age,) = (label for label in found.labels if label.label == "age")
    assert (age.subject, age.session, age.unit) == ("5002", "5", "years")
    assert age.number == pytest.approx(2035 / 365.25)  # 1809-08-09 to 1815-03-06
    assert any("can be computed for 1 session(s): 5085 ses-7" in note for note in found.notes)
    assert any("no ShiftedAquisitionDate" in note for note in found.notes)


def test_sex_is_the_only_label_of_the_table_and_no_date_of_birth_is_one(tmp_path):
    found = LONG579.discover(tree(tmp_path), "mine")
    assert values(found, "sex") == {"5002": "female", "5085": "male"}
    assert {label.label for label in found.labels} == {"age", "sex"}
    assert "1809" not in repr(found.labels)


def test_a_birth_after_the_scan_gives_no_age(tmp_path):
    found = LONG579.discover(tree(tmp_path, HEADER + ROWS.replace("1809-08-09", "1819-08-09")), "mine")
    assert values(found, "age") == {}


def test_what_is_missing_is_named_with_its_download(tmp_path):
    text = problems(LONG579, tmp_path)
    assert "no sub-* folder" in text
    assert "participants.tsv is missing" in text
    text = problems(LONG579, tree(tmp_path / "renamed", HEADER.replace("birthdate", "dob") + ROWS))
    assert "no column 'birthdate'" in text
    assert "ds003604.git" in text
    assert "is empty" in problems(LONG579, tree(tmp_path / "empty", ""))


def test_a_clone_without_images_still_tells_ages(tmp_path):
    found = LONG579.discover(tree(tmp_path, image=ANNEX_POINTER), "mine")
    assert not any(scan.image_present for scan in found.scans)
    assert list(values(found, "age")) == ["5002"]


def test_a_date_that_makes_nobody_an_age_gives_none_and_is_noted(tmp_path):
    found = LONG579.discover(tree(tmp_path, HEADER + ROWS.replace("1809-08-09", "1609-08-09")), "mine")
    assert values(found, "age") == {}
    assert any("No age of 0 to 130 years" in note and "5002 ses-5" in note for note in found.notes)


def test_two_births_of_one_child_are_none(tmp_path):
    again = "sub-5002\t1808-08-09\tFemale\t5\tn/a\tn/a\t1815-05-06\tn/a\tn/a\r\n"
    found = LONG579.discover(tree(tmp_path, HEADER + ROWS + again), "mine")
    assert values(found, "age") == {}
    assert any("date of birth is stated with different values" in note and "5002" in note for note in found.notes)
    assert "1808" not in repr(found.notes), "no note tells a date of birth"
