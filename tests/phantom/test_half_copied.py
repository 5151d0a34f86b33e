"""Half a copy of each of the twenty: what its download still tells of an image that was lost, and what it cannot tell.

Each case removes files from a phantom, never their sidecars or rows, and names what must be said: files (or ids) that
the one error names, or the folder that it says is empty where nothing tells what was in it.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from braindino.datasets import Discovery, get_adapter, partial_notes, require_whole
from braindino.errors import DatasetError
from braindino.phantom import Plan, plan_cohort, write_cohort

SUBJECTS, SEED = 6, 11


@dataclass(frozen=True)
class Half:
    """Which images of a phantom are lost, what of their names is said, and which download is."""

    lost: Callable[[Plan], list[str]]
    download: str
    named: Callable[[str], str] = lambda image: Path(image).name


def first(*words: str, n: int = 1) -> Callable[[Plan], list[str]]:
    """The first images whose paths hold all of these words."""
    return lambda plan: [scan.image for scan in plan.scans if all(word in scan.image for word in words)][:n]


def image_id(image: str) -> str:
    """The archive's id of an image: I and digits."""
    return image.rsplit("_", 1)[-1].removesuffix(".nii")


_BRATS = "https://www.synapse.org"
CASES = {
    "abide1": Half(first("_T1w", n=3), "s3://fcp-indi/data/Projects/ABIDE/RawDataBIDS RawDataBIDS`"),
    "adhd200": Half(first("_run-1_T1w", n=2), "s3://fcp-indi/data/Projects/ADHD200/RawDataBIDS RawDataBIDS`"),
    "adni": Half(first("MPR", n=2), "of the project ADNI from https://ida.loni.usc.edu", image_id),
    "aomic_id1000": Half(first("_run-1_T1w", n=2), "datalad install https://github.com/OpenNeuroDatasets/ds003097.git"),
    "atlas": Half(first("_T1w", n=7), "unpack the archive from https://fcon_1000.projects.nitrc.org"),
    "atlas_v2": Half(first("_T1w", n=6), "unpack the archive from https://fcon_1000.projects.nitrc.org"),
    "brats2021": Half(first("_t1ce"), "unpack the training and validation data of BraTS 2021"),
    "brats2023_men": Half(first("TrainingData", "-t2f", n=2), _BRATS),
    "brats2023_met": Half(first("BraTS-MET", n=5), _BRATS),
    "brats2024_goat": Half(first("-t1c"), _BRATS),
    "dlbs": Half(first("_run-1_", n=3), "datalad install https://github.com/OpenNeuroDatasets/ds004856.git"),
    "hcp_ya": Half(first("T1w", n=4), "NNNNNN_3T_Structural_unproc.zip"),
    "icbm": Half(first("MNI_", n=3), "ida.loni.usc.edu (ICBM", image_id),
    "long579": Half(first("_T1w", n=2), "datalad install https://github.com/OpenNeuroDatasets/ds003604.git"),
    "nki_rockland": Half(
        first("_T2w"), "s3://fcp-indi/data/Projects/RocklandSample/RawDataBIDSLatest RawDataBIDSLatest`"
    ),
    "oasis1": Half(first(".img", n=2), "unpack oasis_cross-sectional_disc1.tar.gz to disc12.tar.gz"),
    "pixar": Half(first("_T1w", n=2), "datalad install https://github.com/OpenNeuroDatasets/ds000228.git"),
    "ppmi": Half(first("FLAIR", n=2), "ida.loni.usc.edu (PPMI", image_id),
    "ucsf_pdgm": Half(first("_FLAIR"), "download the NIfTI package (UCSF-PDGM-v5)"),
    "upenn_gbm": Half(first("_T1GD", n=2), "download the NIfTI package (PKG - UPENN-GBM-NIfTI)"),
}
# A flat folder of files, and nothing that lists them: the table is about people with and without images.
UNTOLD = {
    "ixi": first("-T1.nii.gz"),
    "aomic_id1000": lambda plan: [max(scan.image for scan in plan.scans)],  # a last run has nothing after it
    "adhd200": first("_run-2_T1w"),
    "dlbs": first("FLAIR_run-2"),  # the one image without a sidecar
    "brats2023_men": first("FIX"),  # the uncorrected image stands in
}


