import pytest

from braindino.datasets import get_adapter
from braindino.errors import DatasetError
from tests.datasets.helpers import ANNEX_POINTER, bids, values, write

BIDS = get_adapter("bids")
T1 = "sub-01/anat/sub-01_T1w.nii.gz"


def test_scans_with_sessions_runs_and_keys(tmp_path):
    root = bids(
        tmp_path / "any_name",
        {
            "sub-5002/ses-5/anat/sub-5002_ses-5_acq-D1S2_run-2_T1w.nii.gz": b"x",
            "sub-5002/ses-7/anat/sub-5002_ses-7_FLAIR.nii": b"x",
            "sub-5002/ses-7/func/sub-5002_ses-7_task-rest_bold.nii.gz": b"x",
            "sub-5002/ses-7/anat/.DS_Store": b"x",
        },
    )
    first, second = BIDS.discover(root, "long579").scans
    assert (first.dataset, first.subject, first.session, first.run, first.contrast) == (
        "long579",
        "5002",
        "5",
        "2",
        "T1w",
    )
    assert first.source_key == "sub-5002/ses-5/anat/sub-5002_ses-5_acq-D1S2_run-2_T1w"
    assert first.image == root / f"{first.source_key}.nii.gz"
    assert (second.session, second.run, second.contrast) == ("7", None, "FLAIR")


def test_the_key_knows_neither_the_folder_nor_the_compression(tmp_path):
    here = bids(tmp_path / "a", {T1: b"x"})
    there = bids(tmp_path / "b" / "c", {T1.removesuffix(".gz"): b"x"})
    assert BIDS.discover(here, "d").scans[0].source_key == BIDS.discover(there, "d").scans[0].source_key


def test_an_image_stored_twice_is_one_scan(tmp_path):
    root = bids(tmp_path, {T1: b"x", T1.removesuffix(".gz"): b"x"})
    found = BIDS.discover(root, "d")
    assert [scan.image.name for scan in found.scans] == ["sub-01_T1w.nii.gz"]
    assert any("taken once" in note for note in found.notes)


def test_unfetched_annex_files_are_absent_with_a_hint(tmp_path):
    root = bids(tmp_path, {T1: ANNEX_POINTER, "sub-03/anat/sub-03_T1w.nii.gz": b"\x1f\x8b" + bytes(100)})
    link = root / "sub-02" / "anat" / "sub-02_T1w.nii.gz"
    link.parent.mkdir(parents=True)
    link.symlink_to(ANNEX_POINTER)
    pointer, broken, real = BIDS.discover(root, "d").scans
    assert not pointer.image_present
    assert not broken.image_present
    assert "datalad get sub-02/anat/sub-02_T1w.nii.gz" in broken.absent_hint
    assert real.image_present
    assert real.absent_hint is None


def test_sidecars_are_inherited_and_the_inner_one_wins(tmp_path):
    root = bids(
        tmp_path,
        {
            "T1w.json": {"Manufacturer": "SIEMENS", "MagneticFieldStrength": 3, "SliceThickness": 1},
            "acq-ge_T1w.json": {"Manufacturer": "GE MEDICAL SYSTEMS"},
            "T2w.json": {"Manufacturer": "Philips"},
            T1: b"x",
            "sub-02/anat/sub-02_acq-ge_T1w.nii.gz": b"x",
            "sub-02/sub-02_T1w.json": {"MagneticFieldStrength": "15000", "ManufacturerModelName": "Signa"},
        },
    )
    plain, other = (scan.acquisition for scan in BIDS.discover(root, "d").scans)
    assert (plain.vendor, plain.field_strength, plain.slice_thickness, dict(plain.sources)["vendor"]) == (
        "Siemens",
        3.0,
        1.0,
        "sidecar",
    )
    assert (other.vendor, other.model, other.field_strength) == ("GE", "Signa", 1.5)


def test_a_broken_sidecar_is_noted_not_fatal(tmp_path):
    root = bids(tmp_path, {T1: b"x", "sub-01/anat/sub-01_T1w.json": '{"Manufacturer": '})
    found = BIDS.discover(root, "d")
    assert found.scans[0].acquisition.vendor is None
    assert any("sub-01_T1w.json" in note for note in found.notes)


def test_skull_stripping_is_known_only_where_it_is_said(tmp_path):
    atlas = "sub-r001s001/ses-1/anat/sub-r001s001_ses-1_space-orig_desc-brain_T1w.nii.gz"
    root = bids(tmp_path, {T1: b"x", atlas: b"x", "sub-02/anat/sub-02_T1w.nii.gz": b"x",
                           "sub-02/anat/sub-02_T1w.json": {"SkullStripped": False}})  # fmt: skip
    assert [scan.skull_stripped for scan in BIDS.discover(root, "d").scans] == [None, False, True]


