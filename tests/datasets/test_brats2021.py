from pathlib import Path

import pytest

from braindino.datasets import Discovery, get_adapter
from braindino.datasets.brats2021 import Brats2021Adapter
from braindino.errors import DatasetError
from tests.datasets.helpers import values, write
from tests.datasets.tables import excel

BRATS = get_adapter("brats2021")
TRAINING = "RSNA_ASNR_MICCAI_BraTS2021_TrainingData_16July2021"
VALIDATION = "RSNA_ASNR_MICCAI_BraTS2021_ValidationData"
IMAGES = ("t1", "t1ce", "t2", "flair")
# The header of BraTS2021_MappingToTCIA.xlsx.
HEADER = (
    "Data Collection (as on TCIA+additional)", "Site ID", "PatientID on TCIA Radiology Portal",
    "Study date (m/d/yyyy) per PatientID", "BraTS2021 ID", "Segmentation (Task 1) Cohort", "MGMT (Task 2) Cohort",
    "MGMT value",
)  # fmt: skip
ROWS = (
    ("UPENN-GBM", 1, "UPENN-GBM-00011_11", "", "BraTS2021_00000", "Training", "Training", 1),
    ("UCSF-PDGM", 18, "57", "", "BraTS2021_00002", "Training", "Training", 0),
    ("UCSF-PDGM_Additional", 18, "new-not-previously-in-TCIA", "", "BraTS2021_00001", "Validation", "", ""),
    ("TCGA-GBM", 4, "TCGA-02-0006", "6/29/1996", "BraTS2021_00005", "Training", "", ""),
    ("TCGA-GBM", 4, "TCGA-02-0009", "6/14/1997", "00169", "", "Training", 1),
)
MAPPING = "BraTS2021_MappingToTCIA.xlsx"


def case(folder: str, name: str, tokens: tuple[str, ...], extension: str = ".nii.gz") -> dict[str, bytes]:
    return {f"{folder}/{name}/{name}_{token}{extension}": b"x" for token in tokens}


def tree(root: Path) -> Path:
    training = case(TRAINING, "BraTS2021_00000", (*IMAGES, "seg")) | case(TRAINING, "BraTS2021_00002", (*IMAGES, "seg"))
    return write(root, training | case(VALIDATION, "BraTS2021_00001", IMAGES))


def brats(root: Path, rows: tuple[tuple[object, ...], ...] = ROWS) -> Path:
    excel(root / MAPPING, HEADER, *rows)
    return tree(root)


def discover(root: Path) -> Discovery:
    return BRATS.discover(root, "mine")


def problems(root: Path) -> tuple[str, ...]:
    with pytest.raises(DatasetError) as caught:
        discover(root)
    return caught.value.problems


def test_a_case_is_four_scans_and_a_mask(tmp_path: Path) -> None:
    found = discover(brats(tmp_path))
    scans = [scan for scan in found.scans if scan.subject == "BraTS2021_00000"]
    assert [(scan.contrast, scan.image.name) for scan in scans] == [
        ("T1w", "BraTS2021_00000_t1.nii.gz"),
        ("T1c", "BraTS2021_00000_t1ce.nii.gz"),
        ("T2w", "BraTS2021_00000_t2.nii.gz"),
        ("FLAIR", "BraTS2021_00000_flair.nii.gz"),
    ]
    assert {scan.segmentation.name for scan in scans if scan.segmentation} == {"BraTS2021_00000_seg.nii.gz"}
    assert dict(scans[0].segmentation_codes) == {1: "necrotic core", 2: "oedema", 4: "enhancing tumour"}
    assert all(scan.skull_stripped and scan.session is None and scan.run is None for scan in scans)
    assert [scan.acquisition.site for scan in scans] == ["1"] * 4
    assert len(found.scans) == 12


def test_validation_cases_have_no_mask_and_the_folder_tells_the_split(tmp_path: Path) -> None:
    found = discover(brats(tmp_path))
    (flair,) = [scan for scan in found.scans if scan.source_key == "BraTS2021_00001_flair"]
    assert (flair.segmentation, flair.segmentation_codes) == (None, ())
    assert values(found, "split") == {
        "BraTS2021_00000": "training", "BraTS2021_00002": "training", "BraTS2021_00001": "validation",
        "BraTS2021_00005": "training",
    }  # fmt: skip


def test_mgmt_is_the_mapping_s_and_an_empty_cell_is_no_label(tmp_path: Path) -> None:
    assert values(discover(brats(tmp_path)), "mgmt") == {
        "BraTS2021_00000": "methylated", "BraTS2021_00002": "unmethylated",
    }  # fmt: skip


