"""The tumour collections against what is known of their downloads: names, headers, codes and dirt, written out here."""

import csv
import io
import re

import openpyxl
import pytest

from braindino.phantom import Plan, plan_cohort

N, SEED = 14, 4
UCSF = r"PKG - UCSF-PDGM Version 5/UCSF-PDGM-v5"
UPENN = r"PKG - UPENN-GBM-NIfTI/UPENN-GBM/NIfTI-files"
GOAT = "MICCAI2024-BraTS-GoAT-TrainingData-With-GroundTruth"

IMAGES = {
    "brats2021": r"RSNA_ASNR_MICCAI_BraTS2021_(Training|Validation)Data/(BraTS2021_\d{5})/"
    r"\2_(t1|t1ce|t2|flair)\.nii\.gz",
    "brats2023_men": r"(ASNR-MICCAI-BraTS2023-MEN-Challenge-(TrainingData/BraTS-MEN-Train|ValidationData)"
    r"|BraTS-MEN-TRAIN-FIX-V4)/(BraTS-MEN-\d{5}-00[01])/\3-(t1n|t1c|t2w|t2f)\.nii\.gz",
    "brats2023_met": r"ASNR-MICCAI-BraTS2023-MET-Challenge-(TrainingData2?|ValidationData)/(BraTS-MET-\d{5}-000)/"
    r"\2-(t1n|t1c|t2w|t2f)\.nii\.gz",
    "brats2024_goat": rf"({GOAT}/{GOAT}|MICCAI2024-BraTS-GoAT-TrainingData-WithOut-GroundTruth"
    r"|MICCAI2024-BraTS-GoAT-ValidationData)/(BraTS-GoAT-\d{5})/\2-(t1n|t1c|t2w|t2f)\.nii\.gz",
    "ucsf_pdgm": rf"{UCSF}/(UCSF-PDGM-\d{{4}}(_FU\d{{3}}d)?)_nifti/\1_(T1|T1c|T2|FLAIR)\.nii\.gz",
    "upenn_gbm": rf"{UPENN}/images_structural/(UPENN-GBM-\d{{5}}_(11|21))/\1_(T1|T1GD|T2|FLAIR)\.nii\.gz",
}
MASKS = {
    "brats2021": r".*TrainingData/(BraTS2021_\d{5})/\1_seg\.nii\.gz",
    "brats2023_men": r".*/(BraTS-MEN-\d{5}-00[01])/\1-seg\.nii\.gz",
    "brats2023_met": r".*TrainingData2?/(BraTS-MET-\d{5}-000)/\1-seg\.nii\.gz",
    "brats2024_goat": rf"{GOAT}/{GOAT}/(BraTS-GoAT-\d{{5}})/\1-seg\.nii\.gz",
    "ucsf_pdgm": r".*/(UCSF-PDGM-\d{4}(_FU\d{3}d)?)_tumor_segmentation\.nii\.gz",
    "upenn_gbm": r".*/(automated_segm/UPENN-GBM-\d{5}_11_automated_approx_segm"
    r"|images_segm/UPENN-GBM-\d{5}_11_segm)\.nii\.gz",
}


def planned(layout: str, n: int = N) -> Plan:
    return plan_cohort(layout, n, SEED)


def table(plan: Plan, path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(str(plan.files[path]))))


def sheet(plan: Plan, path: str) -> list[list[object]]:
    content = plan.files[path]
    assert isinstance(content, bytes)
    return [list(row) for row in openpyxl.load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(values_only=True)]


@pytest.mark.parametrize("layout", sorted(IMAGES))
def test_images_and_masks_are_called_as_in_the_download(layout: str) -> None:
    scans = planned(layout).scans
    assert [scan.image for scan in scans if not re.fullmatch(IMAGES[layout], scan.image)] == []
    masks = [scan.segmentation for scan in scans if scan.segmentation]
    assert [mask for mask in masks if not re.fullmatch(MASKS[layout], mask)] == []
    assert {scan.axes for scan in scans} <= {"LPS", "RAS"}
    assert len(masks) > 0
    assert {scan.contrast for scan in scans} == {"T1w", "T1c", "T2w", "FLAIR"}


@pytest.mark.parametrize("layout", sorted(IMAGES))
def test_only_training_cases_have_a_mask(layout: str) -> None:
    for scan in planned(layout).scans:
        if "Validation" in scan.image or "WithOut" in scan.image or scan.image.endswith("_21_T1.nii.gz"):
            assert scan.segmentation is None


