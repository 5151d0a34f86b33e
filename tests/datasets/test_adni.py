import os
from pathlib import Path

import pytest

from braindino.datasets import get_adapter
from tests.datasets.helpers import problems, values, write
from tests.datasets.loni import LIST_HEADER, listed, volume, write_series

ADNI = get_adapter("adni")
SCALED = "MPR__GradWarp__B1_Correction__N3__Scaled"
DAY = "2006-11-02_08_16_44.0"
IMAGE = volume("ADNI", "002_S_0295", SCALED, DAY, "I40966")
MERGE = (
    "RID,PTID,VISCODE,SITE,EXAMDATE,DX_bl,AGE,PTGENDER,PTEDUCAT,APOE4,CDRSB,MMSE,DX\n"
    "295,002_S_0295,bl,2,2006-04-18,CN,84.8,Male,13,1,0,28,CN\n"
    "295,002_S_0295,m06,2,2006-11-02,CN,84.8,Male,13,1,0.5,27,MCI\n"
    "295,002_S_0295,m12,2,2007-05-25,CN,84.8,Male,13,1,,-4,\n"
)
DXSUM = (
    "Phase,RID,PTID,VISCODE,VISCODE2,EXAMDATE,DXCURREN,DXCHANGE,DIAGNOSIS\n"
    "ADNI1,295,002_S_0295,bl,bl,2006-04-18,2,,\n"
    "ADNI1,295,002_S_0295,m12,m12,2007-05-25,3,,\n"
    "ADNI2,295,002_S_0295,v11,m72,2012-05-10,,5,\n"
    "ADNI3,295,002_S_0295,y4,m120,2016-05-10,,-4,2\n"
)
XML = """<?xml version="1.0" encoding="UTF-8" standalone="no" ?>
<idaxs xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<project><projectIdentifier>ADNI</projectIdentifier><subject><subjectIdentifier>002_S_0295</subjectIdentifier>
<study><series><imagingProtocol><imageUID>40966</imageUID><protocolTerm>
<protocol term="Manufacturer">SIEMENS</protocol><protocol term="Mfg Model">Prisma_fit</protocol>
<protocol term="Field Strength">3.0</protocol><protocol term="Slice Thickness">1.0</protocol>
</protocolTerm></imagingProtocol></series></study></subject></project></idaxs>
"""


def tree(root, images=(IMAGE,), **tables):
    return write(root, dict.fromkeys(images, b"x") | (tables or {"ADNIMERGE.csv": MERGE}))


def dated(found, label):
    return {(x.when.value, x.value or x.number) for x in found.labels if x.label == label}


def test_the_tree_as_published(tmp_path):
    (scan,) = ADNI.discover(tree(tmp_path), "mine").scans
    assert (scan.subject, scan.session, scan.run, scan.contrast) == ("002_S_0295", "2006-11-02", None, "T1w")
    assert scan.when.value == "2006-11-02"
    assert scan.source_key == "002_S_0295/I40966", "the archive's own id"
    assert scan.acquisition.site == "002"


@pytest.mark.parametrize("root", [".", "collections", "collections/first", "collections/first/ADNI"])
def test_the_root_may_be_any_folder_above_the_subjects(tmp_path, root):
    write(tmp_path, {f"collections/first/{IMAGE}": b"x", "collections/first/ADNI/ADNIMERGE.csv": MERGE})
    assert len(ADNI.discover(tmp_path / root, "mine").scans) == 1


