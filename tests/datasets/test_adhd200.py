from dataclasses import replace

import pytest

from braindino.datasets import get_adapter
from tests.datasets.helpers import ANNEX_POINTER, problems, values, write

ADHD200 = get_adapter("adhd200")
HEADER = (
    "participant_id\tgender\tage\thandedness\tdx\tsecondary_dx \tadhd_measure\tadhd_index\tinattentive\t"
    "hyper_impulsive\tmed_status\tiq_measure\tverbal_iq\tperformance_iq\tfull2_iq\tfull4_iq\tqc_anatomical_1\n"
)
# NYU lists its test subjects twice, gives handedness as a score, and its table is Latin-1.
NYU = (
    HEADER
    + "10001\tFemale\t12.36\t0.67\tADHD-Combined\t\t2\t60\t61\t59\tMedication Na\xb4ve\t1\t-999\t100\t\t101\tPass\n"
    + "10002\tMale\t9.1\tL\tTypically Developing Children\t\t2\t-999\t40\t41\t\t1\t110\t100\t\t104\tPass\n" * 2
    + "10003\tMale\t8\tLeft\tpending\t\t2\t50\t40\t41\t\t1\t110\t100\t\t104\tQuestionable\n"
).encode("latin-1")
BROWN = "participant_id\tgender\tage\thandedness\tqc_s1_anat\n26001\tMale\t13.98\tRight\t1\n"
CSV_HEADER = (
    "ScanDir ID,Site,Gender,Age,Handedness,DX,Secondary Dx ,ADHD Measure,ADHD Index,Inattentive,Hyper/Impulsive,"
    "IQ Measure,Verbal IQ,Performance IQ,Full2 IQ,Full4 IQ,Med Status,QC_Rest_1,QC_Anatomical_1,QC_Anatomical_2\n"
)
SITES = {
    "RawDataBIDS/NYU/participants.tsv": NYU,
    "RawDataBIDS/NYU/sub-0010001/ses-1/anat/sub-0010001_ses-1_run-1_T1w.nii.gz": b"x",
    "RawDataBIDS/NYU/sub-0010001/ses-1/anat/sub-0010001_ses-1_run-2_T1w.nii.gz": b"x",
    "RawDataBIDS/NYU/sub-0010002/ses-1/anat/sub-0010002_ses-1_T1w.nii.gz": b"x",
    "RawDataBIDS/Brown/participants.tsv": BROWN,
    "RawDataBIDS/Brown/sub-0026001/ses-1/anat/sub-0026001_ses-1_T1w.nii.gz": b"x",
}
TEST_LIST = {"nitrc/general/allSubs_testSet_phenotypic_dx.csv": "ID,DX\n10002,0\n10003,3\n26001,pending\n"}


def test_every_site_folder_is_read(tmp_path):
    found = ADHD200.discover(write(tmp_path, SITES), "mine")
    assert [(scan.subject, scan.session, scan.run, scan.acquisition.site) for scan in found.scans] == [
        ("0026001", "1", None, "Brown"),
        ("0010001", "1", "1", "NYU"),
        ("0010001", "1", "2", "NYU"),
        ("0010002", "1", None, "NYU"),
    ]


def test_labels_of_the_sites_tables(tmp_path):
    found = ADHD200.discover(write(tmp_path, SITES), "mine")
    assert values(found, "diagnosis") == {"0010001": "adhd_combined", "0010002": "control"}
    assert values(found, "age") == {"0010001": 12.36, "0010002": 9.1, "0010003": 8, "0026001": 13.98}
    assert values(found, "sex")["0010001"] == "female"
    assert values(found, "handedness") == {"0010002": "left", "0010003": "left", "0026001": "right"}
    assert values(found, "qc") == {"0010001": "Pass", "0010002": "Pass", "0010003": "Questionable", "0026001": 1}
    assert values(found, "split") == {}
    assert len([label for label in found.labels if label.subject == "0010002" and label.label == "age"]) == 1
    for what in ("read as Latin-1", "'0.67' (0010001)", "test part is unknown", "have no folder: 0010003"):
        assert any(what in note for note in found.notes), what


def test_the_list_of_the_test_part_tells_the_split_and_what_the_sites_withheld(tmp_path):
    found = ADHD200.discover(write(tmp_path, {**SITES, **TEST_LIST}), "mine")
    assert values(found, "diagnosis") == {
        "0010001": "adhd_combined", "0010002": "control", "0010003": "adhd_inattentive",
    }, "Brown's were never released"  # fmt: skip
    assert values(found, "split") == {"0010002": "test", "0010003": "test", "0026001": "test"}


