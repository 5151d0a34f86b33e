from pathlib import Path

import pytest

from braindino.datasets import Discovery, get_adapter
from braindino.errors import DatasetError
from tests.datasets.helpers import values, write

HCP = get_adapter("hcp_ya")
OPEN, RESTRICTED = "unrestricted_someone_1_2_2024_3_4_5.csv", "RESTRICTED_someone_1_2_2024_3_4_5.csv"
OPEN_HEADER = "Subject,Release,Acquisition,Gender,Age,3T_Full_MR_Compl,T1_Count,T2_Count,QC_Issue\n"
OPEN_ROWS = "100307,S900,Q01,F,26-30,true,1,1,\n100206,S900,Q11,M,36+,true,1,1,A\n"
RESTRICTED_HEADER = (
    "Subject,Age_in_Yrs,HasGT,ZygositySR,ZygosityGT,Family_ID,Mother_ID,Father_ID,Race,Ethnicity,Handedness\n"
)
RESTRICTED_ROWS = (
    "100307,27,true,NotMZ,DZ,51488_81352,51488,81352,White,Not Hispanic/Latino,95\n"
    "100206,36,true,NotMZ,DZ,51488_81352,51488,81352,White,Not Hispanic/Latino,-20\n"
)
NATIVE = (
    "T1w_MPR1/100307_3T_T1w_MPR1.nii.gz", "T1w_MPR2/100307_3T_T1w_MPR2.nii.gz", "T2w_SPC1/100307_3T_T2w_SPC1.nii.gz",
    "T1w_MPR1/100307_3T_AFI.nii.gz", "T1w_MPR1/100307_3T_BIAS_32CH.nii.gz",
    "T1w_MPR1/100307_3T_FieldMap_Magnitude.nii.gz",
)  # fmt: skip
PREPROCESSED = (
    "T1w/T1w_acpc_dc_restore.nii.gz", "T1w/T1w_acpc_dc_restore_brain.nii.gz", "T1w/T1w_acpc_dc_restore_1.25.nii.gz",
    "T1w/T2w_acpc_dc_restore.nii.gz", "T1w/BiasField_acpc_dc.nii.gz", "T1w/aparc+aseg.nii.gz",
    "MNINonLinear/T1w_restore.nii.gz",
)  # fmt: skip


def native(folder: str = "100307") -> dict[str, bytes]:
    return {f"{folder}/unprocessed/3T/{path}": b"x" for path in NATIVE}


def preprocessed(folder: str) -> dict[str, bytes]:
    return {f"{folder}/{path}": b"x" for path in PREPROCESSED}


def hcp(root: Path, **tables: str) -> Path:
    files = {OPEN: OPEN_HEADER + OPEN_ROWS, **tables, **native(), **preprocessed("100307"), **preprocessed("100206")}
    return write(root, files)


def discover(root: Path) -> Discovery:
    return HCP.discover(root, "mine")


def test_native_images_are_preferred_and_preprocessed_ones_stand_in(tmp_path: Path) -> None:
    scans = discover(hcp(tmp_path)).scans
    assert [(scan.subject, scan.contrast, scan.run, scan.image.name) for scan in scans] == [
        ("100206", "T1w", None, "T1w_acpc_dc_restore.nii.gz"),
        ("100206", "T2w", None, "T2w_acpc_dc_restore.nii.gz"),
        ("100307", "T1w", "1", "100307_3T_T1w_MPR1.nii.gz"),
        ("100307", "T1w", "2", "100307_3T_T1w_MPR2.nii.gz"),
        ("100307", "T2w", "1", "100307_3T_T2w_SPC1.nii.gz"),
    ]
    facts = scans[0].acquisition
    assert (facts.vendor, facts.model, facts.field_strength) == ("Siemens", "Skyra", 3.0)
    assert {scan.skull_stripped for scan in scans} == {False}


def test_packages_unpacked_beside_each_other_are_one_person(tmp_path: Path) -> None:
    files = native("100307_3T_Structural_unproc/100307")
    files |= preprocessed("100307_3T_Structural_preproc/100307")
    found = discover(write(tmp_path, {OPEN: OPEN_HEADER + OPEN_ROWS, **files}))
    assert [scan.source_key for scan in found.scans] == [
        "100307/3T_T1w_MPR1", "100307/3T_T1w_MPR2", "100307/3T_T2w_SPC1",
    ]  # fmt: skip