def test_a_dicom_series_is_one_scan_and_its_header_tells_only_of_the_scanner(tmp_path):
    leaf = tmp_path / "ADNI/941_S_4100/Accelerated_Sagittal_MPRAGE/2017-01-02_10_00_00.0/I1119527"
    write_series(leaf, "ADNI_941_S_4100_MR_Accelerated_Sagittal_MPRAGE_br_raw", "I1119527")
    (scan,) = ADNI.discover(tree(tmp_path, images=()), "mine").scans
    assert scan.image == leaf
    assert (scan.acquisition.vendor, scan.acquisition.model) == ("Siemens", "TrioTim")
    assert (scan.acquisition.field_strength, scan.acquisition.slice_thickness) == (3.0, 1.2)
    assert dict(scan.acquisition.sources)["vendor"] == "dicom"
    assert "Secret" not in repr(ADNI.discover(tmp_path, "mine"))
    unopened = get_adapter("adni", {"dicom_headers": False}).discover(tmp_path, "mine")
    assert unopened.scans[0].acquisition.vendor is None


def test_a_broken_header_states_nothing(tmp_path):
    folder = "ADNI/941_S_4100/MPRAGE/2017-01-02_10_00_00.0/I7"
    write(tmp_path, {f"{folder}/ADNI_941_S_4100_MR_MPRAGE_br_raw_20170219173850420_1_S2_I7.dcm": b"no header"})
    (scan,) = ADNI.discover(tree(tmp_path, images=()), "mine").scans
    assert scan.acquisition.vendor is None


def test_of_several_images_of_a_session_the_best_is_taken(tmp_path):
    names = ["MPR-R__GradWarp__B1_Correction__N3__Scaled", "MPRAGE", "MPR__GradWarp__B1_Correction__N3", SCALED]
    for last in range(1, 5):
        images = [volume("ADNI", "002_S_0295", name, DAY, f"I{i}") for i, name in enumerate(names[:last])]
        found = ADNI.discover(tree(tmp_path / str(last), images), "mine")
        assert [scan.image.parent.name for scan in found.scans] == [f"I{last - 1}"]
        assert found.scans[0].run is None, "there is but one"
        assert last == 1 or any(note.startswith(f"{last - 1} image(s) are of a session") for note in found.notes)


def test_all_images_of_a_session_are_told_apart_by_their_ids(tmp_path):
    images = [IMAGE, volume("ADNI", "002_S_0295", "MPRAGE", "2006-11-02_09_00_00.0", "I40967")]
    found = get_adapter("adni", {"one_per_session": False}).discover(tree(tmp_path, images), "mine")
    assert {(scan.session, scan.run) for scan in found.scans} == {("2006-11-02", "I40966"), ("2006-11-02", "I40967")}


def test_contrasts_and_what_is_no_structural_image(tmp_path):
    kinds = {
        "Axial_T2-FLAIR": "FLAIR", "Sagittal_3D_FLAIR": "FLAIR", "Axial_T2_FSE": "T2w", "IR-FSPGR": "T1w",
        "MP-RAGE": "T1w", "MT1__GradWarp__N3m": "T1w", "Axial_T2-Star": None, "Axial_PD_T2_FSE": None,
        "3-plane_localizer": None, "Axial_DTI": None, "FDG_PET": None, "Axial_rsfMRI": None, "HarP_T1_mask": None,
        "HighResHippocampus": None, "MPRAGE_MPR_Cor": None, "Calibration_Scan": None, "B1-calibration_Head": None,
    }  # fmt: skip
    for number, (name, contrast) in enumerate(kinds.items()):
        images = [IMAGE, volume("ADNI", "003_S_0001", name, DAY, f"I{number}")]
        found = ADNI.discover(tree(tmp_path / str(number), images), "mine")
        assert [s.contrast for s in found.scans if s.subject == "003_S_0001"] == ([contrast] if contrast else []), name
        assert contrast or any(f"{name} (1)" in note for note in found.notes), name


def test_an_image_that_is_no_mr_by_its_name_is_left_out(tmp_path):
    images = [IMAGE, volume("ADNI", "002_S_0295", "MPRAGE", "2007-01-01_08_00_00.0", "I5", modality="PT")]
    assert len(ADNI.discover(tree(tmp_path, images), "mine").scans) == 1


