import shutil
from pathlib import Path

import pytest

from braindino.datasets import Discovery, get_adapter
from braindino.datasets.upenn_gbm import UpennGbmAdapter
from braindino.errors import DatasetError
from tests.datasets.helpers import values, write

UPENN = get_adapter("upenn_gbm")
FILES = "PKG - UPENN-GBM-NIfTI/UPENN-GBM/NIfTI-files"
CLINICAL, SCANNERS = "UPENN-GBM_clinical_info_v2.1.csv", "UPENN-GBM_acquisition.csv"
TOKENS = ("T1", "T1GD", "T2", "FLAIR")
HEADER = (
    "ID,Gender,Age_at_scan_years,Survival_from_surgery_days_UPDATED,Survival_Status,Survival_Censor,"
    "Time_since_baseline_preop,IDH1,MGMT,KPS,GTR_over90percent,PsP_TP_score\n"
)
ROW_1 = "UPENN-GBM-00001_11,M,61.5,500,Deceased,1,0,Wildtype,Methylated,90,Y,Not Applicable\n"
ROW_1_LATER = "UPENN-GBM-00001_21,M,62.25,310,Deceased,1,190,NOS/NEC,Not Available,Not Available,Not Applicable,3\n"
ROW_2 = "UPENN-GBM-00002_11,F,90.5,Not Available,Lost to Follow-up,0,0,NOS/NEC,Indeterminate,Not Available,N,\n"
SCANNER_HEADER = (
    "ID,Manufacturer,Model,Magnetic Field Strength,T1 Repetition Time,T1 Slice Thickness,T1GD Slice Thickness,"
    "T2 Slice Thickness,FLAIR Slice Thickness,DTI Slice Thickness\n"
)
SCANNER_ROW = "UPENN-GBM-00001_11,SIEMENS,TrioTim,3,1760,1,1,2,3,3\n"


def exam(name: str, tokens: tuple[str, ...] = TOKENS, inside: str = "") -> dict[str, bytes]:
    return {f"{FILES}/images_structural/{name}/{inside}{name}_{token}.nii.gz": b"x" for token in tokens}


def upenn(root: Path, exams: tuple[str, ...] = ("UPENN-GBM-00001_11",), **tables: str) -> Path:
    images: dict[str, bytes] = {path: content for name in exams for path, content in exam(name).items()}
    masks = {f"{FILES}/automated_segm/{name}_automated_approx_segm.nii.gz": b"x" for name in exams}
    clinical = tables.get("clinical", HEADER + ROW_1)
    scanners = tables.get("scanners", SCANNER_HEADER + SCANNER_ROW)
    return write(root, {CLINICAL: clinical, SCANNERS: scanners, **images, **masks})


def discover(root: Path) -> Discovery:
    return UPENN.discover(root, "mine")


def test_an_exam_is_four_stripped_scans_with_the_facts_of_their_sequence(tmp_path: Path) -> None:
    scans = discover(upenn(tmp_path)).scans
    assert [(scan.contrast, scan.image.name, scan.acquisition.slice_thickness) for scan in scans] == [
        ("T1w", "UPENN-GBM-00001_11_T1.nii.gz", 1),
        ("T1c", "UPENN-GBM-00001_11_T1GD.nii.gz", 1),
        ("T2w", "UPENN-GBM-00001_11_T2.nii.gz", 2),
        ("FLAIR", "UPENN-GBM-00001_11_FLAIR.nii.gz", 3),
    ]
    facts = scans[0].acquisition
    assert (facts.vendor, facts.model, facts.field_strength) == ("Siemens", "TrioTim", 3.0)
    assert dict(facts.sources)["slice_thickness"] == "table"
    assert (scans[0].subject, scans[0].session, scans[0].skull_stripped) == ("UPENN-GBM-00001", "11", True)


def test_the_mask_corrected_by_hand_is_preferred(tmp_path: Path) -> None:
    exams = ("UPENN-GBM-00001_11", "UPENN-GBM-00002_11")
    root = write(upenn(tmp_path, exams), {f"{FILES}/images_segm/UPENN-GBM-00002_11_segm.nii.gz": b"x"})
    masks = {scan.subject: scan.segmentation.name for scan in discover(root).scans if scan.segmentation}
    assert masks == {
        "UPENN-GBM-00001": "UPENN-GBM-00001_11_automated_approx_segm.nii.gz",
        "UPENN-GBM-00002": "UPENN-GBM-00002_11_segm.nii.gz",
    }


def test_other_versions_in_a_folder_old_are_left_alone(tmp_path: Path) -> None:
    root = write(upenn(tmp_path, ("UPENN-GBM-00260_11",)), exam("UPENN-GBM-00260_11", inside="old/"))
    assert len(discover(root).scans) == 4


def test_ages_belong_to_exams_and_the_rest_to_the_person_as_first_stated(tmp_path: Path) -> None:
    found = discover(upenn(tmp_path, clinical=HEADER + ROW_1_LATER + ROW_1 + ROW_2))
    ages = {(item.subject, item.session): item.number for item in found.labels if item.label == "age"}
    assert ages == {
        ("UPENN-GBM-00001", "11"): 61.5, ("UPENN-GBM-00001", "21"): 62.25, ("UPENN-GBM-00002", "11"): 90,
    }  # fmt: skip
    assert values(found, "survival_days") == {"UPENN-GBM-00001": 500}
    assert values(found, "survival_event") == {"UPENN-GBM-00001": 1, "UPENN-GBM-00002": 0}
    assert values(found, "idh") == {"UPENN-GBM-00001": "wildtype"}, "NOS/NEC is not known"
    assert values(found, "mgmt") == {"UPENN-GBM-00001": "methylated"}, "indeterminate is not known"
    assert values(found, "sex") == {"UPENN-GBM-00001": "male", "UPENN-GBM-00002": "female"}
    assert values(found, "resection") == {"UPENN-GBM-00001": "GTR", "UPENN-GBM-00002": "less than GTR"}
    assert {item.session for item in found.labels if item.label != "age"} == {None}