def test_masks_go_to_the_scan_they_were_drawn_on(tmp_path):
    anat = "sub-01/anat/sub-01"
    root = bids(
        tmp_path,
        {
            f"{anat}_T1w.nii.gz": b"x",
            f"{anat}_acq-T2sel_FLAIR.nii.gz": b"x",
            f"{anat}_acq-T2sel_FLAIR_roi.nii.gz": b"x",
            f"derivatives/pipeline/{anat}_desc-brain_mask.nii.gz": b"x",
            f"derivatives/pipeline/{anat}_space-MNI152NLin6Asym_desc-brain_mask.nii.gz": b"x",
        },
    )
    t1, flair = BIDS.discover(root, "d").scans
    assert flair.segmentation == root / f"{anat}_acq-T2sel_FLAIR_roi.nii.gz"
    assert flair.brain_mask is None
    assert t1.brain_mask == root / f"derivatives/pipeline/{anat}_desc-brain_mask.nii.gz"
    assert t1.segmentation is None


def test_a_mask_that_may_belong_to_two_scans_belongs_to_none(tmp_path):
    anat = "sub-01/anat/sub-01"
    root = bids(tmp_path, {f"{anat}_run-1_T1w.nii.gz": b"x", f"{anat}_run-2_T1w.nii.gz": b"x",
                           f"derivatives/p/{anat}_desc-brain_mask.nii.gz": b"x"})  # fmt: skip
    assert [scan.brain_mask for scan in BIDS.discover(root, "d").scans] == [None, None]


def test_other_suffixes_are_counted(tmp_path):
    root = bids(tmp_path, {T1: b"x", "sub-01/anat/sub-01_angio.nii.gz": b"x"})
    found = BIDS.discover(root, "d")
    assert len(found.scans) == 1
    assert any("angio" in note for note in found.notes)


def test_a_wrong_root_says_everything_at_once(tmp_path):
    with pytest.raises(DatasetError) as caught:
        BIDS.discover(tmp_path, "mine")
    assert len(caught.value.problems) == 3
    for word in ("dataset_description.json", "sub-*", "participants.tsv"):
        assert word in str(caught.value)


def test_a_folder_of_datasets_names_them(tmp_path):
    write(tmp_path, {f"RawDataBIDS/{site}/dataset_description.json": {} for site in ("NYU", "KKI")})
    with pytest.raises(DatasetError, match="KKI, NYU"):
        BIDS.discover(tmp_path / "RawDataBIDS", "abide")


def test_labels_without_a_table_are_noted(tmp_path):
    found = BIDS.discover(bids(tmp_path, {T1: b"x"}), "d")
    assert found.labels == ()
    assert any("participants.tsv" in note for note in found.notes)


@pytest.mark.real
def test_a_real_depression_dataset(real_data):
    found = BIDS.discover(real_data / "ds002748_depression", "ds002748")
    assert len(found.scans) == 15
    assert all(scan.image_present and scan.contrast == "T1w" for scan in found.scans)
    assert len(values(found, "age")) == 43
    assert values(found, "diagnosis")["05"] == "depr"
    assert values(found, "sex")["05"] == "female"


@pytest.mark.real
def test_field_maps_and_functional_files_are_no_scans(real_data):
    (scan,) = BIDS.discover(real_data / "pumi-minitest", "pumi").scans
    assert (scan.acquisition.vendor, scan.acquisition.model, scan.acquisition.field_strength) == (
        "Siemens",
        "Skyra",
        3,
    )


@pytest.mark.real
@pytest.mark.parametrize(
    ("folder", "n", "contrasts"),
    [
        ("meta_ds000228", 59, {"T1w"}),
        ("meta_ds000030", 68, {"T1w"}),
        ("meta_ds004199", 88, {"T1w", "FLAIR"}),
        ("meta_ds006557", 85, {"T1w", "T2w"}),
    ],
)
def test_trees_without_images_are_absent_but_known(real_data, folder, n, contrasts):
    found = BIDS.discover(real_data / folder, folder)
    assert len(found.scans) == n
    assert {scan.contrast for scan in found.scans} == contrasts
    assert not any(scan.image_present for scan in found.scans)
    assert {scan.subject for scan in found.scans} <= set(values(found, "age"))


@pytest.mark.real
def test_lesion_segmentations_of_a_real_epilepsy_dataset(real_data):
    found = BIDS.discover(real_data / "meta_ds004199", "fcd")
    assert {scan.contrast for scan in found.scans if scan.segmentation} == {"FLAIR"}
    assert all(scan.segmentation.name.endswith("_roi.nii.gz") for scan in found.scans if scan.segmentation)
    assert set(values(found, "diagnosis").values()) == {"fcd", "hc"}
