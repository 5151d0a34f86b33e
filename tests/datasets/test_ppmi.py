import pytest

from braindino.datasets import get_adapter
from tests.datasets.helpers import problems, values, write
from tests.datasets.loni import LIST_HEADER, listed, volume

PPMI = get_adapter("ppmi")
DAY = "2011-04-13_12_07_16.0"
IMAGE = volume("PPMI", "3107", "MPRAGE_GRAPPA2", DAY, "I370153")
STATUS = (
    "PATNO,COHORT,COHORT_DEFINITION,ENROLL_DATE,ENROLL_STATUS,ENROLL_AGE\n"
    "3107,1,Parkinson's Disease,03/2011,Enrolled,68.5\n"
    "3001,2,Healthy Control,02/2011,enrolled,60.1\n"
    "100878,4,Prodromal,05/2021,Enrolled,66\n"
    "3029,3,SWEDD,05/2011,Complete,55\n"
    "3030,9,Early Imaging,05/2011,Complete,55\n"
)
PEOPLE = "PATNO,EVENT_ID,SEX,BIRTHDT,HANDED\n3107,TRANS,1,10/1942,1\n3001,TRANS,0,11/1950,1\n"
AGES = "PATNO,EVENT_ID,AGE_AT_VISIT\n3107,BL,68.5\n3107,V04,69.6\n"
ROW = ("I370153", "3107", "PD", "M", "68", "BL", "MPRAGE GRAPPA2", "4/13/2011")
TABLES = {
    "Participant_Status.csv": STATUS,
    "Demographics.csv": PEOPLE,
    "Age_at_visit.csv": AGES,
    "PPMI_T1_9_18_2025.csv": listed(ROW),
}


def tree(root, images=(IMAGE,), tables=TABLES):
    return write(root, dict.fromkeys(images, b"x") | tables)


def test_the_tree_as_published(tmp_path):
    folder = "PPMI/3107/FA_map-MRI/2011-04-13_12_07_16.0/S107254"
    maps = f"{folder}/PPMI_3107_MR_FA_map-MRI_Br_20130506104300521_S107254_I370155.nii"
    found = PPMI.discover(tree(tmp_path, (IMAGE, maps)), "mine")
    (scan,) = found.scans
    assert (scan.subject, scan.session, scan.run, scan.contrast) == ("3107", "2011-04-13", None, "T1w")
    assert (scan.when.kind, scan.when.value) == ("date", "2011-04-13")
    assert scan.acquisition.site is None
    assert any("FA_map-MRI (1)" in note for note in found.notes)


@pytest.mark.parametrize(
    ("description", "contrast"),
    [
        ("MPRAGE", "T1w"), ("MPRAGE_Repeat", "T1w"), ("SAG_3D_T1", "T1w"), ("SAG_3D_MPRAGE", "T1w"),
        ("3D_T1-weighted", "T1w"), ("AX_T2_FLAIR", "FLAIR"), ("Transverse", None), ("Coronal", None),
        ("DTI_gated", None), ("2D_GRE_MT", None), ("ep2d_diff_b1000", None), ("AX_PD_+_T2", None),
    ],
)  # fmt: skip
def test_what_a_description_means(tmp_path, description, contrast):
    images = [IMAGE, volume("PPMI", "3001", description, DAY, "I1")]
    found = PPMI.discover(tree(tmp_path, images), "mine")
    assert [scan.contrast for scan in found.scans if scan.subject == "3001"] == ([contrast] if contrast else [])


def test_a_repeat_is_taken_only_where_there_is_no_other(tmp_path):
    repeat = volume("PPMI", "3107", "MPRAGE_Repeat", DAY, "I1")
    for images, taken in (([repeat, IMAGE], "I370153"), ([repeat], "I1")):
        found = PPMI.discover(tree(tmp_path / taken, images, TABLES | {"PPMI_T1_9_18_2025.csv": listed(ROW)}), "mine")
        present = [scan.source_key for scan in found.scans if scan.image_present]
        assert present == [f"3107/{taken}"]


def test_diagnoses_by_the_words_of_the_cohort_and_sexes_by_codes(tmp_path):
    found = PPMI.discover(tree(tmp_path), "mine")
    assert values(found, "diagnosis") == {
        "3107": "PD", "3001": "control", "100878": "prodromal", "3029": "SWEDD", "3030": "Early Imaging",
    }  # fmt: skip
    assert values(found, "sex") == {"3107": "male", "3001": "female"}
    assert {label.label for label in found.labels} == {"diagnosis", "sex", "age"}, "no month of birth"


def test_the_age_is_that_of_the_visit_the_image_belongs_to(tmp_path):
    (age,) = (x for x in PPMI.discover(tree(tmp_path), "mine").labels if x.label == "age")
    assert (age.session, age.number, age.unit) == ("2011-04-13", 68.5, "years")


def test_a_search_names_visits_in_words(tmp_path):
    search = (
        "Subject ID,Sex,Research Group,Visit,Study Date,Age,Modality,Description,Image ID\n"
        "3107,M,PD,Month 12,4/13/2011,68,MRI,MPRAGE GRAPPA2,370153\n"
    )
    tables = {key: text for key, text in TABLES.items() if not key.startswith("PPMI")} | {"idaSearch_9_18.csv": search}
    assert values(PPMI.discover(tree(tmp_path, tables=tables), "mine"), "age") == {"3107": 69.6}