@pytest.mark.parametrize(
    ("layout", "enhancing"),
    [("brats2021", 4), ("ucsf_pdgm", 4), ("upenn_gbm", 4), ("brats2023_men", 3), ("brats2024_goat", 3)],
)
def test_enhancing_tumour_has_the_number_of_its_release(layout: str, enhancing: int) -> None:
    assert {scan.lesion_codes for scan in planned(layout).scans} == {(1, enhancing, 2)}


def test_the_mapping_of_brats_2021_names_upenn_fully_and_ucsf_by_bare_numbers() -> None:
    plan = planned("brats2021")
    header, *rows = sheet(plan, "BraTS2021_MappingToTCIA.xlsx")
    prefixes = ("Data Collection (as on TCIA+additional)", "Site", "Patient", "Study", "BraTS2021 ID",
                "Segmentation (Task 1) Cohort", "MGMT (Task 2) Cohort", "MGMT")  # fmt: skip
    assert all(str(cell).startswith(prefix) for cell, prefix in zip(header, prefixes, strict=True))
    named = {row[4]: row for row in rows}
    assert named["00169"][5] is None, "a case that only the second task has"
    for row in rows:
        if row[0] == "UPENN-GBM":
            assert re.fullmatch(r"UPENN-GBM-\d{5}_11", str(row[2]))
        if row[0] == "UCSF-PDGM":
            assert isinstance(row[2], int)
    assert {row[0] for row in rows} >= {"UPENN-GBM", "UCSF-PDGM", "TCGA-GBM"}
    assert {row[7] for row in rows} == {0, 1, None}


def test_the_labels_of_the_second_task_keep_their_zeros() -> None:
    rows = table(planned("brats2021"), "train_labels.csv")
    assert set(rows[0]) == {"BraTS21ID", "MGMT_value"}
    assert all(re.fullmatch(r"\d{5}", row["BraTS21ID"]) and row["MGMT_value"] in "01" for row in rows)


def test_the_table_of_ucsf_has_a_digit_less_and_names_brats() -> None:
    plan = planned("ucsf_pdgm", 60)
    rows = table(plan, "UCSF-PDGM-metadata_v5.csv")
    assert list(rows[0]) == [
        "ID", "Sex", "Age at MRI", "WHO CNS Grade", "Final pathologic diagnosis (WHO 2021)", "MGMT status",
        "MGMT index", "1p/19q", "IDH", "1-dead 0-alive", "OS", "EOR", "Biopsy prior to imaging", "BraTS21 ID",
        "BraTS21 Segmentation Cohort", "BraTS21 MGMT Cohort",
    ]  # fmt: skip
    ids = {row["ID"] for row in rows}
    assert {"UCSF-PDGM-0391_FU016d", "UCSF-PDGM-0396_FU175d", "UCSF-PDGM-289", "UCSF-PDGM-175"} <= ids
    assert sum(bool(re.fullmatch(r"UCSF-PDGM-\d{3}", name)) for name in ids) == 60
    assert {row["1p/19q"] for row in rows} >= {"intact", "co-deletion", "relative co-deletion", "unknown"}
    assert {row["MGMT status"] for row in rows} >= {"positive", "negative", "indeterminate", "unknown"}
    assert {row["IDH"] for row in rows} >= {"wildtype", "mutated (NOS)", "IDH1 p.R132H"}
    assert all(re.fullmatch(r"BraTS2021_\d{5}|", row["BraTS21 ID"]) for row in rows)
    assert ("UCSF-PDGM-0391", ("ucsf_pdgm", "UCSF-PDGM-0289")) in plan.links


def test_ucsf_folders_hold_copies_and_other_sequences() -> None:
    plan = planned("ucsf_pdgm", 1)
    folder = f"{UCSF}/UCSF-PDGM-0289_nifti/UCSF-PDGM-0289"
    for name in ("T1_bias", "T1c_bias", "T2_bias", "FLAIR_bias", "SWI", "DWI", "ADC", "ASL", "DTI_eddy_noreg"):
        assert f"{folder}_{name}.nii.gz" in plan.files


