"""Half-downloaded copies: which images are missing, which download brings them, and the one error that says so.

A dataset tells itself what should be there: by a sidecar beside an image, a row of an archive's list, the contrasts of
a case. A link without content is how a clone looks before its images are fetched, and no fault. An image that is
listed and is not there at all means that the download stopped half-way, or that files were lost.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from braindino.datasets.base import Discovery, Gap, Scan
from braindino.datasets.bids_files import is_there
from braindino.datasets.values import a_few
from braindino.errors import DatasetError

_NAMED = 100  # images that the error names for each download
_REST = "; after --partial, the mart `scans` lists all"
_GO_ON = (
    "To go on with what is here, give --partial: what is missing is then recorded as absent, and read once it is here."
)


def as_found(scan: Scan, present: bool, download: str, fetch: str | None = None) -> Scan:
    """The scan, and where its image has no content here, the way to it.

    `download` brings an image that is not there at all ("unpack x.tar from https://..."); `fetch` is the sentence on a
    link that leads nowhere, which by default names the download, too.
    """
    if present:
        return scan
    if is_there(scan.image):
        hint = fetch or f"The link {scan.image.name} leads nowhere: {download}."
        return replace(scan, image_present=False, absent_hint=hint)
    hint = f"{scan.image.name} is not there: {download}."
    return replace(scan, image_present=False, absent_hint=hint, download=download)


def problems(scans: Sequence[Scan], gaps: Iterable[Gap], root: Path) -> list[str]:
    """A sentence for each download that should have brought images, with the images that it did not bring."""
    missing: dict[str, list[str]] = defaultdict(list)
    for scan in scans:
        if scan.download is not None:
            missing[scan.download].append(_relative(scan.image, root))
    empty: dict[str, list[str]] = defaultdict(list)
    for gap in gaps:
        empty[gap.download].append(_relative(gap.folder, root))
    said = [
        f"{len(names)} of {len(scans)} images are missing, it is half a copy: {download}. "
        f"Missing: {a_few(names, _NAMED)}{_REST if len(names) > _NAMED else ''}."
        for download, names in missing.items()
    ]
    return said + [
        f"{len(names)} folder(s) hold none of their images, it is half a copy: {download}. "
        f"Empty: {a_few(names, _NAMED)}."
        for download, names in empty.items()
    ]


def require_whole(found: Discovery, root: Path, name: str) -> None:
    """Checks that all images are here, or links to them.

    Raises:
        DatasetError: some are missing; each is named, beside the download that brings it.
    """
    if said := problems(found.scans, found.gaps, root):
        raise DatasetError(name, (*said, _GO_ON))


def partial_notes(found: Discovery, root: Path) -> list[str]:
    """Notes on what is missing from a copy that is read all the same."""
    missing = sum(scan.download is not None for scan in found.scans)
    notes = [f"{missing} of {len(found.scans)} images are missing and were left out (--partial)."] if missing else []
    if folders := [_relative(gap.folder, root) for gap in found.gaps]:
        told = "folder(s) hold none of their images and were left out (--partial)"
        notes.append(f"{len(folders)} {told}: {a_few(folders)}.")
    return notes


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
