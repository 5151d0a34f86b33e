import openpyxl

from braindino.datasets import get_adapter
from tests.datasets.helpers import problems, values, write

ATLAS = get_adapter("atlas")
HEADER = ("Subject ID", "Session", "# Lesions LH Cortical and White Matter", "# Lesions LH Subcortical", "Scanner")
TABLE = "ATLAS_2/20220425_ATLAS_2.0_MetaData.xlsx"
MNI = "space-MNI152NLin2009aSym"
TRAINED = "ATLAS_2/Training/R001/sub-r001s001/ses-1/anat/sub-r001s001_ses-1"
V2 = {
    "ATLAS_2/20211112_ATLAS_2.0_SupplementaryInfo.csv": "x\n",
    "ATLAS_2/MNI152NLin2009aSym.nii.gz": b"x",
    f"{TRAINED}_{MNI}_T1w.nii.gz": b"x",
    f"{TRAINED}_{MNI}_label-L_desc-T1lesion_mask.nii.gz": b"x",
    f"ATLAS_2/Testing/R005/sub-r005s048/ses-1/anat/sub-r005s048_ses-1_{MNI}_T1w.nii.gz": b"x",
}
RAW = "ATLAS3_Training_Raw"
METADATA = "SESSION_ID,ATLAS2_DATASET,DAYS_POST_STROKE,CHRONICITY,SITE\n"


def v2(root, header=HEADER):
    write(root, V2)
    book = openpyxl.Workbook()
    book.active.title = "anything"
    book.active.append(header)
    book.active.append(("sub-r001s001", "ses-1", 1, 0, "Siemens Trio"))
    book.active.append(("sub-r005s048", "ses-1", 0, 0, "GE Signa"))
    book.save(root / TABLE)
    return root


def session(subject, metadata=None, site="R001", ses="1"):
    stem = f"{RAW}/{site}/sub-{subject}/ses-{ses}/anat/sub-{subject}_ses-{ses}"
    images = {
        f"{stem}_space-orig_desc-brain_T1w.nii.gz": b"x",
        f"{stem}_space-orig_label-lesion_desc-T1lesion_mask.nii.gz": b"x",
    }
    return images if metadata is None else {**images, f"{stem}_metadata.csv": metadata}


def test_release_2_0(tmp_path):
    found = ATLAS.discover(v2(tmp_path), "mine")
    tested, trained = found.scans
    assert (trained.subject, trained.session, trained.contrast) == ("r001s001", "1", "T1w")
    assert trained.segmentation == tmp_path / f"{TRAINED}_{MNI}_label-L_desc-T1lesion_mask.nii.gz"
    assert trained.segmentation_codes == ((1, "stroke lesion"),)
    assert (tested.segmentation, tested.segmentation_codes) == (None, ())
    assert [(scan.acquisition.site, scan.acquisition.vendor) for scan in (trained, tested)] == [
        ("R001", "Siemens"),
        ("R005", "GE"),
    ]
    assert [scan.skull_stripped for scan in found.scans] == [None, None]
    assert values(found, "split") == {"r001s001": "training", "r005s048": "test"}
    assert {label.label for label in found.labels} == {"split"}


def test_one_site_needs_the_table_too_which_may_be_a_csv(tmp_path):
    site = v2(tmp_path) / "ATLAS_2" / "Training" / "R001"
    assert "MetaData.xlsx" in problems(ATLAS, site)
    write(site, {"20220425_ATLAS_2.0_MetaData.csv": "Subject ID,Session\nsub-r001s001,ses-1\n"})
    found = ATLAS.discover(site, "mine")
    assert [scan.acquisition.vendor for scan in found.scans] == [None]
    assert values(found, "split") == {"r001s001": "training"}


