import pytest

from braindino.datasets import get_adapter
from tests.datasets.helpers import ANNEX_POINTER, bids, problems, values

PIXAR = get_adapter("pixar")
# Header and rows as in the published table, whose last line has no end.
HEADER = (
    "participant_id\tAge\tAgeGroup\tChild_Adult\tGender\tHandedness\tToM Booklet-Matched\tToM Booklet-Matched-NOFB\t"
    "FB_Composite\tFB_Group\tWPPSI BD raw\tWPPSI BD scaled\tKBIT_raw\tKBIT_standard\tDCCS Summary\tScanlog: Scanner\t"
    "Scanlog: Coil\tScanlog: Voxel slize\tScanlog: Slice Gap\n"
)
CHILD = (
    "sub-pixar001\t4.774811773\t4yo\tchild\tM\tR\t0.8\t0.736842105\t6\tpass\t22\t13\tn/a\tn/a\t3\t3T1\t7-8yo 32ch\t"
    "3mm iso\t0.1\n"
)
ADULT = (
    "sub-pixar155\t23\tAdult\tadult\tF\tAmbi\tn/a\tn/a\tn/a\tn/a\tn/a\tn/a\tn/a\tn/a\tn/a\t3T2\tn/a\t3.13 mm iso\t0.1"
)
SIDECAR = {"Manufacturer": "Siemens", "ManufacturersModelName": "TrioTim", "MagneticFieldStrength": 3}


def tree(root, table=HEADER + CHILD + ADULT):
    return bids(
        root,
        {
            "participants.tsv": table,
            "sub-pixar001/anat/sub-pixar001_T1w.nii.gz": b"x",
            "sub-pixar001/anat/sub-pixar001_T1w.json": SIDECAR,
            "sub-pixar001/func/sub-pixar001_task-pixar_bold.nii.gz": b"x",
            "sub-pixar155/anat/sub-pixar155_T1w.nii.gz": b"x",
            "derivatives/preprocessed_data/sub-pixar001/sub-pixar001_normed_anat.nii.gz": b"x",
            "derivatives/mriqc/sub-pixar001/anat/sub-pixar001_T1w.nii.gz": b"x",
        },
    )


def test_one_t1w_each_and_nothing_of_the_derivatives(tmp_path):
    found = PIXAR.discover(tree(tmp_path), "mine")
    assert [(scan.subject, scan.session, scan.run, scan.contrast) for scan in found.scans] == [
        ("pixar001", None, None, "T1w"),
        ("pixar155", None, None, "T1w"),
    ]
    assert not any("derivatives" in scan.image.parts for scan in found.scans)


def test_labels_and_the_scanner_that_stands_for_a_site(tmp_path):
    found = PIXAR.discover(tree(tmp_path), "mine")
    assert values(found, "age") == {"pixar001": 4.774811773, "pixar155": 23}
    assert values(found, "age_group") == {"pixar001": "4yo", "pixar155": "Adult"}
    assert values(found, "sex") == {"pixar001": "male", "pixar155": "female"}
    assert values(found, "handedness") == {"pixar001": "right", "pixar155": "ambidextrous"}
    assert {label.label for label in found.labels} == {"age", "age_group", "sex", "handedness"}
    child, adult = (scan.acquisition for scan in found.scans)
    assert (child.site, adult.site) == ("3T1", "3T2")
    assert dict(child.sources)["vendor"] == "sidecar"
    assert (adult.vendor, dict(adult.sources)["vendor"]) == ("Siemens", "documentation")


def test_images_that_were_not_fetched_are_absent_with_the_command(tmp_path):
    root = bids(
        tmp_path, {"participants.tsv": HEADER + CHILD, "sub-pixar001/anat/sub-pixar001_T1w.nii.gz": ANNEX_POINTER}
    )
    (scan,) = PIXAR.discover(root, "mine").scans
    assert not scan.image_present
    assert "datalad get sub-pixar001/anat/sub-pixar001_T1w.nii.gz" in str(scan.absent_hint)