def test_without_the_table_of_ages_those_of_the_list_count(tmp_path):
    found = PPMI.discover(tree(tmp_path, tables={k: v for k, v in TABLES.items() if k != "Age_at_visit.csv"}), "mine")
    assert values(found, "age") == {"3107": 68}
    assert any("Age_at_visit" in note for note in found.notes)


def test_tables_carry_the_day_of_their_download_and_the_newest_counts(tmp_path):
    old, new = STATUS.replace("Parkinson's Disease", "Prodromal"), STATUS
    tables = {key: text for key, text in TABLES.items() if key != "Participant_Status.csv"}
    tables |= {"Participant_Status_18Sep2025.csv": new, "Participant_Status_02Apr2024.csv": old}
    assert values(PPMI.discover(tree(tmp_path, tables=tables), "mine"), "diagnosis")["3107"] == "PD"


def test_phantoms_are_no_people(tmp_path):
    row = ("I9", "9000", "Phantom", "X", "0", "BL", "MPRAGE", "4/13/2011")
    images = [IMAGE, volume("PPMI", "9000", "MPRAGE", DAY, "I9")]
    found = PPMI.discover(tree(tmp_path, images, TABLES | {"PPMI_T1_9_18_2025.csv": listed(ROW, row)}), "mine")
    assert {scan.subject for scan in found.scans} == {"3107"}
    assert any("9000" in note for note in found.notes)


def test_listed_images_that_were_not_downloaded_are_absent(tmp_path):
    row = ("370200", "3001", "Control", "F", "60", "BL", "SAG 3D T1", "5/2/2011")
    found = PPMI.discover(tree(tmp_path, tables=TABLES | {"Second.csv": listed(row)}), "mine")
    (absent,) = (scan for scan in found.scans if not scan.image_present)
    assert (absent.subject, absent.session, absent.contrast) == ("3001", "2011-05-02", "T1w")
    assert "I370200 is not there: Second.csv lists it" in absent.absent_hint


def test_a_wrong_root_says_everything_at_once(tmp_path):
    said = problems(PPMI, tmp_path)
    for lacking in ("<subject>/<description>", "list of a collection's images", "Participant_Status", "Demographics"):
        assert lacking in said
    assert "Study Data" in said


def test_renamed_columns_and_empty_tables_are_one_error(tmp_path):
    tables = {
        "Participant_Status.csv": STATUS.replace("COHORT_DEFINITION", "DEFINITION"),
        "Demographics.csv": PEOPLE.split("\n")[0] + "\n",
        "Age_at_visit.csv": "",
        "List.csv": listed(ROW).replace("Acq Date", "Date"),
        "Other.csv": LIST_HEADER,
    }
    said = problems(PPMI, tree(tmp_path, tables=tables))
    for lacking in ("'COHORT_DEFINITION'", "Demographics.csv has a header", "Age_at_visit.csv is empty", "'Acq Date'"):
        assert lacking in said
    assert "Other.csv has a header and no row" in said


def test_two_ages_at_one_visit_are_none_not_even_that_of_the_list(tmp_path):
    tables = TABLES | {"Age_at_visit.csv": AGES + "3107,BL,12.5\n3107.5,BL,70\nforty,BL,70\n"}
    found = PPMI.discover(tree(tmp_path, tables=tables), "mine")
    assert values(found, "age") == {}
    assert any("age of 3107" in note for note in found.notes)
    assert any("Age_at_visit.csv: rows without a subject id, lines 5, 6" in note for note in found.notes)


def test_lists_that_differ_by_less_than_a_year_agree_and_the_fraction_counts(tmp_path):
    tables = {key: text for key, text in TABLES.items() if key != "Age_at_visit.csv"}
    for age, known in (("68.4", {"3107": 68.4}), ("70.4", {})):
        other = listed((*ROW[:4], age, *ROW[5:]))
        found = PPMI.discover(tree(tmp_path / age, tables=tables | {"Second.csv": other}), "mine")
        assert values(found, "age") == known
        assert any("age of 3107" in note for note in found.notes) is not bool(known)


def test_an_age_that_is_none_is_noted(tmp_path):
    found = PPMI.discover(tree(tmp_path, tables=TABLES | {"Age_at_visit.csv": AGES.replace("68.5", "680")}), "mine")
    assert any("AGE_AT_VISIT says nothing known in '680' (3107)" in note for note in found.notes)


def test_lists_of_other_projects_are_left_out(tmp_path):
    other = listed(("I1", "002_S_0295", "CN", "M", "85", "bl", "MPRAGE", "11/2/2006"))
    found = PPMI.discover(tree(tmp_path, tables=TABLES | {"ADNI.csv": other}), "mine")
    assert {scan.subject for scan in found.scans} == {"3107"}
    assert any("1 row(s)" in note and "002_S_0295" in note for note in found.notes)


def test_a_list_without_visits_says_what_is_lost(tmp_path):
    table = listed(ROW).replace('"Visit"', '"Occasion"')
    found = PPMI.discover(tree(tmp_path, tables=TABLES | {"PPMI_T1_9_18_2025.csv": table}), "mine")
    assert any("no column Visit, which would tell the visit of an image" in note for note in found.notes)
