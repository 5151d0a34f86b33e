import pytest

from braindino.datasets import get_adapter
from tests.datasets.helpers import ANNEX_POINTER, problems, values, write

ABIDE = get_adapter("abide1")
HEADER = "SITE_ID,SUB_ID,DX_GROUP,DSM_IV_TR,AGE_AT_SCAN,SEX,HANDEDNESS_CATEGORY,FIQ,VIQ,AGE_AT_MPRAGE\n"
ROWS = (
    "PITT,50002,1,1,16.77,1,-9999,103,116,\n"
    "PITT,50003,2,0,24.45,1,R,`,180,\n"
    "KKI,50784,1,4,9.5,2,L->R,100,-9999,\n"
    "MAX_MUN,51233,1,0,-9999,2,Ambi,`,`,\n"
)
SITES = {
    "RawDataBIDS/Pitt/sub-0050002/anat/sub-0050002_T1w.nii.gz": b"x",
    "RawDataBIDS/Pitt/sub-0050003/anat/sub-0050003_T1w.nii.gz": b"x",
    "RawDataBIDS/Pitt/sub-0050003/func/sub-0050003_task-rest_run-1_bold.nii.gz": b"x",
    "RawDataBIDS/Pitt/T1w.json": {"MagneticFieldStrength": 3},
    "RawDataBIDS/KKI/sub-0050784/anat/sub-0050784_T1w.nii.gz": b"x",
    "RawDataBIDS/sidecards/sub-0050784/ses-KKI/anat/sub-0050784_ses-KKI_T1w.json": {"Manufacturer": "Philips"},
}


def tree(root, table=HEADER + ROWS, **others):
    return write(root, {"Phenotypic_V1_0b.csv": table, **SITES, **others})


def test_every_site_folder_is_read(tmp_path):
    found = ABIDE.discover(tree(tmp_path), "mine")
    assert [(scan.subject, scan.session, scan.run, scan.contrast) for scan in found.scans] == [
        ("0050784", None, None, "T1w"), ("0050002", None, None, "T1w"), ("0050003", None, None, "T1w"),
    ]  # fmt: skip
    assert found.scans[0].source_key == "sub-0050784/anat/sub-0050784_T1w"


def test_facts_come_from_the_sites_sidecar_and_from_the_tree_of_sidecards(tmp_path):
    kki, pitt, _ = (scan.acquisition for scan in ABIDE.discover(tree(tmp_path), "mine").scans)
    assert (kki.vendor, kki.site) == ("Philips", "KKI")
    assert (pitt.vendor, pitt.field_strength, pitt.site) == (None, 3.0, "PITT")
    assert dict(pitt.sources) == {"field_strength": "sidecar", "site": "table"}


def test_codes_and_missing_codes(tmp_path):
    found = ABIDE.discover(tree(tmp_path), "mine")
    assert values(found, "diagnosis") == {
        "0050002": "autism", "0050003": "control", "0050784": "autism", "0051233": "autism",
    }  # fmt: skip
    assert values(found, "diagnosis_subtype") == {"0050002": "autism", "0050784": "asperger_or_pdd_nos"}
    assert values(found, "age") == {"0050002": 16.77, "0050003": 24.45, "0050784": 9.5}
    assert values(found, "sex") == {
        "0050002": "male", "0050003": "male", "0050784": "female", "0051233": "female",
    }  # fmt: skip
    assert values(found, "handedness") == {"0050003": "right", "0051233": "ambidextrous"}
    assert any("'L->R' (0050784)" in note for note in found.notes)
    assert any("1 subject(s) of Phenotypic_V1_0b.csv have no folder: 0051233" in note for note in found.notes)


def test_quoted_commas_of_the_preprocessed_table(tmp_path):
    table = "FILE_ID,MEDICATION_NAME," + HEADER + 'Pitt_0050002,"Abilify, Zoloft",' + ROWS.splitlines()[0]
    root = write(tmp_path, {"Phenotypic_V1_0b_preprocessed1.csv": table, **SITES})
    assert values(ABIDE.discover(root, "mine"), "age") == {"0050002": 16.77}


def test_one_site_by_itself_with_its_own_table(tmp_path):
    tree(tmp_path)
    site = tmp_path / "RawDataBIDS" / "Pitt"
    assert "Phenotypic_V1_0b.csv" in problems(ABIDE, site)
    write(site, {"participants.tsv": (HEADER + ROWS).replace(",", "\t").lower().replace("sub_id", "participant_id")})
    found = ABIDE.discover(site, "mine")
    assert [scan.subject for scan in found.scans] == ["0050002", "0050003"]
    assert values(found, "diagnosis")["0050002"] == "autism"


@pytest.mark.parametrize(
    "image", ["RawData/KKI/0050784/session_1/anat_1/mprage.nii.gz", "KKI_50784/anat/NIfTI/mprage.nii.gz"]
)
def test_the_older_trees(tmp_path, image):
    hires = image.replace("mprage", "hires")
    func = "RawData/KKI/0050784/session_1/rest_1/rest.nii.gz"
    root = write(tmp_path, {"Phenotypic_V1_0b.csv": HEADER + ROWS, image: b"x", hires: b"x", func: b"x"})
    found = ABIDE.discover(root, "mine")
    (scan,) = found.scans
    assert (scan.subject, scan.session, scan.contrast, scan.acquisition.site) == ("0050784", None, "T1w", "KKI")
    assert any("hires.nii.gz" in note for note in found.notes), "128x128x34 voxels are no usable T1"
    (alone,) = ABIDE.discover(write(root / scan.image.parents[2], {"Phenotypic_V1_0b.csv": HEADER + ROWS}), "x").scans
    assert alone.source_key == scan.source_key


