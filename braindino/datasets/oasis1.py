"""OASIS-1 (cross-sectional): Analyze pairs in twelve discs, with one table or a text file per session."""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from braindino.datasets.base import Acquisition, DatasetInfo, Discovery, Scan
from braindino.datasets.bids_files import is_file
from braindino.datasets.bids_labels import without_conflicts
from braindino.datasets.coverage_notes import absent_images, not_in_both
from braindino.datasets.half_copies import as_found
from braindino.datasets.label_columns import (
    LabelColumn,
    handedness_column,
    read_labels,
    require_columns,
    sex_column,
)
from braindino.datasets.required import Missing, require_folder
from braindino.datasets.search import Unpacked, by_name, look_under, pick, read_table
from braindino.datasets.tables import Row, SourceTable, decode
from braindino.datasets.values import parse_age, parse_number

_HOME = "https://sites.wustl.edu/oasisbrains/"
_GET = f"unpack oasis_cross-sectional_disc1.tar.gz to disc12.tar.gz from {_HOME}"
_GET_TABLE = f"get oasis_cross-sectional.csv from {_HOME}"
_TABLES = tuple(f"oasis_cross-sectional{rest}" for rest in (".csv", ".xlsx", "-[0-9a-f]*.csv", "-[0-9a-f]*.xlsx"))
_SESSION = re.compile(r"(OAS1_\d{4})_(MR\d)")
_SCANNER = Acquisition.of("documentation", field_strength=1.5)  # the owners' description; the model is not in the files
_IDS = ("ID", "SESSION ID")  # in the table and in the text files


@dataclass(frozen=True)
class ImageKind:
    """One of the images of a session: its folder, its name after that of the session, and how its voxels are stored.

    The group of `name`, if it has one, is the run. `spelled` is the name with `{}` for the run, or for the number of
    scans that were averaged (`n4`).
    """

    folder: str
    name: re.Pattern[str]
    spelled: str
    orientation: str
    stripped: bool


# The first two are stored in sagittal slices, as acquired: voxel axes to anterior, superior and left, as Clinica's
# converter has it. The atlas space of the third has the order that the format assumes.
IMAGES = {
    "subj_111": ImageKind(
        "PROCESSED/MPRAGE/SUBJ_111", re.compile(r"_mpr_n\d_anon_sbj_111"), "_mpr_n{}_anon_sbj_111", "ASL", False
    ),
    "raw": ImageKind("RAW", re.compile(r"_mpr-(\d)_anon"), "_mpr-{}_anon", "ASL", False),
    "t88_masked": ImageKind(
        "PROCESSED/MPRAGE/T88_111", re.compile(r"_mpr_n\d_anon_111_t88_masked_gfc"),
        "_mpr_n{}_anon_111_t88_masked_gfc", "LAS", True,
    ),
}  # fmt: skip
_AVERAGED = re.compile(r"_mpr_n(\d)_")
_AVERAGES = ("PROCESSED/MPRAGE/SUBJ_111", "PROCESSED/MPRAGE/T88_111", "FSL_SEG")  # whose names tell of how many


# An empty score is no score, for the young were never rated.
_LABELS = (
    LabelColumn("age", ("Age",), parse_age, "years", of_row_session=True),
    LabelColumn("mmse", ("MMSE",), parse_number, of_row_session=True),
    LabelColumn("cdr", ("CDR",), parse_number, of_row_session=True),
    sex_column("M/F"),
    handedness_column("Hand"),
)


@dataclass(frozen=True)
class Oasis1Adapter:
    """Reads the discs, nested or not. Without the table, the text file of each session says the same.

    `image` chooses the average of a session's repeats at 1 mm, the repeats themselves, or the stripped average in atlas
    space. Analyze knows no orientation: read as it stands, a sagittal stack would pass for an axial one. Each scan
    therefore says how its voxels are stored, and the reader drops the trailing axis of length 1; that left is left is a
    convention of the dataset's users, and no header confirms it. `Educ` is a code from 1 to 5, not years, and gives no
    label. A session `MR2` is a repeat within 90 days.
    """

    image: Literal["subj_111", "raw", "t88_masked"] = "subj_111"
    info = DatasetInfo(
        name="oasis1",
        title="OASIS-1: Cross-sectional MRI Data in Young, Middle Aged, Nondemented and Demented Older Adults",
        licence="OASIS Data Use Agreement",
        restrictions="Free for everybody who accepts the data use agreement.",
        homepage=_HOME,
    )

    def discover(self, root: Path, name: str) -> Discovery:
        """One kind of image of every session, and age, sex, handedness, MMSE and CDR.

        Raises:
            DatasetError: no session, no table and no text file, or no column of the table that is needed; all at once.
        """
        root, missing = root.absolute(), Missing()
        require_folder(root, name)
        found = look_under(root, _SESSION)
        folders, kind = _one_each(found, missing), IMAGES[self.image]
        get = f"{_GET}{found.packed()}"
        scans = [scan for folder in folders for scan in _scans(folder, name, kind, get)]
        missing.images(scans, (), root)
        table = _table(found, folders, missing)
        if table is None or missing.problems:
            raise missing.error(name)
        stated, oddities = read_labels(table, name, _subject, _LABELS, _session)
        labels, disputed = without_conflicts(stated)
        listed = {match.group() for row in table.rows if (match := _match(row))}
        covered = not_in_both({folder.name for folder in folders}, listed, table.path.name)
        notes = [*found.copies(), *found.notes(kind.folder), *table.notes, *oddities, *disputed]
        notes += [*absent_images(scans), *covered]
        return Discovery(tuple(scans), tuple(labels), tuple(notes))