def test_diagnoses_and_scores_are_of_dated_visits(tmp_path):
    found = ADNI.discover(tree(tmp_path), "mine")
    assert dated(found, "diagnosis") == {("2006-04-18", "CN"), ("2006-11-02", "MCI")}
    assert dated(found, "mmse") == {("2006-04-18", 28), ("2006-11-02", 27)}, "-4 is missing"
    assert all(x.session is None for x in found.labels if x.label in ("diagnosis", "mmse"))
    assert "cdr" not in {x.label for x in found.labels}, "CDRSB is another quantity"


def test_the_age_at_a_scan_is_computed_from_the_baseline(tmp_path):
    found = ADNI.discover(tree(tmp_path), "mine")
    (age,) = (x for x in found.labels if x.label == "age")
    assert (age.session, age.unit) == ("2006-11-02", "years")
    assert age.number == pytest.approx(84.8 + 198 / 365.25)


def test_ages_over_89_are_capped(tmp_path):
    found = ADNI.discover(tree(tmp_path, **{"ADNIMERGE.csv": MERGE.replace("84.8", "88.9")}), "mine")
    assert values(found, "age") == {"002_S_0295": 90}


def test_facts_that_hold_for_life(tmp_path):
    found = ADNI.discover(tree(tmp_path), "mine")
    assert values(found, "sex") == {"002_S_0295": "male"}
    assert values(found, "apoe4_alleles") == {"002_S_0295": 1}
    assert values(found, "education_years") == {"002_S_0295": 13}


@pytest.mark.parametrize(
    "name", ["DXSUM_PDXCONV_ADNIALL.csv", "All_Subjects_DXSUM_02Apr2024.csv", "DXSUM_18Sep2025.csv", "dxsum.csv"]
)
def test_diagnoses_of_dxsum_alone_in_the_codes_of_three_phases(tmp_path, name):
    found = ADNI.discover(tree(tmp_path, **{name: DXSUM}), "mine")
    assert dated(found, "diagnosis") == {
        ("2006-04-18", "MCI"), ("2007-05-25", "AD"), ("2012-05-10", "AD"), ("2016-05-10", "MCI"),
    }  # fmt: skip


def test_diagnoses_in_words_and_unknown_codes(tmp_path):
    table = DXSUM.replace(",,2\n", ",,MCI\n").replace(",,5,", ",,17,")
    found = ADNI.discover(tree(tmp_path, **{"DXSUM.csv": table}), "mine")
    assert dated(found, "diagnosis") == {("2006-04-18", "MCI"), ("2007-05-25", "AD"), ("2016-05-10", "MCI")}
    assert any("'17'" in note for note in found.notes)


def test_of_a_visit_in_both_tables_adnimerge_is_believed(tmp_path):
    tables = {"ADNIMERGE.csv": MERGE, "DXSUM.csv": DXSUM.replace("Phase", "PHASE")}
    found = ADNI.discover(tree(tmp_path, **tables), "mine")
    assert ("2006-04-18", "CN") in dated(found, "diagnosis")
    assert ("2006-04-18", "MCI") not in dated(found, "diagnosis")
    assert ("2007-05-25", "AD") in dated(found, "diagnosis"), "ADNIMERGE is silent on m12"


def test_a_table_without_dates_takes_them_from_the_same_visit_of_adnimerge(tmp_path):
    cdr = "RID,VISCODE,VISCODE2,CDGLOBAL\n295,sc,sc,0\n295,v06,m06,0.5\n295,v11,m12,-1\n295,x,m99,1\n"
    found = ADNI.discover(tree(tmp_path, **{"ADNIMERGE.csv": MERGE, "CDR.csv": cdr}), "mine")
    assert dated(found, "cdr") == {("2006-04-18", 0), ("2006-11-02", 0.5)}


