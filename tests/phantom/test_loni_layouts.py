"""ADNI, PPMI, ICBM and OASIS-1 against what is known of their downloads, written out here."""

import csv
import datetime
import io
import re
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest

from braindino.datasets import get_adapter
from braindino.imaging import get_recipe, preprocess
from braindino.phantom import Plan, plan_cohort, write_cohort
from braindino.phantom.files import write_scan

N, SEED = 12, 4
DATE = r"\d{4}-\d\d-\d\d_\d\d_\d\d_\d\d\.0"
COLLECTION = [
    "Image Data ID", "Subject", "Group", "Sex", "Age", "Visit", "Modality", "Description", "Type", "Acq Date",
    "Format", "Downloaded",
]  # fmt: skip

IMAGES = {
    "adni": rf"ADNI/(\d{{3}}_S_\d{{4}})/(MPR__GradWarp__B1_Correction__N3(?:__Scaled)?|Accelerated_Sagittal_MPRAGE"
    rf"|Sagittal_3D_FLAIR)/{DATE}/(I\d+)/ADNI_\1_MR_\2_Br_\d{{17}}_S\d+_\3\.nii",
    "ppmi": rf"PPMI/(\d{{4,6}})/(MPRAGE_GRAPPA2|SAG_3D_MPRAGE|3D_T1-weighted|AX_T2_FLAIR)/{DATE}/(S\d+)/"
    r"PPMI_\1_MR_\2_Br_\d{17}_\3_I\d+\.nii",
    "icbm": rf"ICBM/((?:MNI|UCLA)_\d{{4}})/(T1-FFE|T2-TSE|PD-TSE|SAG_MPRAGE_8_CHANNEL)/{DATE}/[SI]\d+/"
    r"ICBM_\1_MRI?_\2_br_(raw_)?\d{17}_S\d+_I\d+\.nii",
    "oasis1": r"(?:oasis_cross-sectional_disc\d+/)?disc\d+/(OAS1_\d{4}_MR[12])/"
    r"PROCESSED/MPRAGE/SUBJ_111/\1_mpr_n[3-6]_anon_sbj_111\.img",
}


def planned(layout: str, n: int = N) -> Plan:
    return plan_cohort(layout, n, SEED)


def table(plan: Plan, path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(str(plan.files[path]))))


@pytest.mark.parametrize("layout", sorted(IMAGES))
def test_images_are_called_as_in_the_download(layout: str) -> None:
    plan = planned(layout)
    images = [scan.image for scan in plan.scans if scan.dicom is None]
    assert [image for image in images if not re.fullmatch(IMAGES[layout], image)] == []
    assert len(set(images)) == len(images) >= N
    assert set(images).isdisjoint(plan.files)


@pytest.mark.parametrize("layout", ["adni", "ppmi", "icbm"])
def test_the_table_of_a_collection_is_quoted_and_writes_dates_the_american_way(layout: str) -> None:
    plan = planned(layout)
    (path,) = [path for path in plan.files if "Collection" in path]
    assert str(plan.files[path]).startswith('"Image Data ID","Subject"')
    rows = table(plan, path)
    assert list(rows[0]) == COLLECTION
    assert all(re.fullmatch(r"\d{1,2}/\d{1,2}/\d{4}", row["Acq Date"]) for row in rows)
    listed = {row["Image Data ID"] for row in rows}
    assert {image for scan in plan.scans for image in re.findall(r"I\d+(?=\.nii$|$)", scan.image)} <= listed
    assert len(listed) == len(rows)


def test_adni_lays_originals_and_repeats_beside_the_image_to_take() -> None:
    plan = planned("adni")
    beside = "\n".join(plan.files)
    for words in ("MPRAGE", "MPR-R__GradWarp__B1_Correction__N3__Scaled", "MPR__GradWarp__B1_Correction__N3",
                  "3_Plane_Localizer", "Axial_DTI", "AV45_Coreg_Avg"):  # fmt: skip
        assert f"/{words}/" in beside
    first = [scan for scan in plan.scans if "/MPR__GradWarp__B1_Correction__N3__Scaled/" in scan.image]
    assert first
    assert all(scan.singleton for scan in first)