def test_a_band_of_ages_stays_a_band(tmp_path: Path) -> None:
    found = discover(hcp(tmp_path))
    assert values(found, "age_band") == {"100307": "26-30", "100206": "36+"}
    assert values(found, "age") == {}
    assert values(found, "sex") == {"100307": "female", "100206": "male"}
    assert values(found, "qc") == {"100206": "A"}
    assert any("twins" in note and "RESTRICTED_*.csv" in note for note in found.notes)


def test_the_restricted_table_gives_ages_and_keeps_twins_together(tmp_path: Path) -> None:
    found = discover(hcp(tmp_path, **{RESTRICTED: RESTRICTED_HEADER + RESTRICTED_ROWS}))
    assert values(found, "age") == {"100307": 27, "100206": 36}
    assert values(found, "family") == {"100307": "51488_81352", "100206": "51488_81352"}
    assert values(found, "handedness") == {}, "a score from -100 to 100 is no word"
    assert not any("twins" in note for note in found.notes)


def test_a_wrong_root_says_everything_at_once(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        discover(tmp_path)
    table, images = caught.value.problems
    assert "unrestricted_*.csv" in table
    assert "Structural_unproc.zip" in images


def test_renamed_columns_empty_tables_and_half_a_copy_come_in_one_error(tmp_path: Path) -> None:
    restricted = RESTRICTED_HEADER.replace("Family_ID", "Family") + RESTRICTED_ROWS
    root = hcp(tmp_path, **{OPEN: OPEN_HEADER, RESTRICTED: restricted})
    (root / "996782/unprocessed/3T").mkdir(parents=True)
    with pytest.raises(DatasetError) as caught:
        discover(root)
    empty, family, half = caught.value.problems
    assert "no row" in empty
    assert "'Family_ID'" in family
    assert "1 folder(s) hold none of their images" in half
    assert "996782" in half


def test_an_image_is_missing_from_its_series_and_by_the_open_table(tmp_path: Path) -> None:
    root = write(hcp(tmp_path), {OPEN: OPEN_HEADER + OPEN_ROWS + "996782,S900,Q11,M,36+,true,2,1,\n"})
    (root / "100307/unprocessed/3T" / NATIVE[1]).unlink()
    (root / "100206" / PREPROCESSED[3]).unlink()
    (root / "996782/MNINonLinear").mkdir(parents=True)
    assert [scan.source_key for scan in discover(root).scans if scan.download] == [
        "100206/T2w_acpc_dc_restore", "100307/3T_T1w_MPR2", "996782/3T_T1w_MPR1", "996782/3T_T2w_SPC1",
    ]  # fmt: skip


def test_a_contrast_that_nobody_has_was_left_out_on_purpose(tmp_path: Path) -> None:
    first = "100307/unprocessed/3T/" + NATIVE[0]
    root = write(tmp_path, {OPEN: OPEN_HEADER + OPEN_ROWS.replace("true,1,1", "true,2,1"), first: b"x"})
    assert [(scan.source_key, scan.download) for scan in discover(root).scans] == [("100307/3T_T1w_MPR1", None)]


def test_whose_native_images_are_missing_is_read_as_preprocessed(tmp_path: Path) -> None:
    root = hcp(tmp_path)
    for name in NATIVE[:3]:
        (root / "100307/unprocessed/3T" / name).unlink()
    scans = [scan for scan in discover(root).scans if scan.subject == "100307"]
    assert [scan.source_key for scan in scans if scan.image_present] == [
        "100307/T1w_acpc_dc_restore", "100307/T2w_acpc_dc_restore",
    ]  # fmt: skip
    assert len([scan for scan in scans if scan.download]) == 3


def test_of_a_copy_further_down_the_nearest_images_count(tmp_path: Path) -> None:
    root = hcp(tmp_path)
    write(root, native("A/copy/100307"))
    found = discover(root)
    keys = [scan.source_key for scan in found.scans]
    assert len(set(keys)) == len(keys)
    assert all("copy" not in scan.image.parts for scan in found.scans)


def test_unfinished_downloads_are_noted(tmp_path: Path) -> None:
    root = write(hcp(tmp_path), {"100307/unprocessed/3T/T1w_MPR1/x.nii.gz.part": b"x"})
    assert "1 unfinished downloads: x.nii.gz.part." in discover(root).notes
