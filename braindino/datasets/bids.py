"""The generic BIDS adapter: any dataset in the Brain Imaging Data Structure, under a name the user gives."""

import json
from pathlib import Path

from braindino.datasets.base import DatasetInfo, Discovery
from braindino.datasets.bids_files import subject_folders
from braindino.datasets.bids_labels import read_labels
from braindino.datasets.bids_tree import TreeRules, coverage_notes, read_tree
from braindino.datasets.required import require_folder
from braindino.datasets.values import a_few
from braindino.errors import DatasetError


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
        subjects = [folder.name.removeprefix("sub-") for folder in subject_folders(root)]
        found = read_labels(root, name, subjects)
        tree = read_tree(root, name, TreeRules(masks_elsewhere=True), found.sites)
        labels = tuple(found.labels)
        notes = (*found.notes, *tree.notes, *coverage_notes(tree, labels))
        told = _said_of_itself(root)
        return Discovery(tree.scans, labels, notes, title=told.get("Name"), licence=told.get("License"), gaps=tree.gaps)


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
    require_folder(root, name)
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