def test_people_of_other_datasets_are_linked(tmp_path: Path) -> None:
    """TCIA's id of UPENN-GBM carries the exam, that of UCSF-PDGM is a bare number; new cases are nobody."""
    links = discover(brats(tmp_path)).links
    assert [(link.dataset, link.subject, link.other_dataset, link.other_subject) for link in links] == [
        ("mine", "BraTS2021_00000", "upenn_gbm", "UPENN-GBM-00011"),
        ("mine", "BraTS2021_00002", "ucsf_pdgm", "UCSF-PDGM-0057"),
    ]
    assert {link.evidence for link in links} == {MAPPING}


def test_the_mapping_of_2023_can_stand_in(tmp_path: Path) -> None:
    header = "BraTS2023;BraTS2021;BraTS2020;Cohort Name (if publicly available);Site No (represents the originating "
    rows = "institution);Local ID\nBraTS-GLI-00000-000;BraTS2021_00000;;UPENN-GBM;1;UPENN-GBM-00011_11\n"
    tree(tmp_path)
    write(tmp_path, {"BraTS2023_2017_GLI_Mapping.csv": header + rows})
    found = discover(tmp_path)
    assert [(link.subject, link.other_subject) for link in found.links] == [("BraTS2021_00000", "UPENN-GBM-00011")]
    assert {scan.acquisition.site for scan in found.scans} == {"1", None}


def test_the_header_may_be_spaced_otherwise(tmp_path: Path) -> None:
    header = ["Patient ID (TCIA)" if name.startswith("PatientID") else name.upper() for name in HEADER]
    excel(tree(tmp_path) / MAPPING, header, *ROWS)
    assert len(discover(tmp_path).links) == 2


def test_the_table_of_task_2_keeps_its_leading_zeros(tmp_path: Path) -> None:
    root = write(brats(tmp_path), {"train_labels.csv": "BraTS21ID,MGMT_value\n00000,0\n00001,1\n00169,1\n"})
    assert values(discover(root), "mgmt") == {
        "BraTS2021_00000": "methylated",  # the mapping is asked first
        "BraTS2021_00001": "methylated",
        "BraTS2021_00002": "unmethylated",
    }, "00169 is a case of the second task only"


def test_the_package_of_tcia_has_a_folder_per_collection(tmp_path: Path) -> None:
    excel(tmp_path / MAPPING, HEADER, *ROWS)
    folder = "PKG - RSNA/BraTS2021_TrainingSet/UPENN-GBM"
    found = discover(write(tmp_path, case(folder, "BraTS2021_00000", (*IMAGES, "seg"))))
    assert values(found, "split")["BraTS2021_00000"] == "training"


@pytest.mark.parametrize("extension", [".nii", ".niigz"])
def test_unpacked_and_misnamed_copies_are_taken(tmp_path: Path, extension: str) -> None:
    excel(tmp_path / MAPPING, HEADER, *ROWS)
    found = discover(write(tmp_path, case(TRAINING, "BraTS2021_00000", IMAGES, extension)))
    assert {scan.image.suffix for scan in found.scans} == {extension}
    assert all(scan.image_present for scan in found.scans)
    assert any("without a tumour mask" in note for note in found.notes)


def test_a_contrast_that_is_not_there_is_absent(tmp_path: Path) -> None:
    (brats(tmp_path) / TRAINING / "BraTS2021_00000/BraTS2021_00000_t2.nii.gz").unlink()
    found = discover(tmp_path)
    (scan,) = [scan for scan in found.scans if not scan.image_present]
    assert scan.source_key == "BraTS2021_00000_t2"
    assert "unpack the training" in (scan.absent_hint or "")
    assert any("BraTS2021_00000_t2" in note for note in found.notes)


def test_a_wrong_root_says_everything_at_once(tmp_path: Path) -> None:
    (tmp_path / "RSNA_ASNR_MICCAI_BraTS2021_TrainingData.zip").touch()
    cases, table = problems(tmp_path)
    assert "BraTS2021_00000" in cases
    assert "RSNA_ASNR_MICCAI_BraTS2021_TrainingData.zip" in cases
    assert "BraTS2021_MappingToTCIA.xlsx" in table


def test_without_any_mapping_a_copy_is_refused_unless_one_insists(tmp_path: Path) -> None:
    (problem,) = problems(tree(tmp_path))
    assert "cancerimagingarchive.net" in problem
    assert len(Brats2021Adapter(mapping_required=False).discover(tmp_path, "mine").scans) == 12


def test_a_renamed_column_an_empty_table_and_half_a_copy_come_in_one_error(tmp_path: Path) -> None:
    excel(tmp_path / MAPPING, ["ID" if name == "BraTS2021 ID" else name for name in HEADER])
    (tree(tmp_path) / TRAINING / "BraTS2021_00003").mkdir()
    empty, column, half = problems(tmp_path)
    assert "no row" in empty
    assert "'BraTS2021 ID'" in column
    assert "4 of 16 images are missing" in half
    assert "BraTS2021_00003/BraTS2021_00003_t1ce.nii.gz" in half
