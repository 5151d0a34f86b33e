"""The generic BIDS adapter: any dataset in the Brain Imaging Data Structure, under a name the user gives."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from braindino.datasets.base import Acquisition, DatasetInfo, Discovery, Scan
from braindino.datasets.bids_files import (
    AnatFile,
    AnatFolder,
    anat_folders,
    derivative_folders,
    subject_folders,
)
from braindino.datasets.bids_labels import LabelsFound, read_labels
from braindino.datasets.bids_masks import assign_masks
from braindino.datasets.bids_names import NOT_SCANS, contrast_of, is_scan
from braindino.datasets.bids_sidecars import SidecarReader, acquisition_of, is_stripped
from braindino.datasets.values import a_few
from braindino.errors import DatasetError

_FETCH = "The image is a git-annex link without content: run `datalad get {path}` (or `git annex get {path}`)."


class BidsAdapter:
    """Reads `sub-*/[ses-*/]anat/*_<suffix>.nii[.gz]`, the tables, sidecars and masks of derivatives."""

    info = DatasetInfo(
        name="bids",
        title="Any dataset in the Brain Imaging Data Structure",
        licence="as in the dataset's dataset_description.json",
        restrictions=None,
        homepage="https://bids.neuroimaging.io",
    )

    def discover(self, root: Path, name: str) -> Discovery:
        """All anatomical scans and all labels of the BIDS dataset under `root`.

        Raises:
            DatasetError: `root` is no BIDS dataset; all that is missing is named at once.
        """
        root = root.absolute()
        _check(root, name)
        folders = list(anat_folders(root))
        scans, doubles = _one_per_key([file for folder in folders for file in folder.images if is_scan(file.name)])
        subjects = [folder.name.removeprefix("sub-") for folder in subject_folders(root)]
        labels = read_labels(root, name, subjects)
        described, unreadable = _describe(root, name, folders, scans, labels)
        notes = [
            *labels.notes,
            *doubles,
            *_other_files(folders),
            *unreadable,
            *_coverage(described, subjects, labels),
        ]
        told = _said_of_itself(root)
        return Discovery(
            described, tuple(labels.labels), tuple(notes), title=told.get("Name"), licence=told.get("License")
        )


def _said_of_itself(root: Path) -> dict[str, str]:
    """The texts of `dataset_description.json`; none where it cannot be read, for it decides nothing."""
    try:
        told = json.loads((root / "dataset_description.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return (
        {key: value for key, value in told.items() if isinstance(value, str) and value}
        if isinstance(told, dict)
        else {}
    )


def _check(root: Path, name: str) -> None:
    if not root.is_dir():
        raise DatasetError(name, (f"{root} is not a folder: give the folder the dataset was downloaded to.",))
    problems = []
    if not (root / "dataset_description.json").is_file():
        inner = sorted(path.parent.name for path in root.glob("*/dataset_description.json"))
        hint = f" These folders in it have one: {a_few(inner)}; ingest each by itself." if inner else ""
        problems.append(f"{root} has no dataset_description.json, which every BIDS dataset has at its root.{hint}")
    if not subject_folders(root):
        problems.append(f"{root} has no sub-* folder: download the subjects' images or give the dataset's root.")
    if problems and not (root / "participants.tsv").is_file():
        problems.append(f"{root} has no participants.tsv either, which holds age, sex and group.")
    if problems:
        raise DatasetError(name, tuple(problems))


def _describe(
    root: Path, name: str, folders: Sequence[AnatFolder], files: Sequence[AnatFile], labels: LabelsFound
) -> tuple[tuple[Scan, ...], list[str]]:
    """The scans of files, and notes on sidecars that could not be read."""
    candidates = [file for folder in (*folders, *derivative_folders(root)) for file in folder.images]
    brain = assign_masks(files, candidates, "brain")
    lesion = assign_masks(files, candidates, "lesion")
    sidecars = {file.path: folder.sidecars for folder in folders for file in folder.images}
    reader, scans = SidecarReader(), []
    for file in files:
        metadata = reader.merged(file.name, sidecars[file.path])
        acquisition = acquisition_of(metadata, labels.sites.get(file.subject))
        stripped = is_stripped(file.name, metadata)
        masks = (brain.get(file.path), lesion.get(file.path))
        scans.append(_scan(root, name, file, acquisition, stripped, masks))
    bad = [path.name for path in reader.unreadable]
    return tuple(scans), [f"Sidecars that are no readable JSON: {a_few(bad)}."] if bad else []


def _scan(
    root: Path,
    name: str,
    file: AnatFile,
    acquisition: Acquisition,
    stripped: bool | None,
    masks: tuple[Path | None, Path | None],
) -> Scan:
    relative = file.path.relative_to(root)
    return Scan(
        dataset=name,
        source_key=relative.with_name(file.name.stem).as_posix(),
        subject=file.subject,
        image=file.path,
        session=file.session,
        contrast=contrast_of(file.name),
        run=file.name.entities.get("run"),
        brain_mask=masks[0],
        segmentation=masks[1],
        skull_stripped=stripped,
        acquisition=acquisition,
        image_present=file.present,
        absent_hint=None if file.present else _FETCH.format(path=relative.as_posix()),
    )


def _one_per_key(files: Sequence[AnatFile]) -> tuple[list[AnatFile], list[str]]:
    """One file per scan: of `x.nii` and `x.nii.gz`, the one with content, else the compressed one."""
    best: dict[Path, AnatFile] = {}
    doubles = []
    for file in files:
        key = file.path.with_name(file.name.stem)
        if key in best:
            doubles.append(file.name.stem)
        if key not in best or _preference(file) > _preference(best[key]):
            best[key] = file
    return list(best.values()), [
        f"Stored twice, as .nii and .nii.gz, and taken once: {a_few(doubles)}."
    ] if doubles else []


def _preference(file: AnatFile) -> tuple[bool, bool]:
    return file.present, file.path.name.endswith(".gz")


def _other_files(folders: Sequence[AnatFolder]) -> list[str]:
    names = [file.name for folder in folders for file in folder.images]
    suffixes = Counter(name.suffix or name.stem for name in names if not is_scan(name) and name.suffix not in NOT_SCANS)
    return [f"{n} anat/ file(s) with the suffix {suffix} are not taken as scans." for suffix, n in suffixes.items()]


def _coverage(scans: Sequence[Scan], subjects: Sequence[str], labels: LabelsFound) -> list[str]:
    notes = []
    labelled = {label.subject for label in labels.labels}
    imaged = {scan.subject for scan in scans}
    if labelled and (silent := sorted(imaged - labelled)):
        notes.append(f"{len(silent)} subject(s) with images have no row in participants.tsv: {a_few(silent)}.")
    if without := sorted(labelled - set(subjects)):
        notes.append(f"{len(without)} subject(s) of participants.tsv have no folder: {a_few(without)}.")
    if empty := sorted(set(subjects) - imaged):
        notes.append(f"{len(empty)} subject folder(s) hold no anatomical scan: {a_few(empty)}.")
    if absent := sum(not scan.image_present for scan in scans):
        notes.append(f"{absent} scan(s) are links without content; fetch them with `datalad get` or `git annex get`.")
    return notes