def test_adnimerge_knows_the_age_at_baseline_and_not_yet_the_last_diagnosis() -> None:
    plan = planned("adni")
    rows = table(plan, "ADNIMERGE.csv")
    assert {
        "RID", "PTID", "VISCODE", "SITE", "COLPROT", "ORIGPROT", "EXAMDATE", "DX_bl", "DX", "AGE", "PTGENDER",
        "PTEDUCAT", "PTETHCAT", "PTMARRY", "APOE4", "CDRSB", "MMSE", "MMSE_bl", "ADAS11", "ADAS13", "FAQ",
    } <= set(rows[0])  # fmt: skip
    assert {row["DX"] for row in rows} == {"CN", "MCI", "Dementia", ""}
    assert {row["VISCODE"] for row in rows} == {"bl", "m06", "m12", "m24"}
    assert "-4" in {row["MMSE"] for row in rows}
    for ptid in {row["PTID"] for row in rows}:
        assert len({row["AGE"] for row in rows if row["PTID"] == ptid}) == 1
        assert int(ptid.split("_")[2]) == int(next(row["RID"] for row in rows if row["PTID"] == ptid))


def test_dxsum_speaks_the_language_of_each_phase() -> None:
    rows = table(planned("adni", 60), "DXSUM_PDXCONV_ADNIALL.csv")
    told = {(row["Phase"], row["DXCURREN"], row["DXCHANGE"], row["DIAGNOSIS"]) for row in rows}
    assert {cells[1] for cells in told if cells[0] == "ADNI1"} == {"1", "2", "3"}
    assert {cells[2] for cells in told if cells[0] == "ADNI2"} >= {"1", "2", "3", "4", "5"}
    assert {cells[3] for cells in told if cells[0] == "ADNI3"} == {"1", "2", "3"}


def test_scans_lie_between_visits_and_the_nearest_one_matters() -> None:
    plan = planned("adni", 30)
    visits: dict[str, dict[str, object]] = {}
    for label in plan.labels:
        if label.label == "diagnosis" and label.when:
            visits.setdefault(label.subject, {})[label.when[1]] = label.value
    changed = [name for name, known in visits.items() if len(set(known.values())) > 1]
    assert changed
    gaps = []
    for scan in plan.scans:
        assert scan.told
        assert scan.told.session
        day = datetime.date.fromisoformat(scan.told.session)
        gaps.append(min(abs((day - datetime.date.fromisoformat(when)).days) for when in visits[scan.told.subject]))
    assert 5 < max(gaps) < 60


def test_adni_metadata_tell_the_scanner() -> None:
    plan = planned("adni")
    sidecars = [str(text) for path, text in plan.files.items() if path.endswith(".xml")]
    assert sidecars
    for text in sidecars:
        for term in ("Manufacturer", "Mfg Model", "Field Strength", "Slice Thickness"):
            assert f'<protocol term="{term}">' in text
        assert re.search(r"<imageUID>\d+</imageUID>", text)
    assert {row["MagStrength"] for row in table(plan, "MPRAGEMETA.csv")} == {"1.5"}


