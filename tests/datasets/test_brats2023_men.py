from pathlib import Path

import pytest

from braindino.datasets import Discovery, get_adapter
from braindino.errors import DatasetError
from tests.datasets.helpers import values, write
from tests.datasets.tables import excel

MEN = get_adapter("brats2023_men")
TRAINING = "ASNR-MICCAI-BraTS2023-MEN-Challenge-TrainingData/BraTS-MEN-Train"
VALIDATION = "ASNR-MICCAI-BraTS2023-MEN-Challenge-ValidationData"
TABLE = "Meningioma Supplementary Clinical Data and Imaging Parameters for Training and Validation Sets.xlsx"
IMAGES = ("t1n", "t1c", "t2w", "t2f")
HEADER = ("BraTS ID", "Split", "Grade", "Age", "Sex", "T1 Slice Thickness", "T1C Slice Thickness")
ROWS = (
    ("BraTS-MEN-00004-000", "Training", 1, 55, "Female", 1, 5),
    ("BraTS-MEN-00004-001", "Training", 1, 57, "Female", 1, None),
    ("BraTS-MEN-00009-000", "Validation", "Anaplastic hemangiopericytoma, III", None, "Male", None, None),
)


def case(folder: str, name: str, tokens: tuple[str, ...], content: bytes = b"x") -> dict[str, bytes]:
    return {f"{folder}/{name}/{name}-{token}.nii.gz": content for token in tokens}


def men(root: Path, rows: tuple[tuple[object, ...], ...] = ROWS) -> Path:
    excel(root / TABLE, HEADER, *rows)
    files = case(TRAINING, "BraTS-MEN-00004-000", (*IMAGES, "seg"))
    files |= case(TRAINING, "BraTS-MEN-00004-001", (*IMAGES, "seg"))
    return write(root, files | case(VALIDATION, "BraTS-MEN-00009-000", IMAGES))


def discover(root: Path) -> Discovery:
    return MEN.discover(root, "mine")


def test_the_last_number_is_a_time_point_of_the_person(tmp_path: Path) -> None:
    found = discover(men(tmp_path))
    t1c = [scan for scan in found.scans if scan.contrast == "T1c"]
    assert [(scan.subject, scan.session) for scan in t1c] == [
        ("BraTS-MEN-00004", "000"), ("BraTS-MEN-00004", "001"), ("BraTS-MEN-00009", "000"),
    ]  # fmt: skip
    assert t1c[0].segmentation_codes[2] == (3, "enhancing tumour")
    assert t1c[2].segmentation is None


def test_labels(tmp_path: Path) -> None:
    found = discover(men(tmp_path))
    ages = {(item.subject, item.session): item.number for item in found.labels if item.label == "age"}
    assert ages == {("BraTS-MEN-00004", "000"): 55, ("BraTS-MEN-00004", "001"): 57}
    assert values(found, "sex") == {"BraTS-MEN-00004": "female", "BraTS-MEN-00009": "male"}
    assert values(found, "who_grade") == {"BraTS-MEN-00004": 1}, "the one text in the column is no meningioma"
    assert values(found, "split") == {"BraTS-MEN-00004": "training", "BraTS-MEN-00009": "validation"}
    told = "Grade says nothing known in 'Anaplastic hemangiopericytoma, III' (BraTS-MEN-00009)."
    assert any(told in note for note in found.notes)


def test_a_thickness_that_no_slice_has_or_that_is_disputed_is_noted(tmp_path: Path) -> None:
    case_000, case_001, validation = ROWS
    rows = ((*case_000[:5], 500, 5), (*case_001[:5], 1, 3), (*case_001[:5], 1, 4), validation)
    found = discover(men(tmp_path, rows))
    thickness = {
        (scan.session, scan.contrast): scan.acquisition.slice_thickness
        for scan in found.scans
        if scan.subject == "BraTS-MEN-00004" and scan.contrast in ("T1w", "T1c")
    }
    assert thickness == {("000", "T1w"): None, ("000", "T1c"): 5, ("001", "T1w"): 1, ("001", "T1c"): None}
    told = [note for note in found.notes if "slice thickness" in note]
    assert any("no slice thickness: '500' (BraTS-MEN-00004-000 T1w)" in note for note in told)
    assert any("different values and was left out for BraTS-MEN-00004-001 T1c" in note for note in told)


def test_the_thickness_as_acquired_is_the_contrast_s(tmp_path: Path) -> None:
    found = discover(men(tmp_path))
    thickness = {scan.source_key: scan.acquisition.slice_thickness for scan in found.scans}
    assert thickness["BraTS-MEN-00004-000-t1n"] == 1
    assert thickness["BraTS-MEN-00004-000-t1c"] == 5
    assert thickness["BraTS-MEN-00004-001-t1c"] is None
    assert thickness["BraTS-MEN-00004-000-t2w"] is None


def test_corrected_cases_replace_the_original_file_by_file(tmp_path: Path) -> None:
    fixed = "BraTS-MEN-TRAIN-FIX-V4"
    root = write(men(tmp_path), case(fixed, "BraTS-MEN-00004-000", ("t1n", "seg")))
    found = discover(root)
    first = {scan.contrast: scan for scan in found.scans if (scan.subject, scan.session) == ("BraTS-MEN-00004", "000")}
    assert len(found.scans) == 12, "replaced, not appended"
    assert first["T1w"].image.is_relative_to(root / fixed)
    assert first["T2w"].image.is_relative_to(root / TRAINING)
    assert {scan.segmentation for scan in first.values()} == {
        root / fixed / "BraTS-MEN-00004-000/BraTS-MEN-00004-000-seg.nii.gz"
    }
    assert any(note.startswith("1 case(s) were taken from the corrected copy") for note in found.notes)


def test_a_wrong_root_says_everything_at_once(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        discover(tmp_path)
    cases, table = caught.value.problems
    assert "BraTS2023-MEN-Challenge-TrainingData.zip" in cases
    assert "Meningioma Supplementary Clinical Data" in table


def test_an_empty_table_without_its_columns_and_half_a_copy(tmp_path: Path) -> None:
    excel(tmp_path / TABLE, ("BraTS ID", "Split", "Age", "Gender"))
    write(tmp_path, case(TRAINING, "BraTS-MEN-00004-000", IMAGES))
    (tmp_path / VALIDATION / "BraTS-MEN-00010-000").mkdir(parents=True)
    with pytest.raises(DatasetError) as caught:
        discover(tmp_path)
    empty, columns, half = caught.value.problems
    assert "no row" in empty
    assert "no columns 'Sex', 'Grade'; it has BraTS ID" in columns
    assert "BraTS-MEN-00010-000/BraTS-MEN-00010-000-t1n.nii.gz" in half