def test_of_two_trees_the_bids_one_counts(tmp_path):
    root = tree(tmp_path, **{"RawData/KKI/0050784/session_1/anat_1/mprage.nii.gz": b"x"})
    found = ABIDE.discover(root, "mine")
    assert len(found.scans) == 3
    assert any("BIDS was taken: 0050784" in note for note in found.notes)


def test_the_older_tree_fills_a_gap_of_the_bids_one(tmp_path):
    older = {"RawData/Pitt/0050004/session_1/anat_1/mprage.nii.gz": b"x"}
    root = tree(tmp_path, **older, **{"RawDataBIDS/Pitt/sub-0050004/func/sub-0050004_task-rest_bold.nii.gz": b"x"})
    assert "0050004" in {scan.subject for scan in ABIDE.discover(root, "mine").scans}


def test_a_row_of_each_site_folder_names_its_site_where_the_table_does_not(tmp_path):
    found = ABIDE.discover(tree(tmp_path, HEADER + ROWS.splitlines()[1]), "mine")
    assert [scan.acquisition.site for scan in found.scans] == ["KKI", "Pitt", "PITT"]
    assert any("2 subject(s) with images have no row" in note for note in found.notes)


def test_what_is_missing_is_named_with_its_download(tmp_path):
    text = problems(ABIDE, tmp_path)
    assert "no T1w" in text
    assert "aws s3 sync" in text
    assert "Neither Phenotypic_V1_0b.csv" in text
    renamed = HEADER.replace("DX_GROUP", "DX").replace("SUB_ID", "SUBJECT").replace("SITE_ID", "SITE")
    text = problems(ABIDE, tree(tmp_path / "renamed", renamed + ROWS))
    assert "'DX_GROUP'" in text
    assert "'SUB_ID'" in text
    assert "'SITE_ID'" in text
    assert "aws s3 cp" in text
    assert "is empty" in problems(ABIDE, tree(tmp_path / "empty", ""))


def test_a_clone_without_images(tmp_path):
    image = "RawDataBIDS/Pitt/sub-0050002/anat/sub-0050002_T1w.nii.gz"
    found = ABIDE.discover(tree(tmp_path, **{image: ANNEX_POINTER}), "mine")
    (absent,) = (scan for scan in found.scans if not scan.image_present)
    assert absent.subject == "0050002"
    assert "datalad get" in str(absent.absent_hint)


def test_people_of_other_datasets_are_left_out_unless_the_table_has_them(tmp_path):
    others = {f"ds003097/sub-{who}/anat/sub-{who}_T1w.nii.gz": b"x" for who in ("0001", "0010001", "0010002")}
    found = ABIDE.discover(tree(tmp_path, HEADER + ROWS + "NYU,10002,2,0,9,1,R,1,1,\n", **others), "mine")
    assert {scan.subject for scan in found.scans} == {"0050002", "0050003", "0050784", "0010002"}
    assert any("2 scan(s) of 2 people of other datasets were left out: 0001, 0010001." in note for note in found.notes)
    assert "no T1w" in problems(ABIDE, write(tmp_path / "alone", {**others, "Phenotypic_V1_0b.csv": HEADER + ROWS}))


def test_a_site_stated_twice_with_different_values_is_left_out(tmp_path):
    found = ABIDE.discover(tree(tmp_path, HEADER + ROWS + ROWS.splitlines()[0].replace("PITT", "NYU")), "mine")
    sites = {scan.subject: scan.acquisition.site for scan in found.scans}
    assert sites == {"0050784": "KKI", "0050002": "Pitt", "0050003": "PITT"}, "the folder's name is what is left"
    assert any("SITE_ID is stated with different values and was left out for 0050002." in n for n in found.notes)


@pytest.mark.parametrize("cell", ["1.5", "-5", "1_0"])
def test_what_is_no_id_is_a_row_of_nobody(tmp_path, cell):
    found = ABIDE.discover(tree(tmp_path, HEADER + ROWS + f"PITT,{cell},1,1,16.77,1,R,1,1,\n"), "mine")
    assert {label.subject for label in found.labels} == {"0050002", "0050003", "0050784", "0051233"}
    assert any("rows without a subject id, lines 6" in note for note in found.notes)


def test_of_copies_in_an_older_tree_the_nearest_counts(tmp_path):
    image = "RawData/KKI/0050784/session_1/anat_1/mprage.nii.gz"
    files = {image: b"x", f"A/copy/{image}": b"x", f"{image}.part": b"x", "Phenotypic_V1_0b.csv": HEADER + ROWS}
    found = ABIDE.discover(write(tmp_path, files), "mine")
    assert [scan.image for scan in found.scans] == [tmp_path / image]
    assert any("1 file(s) are copies" in note for note in found.notes)
    assert "1 unfinished downloads: mprage.nii.gz.part." in found.notes