def test_codes_of_the_demographics_and_genes(tmp_path):
    tables = {
        "DXSUM.csv": DXSUM,
        "PTDEMOG.csv": "RID,VISCODE,PTGENDER,PTEDUCAT,PTDOB\n295,sc,2,-4,1922\n",
        "APOERES.csv": "RID,APGEN1,APGEN2\n295,4,4\n",
    }
    found = ADNI.discover(tree(tmp_path, **tables), "mine")
    assert values(found, "sex") == {"002_S_0295": "female"}
    assert values(found, "apoe4_alleles") == {"002_S_0295": 2}
    assert values(found, "education_years") == {}, "-4 is missing"


def test_facts_of_the_sidecar_come_before_those_of_the_tables(tmp_path):
    other = volume("ADNI", "002_S_0295", SCALED, "2007-05-25_08_16_44.0", "I40970")
    table = "SubjectID,Visit,Sequence,ScanDate,ImageUID,MagStrength,Orig/Proc\nx,m06,MPR,2006-11-02,{0},1.5,Processed\n"
    rows = table.format(40966) + table.format(40970).split("\n")[1] + "\n"
    root = tree(tmp_path, [IMAGE, other], **{"ADNIMERGE.csv": MERGE, "MPRAGEMETA.csv": rows})
    write(root, {"ADNI/ADNI_002_S_0295_MR_x_Br_20070219173850420_S21856_I40966.xml": XML})
    first, second = (scan.acquisition for scan in ADNI.discover(root, "mine").scans)
    assert (first.vendor, first.model, first.field_strength, first.slice_thickness) == ("Siemens", "Prisma_fit", 3, 1)
    assert dict(first.sources)["field_strength"] == "sidecar"
    assert (second.vendor, second.field_strength, dict(second.sources)["field_strength"]) == (None, 1.5, "table")


def test_a_stub_of_a_sidecar_states_nothing_and_a_torn_one_is_noted(tmp_path):
    for text, noted in (("<metadata/>", False), ("<idaxs", True)):
        root = tree(tmp_path / str(noted))
        write(root, {IMAGE.replace(".nii", ".xml"): text})
        found = ADNI.discover(root, "mine")
        assert found.scans[0].acquisition.vendor is None
        assert any("no readable XML" in note for note in found.notes) is noted


def test_the_list_of_images_tells_ages_and_sexes_where_the_tables_are_silent(tmp_path):
    row = ("40966", "002_S_0295", "CN", "M", "85", "m06", "MPR; GradWarp; B1 Correction; N3; Scaled", "11/2/2006")
    found = ADNI.discover(tree(tmp_path, **{"DXSUM.csv": DXSUM, "Mine_1_24_2022.csv": listed(row)}), "mine")
    assert values(found, "age") == {"002_S_0295": 85}
    assert values(found, "sex") == {"002_S_0295": "male"}
    assert [scan.image_present for scan in found.scans] == [True], "a bare id is the same image"


def test_listed_images_that_were_not_downloaded_are_absent_with_the_collection(tmp_path):
    here = ("I40966", "002_S_0295", "CN", "M", "85", "m06", "MPRAGE", "11/2/2006")
    lacking = ("I50000", "003_S_0001", "AD", "F", "70", "sc", "MPRAGE", "1/3/2007")
    unwanted = ("I50001", "003_S_0001", "AD", "F", "70", "sc", "Axial DTI", "1/3/2007")
    tables = {"ADNIMERGE.csv": MERGE, "ADNI1_Screening_1.5T.csv": listed(here, lacking, unwanted)}
    found = ADNI.discover(tree(tmp_path, **tables), "mine")
    assert [(scan.subject, scan.image_present) for scan in found.scans] == [("002_S_0295", True), ("003_S_0001", False)]
    absent = found.scans[1]
    assert (absent.session, absent.contrast, absent.source_key) == ("2007-01-03", "T1w", "003_S_0001/I50000")
    assert "ADNI1_Screening_1.5T.csv" in absent.absent_hint
    assert "ida.loni.usc.edu" in absent.absent_hint


