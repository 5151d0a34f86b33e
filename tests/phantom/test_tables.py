"""Phantoms against what is known of the downloads: the tables, with headers, codes and dirt written out here."""

import csv
import datetime
import io
import json
import re

import pytest

from braindino.phantom import Plan, plan_cohort

N, SEED = 12, 4


def planned(layout: str, n: int = N) -> Plan:
    return plan_cohort(layout, n, SEED)


def text(plan: Plan, path: str, encoding: str = "utf-8") -> str:
    content = plan.files[path]
    return content if isinstance(content, str) else content.decode(encoding)


def rows(plan: Plan, path: str, separator: str = "\t", encoding: str = "utf-8") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text(plan, path, encoding)), delimiter=separator))


def matching(plan: Plan, pattern: str) -> list[str]:
    return [path for path in plan.files if re.fullmatch(pattern, path)]


def test_abide_table() -> None:
    plan = planned("abide1", 60)
    table = rows(plan, "Phenotypic_V1_0b.csv", ",")
    for column in (
        "SITE_ID", "SUB_ID", "DX_GROUP", "DSM_IV_TR", "AGE_AT_SCAN", "AGE_AT_MPRAGE", "SEX", "HANDEDNESS_CATEGORY",
        "FIQ", "VIQ", "PIQ", "EYE_STATUS_AT_SCAN", "BMI",
    ):  # fmt: skip
        assert column in table[0]
    assert {row["SITE_ID"] for row in table} == {"PITT", "CMU", "KKI", "MAX_MUN", "UM_1", "UCLA_1"}
    assert all(re.fullmatch(r"5\d{4}", row["SUB_ID"]) for row in table), "unpadded, unlike the folders"
    assert {row["DX_GROUP"] for row in table} == {row["SEX"] for row in table} == {"1", "2"}
    hands = {row["HANDEDNESS_CATEGORY"] for row in table}
    assert hands == {"R", "L", "Ambi", "Mixed", "L->R", "", "-9999", "`"}
    assert any(row["DX_GROUP"] == "1" and row["DSM_IV_TR"] == "0" for row in table)
    assert [row["SUB_ID"] for row in table if int(row["SUB_ID"]) >= 51310] == ["51310"], "no T1w"
    assert len(table) == len(plan.scans) + 1
    assert "no_filename" in text(plan, "Phenotypic_V1_0b_preprocessed1.csv")
    assert matching(plan, r"RawDataBIDS/sidecards/sub-(\d{7})/ses-(\w+)/anat/sub-\1_ses-\2_T1w\.json")
    assert matching(plan, r"RawDataBIDS/UCLA_1/sub-\d{7}/anat/hires\.nii\.gz")


def test_adhd_tables() -> None:
    plan = planned("adhd200", 60)
    nyu = rows(plan, "RawDataBIDS/NYU/participants.tsv", encoding="latin-1")
    for column in (
        "participant_id", "gender", "age", "handedness", "dx", "adhd_measure", "adhd_index", "inattentive",
        "hyper_impulsive", "med_status", "iq_measure", "full4_iq", "qc_anatomical_1",
    ):  # fmt: skip
        assert column in nyu[0]
    with pytest.raises(UnicodeDecodeError):
        text(plan, "RawDataBIDS/NYU/participants.tsv")
    ids = [row["participant_id"] for row in nyu]
    assert all(re.fullmatch(r"1\d{4}", name) for name in ids), "unpadded, unlike the folders"
    assert len(ids) > len(set(ids)), "people of the test release are listed twice"
    assert all(-1 <= float(row["handedness"]) <= 1 for row in nyu)
    brown = rows(plan, "RawDataBIDS/Brown/participants.tsv", encoding="latin-1")
    assert {row["dx"] for row in brown} == {"pending"}
    washu = rows(plan, "RawDataBIDS/WashU/participants.tsv", encoding="latin-1")
    assert {row["dx"] for row in washu} == {"Typically Developing Children"}
    assert "15019" in {row["participant_id"] for row in washu}
    assert "qc_s1_anat" in washu[0]
    tested = rows(plan, "allSubs_testSet_phenotypic_dx.csv", ",")
    assert list(tested[0]) == ["ID", "DX"]
    assert {row["DX"] for row in tested} <= {"0", "1", "2", "3", "pending"}
    for name in (r"NYU/.*_ses-1_run-2_T1w", r"Peking_3/.*_ses-1_acq-[1-5]_T1w", r"WashU/.*_ses-2_T1w"):
        assert any(re.search(name, scan.image) for scan in plan.scans)


