import pytest
from hypothesis import given
from hypothesis import strategies as st

from braindino.datasets.bids_names import (
    contrast_of,
    is_scan,
    mask_contrast,
    mask_role,
    parse_name,
    strip_extension,
)


def test_the_parts_of_a_name():
    name = parse_name("sub-1003_ses-wave1_acq-MPRAGE_run-1_T1w")
    assert name.entities == {"sub": "1003", "ses": "wave1", "acq": "MPRAGE", "run": "1"}
    assert name.suffix == "T1w"


@pytest.mark.parametrize(
    ("stem", "contrast"),
    [
        ("sub-01_T1w", "T1w"),
        ("sub-01_ce-gadolinium_T1w", "T1c"),
        ("sub-00001_acq-T2sel_FLAIR", "FLAIR"),
        ("sub-1003_ses-wave1_acq-FLAIR_run-1_T2w", "FLAIR"),  # OpenNeuro ds004856 files FLAIR under T2w
        ("sub-HYPE01_ses-HFC_acq-axi_T2w", "T2w"),
        ("sub-01_PDw", "PD"),
        ("sub-01_T2starw", "T2starw"),
        ("sub-r001s001_ses-1_space-MNI152NLin2009aSym_T1w", "T1w"),
    ],
)
def test_contrasts(stem, contrast):
    assert is_scan(parse_name(stem))
    assert contrast_of(parse_name(stem)) == contrast


@pytest.mark.parametrize(
    "stem",
    [
        "sub-00001_acq-T2sel_FLAIR_roi",  # OpenNeuro ds004199: a lesion segmentation beside the scan
        "sub-01_desc-brain_mask",
        "sub-01_mod-T1w_defacemask",
        "sub-01_task-rest_bold",
        "sub-01_angio",
        "sub-01_part-phase_T2starw",
        "M1833784_gre_field_mapping_20180302190817_6",
    ],
)
def test_what_is_not_a_scan(stem):
    assert not is_scan(parse_name(stem))


@pytest.mark.parametrize(
    ("stem", "role", "contrast"),
    [
        ("sub-00001_acq-T2sel_FLAIR_roi", "lesion", "FLAIR"),
        ("sub-r001s001_ses-1_space-orig_label-lesion_desc-T1lesion_mask", "lesion", "T1w"),
        ("sub-01_space-FLAIR_label-lesion_mask", "lesion", "FLAIR"),
        ("sub-01_desc-brain_mask", "brain", None),
        ("sub-01_T1w_brainmask", "brain", "T1w"),
        ("sub-01_label-GM_mask", None, None),
        ("sub-01_dseg", None, None),
    ],
)
def test_masks(stem, role, contrast):
    assert mask_role(parse_name(stem)) == role
    assert mask_contrast(parse_name(stem)) == contrast


@given(st.text(alphabet="abT1w_-.", max_size=30))
def test_any_name_can_be_parsed(stem):
    name = parse_name(stem)
    assert name.stem == stem
    assert isinstance(is_scan(name), bool)


def test_extensions():
    assert strip_extension("sub-01_T1w.nii.gz") == "sub-01_T1w"
    assert strip_extension("sub-01_T1w.nii") == "sub-01_T1w"
    assert strip_extension("sub-01_T1w.json") is None
