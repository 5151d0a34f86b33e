from braindino.datasets import get_adapter
from tests.datasets.helpers import problems, values, write
from tests.datasets.loni import LIST_HEADER, listed, volume, write_series

ICBM = get_adapter("icbm")
DAY = "2001-03-05_10_20_30.0"
MNI = "ICBM/MNI_0103/T1-FFE/2001-03-05_10_20_30.0/S6739/ICBM_MNI_0103_MRI_T1-FFE_br_20061112170325000_S6739_I2242.nii"
ROW = ("I2242", "MNI_0103", "Volunteer", "F", "27", "1", "T1-FFE", "3/05/2001")


def tree(root, images=(MNI,), table=None):
    return write(root, dict.fromkeys(images, b"x") | {"ICBM_T1_1_24_2022.csv": table or listed(ROW)})


def test_a_file_in_the_folder_of_its_series(tmp_path):
    (scan,) = ICBM.discover(tree(tmp_path), "mine").scans
    assert (scan.subject, scan.session, scan.run, scan.contrast) == ("MNI_0103", "2001-03-05", None, "T1w")
    assert scan.source_key == "MNI_0103/I2242"
    assert (scan.acquisition.site, dict(scan.acquisition.sources)) == ("MNI", {"site": "path"})


def test_a_dicom_series_of_the_other_site(tmp_path):
    leaf = tmp_path / "ICBM/UCLA_1297/SAG_MPRAGE_8_CHANNEL/2006-07-20_10_00_00.0/I5000"
    write_series(leaf, "ICBM_UCLA_1297_MR_SAG_MPRAGE_8_CHANNEL_br_raw", "I5000")
    row = ("I5000", "UCLA_1297", "Volunteer", "M", "31", "1", "SAG MPRAGE 8 CHANNEL", "7/20/2006")
    found = ICBM.discover(tree(tmp_path, table=listed(ROW, row)), "mine")
    scan = next(scan for scan in found.scans if scan.subject == "UCLA_1297")
    assert (scan.image, scan.contrast) == (leaf, "T1w")
    assert (scan.acquisition.site, scan.acquisition.vendor) == ("UCLA", "Siemens")


def test_three_contrasts_of_one_session(tmp_path):
    images = [MNI, volume("ICBM", "MNI_0103", "T2", DAY, "I1"), volume("ICBM", "MNI_0103", "PD", DAY, "I2")]
    assert {scan.contrast for scan in ICBM.discover(tree(tmp_path, images), "mine").scans} == {"T1w", "T2w", "PD"}


def test_labels_of_the_list_and_no_diagnosis(tmp_path):
    found = ICBM.discover(tree(tmp_path), "mine")
    assert values(found, "sex") == {"MNI_0103": "female"}
    assert values(found, "age") == {"MNI_0103": 27}
    assert [(x.label, x.session) for x in found.labels] == [("sex", None), ("age", "2001-03-05")]


def test_two_sexes_of_one_person_are_noted_and_neither_is_taken(tmp_path):
    other = ("I2243", "MNI_0103", "Volunteer", "M", "27", "1", "T2", "3/05/2001")
    found = ICBM.discover(tree(tmp_path, table=listed(ROW, other)), "mine")
    assert values(found, "sex") == {}
    assert any("sex of MNI_0103" in note for note in found.notes)


def test_listed_images_that_were_not_downloaded_are_absent(tmp_path):
    lacking = ("I7", "MNI_0104", "Volunteer", "M", "30", "1", "T1-FFE", "3/06/2001")
    found = ICBM.discover(tree(tmp_path, table=listed(ROW, lacking)), "mine")
    assert {scan.subject: scan.image_present for scan in found.scans} == {"MNI_0103": True, "MNI_0104": False}
    assert "ICBM_T1_1_24_2022.csv" in found.scans[1].absent_hint


def test_a_wrong_root_says_everything_at_once(tmp_path):
    assert "nowhere does not exist" in problems(ICBM, tmp_path / "nowhere")
    said = problems(ICBM, tmp_path)
    assert "No image in folders" in said
    assert "No list of a collection's images" in said


def test_a_renamed_column_and_an_empty_list(tmp_path):
    tables = {"renamed.csv": listed(ROW).replace('"Age"', '"Years"'), "rowless.csv": LIST_HEADER, "empty.csv": ""}
    said = problems(ICBM, write(tmp_path, {MNI: b"x", **tables}))
    assert "renamed.csv has no column 'Age'" in said
    assert "rowless.csv has a header and no row" in said
    assert "empty.csv is empty" in said


def test_two_ages_at_one_session_are_none(tmp_path):
    other = ("I2243", "MNI_0103", "Volunteer", "F", "77", "1", "T2", "3/05/2001")
    for order in ([ROW, other], [other, ROW]):
        found = ICBM.discover(tree(tmp_path / order[0][0], table=listed(*order)), "mine")
        assert values(found, "age") == {}
        assert any("age of MNI_0103" in note for note in found.notes)


def test_another_project_beside_it_is_left_out(tmp_path):
    root = tree(tmp_path, (MNI, volume("ADNI", "002_S_0295", "MPRAGE", DAY, "I1")))
    write(root, {"ADNI.csv": listed(("I9", "002_S_0295", "CN", "M", "85", "bl", "MPRAGE", "11/2/2006"))})
    found = ICBM.discover(root, "mine")
    assert {scan.subject for scan in found.scans} == {"MNI_0103"}
    assert {label.subject for label in found.labels} == {"MNI_0103"}
    assert any("none of this project" in note and "002_S_0295" in note for note in found.notes)
