"""The trees in which INDI publishes ABIDE and ADHD-200: a BIDS tree per site, an older one, and NITRC's."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from braindino.datasets.base import Acquisition, Gap, Scan
from braindino.datasets.bids_files import (
    entries,
    folder_notes,
    is_folder,
    may_read,
    unfinished_downloads,
    volumes,
)
from braindino.datasets.bids_names import strip_extension
from braindino.datasets.bids_tree import FETCH, Tree, TreeRules, bids_roots, join_trees, read_tree
from braindino.datasets.half_copies import as_found
from braindino.datasets.required import find_column
from braindino.datasets.tables import Row, SourceTable
from braindino.datasets.values import a_few, parse_whole

# `RawData/KKI/0050784/session_1/anat_1/mprage.nii.gz`; NITRC-IR: `KKI_50779/anat/NIfTI/mprage.nii.gz`,
# `Brown_26001_1/anat_1/NIfTI/rest.nii.gz`.
_OLDER = re.compile(r"(?P<site>[^/]+)/(?P<subject>\d{7})/session_(?P<session>\d+)/anat_(?P<run>\d+)$")
_NITRC = re.compile(r"(?P<site>[^/]+?)_(?P<subject>\d{5,7})(?:_(?P<session>\d+))?/anat(?:_(?P<run>\d+))?/NIfTI$")
_DEEPEST = 7  # folders between the root of a project and an image
_OTHERS = re.compile(r"sub-.*|derivatives|outputs|sidecards|(?:rest|func|dti)(?:_\d+)?", re.IGNORECASE)


def read_sites(root: Path, name: str, t1_names: Sequence[str], rules: TreeRules) -> Tree:
    """The T1w scans of all sites at or below `root`, in whichever of the three trees they were downloaded.

    A scan's site is the name of its site's folder; `rules` are those of the BIDS trees. In the others, the files called
    as `t1_names` (less their extension) are T1w; others beside them are noted. Of a subject in two trees, the BIDS one
    counts.
    """
    sites = {
        folder: read_tree(folder, name, replace(rules, facts=Acquisition.of("path", site=folder.name)))
        for folder in bids_roots(root)
    }
    bids = join_trees(sites)
    others = _other_trees(root, name, t1_names, rules.get)
    known = {scan.subject for scan in bids.scans}
    scans = tuple(scan for scan in others.scans if scan.subject not in known)
    subjects = tuple(dict.fromkeys((*bids.subjects, *others.subjects)))
    notes = list(others.notes)
    if twice := sorted({scan.subject for scan in others.scans} & known):
        notes.append(f"{len(twice)} subject(s) are here in BIDS and in an older tree; BIDS was taken: {a_few(twice)}.")
    return Tree((*bids.scans, *scans), subjects, (*bids.notes, *notes), (*bids.gaps, *others.gaps))


def padded_id(table: SourceTable, id_names: Sequence[str]) -> Callable[[Row], str | None]:
    """Finds the subject of a table's row: tables have `50002` where folders have `0050002`; `-5` and `1.5` are none."""
    column = find_column(table, id_names) or id_names[0]

    def subject(row: Row) -> str | None:
        number = parse_whole(row.cells.get(column, "").removeprefix("sub-"))
        return None if number is None or number >= 10**7 else f"{number:07d}"

    return subject


def _other_trees(root: Path, name: str, t1_names: Sequence[str], get: str) -> Tree:
    scans: dict[str, Scan] = {}
    unused, copies, closed = [], [], []
    unfinished: list[str] = []
    gaps: list[Gap] = []
    for folder in sorted(_innermost(root, _DEEPEST), key=lambda path: (len(path.parts), path)):
        if not may_read(folder):
            closed.append(folder)
        where = folder.as_posix()
        match = next((m for form in (_OLDER, _NITRC) if (m := form.search(where))), None)
        if match is None:
            continue
        inside = entries(folder)
        unfinished += unfinished_downloads(inside)
        files = volumes(inside)
        if not inside and may_read(folder):
            files = {folder / f"{t1_names[0]}.nii.gz": False} if len(t1_names) == 1 else {}
            gaps += [] if files else [Gap(folder, get)]
        for image, present in files.items():
            if (stem := strip_extension(image.name)) not in t1_names:
                unused.append(f"{match['subject']}/{image.name}")
                continue
            scan = Scan(
                name, f"{match.group()}/{stem}", match["subject"].zfill(7), image, match["session"], "T1w",
                match["run"], acquisition=Acquisition.of("path", site=match["site"]),
            )  # fmt: skip
            scan = as_found(scan, present, get, FETCH.format(path=image.relative_to(root)))
            if scans.setdefault(scan.source_key, scan) is not scan:
                copies.append(scan.source_key)
    said = ((unused, "of older trees are no T1w and were left out"), (copies, "are copies, and one of each was taken"))
    notes = [f"{len(which)} file(s) {what}: {a_few(which)}." for which, what in said if which]
    notes += folder_notes(closed, unfinished)
    subjects = tuple(dict.fromkeys(scan.subject for scan in scans.values()))
    return Tree(tuple(scans.values()), subjects, tuple(notes), tuple(gaps))


def _innermost(folder: Path, depth: int) -> Iterator[Path]:
    """The innermost folders, outside BIDS subjects and functional scans."""
    inside = [entry for entry in entries(folder) if not _OTHERS.fullmatch(entry.name) and is_folder(entry)]
    if not inside:
        yield folder
    for entry in inside if depth else ():
        yield from _innermost(Path(entry.path), depth - 1)
