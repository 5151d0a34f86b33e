from pathlib import Path

import pytest

from braindino.datasets import get_adapter
from braindino.datasets.brats2023_met import Brats2023MetAdapter
from braindino.errors import DatasetError
from tests.datasets.helpers import values, write

MET = get_adapter("brats2023_met")
TRAINING = "ASNR-MICCAI-BraTS2023-MET-Challenge-TrainingData"
VALIDATION = "ASNR-MICCAI-BraTS2023-MET-Challenge-ValidationData"
IMAGES = ("t1n", "t1c", "t2w", "t2f")


def case(folder: str, name: str, tokens: tuple[str, ...]) -> dict[str, bytes]:
    return {f"{folder}/{name}/{name}-{token}.nii.gz": b"x" for token in tokens}


def test_training_in_two_batches_and_validation(tmp_path: Path) -> None:
    files = case(TRAINING, "BraTS-MET-00002-000", (*IMAGES, "seg"))
    files |= case(f"{TRAINING}2", "BraTS-MET-00020-000", (*IMAGES, "seg"))
    files |= case(VALIDATION, "BraTS-MET-00013-000", IMAGES)
    found = MET.discover(write(tmp_path, files), "mine")
    assert len(found.scans) == 12
    assert {(scan.subject, scan.session) for scan in found.scans} == {
        ("BraTS-MET-00002", "000"), ("BraTS-MET-00020", "000"), ("BraTS-MET-00013", "000"),
    }  # fmt: skip
    assert values(found, "split") == {
        "BraTS-MET-00002": "training", "BraTS-MET-00020": "training", "BraTS-MET-00013": "validation",
    }  # fmt: skip
    assert {label.label for label in found.labels} == {"split"}, "no clinical table is public"


def test_a_case_in_two_packs_is_taken_once_from_the_first(tmp_path: Path) -> None:
    files = case(TRAINING, "BraTS-MET-00002-000", (*IMAGES, "seg"))
    files |= case("MICCAI-BraTS2024-MET-Challenge-Training_overall", "BraTS-MET-00002-000", (*IMAGES, "seg"))
    root = write(tmp_path, files)
    found = MET.discover(root, "mine")
    assert len(found.scans) == 4
    assert all(scan.segmentation and scan.segmentation.is_relative_to(root / TRAINING) for scan in found.scans)
    assert any("more than one folder" in note and "BraTS-MET-00002-000" in note for note in found.notes)


def test_later_packs_may_lack_a_contrast(tmp_path: Path) -> None:
    root = write(tmp_path, case(TRAINING, "BraTS-MET-00002-001", ("t1n", "t1c", "t2f", "seg")))
    assert [scan.source_key for scan in MET.discover(root, "mine").scans if not scan.image_present] == [
        "BraTS-MET-00002-001-t2w"
    ]
    later = Brats2023MetAdapter(optional=frozenset({"t2w"}))
    assert [scan.contrast for scan in later.discover(root, "mine").scans] == ["T1w", "T1c", "FLAIR"]


def test_a_wrong_root_and_half_a_copy(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nowhere does not exist: check the path"):
        MET.discover(tmp_path / "nowhere", "mine")
    with pytest.raises(DatasetError, match=r"MET-Challenge-TrainingData\.zip"):
        MET.discover(tmp_path, "mine")
    (tmp_path / TRAINING / "BraTS-MET-00002-000").mkdir(parents=True)
    scans = MET.discover(tmp_path, "mine").scans
    assert [scan.image_present for scan in scans] == [False] * 4
    assert all("MET-Challenge-TrainingData.zip" in str(scan.download) for scan in scans)