def test_people_of_the_table_without_a_folder_are_noted(tmp_path):
    root = bids(tmp_path, {"participants.tsv": HEADER + CHILD + ADULT, "sub-pixar001/anat/sub-pixar001_T1w.nii": b"x"})
    assert "1 subject(s) of participants.tsv have no folder: pixar155." in PIXAR.discover(root, "mine").notes


def test_a_wrong_root_says_everything_at_once(tmp_path):
    text = problems(PIXAR, tmp_path)
    assert "no sub-* folder" in text
    assert "participants.tsv is missing" in text
    assert text.count("ds000228.git") == 2
    assert "nowhere does not exist: check the path" in problems(PIXAR, tmp_path / "nowhere")


def test_folders_without_images_are_said_together_with_what_else_is_missing(tmp_path):
    text = problems(PIXAR, bids(tmp_path, {"sub-pixar001/func/sub-pixar001_task-pixar_bold.nii.gz": b"x"}))
    assert "No sub-* folder" in text
    assert "participants.tsv is missing" in text


def test_renamed_columns_are_all_named(tmp_path):
    renamed = HEADER.replace("\tAge\t", "\tYears\t").replace("Scanlog: Scanner", "Scanner")
    text = problems(PIXAR, tree(tmp_path, renamed + CHILD))
    assert "no columns 'Scanlog: Scanner', 'Age'; it has participant_id, Years" in text
    assert text.count("it has") == 1


@pytest.mark.parametrize(("table", "says"), [("", "is empty"), (HEADER, "a header and no row")])
def test_an_empty_table(tmp_path, table, says):
    text = problems(PIXAR, tree(tmp_path, table))
    assert says in text
    assert "datalad install" in text


@pytest.mark.real
def test_the_real_metadata(real_data):
    found = PIXAR.discover(real_data / "meta_ds000228", "pixar")
    assert len(found.scans) == 59
    assert not any(scan.image_present for scan in found.scans)
    assert {scan.acquisition.model for scan in found.scans} == {"TrioTim"}
    assert {scan.acquisition.site for scan in found.scans} == {"3T1", "3T2"}
    ages, sexes, groups = (values(found, label) for label in ("age", "sex", "age_group"))
    assert len(ages) == 155
    assert (min(ages.values()), max(ages.values())) == (pytest.approx(3.518, abs=1e-3), 39)
    assert sorted(map(list(sexes.values()).count, ("female", "male"))) == [71, 84]
    assert list(groups.values()).count("Adult") == 33
    assert any(note.startswith("96 subject(s) of participants.tsv have no folder") for note in found.notes)


@pytest.mark.real
def test_a_real_image_in_its_place(tmp_path, real_data):
    table = (real_data / "meta_ds000228" / "participants.tsv").read_bytes()
    sample = real_data / "brainiac_sample/src/BrainIAC/data/sample/processed/subpixar009_T1w.nii.gz"
    root = bids(tmp_path, {"participants.tsv": table, "sub-pixar009/anat/sub-pixar009_T1w.nii.gz": sample.read_bytes()})
    found = PIXAR.discover(root, "pixar")
    (scan,) = found.scans
    assert (scan.subject, scan.image_present) == ("pixar009", True)
    assert (scan.acquisition.vendor, scan.acquisition.site) == ("Siemens", "3T2")
    assert values(found, "age")["pixar009"] == 3.518138261


def test_a_scanner_stated_twice_with_different_values_is_left_out(tmp_path):
    found = PIXAR.discover(tree(tmp_path, HEADER + CHILD + CHILD.replace("3T1", "3T2") + ADULT), "mine")
    assert [scan.acquisition.site for scan in found.scans] == [None, "3T2"]
    assert any("Scanlog: Scanner is stated with different values" in n and "pixar001" in n for n in found.notes)