def _one_each(found: Unpacked, missing: Missing) -> list[Path]:
    """The folder of each session, once: of copies, the one nearest to the root."""
    if not found.folders:
        missing.say(f"No folder called like OAS1_0001_MR1 is under {found.root}{found.packed()}: {_GET}.")
    sessions: dict[str, Path] = {}
    for path in found.folders:
        sessions.setdefault(path.name, path)
    return [sessions[session] for session in sorted(sessions)]


def _scans(folder: Path, name: str, kind: ImageKind, get: str) -> list[Scan]:
    subject, session = folder.name.split("_MR")[0], folder.name.rsplit("_", 1)[1]
    inside = folder / kind.folder
    files = by_name(inside)
    scans = []
    for run, stem in _stems(folder, files, kind).items():
        image, present = pick(inside, files, f"{stem}.img", f"{stem}.nii.gz", f"{stem}.nii")
        if present and image.suffix == ".img":  # which is nothing without its header
            header, present = pick(inside, files, f"{stem}.hdr")
            image = image if present else header
        scan = Scan(
            dataset=name,
            source_key="/".join(filter(None, (folder.name, kind.folder, run))),
            subject=subject,
            image=image,
            session=session,
            contrast="T1w",
            run=run,
            skull_stripped=kind.stripped,
            orientation=kind.orientation,
            acquisition=_SCANNER,
        )
        scans.append(as_found(scan, present, get))
    return scans


def _stems(folder: Path, files: Iterable[str], kind: ImageKind) -> dict[str | None, str]:
    """The names of a session's images, less the extension, by their runs: those that are there, and those that lack.

    Every session has one of each kind. Runs are numbered from 1.
    """
    stems = sorted({file.split(".", 1)[0] for file in files if file.endswith((".img", ".hdr", ".nii", ".nii.gz"))})
    found = [(match, stem) for stem in stems if (match := kind.name.fullmatch(stem.removeprefix(folder.name)))]
    if not kind.name.groups:
        averages = (_AVERAGED.search(file) for place in _AVERAGES for file in by_name(folder / place))
        averaged = next((match[1] for match in averages if match), "*")
        return {None: found[0][1] if found else f"{folder.name}{kind.spelled.format(averaged)}"}
    runs = range(1, 1 + max((int(match[1]) for match, _ in found), default=1))
    return {str(run): f"{folder.name}{kind.spelled.format(run)}" for run in runs}


def _table(found: Unpacked, folders: Sequence[Path], missing: Missing) -> SourceTable | None:
    """The table, or what the sessions' text files say, as a table."""
    path = found.table(*_TABLES)
    if path is None:
        files = [folder / f"{folder.name}.txt" for folder in folders]
        rows = [row for line, file in enumerate(files, start=2) if (row := _row(line, file))]
        if rows:
            columns = tuple(dict.fromkeys(column for row in rows for column in row.cells))
            return SourceTable(files[0].with_name("*.txt"), columns, tuple(rows))
        missing.say(
            f"Neither oasis_cross-sectional.csv nor any session's text file is under {found.root}: {_GET_TABLE}."
        )
        return None
    table = read_table(path, _IDS[:1], missing, _GET_TABLE)
    if table is not None:
        require_columns(table, (), _LABELS, missing, _GET_TABLE)
    return table


def _row(line: int, file: Path) -> Row | None:
    """The lines `KEY:   value` of a session's text file; None if there is none that may be read."""
    if not (is_file(file) and os.access(file, os.R_OK)):
        return None
    pairs = (text.split(":", 1) for text in decode(file.read_bytes())[0].splitlines() if ":" in text)
    return Row(line, {key.strip(): value.strip() for key, value in pairs})


def _match(row: Row) -> re.Match[str] | None:
    return next((match for key in _IDS if (match := _SESSION.fullmatch(row.cells.get(key, "")))), None)


def _subject(row: Row) -> str | None:
    match = _match(row)
    return match.group(1) if match else None


def _session(row: Row) -> str | None:
    match = _match(row)
    return match.group(2) if match else None
