"""Phantoms against what is known of the downloads: the names of the images, written out here.

These patterns come from the descriptions of the datasets, not from the generator: a change of the generator that
somebody who knows the real download would not recognise fails here.
"""

import gzip
import re

import nibabel
import pytest

from braindino.errors import ConfigError
from braindino.phantom import LAYOUTS, Plan, plan_cohort

N, SEED = 12, 4

IMAGES = {
    "abide1": r"RawDataBIDS/(Pitt|CMU_[ab]|KKI|MaxMun_[a-d]|UM_1|UCLA_1)/sub-(005\d{4})/anat/sub-\2_T1w\.nii\.gz",
    "adhd200": r"RawDataBIDS/(Brown|NYU|OHSU|Peking_[13]|WashU)/sub-(00\d{5})/ses-([1-4])/anat/"
    r"sub-\2_ses-\3(_run-\d|_acq-[1-5])?_T1w\.nii\.gz",
    "aomic_id1000": r"sub-(\d{4})/anat/sub-\1_run-[123]_T1w\.nii\.gz",
    "atlas": r"ATLAS3_Training_Raw/(R\d{3})/sub-(r\d{3}s\d{3})/ses-([12])/anat/"
    r"sub-\2_ses-\3_space-orig_desc-brain_T1w\.nii\.gz",
    "atlas_v2": r"ATLAS_2/(Training|Testing)/(R\d{3})/sub-(r\d{3}s\d{3})/ses-1/anat/"
    r"sub-\3_ses-1_space-MNI152NLin2009aSym_T1w\.nii\.gz",
    "dlbs": r"sub-([1-9]\d*)/ses-(wave[123])/anat/sub-\1_ses-\2_acq-(MPRAGE_run-[12]_T1w|FLAIR_run-[12]_T2w)\.nii\.gz",
    "hcp_ya": r"(\d{6})/(unprocessed/3T/(T1w_MPR[12]|T2w_SPC1)/\1_3T_\3|T1w/T[12]w_acpc_dc_restore)\.nii\.gz",
    "ixi": r"IXI-T[12]/IXI(\d{3})-(Guys|HH|IOP)-(\d{4})-T[12]\.nii\.gz",
    "long579": r"sub-(5\d{3})/ses-([579])/anat/sub-\1_ses-\2_acq-D\dS\d+_T1w\.nii\.gz",
    "nki_rockland": r"RawDataBIDSLatest/sub-(A000\d{5})/ses-(BAS[12]|FLU[12]|TRT)/anat/sub-\1_ses-\2_T[12]w\.nii\.gz",
    "pixar": r"sub-(pixar\d{3})/anat/sub-\1_T1w\.nii\.gz",
}


@pytest.fixture(params=sorted(IMAGES))
def layout(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def planned(layout: str, n: int = N) -> Plan:
    return plan_cohort(layout, n, SEED)


def test_images_are_called_as_in_the_download(layout: str) -> None:
    images = [scan.image for scan in planned(layout).scans]
    assert [image for image in images if not re.fullmatch(IMAGES[layout], image)] == []
    assert len(set(images)) == len(images) >= N


def test_no_other_file_stands_where_a_scan_goes_and_decoys_are_images_of_nothing(layout: str) -> None:
    plan = planned(layout)
    written = {path for scan in plan.scans for path in (scan.image, scan.segmentation, scan.brain_mask) if path}
    assert written.isdisjoint(plan.files)
    for path, content in plan.files.items():
        if path.endswith(".nii.gz"):
            assert isinstance(content, bytes)
            assert nibabel.Nifti1Image.from_bytes(gzip.decompress(content)).get_fdata().sum() == 0


def test_no_two_scans_have_the_same_voxels(layout: str) -> None:
    drawn = [(scan.subject, scan.contrast, scan.repeat) for scan in planned(layout).scans]
    assert len(set(drawn)) == len(drawn)


def test_heads_are_whole_where_the_download_has_whole_heads(layout: str) -> None:
    whole, stripped = planned(layout), plan_cohort(layout, N, SEED, heads=False)
    assert {scan.with_skull for scan in whole.scans} == {layout not in ("atlas", "ixi")}  # ixi: smaller, for the demo
    assert not any(scan.with_skull for scan in stripped.scans)
    assert stripped.files == whole.files
    assert stripped.labels == whole.labels


def test_one_person_makes_a_dataset(layout: str) -> None:
    plan = planned(layout, 1)
    assert {scan.told.subject for scan in plan.scans if scan.told} <= {label.subject for label in plan.labels} or (
        layout == "ixi"  # whose last imaged person is not in the table
    )


def test_more_people_than_ids_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="layout pixar run from 1 to 155"):
        plan_cohort("pixar", 156, SEED)


def test_other_layouts_do_not_change_the_people_of_one() -> None:
    seeds = {layout: plan_cohort(layout, 1, SEED).subjects[0].seed for layout in LAYOUTS}
    gliomas = {seeds.pop(layout) for layout in ("brats2021", "brats2024_goat", "ucsf_pdgm", "upenn_gbm")}
    assert len(gliomas) == 1, "these collections share patients, as the real ones do"
    assert len(gliomas | set(seeds.values())) == 1 + len(seeds), "no others do"
    assert (seeds["ixi"], seeds["bids"], seeds["manifest"]) == ((SEED, 0), (SEED, 1), (SEED, 2))
    assert seeds["dlbs"] == (SEED, 1242211503), "golden: a hash of the name"
