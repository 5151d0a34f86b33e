from pathlib import Path

import pytest

from braindino.datasets import get_adapter
from braindino.errors import DatasetError
from tests.datasets.helpers import values, write

GOAT = get_adapter("brats2024_goat")
WITH = "MICCAI2024-BraTS-GoAT-TrainingData-With-GroundTruth"
WITHOUT = "MICCAI2024-BraTS-GoAT-TrainingData-WithOut-GroundTruth"
VALIDATION = "MICCAI2024-BraTS-GoAT-ValidationData"
IMAGES = ("t1n", "t1c", "t2w", "t2f")


def case(folder: str, name: str, tokens: tuple[str, ...], extension: str = ".nii.gz") -> dict[str, bytes]:
    return {f"{folder}/{name}/{name}-{token}{extension}": b"x" for token in tokens}


def test_folders_that_repeat_their_name_and_cases_without_time_point(tmp_path: Path) -> None:
    files = case(f"{WITH}/{WITH}", "BraTS-GoAT-00000", (*IMAGES, "seg"))
    files |= case(WITHOUT, "BraTS-GoAT-01400", IMAGES, ".niigz")
    files |= case(VALIDATION, "BraTS-GoAT-02000", IMAGES)
    found = GOAT.discover(write(tmp_path, files), "mine")
    assert len(found.scans) == 12
    assert {scan.session for scan in found.scans} == {None}
    assert values(found, "split") == {
        "BraTS-GoAT-00000": "training", "BraTS-GoAT-01400": "training", "BraTS-GoAT-02000": "validation",
    }  # fmt: skip
    assert {scan.subject for scan in found.scans if scan.segmentation} == {"BraTS-GoAT-00000"}
    assert found.links == (), "who they are in the other datasets is not published"


def test_the_shadow_files_of_macos_are_not_looked_at(tmp_path: Path) -> None:
    files = case(WITH, "BraTS-GoAT-00000", (*IMAGES, "seg"))
    files |= {f"__MACOSX/{WITH}/BraTS-GoAT-00001/._BraTS-GoAT-00001-t1n.nii.gz": b"x"}
    assert {scan.subject for scan in GOAT.discover(write(tmp_path, files), "mine").scans} == {"BraTS-GoAT-00000"}


def test_a_wrong_root_and_half_a_copy(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"GoAT-TrainingData-With-GroundTruth\.zip"):
        GOAT.discover(tmp_path, "mine")
    (tmp_path / VALIDATION / "BraTS-GoAT-02000").mkdir(parents=True)
    assert [scan.image_present for scan in GOAT.discover(tmp_path, "mine").scans] == [False] * 4


def test_a_missing_contrast_ends_as_the_others_of_its_case(tmp_path: Path) -> None:
    files = case(WITH, "BraTS-GoAT-00000", (*IMAGES[1:], "seg"))
    root = write(tmp_path, {name.replace(".nii.gz", ".niigz"): text for name, text in files.items()})
    (missing,) = [scan for scan in GOAT.discover(root, "mine").scans if scan.download]
    assert missing.image.name == f"BraTS-GoAT-00000-{IMAGES[0]}.niigz"