def test_ppmi_tables_code_sexes_their_own_way_and_know_months_only() -> None:
    plan = planned("ppmi")
    sexes = {label.subject: label.value for label in plan.labels if label.label == "sex"}
    for row in table(plan, "Demographics_18Sep2025.csv"):
        assert {"0": "female", "1": "male"}[row["SEX"]] == sexes[row["PATNO"]]
        assert re.fullmatch(r"\d\d/\d{4}", row["BIRTHDT"])
    status = table(plan, "Participant_Status_18Sep2025.csv")
    assert list(status[0])[:6] == [
        "PATNO", "COHORT", "COHORT_DEFINITION", "ENROLL_DATE", "ENROLL_STATUS", "ENROLL_AGE",
    ]  # fmt: skip
    assert {(row["COHORT"], row["COHORT_DEFINITION"]) for row in status} >= {
        ("1", "Parkinson's Disease"), ("2", "Healthy Control"),
    }  # fmt: skip
    assert set(table(plan, "Age_at_visit_18Sep2025.csv")[0]) == {"PATNO", "EVENT_ID", "AGE_AT_VISIT"}
    assert any(str(text).endswith("<metadata></metadata>\n") for text in plan.files.values())
    for words in ("FA_map-MRI", "MPRAGE_Repeat", "Transverse", "Coronal"):
        assert any(f"/{words}/" in path for path in plan.files)


def test_the_table_of_oasis_knows_no_cdr_of_the_young() -> None:
    plan = planned("oasis1", 30)
    rows = table(plan, "oasis_cross-sectional.csv")
    assert list(rows[0]) == [
        "ID", "M/F", "Hand", "Age", "Educ", "SES", "MMSE", "CDR", "eTIV", "nWBV", "ASF", "Delay",
    ]  # fmt: skip
    assert {row["CDR"] for row in rows} >= {"", "0", "0.5"}
    assert all(row["CDR"] == "" for row in rows if int(row["Age"]) < 33)
    assert all((row["Delay"] == "N/A") == row["ID"].endswith("_MR1") for row in rows)
    again = [row["ID"] for row in rows if row["ID"].endswith("_MR2")]
    assert again
    folder = next(path.rpartition("/")[0] for path in plan.files if path.endswith(f"{again[0]}.txt"))
    assert f"SESSION ID:   {again[0]}\n" in str(plan.files[f"{folder}/{again[0]}.txt"])
    assert any(
        re.search(r"FSL_SEG/OAS1_\d{4}_MR1_mpr_n\d_anon_111_t88_masked_gfc_fseg\.img$", path) for path in plan.files
    )


def test_the_repeats_of_oasis_and_its_atlas_images_lie_beside_the_average() -> None:
    plan = planned("oasis1", 6)
    further = [scan.image.split("/", scan.image.count("disc"))[-1] for scan in plan.further]
    raw = [name for name in further if re.fullmatch(r"(OAS1_\d{4}_MR\d)/RAW/\1_mpr-[1-4]_anon\.img", name)]
    t88 = [
        name for name in further
        if re.fullmatch(r"(OAS1_\d{4}_MR\d)/PROCESSED/MPRAGE/T88_111/\1_mpr_n\d_anon_111_t88_masked_gfc\.img", name)
    ]  # fmt: skip
    assert len(raw) + len(t88) == len(further)
    assert len(t88) == len(plan.scans)
    repeats = [sum(name.startswith(f"{scan.image.split('/')[-5]}/") for name in raw) for scan in plan.scans]
    assert set(repeats) <= {3, 4}
    drawn = [(scan.subject, scan.repeat) for scan in (*plan.scans, *plan.further) if scan.with_skull]
    assert len(set(drawn)) == len(drawn), "no repeat has the noise of another"


@pytest.mark.parametrize(("image", "folder", "stripped"), [("raw", "RAW", False), ("t88_masked", "T88_111", True)])
def test_the_adapter_of_oasis_reads_whichever_image_it_is_told_to(
    image: str, folder: str, stripped: bool, tmp_path: Path
) -> None:
    root = tmp_path / "oasis1"
    write_cohort("oasis1", root, 1, SEED, 6.0)
    plan = plan_cohort("oasis1", 1, SEED)
    meant = {scan.image: scan.told for scan in plan.further if f"/{folder}/" in scan.image}
    found = {
        scan.image.relative_to(root).as_posix(): scan
        for scan in get_adapter("oasis1", {"image": image}).discover(root, "oasis1").scans
    }
    assert set(found) == set(meant)
    for path, scan in found.items():
        told = meant[path]
        assert told is not None
        assert (scan.subject, scan.session, scan.run) == (told.subject, told.session, told.run)
        brain = preprocess(
            scan.image, get_recipe("isotropic_2mm"), skull_stripped=scan.skull_stripped, orientation=scan.orientation
        )
        assert brain.facts.orientation == scan.orientation
        assert scan.skull_stripped is stripped
        assert 900 < brain.facts.brain_ml < 2200