def test_the_tables_of_upenn_say_not_available() -> None:
    plan = planned("upenn_gbm", 60)
    rows = table(plan, "UPENN-GBM_clinical_info_v2.1.csv")
    assert list(rows[0]) == [
        "ID", "Gender", "Age_at_scan_years", "Survival_from_surgery_days_UPDATED", "Survival_Status",
        "Survival_Censor", "Time_since_baseline_preop", "IDH1", "MGMT", "KPS", "GTR_over90percent", "PsP_TP_score",
    ]  # fmt: skip
    assert {row["MGMT"] for row in rows} == {"Methylated", "Unmethylated", "Indeterminate", "Not Available"}
    assert {row["IDH1"] for row in rows} == {"Wildtype", "Mutated", "NOS/NEC"}
    assert "Not Available" in {row["Survival_from_surgery_days_UPDATED"] for row in rows}
    assert {row["Survival_Status"] for row in rows} == {
        "Deceased", "Alive", "Lost to Follow-up", "Deceased - uncertain date of death",
    }  # fmt: skip
    acquired = table(plan, "UPENN-GBM_acquisition.csv")
    assert {"ID", "Manufacturer", "Model", "Magnetic Field Strength"} <= set(acquired[0])
    assert "Not Available" in {row["Manufacturer"] for row in acquired}
    assert "UPENN-GBM_data_availability.csv" in plan.files


def test_upenn_folders_hold_older_versions_and_the_unstripped_images() -> None:
    files = planned("upenn_gbm", 1).files
    assert f"{UPENN}/images_structural/UPENN-GBM-00260_11/old/UPENN-GBM-00260_11_T1.nii.gz" in files
    whole = f"{UPENN}/images_structural_unstripped/UPENN-GBM-00260_11/UPENN-GBM-00260_11"
    assert {f"{whole}_{name}_unstripped.nii.gz" for name in ("T1", "T1GD", "T2", "FLAIR")} <= set(files)


def test_the_table_of_men_and_its_corrected_cases() -> None:
    plan = planned("brats2023_men")
    name = "Meningioma Supplementary Clinical Data and Imaging Parameters for Training and Validation Sets.xlsx"
    header, *rows = sheet(plan, name)
    assert header == ["BraTS ID", "Split", "Grade", "Age", "Sex"]
    assert {row[2] for row in rows} == {1, 2, 3, None, "Anaplastic hemangiopericytoma, III"}
    assert {row[1] for row in rows} == {"Training", "Validation"}
    assert any(str(row[0]).endswith("-001") for row in rows)
    corrected = {scan.image.split("/")[1] for scan in plan.scans if scan.image.startswith("BraTS-MEN-TRAIN-FIX-V4")}
    originals = {path.split("/")[2] for path in plan.files if "/BraTS-MEN-Train/" in path}
    assert corrected == originals != set()


def test_met_and_goat_come_without_any_table() -> None:
    assert planned("brats2023_met").files == {}
    assert planned("brats2024_goat").files == {}


def test_the_same_patients_are_in_the_collections_that_share_them() -> None:
    people = {
        layout: set(planned(layout, n).subjects)
        for layout, n in (("brats2021", 40), ("upenn_gbm", 14), ("ucsf_pdgm", 14), ("brats2024_goat", 20),
                          ("brats2023_men", 10), ("brats2023_met", 10))
    }  # fmt: skip
    assert len(people["upenn_gbm"] & people["brats2021"]) > 8
    assert len(people["ucsf_pdgm"] & people["brats2021"]) > 8
    assert not people["upenn_gbm"] & people["ucsf_pdgm"]
    assert len(people["brats2024_goat"] & people["brats2021"]) == 10
    for tumour in ("brats2023_men", "brats2023_met"):
        assert len(people["brats2024_goat"] & people[tumour]) == 5


def test_both_sides_of_a_documented_link_name_each_other_and_mean_one_person() -> None:
    brats, ucsf = planned("brats2021", 40), planned("ucsf_pdgm", 14)
    there = {ours: other for ours, (dataset, other) in brats.links if dataset == "ucsf_pdgm"}
    here = {other: ours for ours, (dataset, other) in ucsf.links if dataset == "brats2021"}
    both = set(there) & set(here)
    assert len(both) > 8
    for name in both:
        assert there[name] == here[name]
        assert person(brats, name) == person(ucsf, here[name])
    assert planned("brats2024_goat").links == ()


def person(plan: Plan, name: str) -> object:
    return next(scan.subject for scan in plan.scans if scan.told and scan.told.subject == name)


def test_more_people_do_not_change_the_first_ones() -> None:
    for layout in IMAGES:
        few, many = planned(layout, 3), planned(layout, 9)
        assert {scan.image for scan in few.scans} <= {scan.image for scan in many.scans}
        assert list(few.labels) == [label for label in many.labels if label in set(few.labels)]