def test_the_raw_tree_tells_the_days_whatever_the_order_of_its_columns(tmp_path):
    turned = "SITE,CHRONICITY,DAYS_POST_STROKE,SESSION_ID,ATLAS2_DATASET\nR002,ge180,1825.0,ses-2,Training\n"
    root = write(
        tmp_path,
        {
            **session("r001s001", METADATA + "ses-1,Training,12.5,lt180,R001\n"),
            **session("r001s001", turned, ses="2"),
        },
    )
    found = ATLAS.discover(root, "mine")
    assert [(scan.session, scan.skull_stripped, scan.acquisition.site) for scan in found.scans] == [
        ("1", True, "R001"),
        ("2", True, "R002"),
    ]
    assert all(scan.segmentation is not None for scan in found.scans)
    told = {(label.label, label.session): label.number or label.value for label in found.labels}
    assert told == {
        ("days_since_stroke", "1"): 12.5, ("stroke_chronicity", "1"): "lt180",
        ("days_since_stroke", "2"): 1825.0, ("stroke_chronicity", "2"): "ge180",
        ("split", None): "training",
    }  # fmt: skip
    assert {label.unit for label in found.labels if label.label == "days_since_stroke"} == {"days"}


def test_days_that_are_codes_for_unknown_give_no_label_and_are_counted(tmp_path):
    root = write(
        tmp_path,
        {
            **session("r001s001", METADATA + "ses-1,Training,182.5,unknown,R001\n"),
            **session("r049s001", METADATA + "ses-1,,0,,R049\n", site="R049"),
            **session("r050s001", METADATA + "ses-1,,-4,,R050\n", site="R050"),
            **session("r050s002", METADATA + "ses-1,,,lt180,R050\n", site="R050"),
            **session("soop0910", METADATA, site="SOOP"),
            **session("r001s002"),
        },
    )
    found = ATLAS.discover(root, "mine")
    assert values(found, "days_since_stroke") == {"r001s001": 182.5}
    assert values(found, "stroke_chronicity") == {"r050s002": "lt180"}
    assert "3 session(s) have no usable number of days since stroke: r049s001, r050s001, r050s002." in found.notes
    assert "1 metadata.csv have a header and no row: sub-soop0910_ses-1_metadata.csv." in found.notes
    assert "1 session(s) have no metadata.csv: sub-r001s002_ses-1_metadata.csv." in found.notes


def test_what_is_missing_of_release_2_0(tmp_path):
    text = problems(ATLAS, tmp_path)
    assert "Training/R001" in text
    assert "signed form" in text
    assert "MetaData.xlsx" in problems(ATLAS, write(tmp_path / "without", V2))
    assert "no column 'Subject ID'" in problems(ATLAS, v2(tmp_path / "renamed", ("Person", *HEADER[1:])))
    empty = write(tmp_path / "empty", {**V2, TABLE.replace("xlsx", "csv"): ""})
    assert "is empty" in problems(ATLAS, empty)


def test_what_is_missing_of_a_raw_tree(tmp_path):
    nothing = write(tmp_path / "without", session("r001s001"))
    assert "none has its metadata" in problems(ATLAS, nothing)
    renamed = METADATA.replace("DAYS_POST_STROKE", "DAYS") + "ses-1,Training,12.5,lt180,R001\n"
    broken = {**session("r001s001", renamed), **session("r001s002", "")}
    text = problems(ATLAS, write(tmp_path / "broken", broken))
    assert text.startswith("2 file(s) are no tables with the columns DAYS_POST_STROKE and CHRONICITY")
    assert "sub-r001s001_ses-1_metadata.csv" in text


def test_days_that_nobody_lives_give_no_label(tmp_path):
    found = ATLAS.discover(write(tmp_path, session("r001s001", METADATA + "ses-1,Training,99999,,R001\n")), "mine")
    assert values(found, "days_since_stroke") == {}
    assert any("no usable number of days since stroke: r001s001" in note for note in found.notes)


def test_a_brand_stated_twice_with_different_values_is_left_out(tmp_path):
    root = v2(tmp_path)
    book = openpyxl.load_workbook(root / TABLE)
    book.active.append(("sub-r001s001", "ses-1", 1, 0, "Philips Achieva"))
    book.save(root / TABLE)
    found = ATLAS.discover(root, "mine")
    assert {scan.subject: scan.acquisition.vendor for scan in found.scans} == {"r001s001": None, "r005s048": "GE"}
    assert any("brand is stated with different values" in note and "r001s001" in note for note in found.notes)