def test_long579_ages_follow_from_shifted_dates() -> None:
    plan = planned("long579")
    assert text(plan, "participants.tsv").startswith(
        "participant_id\tbirthdate\tsex\thandedness_ses-5\thandedness_ses-7\thandedness_ses-9\t"
        "ses-5_date_ST\tses-7_date_ST\tses-9_date_ST\r\n"
    )
    table = {row["participant_id"]: row for row in rows(plan, "participants.tsv")}
    assert {row["sex"] for row in table.values()} == {"Female", "Male"}
    ages: dict[str, list[float]] = {"5": [], "7": [], "9": []}
    for scan in plan.scans:
        sidecar = json.loads(text(plan, scan.image.replace(".nii.gz", ".json")))
        stamp = re.fullmatch(r"(18\d\d-\d\d-\d\d) 00:00:00", sidecar["ShiftedAquisitionDate"])
        assert stamp
        assert scan.told
        assert scan.told.when == ("shifted_date", stamp[1])
        born = datetime.date.fromisoformat(table[f"sub-{scan.told.subject}"]["birthdate"])
        days = (datetime.date.fromisoformat(stamp[1]) - born).days
        ages[str(scan.told.session)].append(days / 365.25)
    for session, (youngest, oldest) in {"5": (5.5, 6.6), "7": (7.0, 8.6), "9": (9.0, 10.2)}.items():
        assert youngest < min(ages[session]) <= max(ages[session]) < oldest
    rated = rows(plan, "derivatives/t1w_qa_composite/t1w_qa_ses-7.tsv")
    assert list(rated[0]) == ["participant_id", "run_name", "quality_score"]


def test_pixar_table() -> None:
    plan = planned("pixar")
    table = text(plan, "participants.tsv")
    assert not table.endswith("\n")
    assert table.startswith(
        "participant_id\tAge\tAgeGroup\tChild_Adult\tGender\tHandedness\tToM Booklet-Matched\tToM Booklet-Matched-NOFB"
        "\tFB_Composite\tFB_Group\tWPPSI BD raw\tWPPSI BD scaled\tKBIT_raw\tKBIT_standard\tDCCS Summary\t"
        "Scanlog: Scanner\tScanlog: Coil\tScanlog: Voxel slize\tScanlog: Slice Gap\n"
    )
    for row in rows(plan, "participants.tsv"):
        assert (row["AgeGroup"] == "Adult") == (row["Child_Adult"] == "adult") == row["Age"].isdigit()
        assert row["Scanlog: Scanner"] in ("3T1", "3T2")
    assert matching(plan, r"derivatives/preprocessed_data/sub-(pixar\d{3})/sub-\1_normed_anat\.nii\.gz")


def test_atlas_tables() -> None:
    plan = planned("atlas", 20)
    columns = {"SESSION_ID", "ATLAS2_DATASET", "DAYS_POST_STROKE", "CHRONICITY", "SITE"}
    paths = matching(
        plan, r"ATLAS3_Training_Raw/(R\d{3})/sub-(r\d{3}s\d{3})/ses-([12])/anat/sub-\2_ses-\3_metadata\.csv"
    )
    assert len(paths) == len(plan.scans)
    headers = {tuple(text(plan, path).splitlines()[0].split(",")) for path in paths}
    assert len(headers) == 2, "the order of columns differs by centre"
    assert all(set(header) == columns for header in headers)
    found = [row for path in paths for row in rows(plan, path, ",")]
    assert len(found) < len(paths), "some tables have a header only"
    assert {row["CHRONICITY"] for row in found} >= {"ge180", "lt180", "unknown"}
    assert {row["DAYS_POST_STROKE"] for row in found if row["SITE"] == "R049"} <= {"0", "-4"}
    masks = [scan.segmentation for scan in plan.scans]
    assert all(mask and mask.endswith("_space-orig_label-lesion_desc-T1lesion_mask.nii.gz") for mask in masks)
    v2 = planned("atlas_v2")
    assert "ATLAS_2/20220425_ATLAS_2.0_MetaData.xlsx" in v2.files
    assert {bool(scan.segmentation) for scan in v2.scans if "/Testing/" in scan.image} == {False}
    for scan in v2.scans:
        if "/Training/" in scan.image:
            assert scan.segmentation == scan.image.replace("_T1w.nii.gz", "_label-L_desc-T1lesion_mask.nii.gz")