def download(name: str, root: Path) -> Plan:
    write_cohort(name, root, SUBJECTS, SEED, spacing_mm=8.0, heads=False)
    return plan_cohort(name, SUBJECTS, SEED, heads=False)


def lose(root: Path, image: str) -> None:
    """Removes an image: a file, or all files of a DICOM series."""
    path = root / image
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def discover(name: str, root: Path) -> Discovery:
    return get_adapter(name.removesuffix("_v2")).discover(root, "mine")


def said(found: Discovery, root: Path) -> str:
    with pytest.raises(DatasetError) as caught:
        require_whole(found, root, "mine")
    return str(caught.value)


@pytest.mark.parametrize("name", CASES)
def test_lost_images_are_named_with_their_download_and_listed_as_absent(name: str, tmp_path: Path) -> None:
    half = CASES[name]
    plan = download(name, tmp_path / "raw")
    whole = discover(name, tmp_path / "raw")
    require_whole(whole, tmp_path / "raw", "mine")
    lost = half.lost(plan)
    assert lost
    for image in lost:
        lose(tmp_path / "raw", image)
    found = discover(name, tmp_path / "raw")
    text = said(found, tmp_path / "raw")
    assert half.download in text
    assert [image for image in lost if half.named(image) not in text] == []
    keys = {scan.source_key for scan in whole.scans if scan.image.relative_to(tmp_path / "raw").as_posix() in lost}
    absent = {scan.source_key: scan.absent_hint for scan in found.scans if not scan.image_present}
    assert absent.keys() == keys, "each by the key that it has when it comes"
    assert all(half.download in str(hint) for hint in absent.values())
    assert {scan.source_key for scan in whole.scans} <= {scan.source_key for scan in found.scans}
    assert partial_notes(found, tmp_path / "raw")[0].startswith(f"{len(lost)} of {len(found.scans)} images are missing")


@pytest.mark.parametrize("name", UNTOLD)
def test_what_nothing_in_the_download_tells_is_not_made_up(name: str, tmp_path: Path) -> None:
    lost = UNTOLD[name](download(name, tmp_path / "raw"))
    assert lost
    for image in lost:
        lose(tmp_path / "raw", image)
    require_whole(discover(name, tmp_path / "raw"), tmp_path / "raw", "mine")


def test_where_a_folder_is_left_without_its_only_image_the_folder_is_named(tmp_path: Path) -> None:
    plan = download("adhd200", tmp_path / "raw")
    (image,) = first("Brown", "_T1w")(plan)
    lose(tmp_path / "raw", image)
    found = discover("adhd200", tmp_path / "raw")
    text = said(found, tmp_path / "raw")
    assert "1 folder(s) hold none of their images, it is half a copy: get the images with `aws s3 sync" in text
    assert f"Empty: {Path(image).parent.as_posix()}." in text
    assert "were left out (--partial)" in partial_notes(found, tmp_path / "raw")[0]


@pytest.mark.parametrize("name", ["ixi", "abide1", "oasis1", "brats2021", "ppmi"])
def test_a_download_that_stopped_half_way_is_a_missing_image(name: str, tmp_path: Path) -> None:
    image = tmp_path / "raw" / download(name, tmp_path / "raw").scans[0].image
    image.rename(image.with_name(f"{image.name}.part"))
    found = discover(name, tmp_path / "raw")
    assert len([scan for scan in found.scans if scan.download]) == 1
    assert (image_id(image.name) if name == "ppmi" else image.name) in said(found, tmp_path / "raw")