def test_oasis_images_are_stored_sagittally_with_a_fourth_axis(tmp_path: Path) -> None:
    write_cohort("oasis1", tmp_path / "oasis1", 1, SEED, 8.0, heads=False)
    scan = plan_cohort("oasis1", 1, SEED).scans[0]
    image = nibabel.load(tmp_path / "oasis1" / scan.image)
    assert isinstance(image, nibabel.AnalyzeImage)
    assert image.shape == (32, 32, 20, 1), "256 x 256 x 160 x 1 at 1 mm"
    # As clinica has it: voxel axes run to anterior, superior and left.
    known = np.array([[0, 0, -8, 80], [8, 0, 0, -128], [0, 8, 0, -128], [0, 0, 0, 1]], dtype=float)
    brain = nibabel.as_closest_canonical(nibabel.Nifti1Image(np.asarray(image.dataobj)[..., 0], known))
    inside = np.asarray(brain.dataobj) > 0
    length = [np.ptp(np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {axis})))) for axis in range(3)]
    assert length[1] > length[0], "longer than wide"
    assert inside[:, :, :14].sum() < inside[:, :, 16:].sum(), "the brainstem is below"


def test_some_of_adni_is_dicom_with_a_file_per_slice(tmp_path: Path) -> None:
    scan = next(scan for scan in plan_cohort("adni", 9, SEED, heads=False).scans if scan.dicom)
    write_scan(tmp_path, scan, 8.0)
    write_scan(tmp_path, replace(scan, image="same.nii", dicom=None), 8.0)
    files = sorted((tmp_path / scan.image).iterdir())
    name = r"ADNI_\d{3}_S_\d{4}_MR_Accelerated_Sagittal_MPRAGE_Br_\d{17}_\d+_S\d+_(I\d+)\.dcm"
    assert {re.fullmatch(name, path.name).group(1) for path in files} == {scan.image.rpartition("/")[2]}  # type: ignore[union-attr]
    slices = sorted((pydicom.dcmread(path) for path in files), key=lambda item: item.InstanceNumber)
    assert {item.SliceThickness for item in slices} == {1.2}
    same = nibabel.load(tmp_path / "same.nii")
    assert len(slices) == same.shape[2]
    for k, item in enumerate(slices):
        np.testing.assert_array_equal(item.pixel_array, np.asarray(same.dataobj)[:, :, k].T)
        where = (same.affine @ [0, 0, k, 1])[:3] * [-1, -1, 1]
        np.testing.assert_allclose(item.ImagePositionPatient, where, atol=1e-4)
    steps = np.reshape(slices[0].ImageOrientationPatient, (2, 3)) * [-1, -1, 1]
    assert steps.tolist() == [[0, -1, 0], [0, 0, -1]], "columns run to posterior, rows to inferior"


def test_a_dicom_series_is_found_as_one_scan_with_the_facts_of_its_header(tmp_path: Path) -> None:
    write_cohort("adni", tmp_path / "adni", 9, SEED, 8.0, heads=False)
    meant = {scan.image: scan for scan in plan_cohort("adni", 9, SEED).scans if scan.dicom}
    found = get_adapter("adni").discover(tmp_path / "adni", "adni")
    read = {scan.image.relative_to(tmp_path / "adni").as_posix(): scan for scan in found.scans}
    assert meant
    for image, scan in meant.items():
        assert scan.told
        known = read[image].acquisition
        assert known.vendor == scan.told.facts["vendor"]
        assert known.field_strength == 3.0