BETTER = ("I9", "002_S_0295", "CN", "M", "85", "m06", "MPR; GradWarp; B1 Correction; N3; Scaled", "11/2/2006")
PLAIN = ("I10", "002_S_0295", "CN", "M", "85", "m06", "MPRAGE", "11/2/2006")


def test_an_image_on_disk_comes_before_a_better_one_that_was_never_downloaded(tmp_path):
    image = volume("ADNI", "002_S_0295", "MPRAGE", DAY, "I10")
    never = listed(BETTER).replace("1/24/2022", "")
    for name, text in (("c.csv", never + listed(PLAIN).split("\n")[1] + "\n"), ("idaSearch_1.csv", listed(BETTER))):
        root = tree(tmp_path / name, [image], **{"ADNIMERGE.csv": MERGE, name: text})
        found = ADNI.discover(root, "mine")
        assert [(scan.source_key, scan.image_present) for scan in found.scans] == [("002_S_0295/I10", True)]
        assert found.scans[0].download is None


def test_where_the_best_image_is_missing_it_is_said_and_the_next_is_read(tmp_path):
    image = volume("ADNI", "002_S_0295", "MPRAGE", DAY, "I10")
    for days in ("1/24/2022", ""):  # a list that was saved before the download has no day at all
        text = listed(BETTER, PLAIN).replace("1/24/2022", days)
        root = tree(tmp_path / (days[:1] or "0"), [image], **{"ADNIMERGE.csv": MERGE, "c.csv": text})
        best, there = ADNI.discover(root, "mine").scans
        assert (best.source_key, best.image_present, there.source_key) == ("002_S_0295/I9", False, "002_S_0295/I10")
        assert best.download is not None
        assert "c.csv lists it" in best.download


def test_an_image_that_was_never_downloaded_is_absent_and_no_fault(tmp_path):
    never = listed(("I7", "003_S_0001", "CN", "M", "85", "m06", "MPRAGE", "11/2/2006")).replace("1/24/2022", "")
    text = never + listed(PLAIN).split("\n")[1] + "\n"
    image = volume("ADNI", "002_S_0295", "MPRAGE", DAY, "I10")
    root = tree(tmp_path, [image], **{"ADNIMERGE.csv": MERGE, "c.csv": text})
    absent = ADNI.discover(root, "mine").scans[1]
    assert (absent.source_key, absent.image_present, absent.download) == ("003_S_0001/I7", False, None)
    assert "I7 was not downloaded: c.csv lists it" in absent.absent_hint


def test_a_folder_without_its_image_is_missing_by_its_id(tmp_path):
    root = tree(tmp_path)
    for leaf in ("I77", "S88"):
        (root / "ADNI/003_S_0001/MPRAGE/2007-01-03_08_16_44.0" / leaf).mkdir(parents=True)
    found = ADNI.discover(root, "mine")
    assert [scan.source_key for scan in found.scans if scan.download] == ["003_S_0001/I77"]
    assert [gap.folder.name for gap in found.gaps] == ["S88"], "the id of a series is none of an image"


def test_a_wrong_root_says_everything_at_once(tmp_path):
    said = problems(ADNI, write(tmp_path, {"notes.txt": "x", "ADNI1.zip": b"x"}))
    assert "<subject>/<description>/<date>/<id>" in said
    assert "not unpacked yet: ADNI1.zip" in said
    assert "Neither ADNIMERGE.csv nor DXSUM*.csv" in said
    assert said.count("ida.loni.usc.edu") == 2, "each with its download"


def test_renamed_columns_and_empty_tables_are_one_error(tmp_path):
    tables = {
        "ADNIMERGE.csv": MERGE.replace("EXAMDATE", "EXAM_DAY").replace(",DX\n", ",STATE\n"),
        "DXSUM.csv": DXSUM.split("\n")[0] + "\n",
        "Collection.csv": LIST_HEADER,
        "Other.csv": "",
    }
    said = problems(ADNI, tree(tmp_path, **tables))
    assert "no columns 'EXAMDATE', 'DX'; it has RID" in said
    assert "DXSUM.csv has a header and no row" in said
    assert "Collection.csv has a header and no row" in said
    assert "Other.csv is empty" in said