def test_only_a_whole_test_list_or_a_table_of_the_training_part_makes_a_training_subject(tmp_path):
    root = write(tmp_path, {**SITES, **TEST_LIST})
    found = ADHD200.discover(root, "mine")
    assert any("3 subjects of 197" in note and "0010001" in note for note in found.notes)
    whole = values(replace(ADHD200, test_part=3).discover(root, "mine"), "split")
    assert whole == {"0010001": "training", "0010002": "test", "0010003": "test", "0026001": "test"}
    rows = "10001,5,1,12.36,0.5,1,,2,,,,,,,,,1,1,1,N/A\n"
    write(root, {"RawData/NYU/NYU_TestRelease_phenotypic.csv": CSV_HEADER + rows.replace("10001", "10004")})
    write(root, {"RawData/NYU/NYU_phenotypic.csv": CSV_HEADER + rows})
    split = values(ADHD200.discover(root, "mine"), "split")
    assert split["0010001"] == "training"
    assert "0010004" not in split


@pytest.mark.parametrize("cell", ["10001.5", "-10001", "1_0001", "1e9"])
def test_what_is_no_id_is_a_row_of_nobody(tmp_path, cell):
    table = CSV_HEADER + f"{cell},5,1,12.36,0.5,1,,2,,,,,,,,,1,1,1,N/A\n"
    found = ADHD200.discover(write(tmp_path, {**SITES, "NYU_phenotypic.csv": table}), "mine")
    assert {label.subject for label in found.labels} == {"0010001", "0010002", "0010003", "0026001"}
    assert any("rows without a subject id, lines 2" in note for note in found.notes)


def test_phenotypic_tables_fill_in_what_bids_leaves_open(tmp_path):
    table = CSV_HEADER + "10001,5,1,99,0.5,1,,2,,,,,,,,,1,1,1,N/A\n10003,5,1,8,,2,,2,,,,,,,,,1,1,1,N/A\n"
    found = ADHD200.discover(write(tmp_path, {**SITES, "RawData/NYU/NYU_phenotypic.csv": table}), "mine")
    assert values(found, "diagnosis")["0010003"] == "adhd_hyperactive_impulsive"
    assert values(found, "age")["0010001"] == 12.36
    assert values(found, "sex")["0010001"] == "female"


@pytest.mark.parametrize(
    "image", ["RawData/Brown/0026001/session_1/anat_1/mprage.nii.gz", "Brown_26001_1/anat_1/NIfTI/rest.nii.gz"]
)
def test_the_older_trees_with_numeric_codes(tmp_path, image):
    table = CSV_HEADER + "26001,2,0,13.98,1,pending,,N/A,,,,,,,,,,1,1,N/A\n"
    root = write(tmp_path, {image: b"x", "Brown_TestRelease_phenotypic.csv": table})
    found = ADHD200.discover(root, "mine")
    (scan,) = found.scans
    assert (scan.subject, scan.session, scan.run, scan.acquisition.site) == ("0026001", "1", "1", "Brown")
    assert values(found, "sex") == {"0026001": "female"}
    assert values(found, "diagnosis") == {}
    other = replace(ADHD200, sex_codes=(("0", "male"), ("1", "female")))
    assert values(other.discover(root, "mine"), "sex") == {"0026001": "male"}


def test_what_is_missing_is_named_with_its_download(tmp_path):
    text = problems(ADHD200, tmp_path)
    assert "no T1w" in text
    assert "neither a site's participants.tsv" in text
    without = {path: content for path, content in SITES.items() if path != "RawDataBIDS/NYU/participants.tsv"}
    assert "NYU/participants.tsv is missing" in problems(ADHD200, write(tmp_path / "without", without))
    renamed = {**SITES, "RawDataBIDS/NYU/participants.tsv": NYU.replace(b"\tdx\t", b"\tdiagnosis\t")}
    text = problems(ADHD200, write(tmp_path / "renamed", {**renamed, "RawDataBIDS/Brown/participants.tsv": ""}))
    assert "NYU/participants.tsv has no column 'dx'" in text
    assert "Brown/participants.tsv is empty" in text
    assert text.count("aws s3 sync") == 2


def test_a_test_list_of_other_columns(tmp_path):
    wrong = dict.fromkeys(TEST_LIST, "Subject,DX\n10002,0\n")
    assert "no column 'ID'" in problems(ADHD200, write(tmp_path, {**SITES, **wrong}))


def test_a_clone_without_images(tmp_path):
    images = {path: ANNEX_POINTER for path in SITES if path.endswith(".nii.gz")}
    found = ADHD200.discover(write(tmp_path, {**SITES, **images}), "mine")
    assert not any(scan.image_present for scan in found.scans)
    assert any(note.startswith("4 scan(s) are links without content") for note in found.notes)