def test_aomic_table() -> None:
    plan = planned("aomic_id1000")
    table = rows(plan, "participants.tsv")
    assert {"participant_id", "age", "sex", "handedness", "BMI", "education_level", "background_SES"} <= set(table[0])
    assert {row["sex"] for row in table} == {"male", "female"}
    assert all(float(row["age"]) * 4 % 1 == 0 for row in table)
    assert len(table) == N + 1
    assert json.loads(text(plan, "T1w.json"))["RepetitionTime"] == 0.081


def test_nki_tables() -> None:
    plan = planned("nki_rockland")
    listed = [row["participant_id"] for row in rows(plan, "RawDataBIDSLatest/participants.tsv")]
    assert all(re.fullmatch(r"sub-A000\d{5}", name) for name in listed)
    assert len(listed) == len(set(listed)) + 1 == N + 2
    links = text(plan, "aws_links.csv").splitlines()
    assert len(links) > len(set(links))
    assert {scan.axes for scan in plan.scans} == {"LAS"}


def test_dlbs_table() -> None:
    plan = planned("dlbs")
    table = text(plan, "participants.tsv")
    assert table.count("\r\n") == table.count("\n") == N + 1
    first = rows(plan, "participants.tsv")[0]
    for column in ("participant_id", "Sex", "EduYrsEstCap", "HandednessScore", "Race", "Ethnicity", "EduComp"):
        assert column in first
    for wave in (1, 2, 3):
        assert {f"AgeMRI_W{wave}", f"AgeCog_W{wave}", f"MMSE_W{wave}"} <= set(first)
    assert {row["Sex"] for row in rows(plan, "participants.tsv")} == {"m", "f"}
    assert {(scan.contrast, scan.image[-11:]) for scan in plan.scans} == {
        ("T1w", "_T1w.nii.gz"),
        ("FLAIR", "_T2w.nii.gz"),
    }
    assert sum("run-2" in scan.image for scan in plan.scans) == 2
    assert "DLBS KTTK.pdf" in plan.files
    sidecars = [json.loads(text(plan, path)) for path in matching(plan, r".*_(T1w|T2w)\.json")]
    assert all("MagneticFieldStrength" not in sidecar for sidecar in sidecars)


def test_hcp_tables() -> None:
    plan = planned("hcp_ya")
    (open_table,) = matching(plan, r"unrestricted_.*\.csv")
    (restricted,) = matching(plan, r"RESTRICTED_.*\.csv")
    people = rows(plan, open_table, ",")
    assert {"Subject", "Gender", "Age", "3T_Full_MR_Compl", "T1_Count", "T2_Count", "QC_Issue"} <= set(people[0])
    assert {row["Age"] for row in people} <= {"22-25", "26-30", "31-35", "36+"}
    kin = rows(plan, restricted, ",")
    assert {"Subject", "Age_in_Yrs", "ZygositySR", "ZygosityGT", "Family_ID", "Mother_ID", "Handedness"} <= set(kin[0])
    twins = [row for row in kin if row["ZygosityGT"] == "MZ"]
    assert len(twins) == 2
    assert twins[0]["Family_ID"] == twins[1]["Family_ID"]
    assert twins[0]["Age_in_Yrs"] == twins[1]["Age_in_Yrs"]
    sexes = {row["Subject"]: row["Gender"] for row in people}
    assert sexes[twins[0]["Subject"]] == sexes[twins[1]["Subject"]]
    assert len({row["Family_ID"] for row in kin}) == N - 1
    assert matching(plan, r"(\d{6})/unprocessed/3T/T1w_MPR1/\1_3T_BIAS_32CH\.nii\.gz")
    assert matching(plan, r"\d{6}/T1w/T1w_acpc_dc_restore_brain\.nii\.gz")
