"""DICOM series of real scanners: as their reference conversions have them, or refused for what is wrong with them."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from braindino.datasets.dicom_facts import dicom_facts
from braindino.errors import Reason, ScanRefused
from braindino.imaging import make_volume, read_volume
from braindino.imaging.orient import orientation_codes, to_ras

pytestmark = pytest.mark.real

HEADS = {
    "dcm_qa_decubitus/In/HFS/3_t1_fl2d_sag": ((256, 256, 35), (1.0156, 1.0156, 4.8), "Siemens"),
    "dcm_qa_decubitus/In/HFDL/2_t1_fl2d_sag": ((256, 256, 35), (1.0156, 1.0156, 4.8), "Siemens"),
    "dcm_qa_philips_enh/In/cl": ((256, 256, 170), (1, 1, 1), "Philips"),
    "dcm_qa_xa30/In/5_anat-T1w_acq-tfl": ((128, 128, 96), (2, 2, 2), "Siemens"),
}


@pytest.mark.parametrize("folder", HEADS)
def test_a_series_has_the_scanners_grid(real_data: Path, folder: str) -> None:
    shape, spacing, vendor = HEADS[folder]
    volume = read_volume(real_data / folder)
    assert volume.data.shape == shape
    np.testing.assert_allclose(volume.spacing, spacing, atol=1e-3)
    assert orientation_codes(volume.affine) == "PIR", "sagittal, from the left to the right"
    facts = dicom_facts(real_data / folder)
    assert (facts.vendor, facts.field_strength) == (vendor, 3.0)


def test_many_frames_are_as_the_reference_conversion_has_them(real_data: Path) -> None:
    reference = nib.load(real_data / "dcm_qa_xa30" / "Ref" / "5_anat-T1w_acq-tfl.nii")
    theirs = to_ras(make_volume(np.asanyarray(reference.dataobj), reference.affine))
    ours = to_ras(read_volume(real_data / "dcm_qa_xa30" / "In" / "5_anat-T1w_acq-tfl"))
    np.testing.assert_array_equal(ours.data, theirs.data)
    np.testing.assert_allclose(ours.affine, theirs.affine, atol=1e-3)


def test_a_study_of_two_series(real_data: Path) -> None:
    with pytest.raises(ScanRefused) as caught:
        read_volume(real_data / "dcm_qa_decubitus" / "In")
    assert caught.value.reason == Reason.DICOM_SEVERAL_SERIES
    assert "series 2 with 35 slices" in str(caught.value)
