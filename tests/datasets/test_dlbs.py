from braindino.datasets import get_adapter
from tests.datasets.helpers import ANNEX_POINTER, bids, problems, values

DLBS = get_adapter("dlbs")
HEADER = (
    "participant_id\tAgeMRI_W1\tAgeCog_W1\tAgePETAmy_W1\tAgeMRI_W2\tAgeMRI_W3\tSex\tRace\tEduComp\tEduYrsEstCap\t"
    "HandednessScore\tMMSE_W1\tMMSE_W2\tMMSE_W3\r\n"
)
# CRLF ends: the last cell would read "29\r".
ROWS = (
    "sub-1003\t46\t46\tn/a\t50\tn/a\tf\t5\t5\t16\t4\t30\t28\t29\r\n"
    "sub-12\t89\t89\tn/a\t93\tn/a\tm\t5\t7\t20\t0\txx\tn/a\tn/a\r\n"
)
ANAT = "sub-1003/ses-wave1/anat/sub-1003_ses-wave1_acq"


def tree(root, table=HEADER + ROWS, image=b"x"):
    return bids(
        root,
        {
            "participants.tsv": table,
            "DLBS KTTK.pdf": b"x",
            f"{ANAT}-MPRAGE_run-1_T1w.nii.gz": image,
            f"{ANAT}-MPRAGE_run-1_T1w.json": {"Manufacturer": "Philips", "RepetitionTime": 0.0081},
            f"{ANAT}-MPRAGE_run-2_T1w.nii.gz": image,
            f"{ANAT}-FLAIR_run-1_T2w.nii.gz": image,
            "sub-12/ses-wave2/anat/sub-12_ses-wave2_acq-MPRAGE_run-1_T1w.nii.gz": image,
        },
    )


def test_a_flair_is_known_by_its_acquisition_not_by_its_suffix(tmp_path):
    found = DLBS.discover(tree(tmp_path), "mine")
    assert [(scan.subject, scan.session, scan.contrast, scan.run) for scan in found.scans] == [
        ("1003", "wave1", "FLAIR", "1"),
        ("1003", "wave1", "T1w", "1"),
        ("1003", "wave1", "T1w", "2"),
        ("12", "wave2", "T1w", "1"),
    ]
    assert {scan.acquisition.vendor for scan in found.scans} == {"Philips"}
    assert {(scan.acquisition.field_strength, scan.acquisition.model) for scan in found.scans} == {(3.0, None)}


def test_the_wide_table_becomes_labels_of_waves(tmp_path):
    found = DLBS.discover(tree(tmp_path), "mine")
    ages = {(label.subject, label.session): label.number for label in found.labels if label.label == "age"}
    assert ages == {
        ("1003", "wave1"): 46, ("1003", "wave2"): 50, ("12", "wave1"): 89, ("12", "wave2"): 90,
    }, "ages over 89 are capped, those at other visits are not used"  # fmt: skip
    mmse = {(label.subject, label.session): label.number for label in found.labels if label.label == "mmse"}
    assert mmse == {("1003", "wave1"): 30, ("1003", "wave2"): 28, ("1003", "wave3"): 29}
    assert values(found, "sex") == {"1003": "female", "12": "male"}
    assert values(found, "education_years") == {"1003": 16, "12": 20}
    assert {label.label for label in found.labels} == {"age", "mmse", "sex", "education_years"}


def test_what_is_missing_is_named_with_its_download(tmp_path):
    assert "participants.tsv is missing" in problems(DLBS, tmp_path)
    renamed = HEADER.replace("AgeMRI_W2", "Age_W2").replace("MMSE_W3", "MMSE3")
    text = problems(DLBS, tree(tmp_path / "renamed", renamed + ROWS))
    assert "'AgeMRI_W2'" in text
    assert "'MMSE_W3'" in text
    assert "ds004856.git" in text
    assert "is empty" in problems(DLBS, tree(tmp_path / "empty", "\r\n"))


def test_a_clone_without_images(tmp_path):
    found = DLBS.discover(tree(tmp_path, image=ANNEX_POINTER), "mine")
    assert [scan.image_present for scan in found.scans] == [False] * 4
    assert all("datalad get" in str(scan.absent_hint) for scan in found.scans)


def test_a_score_beyond_its_scale_gives_no_label(tmp_path):
    found = DLBS.discover(tree(tmp_path, HEADER + ROWS.replace("\t30\t28", "\t290\t28")), "mine")
    assert [label.session for label in found.labels if label.label == "mmse"] == ["wave2", "wave3"]
    assert any("MMSE_W1 says nothing known in '290' (1003)" in note for note in found.notes)
