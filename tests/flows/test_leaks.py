"""One scan under two names: found as a copy, made one person, and reported where pretraining saw a test subject."""

import shutil
from pathlib import Path

import nibabel as nib
import pytest
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, ornt_transform

import warehouse
from braindino import phantom
from flows.holdout import freeze_holdouts
from flows.ingest import ingest
from flows.leaks import leaks

RECIPE = "isotropic"


def reoriented(source: Path, target: Path, axes: str) -> None:
    """The same scan with its voxels stored along other axes, compressed anew."""
    image = nib.load(source)
    here = nib.orientations.io_orientation(image.affine)
    turn = ornt_transform(here, axcodes2ornt(axes))
    voxels = apply_orientation(image.dataobj, turn)
    nib.save(nib.Nifti1Image(voxels, image.affine @ inv_ornt_aff(turn, image.shape)), target)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four synthetic people at 2 mm in one dataset, and the T1w of one of them under another name in a second."""
    base = tmp_path_factory.mktemp("leaks")
    phantom.write_cohort("bids", base / "clinic", 4, seed=31, spacing_mm=2.0)
    (base / "clinic" / "participants.tsv").write_text(
        "participant_id\tsex\n" + "".join(f"sub-SYN00{i}\t{'MF'[i % 2]}\n" for i in range(1, 5))
    )
    where = base / "home"
    ingest("bids", str(base / "clinic"), "clinic", RECIPE, str(where), 1)
    folder = base / "archive" / "sub-77" / "anat"
    folder.mkdir(parents=True)
    shutil.copy(base / "clinic" / "dataset_description.json", base / "archive")
    shutil.copy(base / "clinic" / "SYNTHETIC", base / "archive")
    (t1w,) = (base / "clinic").glob("sub-SYN001/**/*_T1w.nii.gz")
    reoriented(t1w, folder / "sub-77_T1w.nii.gz", "PIR")
    ingest("bids", str(base / "archive"), "archive", RECIPE, str(where), 1)
    return where


def test_a_renamed_and_reoriented_copy_is_found_and_its_two_names_are_one_person(home: Path) -> None:
    report = leaks(str(home))
    copies = [row for row in report.rows if row["finding"] == "copy"]
    assert [{row["subject"], row["other_subject"]} for row in copies] == [{"77", "SYN001"}]
    people = warehouse.open(home).query("select distinct subject_uid from scans where subject in ('77', 'SYN001')")
    assert people.to_pylist() == [{"subject_uid": "archive/77"}]


def test_other_people_and_other_contrasts_are_no_copies(home: Path) -> None:
    leaks(str(home))
    graded = warehouse.open(home).query("select distinct contrast, other_contrast from scan_copies")
    assert graded.to_pylist() == [{"contrast": "T1w", "other_contrast": "T1w"}]


def test_what_was_compared_is_not_compared_again(home: Path) -> None:
    leaks(str(home))
    assert leaks(str(home)).compared == 0


def test_a_training_that_saw_a_test_subject_under_another_name_is_reported(home: Path) -> None:
    store = warehouse.open(home)
    freeze_holdouts(store, "job")
    store.append("holdouts", [{"task": "sex", "dataset": "clinic", "subject": "SYN001"}], "job")
    store.append("trainings", [{"training_id": "t", "status": "finished", "encoder_id": "e"}], "job")
    store.append("training_subjects", [{"training_id": "t", "dataset": "archive", "subject": "77"}], "job")
    found = [row for row in leaks(str(home)).rows if row["finding"] == "leak"]
    assert {(row["dataset"], row["subject"], row["other_dataset"], row["other_subject"]) for row in found} >= {
        ("clinic", "SYN001", "archive", "77")
    }
    assert any("another name of the same person" in row["detail"] for row in found)