def test_the_unstripped_set_takes_its_brain_from_the_stripped_one(tmp_path: Path) -> None:
    name = "UPENN-GBM-00001_11"
    whole = f"{FILES}/images_structural_unstripped/{name}"
    root = write(upenn(tmp_path), {f"{whole}/{name}_{token}_unstripped.nii.gz": b"x" for token in TOKENS})
    scans = UpennGbmAdapter(images="unstripped").discover(root, "mine").scans
    assert [scan.image.name for scan in scans] == [f"{name}_{token}_unstripped.nii.gz" for token in TOKENS]
    assert [scan.brain_mask.name for scan in scans if scan.brain_mask] == [f"{name}_{token}.nii.gz" for token in TOKENS]
    assert {scan.skull_stripped for scan in scans} == {False}


def test_a_wrong_root_says_everything_at_once(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        discover(tmp_path)
    text = " ".join(caught.value.problems)
    assert len(caught.value.problems) == 4
    for what in (CLINICAL, SCANNERS, "images_structural", "automated_segm", "cancerimagingarchive.net"):
        assert what in text


def test_renamed_columns_empty_tables_and_half_a_copy_come_in_one_error(tmp_path: Path) -> None:
    root = upenn(
        tmp_path, clinical=HEADER.replace("Age_at_scan_years", "Age") + ROW_1, scanners=SCANNER_HEADER
    )  # fmt: skip
    (root / FILES / "images_structural/UPENN-GBM-00003_11").mkdir()
    with pytest.raises(DatasetError) as caught:
        discover(root)
    age, empty, half = caught.value.problems
    assert "'Age_at_scan_years'" in age
    assert "no row" in empty
    assert "UPENN-GBM-00003_11" in half


@pytest.mark.real
def test_real_images_under_their_original_names(real_data: Path, tmp_path: Path) -> None:
    """The sample's files are images of UPENN-GBM that another project renamed in the way of BraTS."""
    folder = real_data / "brainiac_sample/src/BrainIAC/data/sample/processed"
    root = upenn(tmp_path)
    for theirs, ours in (("t1n", "T1"), ("t1c", "T1GD"), ("t2w", "T2"), ("t2f", "FLAIR")):
        target = root / FILES / f"images_structural/UPENN-GBM-00001_11/UPENN-GBM-00001_11_{ours}.nii.gz"
        shutil.copy(folder / f"00001_{theirs}.nii.gz", target)
    scans = discover(root).scans
    assert [(scan.contrast, scan.image_present) for scan in scans] == [
        ("T1w", True), ("T1c", True), ("T2w", True), ("FLAIR", True),
    ]  # fmt: skip


def test_scanner_facts_stated_twice_with_different_values_are_left_out(tmp_path: Path) -> None:
    found = discover(upenn(tmp_path, scanners=SCANNER_HEADER + SCANNER_ROW + SCANNER_ROW.replace("Trio", "Verio")))
    assert {scan.acquisition.model for scan in found.scans} == {None}
    assert any("the scanner is stated with different values" in note for note in found.notes)


def test_an_exam_listed_twice_says_what_its_rows_agree_on(tmp_path: Path) -> None:
    again = ROW_1.replace("Wildtype", "Mutated").replace("61.5", "61.50").replace(",90,", ",Not Available,")
    found = discover(upenn(tmp_path, clinical=HEADER + ROW_1 + again + ROW_2 + ROW_2))
    assert "UPENN-GBM-00001" not in values(found, "idh")
    assert values(found, "mgmt")["UPENN-GBM-00001"] == "methylated"
    assert values(found, "age")["UPENN-GBM-00001"] == 61.5
    told = "a fact of one exam is stated with different values and was left out for "
    (note,) = (note for note in found.notes if told in note)
    assert "IDH1 of UPENN-GBM-00001_11" in note
    assert "00002" not in note, "a repeat is no contradiction"


def test_facts_that_no_scan_has_are_left_out(tmp_path: Path) -> None:
    row = SCANNER_ROW.replace(",3,1760,1,", ",300,1760,99,")
    found = discover(upenn(tmp_path, scanners=SCANNER_HEADER + row))
    assert [(s.acquisition.field_strength, s.acquisition.slice_thickness) for s in found.scans] == [
        (None, None), (None, 1), (None, 2), (None, 3),
    ]  # fmt: skip
    assert any("no field strength: '300' (UPENN-GBM-00001_11)" in note for note in found.notes)
    assert any("no slice thickness: '99' (UPENN-GBM-00001_11)" in note for note in found.notes)


def test_of_a_copy_further_down_the_nearest_images_count(tmp_path: Path) -> None:
    upenn(tmp_path)
    shutil.copytree(tmp_path / "PKG - UPENN-GBM-NIfTI", tmp_path / "A" / "copy")
    write(tmp_path, {f"{FILES}/images_structural/UPENN-GBM-00001_11/UPENN-GBM-00001_11_T1.nii.gz.part": b"x"})
    first = discover(tmp_path)
    assert len(first.scans) == 4
    assert all((tmp_path / FILES) in scan.image.parents for scan in first.scans)
    assert "1 unfinished downloads: UPENN-GBM-00001_11_T1.nii.gz.part." in first.notes
