"""What the BraTS challenges' downloads have in common: one folder per case with four contrasts and a tumour mask."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from braindino.datasets.base import Label, Scan
from braindino.datasets.bids_files import content_present, entries
from braindino.datasets.coverage_notes import absent_images
from braindino.datasets.half_copies import as_found
from braindino.datasets.required import Missing, require_folder
from braindino.datasets.search import Unpacked, look_under
from braindino.datasets.values import a_few

EXTENSIONS = (".nii.gz", ".niigz", ".nii")  # some copies on Kaggle lost a dot
CODES_2021 = ((1, "necrotic core"), (2, "oedema"), (4, "enhancing tumour"))
CODES_2023 = ((1, "non-enhancing core"), (2, "surrounding FLAIR hyperintensity"), (3, "enhancing tumour"))
TOKENS_2021 = {"t1": "T1w", "t1ce": "T1c", "t2": "T2w", "flair": "FLAIR"}
TOKENS_2023 = {"t1n": "T1w", "t1c": "T1c", "t2w": "T2w", "t2f": "FLAIR"}
_SPLITS = (("train", "training"), ("valid", "validation"), ("test", "test"))


@dataclass(frozen=True)
class BratsRules:
    """What differs between the challenges.

    `case` fits the name of a case's folder; its groups are the subject and, where there are several, the time point. A
    file is the case's name, `separator`, and one of the `contrasts`' tokens or `seg`. `get` says which download
    provides the cases ("get it from ..."). `corrected` fits folders whose files replace those of the same case
    elsewhere. Contrasts in `optional` are missing from cases for good.
    """

    case: re.Pattern[str]
    example: str
    get: str
    separator: str = "-"
    contrasts: Mapping[str, str] = field(default_factory=lambda: TOKENS_2023, hash=False)
    codes: tuple[tuple[int, str], ...] = CODES_2023
    corrected: re.Pattern[str] | None = None
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True)
class BratsTree:
    """The cases under a folder: their scans, the split that each is in, and what else lies beside them."""

    found: Unpacked
    scans: tuple[Scan, ...]
    splits: tuple[Label, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Case:
    name: str
    folder: Path
    files: dict[str, os.DirEntry[str]]


def read_cases(root: Path, name: str, rules: BratsRules, missing: Missing) -> BratsTree:
    """The cases of a challenge, as scans of the dataset `name`; problems go to `missing`.

    A contrast that a case lacks becomes a scan whose image is missing: the archive was not unpacked to its end.

    Raises:
        DatasetError: `root` is no folder.
    """
    require_folder(root, name)
    found = look_under(root, rules.case)
    if not found.folders:
        missing.say(f"No folder called like {rules.example} is under {root}{found.packed()}: {rules.get}.")
    cases, notes = _cases(found.folders, rules)
    get = f"{rules.get}{found.packed()}"
    scans = [_scan(case, token, name, rules, get) for case in cases for token in _tokens(case, rules)]
    missing.images(scans, (), root)
    notes += [*found.notes(), *absent_images(scans)]
    splits = {label.subject: label for label in (_split(case, root, name, rules) for case in cases) if label}
    training = {subject for subject, label in splits.items() if label.value == "training"}
    if bare := sorted({scan.subject for scan in scans if scan.segmentation is None} & training):
        notes.append(f"{len(bare)} training subject(s) have a case without a tumour mask: {a_few(bare)}.")
    return BratsTree(found, tuple(scans), tuple(splits.values()), tuple(notes))


def _cases(folders: Sequence[Path], rules: BratsRules) -> tuple[list[_Case], list[str]]:
    """Every case once, with its files: of two folders of a case those of the corrected one, else of the first."""
    by_name: dict[str, _Case] = {}
    corrected, twice = set(), set()
    for folder in sorted(folders, key=lambda path: not _is_corrected(path, rules)):
        files = _files(folder, rules)
        if _is_corrected(folder, rules):
            corrected.add(folder.name)
        elif folder.name in by_name and folder.name not in corrected:
            twice.add(folder.name)
        known = by_name.get(folder.name)
        merged = _Case(folder.name, folder, {**files, **(known.files if known else {})})
        by_name[folder.name] = merged
    notes = [f"{len(corrected)} case(s) were taken from the corrected copy."] if corrected else []
    if twice:
        notes.append(f"In more than one folder, and taken from the first: {a_few(sorted(twice))}.")
    return [by_name[case] for case in sorted(by_name)], notes


def _is_corrected(folder: Path, rules: BratsRules) -> bool:
    return rules.corrected is not None and any(rules.corrected.search(part) for part in folder.parts[:-1])


def _files(folder: Path, rules: BratsRules) -> dict[str, os.DirEntry[str]]:
    """The files of a case by what they hold: a token of a contrast, or `seg`."""
    start = f"{folder.name}{rules.separator}"
    files: dict[str, os.DirEntry[str]] = {}
    for entry in entries(folder):
        extension = _extension(entry.name)
        if extension and entry.name.startswith(start):
            token = entry.name.removeprefix(start).removesuffix(extension)
            if token == "seg" or token in rules.contrasts:
                files.setdefault(token, entry)
    return files


def _extension(file: str) -> str | None:
    return next((ending for ending in EXTENSIONS if file.endswith(ending)), None)


def _tokens(case: _Case, rules: BratsRules) -> list[str]:
    return [token for token in rules.contrasts if token in case.files or token not in rules.optional]


def _scan(case: _Case, token: str, name: str, rules: BratsRules, get: str) -> Scan:
    match = rules.case.fullmatch(case.name)
    assert match is not None
    subject, session = (*match.groups(), None)[:2]
    key = f"{case.name}{rules.separator}{token}"
    entry, mask = case.files.get(token), case.files.get("seg")
    extension = next((ending for file in case.files.values() if (ending := _extension(file.name))), EXTENSIONS[0])
    scan = Scan(
        dataset=name,
        source_key=key,
        subject=str(subject),
        image=Path(entry.path) if entry else case.folder / f"{key}{extension}",
        session=session,
        contrast=rules.contrasts[token],
        segmentation=Path(mask.path) if mask else None,
        segmentation_codes=rules.codes if mask else (),
        skull_stripped=True,
    )
    return as_found(scan, entry is not None and content_present(entry), get)


def _split(case: _Case, root: Path, name: str, rules: BratsRules) -> Label | None:
    """The challenge's split of a case, by the names of the folders above it, the innermost first."""
    match = rules.case.fullmatch(case.name)
    assert match is not None
    above = [root.name, *case.folder.relative_to(root).parts[:-1]]
    for part in reversed(above):
        for word, split in _SPLITS:
            if word in part.lower():
                return Label(name, str(match.group(1)), "split", split)
    return None