def test_pipes_and_folders_called_as_files_are_passed_by(tmp_path):
    root = tree(tmp_path)
    os.mkfifo(root / IMAGE.replace(".nii", ".xml"))
    os.mkfifo(root / "Collection.csv")
    (root / "Other.csv").mkdir()
    assert len(ADNI.discover(root, "mine").scans) == 1


def test_a_baseline_that_makes_nobody_an_age_is_noted_and_the_list_counts(tmp_path):
    row = ("40966", "002_S_0295", "CN", "M", "85", "m06", "MPR; GradWarp; B1 Correction; N3; Scaled", "11/2/2006")
    tables = {"ADNIMERGE.csv": MERGE.replace("2006-04-18", "1906-04-18"), "c.csv": listed(row)}
    found = ADNI.discover(tree(tmp_path, **tables), "mine")
    assert values(found, "age") == {"002_S_0295": 85}
    assert any("not computed, at 1 session(s): 002_S_0295 2006-11-02" in note for note in found.notes)


@pytest.mark.parametrize(("old", "new"), [("84.8", "48.8"), ("2006-04-18", "2005-04-18")])
def test_two_baselines_of_one_person_are_none(tmp_path, old, new):
    again = MERGE.splitlines()[1].replace(old, new) + "\n"
    found = ADNI.discover(tree(tmp_path, **{"ADNIMERGE.csv": MERGE + again}), "mine")
    assert values(found, "age") == {}
    assert any("stated with different values" in note and "002_S_0295" in note for note in found.notes)
    other = MERGE.replace("\n295,002_S_0295,m06", "\n" + again + "295,002_S_0295,m06")
    assert ADNI.discover(tree(tmp_path / "2", **{"ADNIMERGE.csv": other}), "mine").labels == found.labels


def test_a_sex_stated_twice_is_not_taken_from_another_table_either(tmp_path):
    merge = MERGE.replace("Male", "Female", 1)
    tables = {"ADNIMERGE.csv": merge, "PTDEMOG.csv": "RID,PTGENDER,PTEDUCAT\n295,1,13\n"}
    found = ADNI.discover(tree(tmp_path, **tables), "mine")
    assert values(found, "sex") == {}
    assert any("sex of 002_S_0295" in note for note in found.notes)


def test_two_field_strengths_of_one_image_are_none(tmp_path):
    meta = "ImageUID,MagStrength\n40966,1.5\n40966,3\n"
    found = ADNI.discover(tree(tmp_path, **{"ADNIMERGE.csv": MERGE, "MPRAGEMETA.csv": meta}), "mine")
    assert found.scans[0].acquisition.field_strength is None
    assert any("field strength is stated with different values" in n and "I40966" in n for n in found.notes)


def test_lists_of_other_projects_are_left_out(tmp_path):
    others = [("I1", who, "CN", "M", "85", "bl", "MPRAGE", "11/2/2006") for who in ("295", "MNI_0295", "forty")]
    found = ADNI.discover(tree(tmp_path, **{"DXSUM.csv": DXSUM.replace("PTID", "X"), "c.csv": listed(*others)}), "mine")
    assert {scan.subject for scan in found.scans} == {"002_S_0295"}
    assert {label.subject for label in found.labels} == {"002_S_0295"}
    assert any(note.startswith("3 row(s)") and "295, MNI_0295, line 4 of c.csv" in note for note in found.notes)


def test_a_number_of_two_subjects_is_nobodys(tmp_path):
    images = [IMAGE, volume("ADNI", "003_S_0295", SCALED, DAY, "I40967")]
    found = ADNI.discover(tree(tmp_path, images, **{"DXSUM.csv": DXSUM.replace("PTID", "X")}), "mine")
    assert "diagnosis" not in {label.label for label in found.labels}
    assert any("more than one subject has the RID 295" in note for note in found.notes)


