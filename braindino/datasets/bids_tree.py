"""The anatomical scans of a BIDS tree, or of several beside each other, by rules that differ between datasets."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from braindino.datasets.base import Acquisition, Gap, Label, Moment, Scan
from braindino.datasets.bids_files import (
    AnatFile,
    AnatFolder,
    anat_folders,
    derivative_folders,
    entries,
    folder_notes,
    is_folder,
    subject_folders,
)
from braindino.datasets.bids_masks import assign_masks
from braindino.datasets.bids_missing import Due, nothing_due, with_missing
from braindino.datasets.bids_names import NOT_SCANS, contrast_of, is_scan
from braindino.datasets.bids_sidecars import SidecarReader, acquisition_of, is_stripped
from braindino.datasets.half_copies import as_found
from braindino.datasets.search import look_under
from braindino.datasets.values import a_few

FETCH = "The image is a git-annex link without content: run `datalad get {path}` (or `git annex get {path}`)."
_SUBJECT = re.compile(r"sub-.*")
# Folders beside or above the subjects that hold other things than the dataset's own images.
_OTHER_TREES = frozenset({"derivatives", "sourcedata", "sidecards", "code", "phenotype", "stimuli"})

MomentOf = Callable[[Mapping[str, Any]], Moment | None]


@dataclass(frozen=True)
class TreeRules:
    """What differs between BIDS trees.

    `contrasts` are the ones taken (None: all). `run` is the entity that tells repeats of a scan apart. `facts` are
    what the owners say of every scan; a sidecar or a table that says otherwise is believed. `masks_elsewhere` tells
    whether masks under derivatives/ fit the raw images. `segmentation_codes` say what a lesion mask's numbers mean.
    `due` are images that a folder must hold, beside those that its sidecars name; `get` says which download provides
    what is missing ("get it with ...").
    """

    contrasts: frozenset[str] | None = None
    run: str = "run"
    facts: Acquisition = field(default_factory=Acquisition)
    masks_elsewhere: bool = False
    segmentation_codes: tuple[tuple[int, str], ...] = ()
    due: Due = nothing_due
    get: str = "download the dataset again, or what is missing from it"


@dataclass(frozen=True)
class Tree:
    """The scans of a tree, the ids of all subjects that have a folder there, notes on oddities, and empty folders."""

    scans: tuple[Scan, ...]
    subjects: tuple[str, ...]
    notes: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()


def read_tree(
    root: Path, name: str, rules: TreeRules, sites: Mapping[str, str] | None = None, moment: MomentOf | None = None
) -> Tree:
    """The scans of the BIDS tree at `root`, as scans of the dataset `name`.

    `sites` are the subjects' sites by a table; `moment` finds in a sidecar when a scan was.
    """
    folders = [with_missing(folder, rules.due) for folder in anat_folders(root)]
    files, doubles = _one_per_key([file for folder in folders for file in folder.images if _taken(file, rules)])
    candidates = [file for folder in folders for file in folder.images]
    if rules.masks_elsewhere:
        candidates += [file for folder in derivative_folders(root) for file in folder.images]
    masks = {role: assign_masks(files, candidates, role) for role in ("brain", "lesion")}
    sidecars = {file.path: folder.sidecars for folder in folders for file in folder.images}
    reader, scans = SidecarReader(), []
    for file in files:
        metadata = reader.merged(file.name, sidecars[file.path])
        facts = acquisition_of(metadata, (sites or {}).get(file.subject)).or_else(rules.facts)
        scan = _scan(root, name, file, rules, is_stripped(file.name, metadata), facts)
        lesion = masks["lesion"].get(file.path)
        scans.append(
            replace(
                scan,
                when=moment(metadata) if moment else None,
                brain_mask=masks["brain"].get(file.path),
                segmentation=lesion,
                segmentation_codes=rules.segmentation_codes if lesion else (),
            )
        )
    unfinished = [name for folder in folders for name in folder.unfinished]
    notes = [*doubles, *_other_files(folders, rules), *unreadable(reader)]
    notes += folder_notes((folder.closed for folder in folders if folder.closed), unfinished)
    subjects = tuple(folder.name.removeprefix("sub-") for folder in subject_folders(root))
    gaps = (Gap(folder.empty, rules.get) for folder in folders if folder.empty and not folder.images)
    return Tree(tuple(scans), subjects, tuple(notes), tuple(gaps))


def _scan(root: Path, name: str, file: AnatFile, rules: TreeRules, stripped: bool | None, facts: Acquisition) -> Scan:
    relative = file.path.relative_to(root)
    scan = Scan(
        dataset=name,
        source_key=relative.with_name(file.name.stem).as_posix(),
        subject=file.subject,
        image=file.path,
        session=file.session,
        contrast=contrast_of(file.name),
        run=file.name.entities.get(rules.run),
        skull_stripped=stripped,
        acquisition=facts,
    )
    return as_found(scan, file.present, rules.get, FETCH.format(path=relative.as_posix()))


def bids_roots(root: Path, depth: int = 3) -> list[Path]:
    """The folders that hold `sub-*` folders, at `root` or up to `depth` folders below it; the nearest first."""
    if subject_folders(root):
        return [root]
    below = [found for folder in _folders(root) for found in bids_roots(folder, depth - 1)] if depth else []
    return sorted(below, key=lambda folder: (len(folder.parts), folder))


def tables_above_subjects(root: Path, pattern: str, depth: int = 2) -> list[Path]:
    """Tables by name, in any case, at `root` or up to `depth` folders below it, outside `sub-*`; the nearest first."""
    tables = look_under(root, _SUBJECT, depth).tables
    own = [path for path in tables if not _OTHER_TREES.intersection(path.relative_to(root).parts)]
    return [path for path in own if fnmatchcase(path.name.lower(), pattern.lower())]


def holds_scans(root: Path, rules: TreeRules) -> bool:
    """Whether the tree has, or lacks, any file that is a scan by these rules."""
    folders = (with_missing(folder, rules.due) for folder in anat_folders(root))
    return any(_taken(file, rules) for folder in folders for file in folder.images)


def join_trees(trees: Mapping[Path, Tree]) -> Tree:
    """Trees, by their folders, as one; of scans with the same key, the first counts."""
    scans: dict[str, Scan] = {}
    copies = []
    for scan in (scan for tree in trees.values() for scan in tree.scans):
        if scans.setdefault(scan.source_key, scan) is not scan:
            copies.append(scan.source_key)
    notes = [f"{folder.name}: {note}" for folder, tree in trees.items() for note in tree.notes]
    if copies:
        notes.append(f"Found in more than one folder and taken once: {a_few(copies)}.")
    subjects = dict.fromkeys(subject for tree in trees.values() for subject in tree.subjects)
    gaps = tuple(gap for tree in trees.values() for gap in tree.gaps)
    return Tree(tuple(scans.values()), tuple(subjects), tuple(notes), gaps)


def coverage_notes(tree: Tree, labels: Sequence[Label], table: str = "participants.tsv") -> list[str]:
    """Who has images and no row, a row and no folder, or a folder and no scan; and how many images were not fetched."""
    notes = []
    labelled = {label.subject for label in labels}
    imaged = {scan.subject for scan in tree.scans}
    if labelled and (silent := sorted(imaged - labelled)):
        notes.append(f"{len(silent)} subject(s) with images have no row in {table}: {a_few(silent)}.")
    if without := sorted(labelled - set(tree.subjects)):
        notes.append(f"{len(without)} subject(s) of {table} have no folder: {a_few(without)}.")
    if empty := sorted(set(tree.subjects) - imaged):
        notes.append(f"{len(empty)} subject folder(s) hold no anatomical scan: {a_few(empty)}.")
    if links := sum(not scan.image_present and scan.download is None for scan in tree.scans):
        notes.append(f"{links} scan(s) are links without content; fetch them with `datalad get` or `git annex get`.")
    return notes


def unreadable(reader: SidecarReader) -> list[str]:
    """Notes on the sidecars that `reader` could not read, or not believe, if there were any."""
    said = (
        (reader.unreadable, "are no readable JSON"),
        (reader.implausible, "state a field strength or slice thickness that no scan has"),
    )
    names = [(list(dict.fromkeys(path.name for path in paths)), what) for paths, what in said]
    return [f"Sidecars that {what}: {a_few(bad)}." for bad, what in names if bad]


def _folders(root: Path) -> list[Path]:
    inside = [entry for entry in entries(root) if is_folder(entry)]
    return [Path(e.path) for e in inside if not e.name.startswith("sub-") and e.name not in _OTHER_TREES]


def _taken(file: AnatFile, rules: TreeRules) -> bool:
    return is_scan(file.name) and (rules.contrasts is None or contrast_of(file.name) in rules.contrasts)


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


def _other_files(folders: Sequence[AnatFolder], rules: TreeRules) -> list[str]:
    files = [file for folder in folders for file in folder.images]
    others = [file.name for file in files if not _taken(file, rules) and file.name.suffix not in NOT_SCANS]
    suffixes = Counter(name.suffix or name.stem for name in others)
    return [f"{n} anat/ file(s) with the suffix {suffix} are not taken as scans." for suffix, n in suffixes.items()]