def test_ids_of_the_tables_that_are_none_are_noted(tmp_path):
    rows = "x,forty,bl,2,2006-04-18,CN,84.8,Male,13,1,0,28,CN\n"
    found = ADNI.discover(tree(tmp_path, **{"ADNIMERGE.csv": MERGE + rows}), "mine")
    assert {label.subject for label in found.labels} == {"002_S_0295"}
    assert any("no id of a subject in line 5" in note for note in found.notes)


def test_what_is_lost_without_tables_and_columns_is_noted_with_its_download(tmp_path):
    notes = ADNI.discover(tree(tmp_path, **{"ADNIMERGE.csv": MERGE.replace("MMSE", "X")}), "mine").notes
    (tables,) = (note for note in notes if note.startswith("Study tables that are not there"))
    for lost in ("DXSUM (diagnoses are those of ADNIMERGE alone)", "no CDR (no CDR)", "ida.loni.usc.edu"):
        assert lost in tables
    assert any("No MPRAGEMETA or MRILIST" in note for note in notes)
    assert any("ADNIMERGE.csv has no column MMSE" in note for note in notes)


def test_a_subject_without_a_baseline_and_a_phase_without_its_column_are_noted(tmp_path):
    tables = {
        "ADNIMERGE.csv": MERGE.replace("002_S_0295,bl", "002_S_0295,x"),
        "DXSUM.csv": DXSUM.replace("DXCURREN", "X"),
    }
    notes = ADNI.discover(tree(tmp_path, **tables), "mine").notes
    assert any("no age and day of a visit bl" in note and "002_S_0295" in note for note in notes)
    assert any("DXSUM.csv has no column DXCURREN" in note for note in notes)


def test_oddities_of_the_list_are_noted_and_stop_nothing(tmp_path):
    row = ("I12x", "002_S_0295", "CN", "Q", "forty", "m06", "MPRAGE", "11/2/2006")
    found = ADNI.discover(tree(tmp_path, **{"ADNIMERGE.csv": MERGE, "c.csv": listed(row)}), "mine")
    assert len(found.scans) == 1
    for odd in ("no readable image id", "an age that is none", "a sex that is not known"):
        assert any(odd in note and "002_S_0295" in note for note in found.notes), odd


@pytest.mark.parametrize("encoding", ["no-such", "utf-7", "undefined", "rot13"])
def test_a_sidecar_of_an_odd_encoding_is_noted(tmp_path, encoding):
    root = tree(tmp_path)
    write(root, {IMAGE.replace(".nii", ".xml"): f'<?xml version="1.0" encoding="{encoding}"?><idaxs/>'})
    assert any("no readable XML" in note for note in ADNI.discover(root, "mine").notes)


@pytest.mark.parametrize("inside", ["", "ADNI", "ADNI/002_S_0295", "ADNI/002_S_0295/MPRAGE"])
def test_links_that_lead_to_themselves_are_passed_by(tmp_path, inside):
    root = tree(tmp_path)
    (root / inside).mkdir(exist_ok=True)
    (root / inside / "2001-01-01").symlink_to("2001-01-01")
    (root / inside / "004_S_0001").symlink_to("004_S_0001")
    assert len(ADNI.discover(root, "mine").scans) == 1


def test_folders_that_must_not_be_read_are_named(tmp_path, monkeypatch):
    root = tree(tmp_path, [IMAGE, volume("ADNI", "003_S_0001", SCALED, DAY, "I1")])
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: allowed(path, mode) and Path(path).name != "003_S_0001")
    found = ADNI.discover(root, "mine")
    assert [scan.subject for scan in found.scans] == ["002_S_0295"]
    assert any("1 folder(s) may not be read" in note and "ADNI/003_S_0001" in note for note in found.notes)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert f"{root} may not be read" in problems(ADNI, root)
