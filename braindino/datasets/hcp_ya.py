"""Human Connectome Project, Young Adult (S1200): native or preprocessed T1w and T2w, ages in bands, many twins."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from braindino.datasets.base import Acquisition, DatasetInfo, Discovery, Gap, Label, Scan
from braindino.datasets.bids_files import content_present, finished_name
from braindino.datasets.bids_labels import without_conflicts
from braindino.datasets.coverage_notes import absent_images, not_in_both
from braindino.datasets.half_copies import as_found
from braindino.datasets.label_columns import LabelColumn, read_labels, require_columns, sex_column
from braindino.datasets.required import Missing, find_column, require_folder
from braindino.datasets.search import Unpacked, by_name, look_under, read_table, require_table
from braindino.datasets.tables import Row, SourceTable
from braindino.datasets.values import parse_age, parse_whole

_HOME = "https://www.humanconnectome.org/study/hcp-young-adult"
_GET = f"unpack the packages NNNNNN_3T_Structural_unproc.zip (or ..._preproc.zip) of {_HOME}"
_GET_OPEN = f"export the unrestricted behavioural data (unrestricted_*.csv) of {_HOME}"
_GET_RESTRICTED = f"export the restricted data (RESTRICTED_*.csv), after their own agreement, from {_HOME}"
_SUBJECT = re.compile(r"\d{6}")
_NATIVE = re.compile(r"(T1w|T2w)_(?:MPR|SPC)(\d)")
_SERIES = tuple(f"unprocessed/3T/{series}" for series in ("T1w_MPR1", "T1w_MPR2", "T2w_SPC1", "T2w_SPC2"))
_FIRST = {"T1w": "T1w_MPR1", "T2w": "T2w_SPC1"}
_PREPROCESSED = {"T1w": "T1w_acpc_dc_restore", "T2w": "T2w_acpc_dc_restore"}
_COUNTS = {"T1w": "T1_Count", "T2w": "T2_Count"}
_SCANNER = Acquisition.of("documentation", "Siemens", "Skyra", 3.0)  # one customised scanner, say the owners

_OPEN = (
    sex_column("Gender"),
    LabelColumn("age_band", ("Age",), str.strip),
    LabelColumn("qc", ("QC_Issue",), str.strip, optional=True),
)
_RESTRICTED = (
    LabelColumn("age", ("Age_in_Yrs",), parse_age, "years"),
    LabelColumn("family", ("Family_ID",), str.strip),
)


@dataclass(frozen=True)
class HcpYaAdapter:
    """Reads the folders of people, wherever the packages were unpacked, and the exported tables.

    The unprocessed 3 T images are taken; of people without them, the preprocessed ones in native space. The open table
    gives ages in bands (`22-25`, `36+`), which stay bands; the age in years and the family stand in the restricted
    table, if there is one. Without it nothing tells twins, and a note says so. The handedness of the restricted table
    is a score and gives no label.
    """

    info = DatasetInfo(
        name="hcp_ya",
        title="WU-Minn Human Connectome Project, Young Adult (S1200)",
        licence="WU-Minn HCP Consortium Open Access Data Use Terms",
        restrictions="Exact age, family and zygosity are under the Restricted Data Use Terms, a second agreement.",
        homepage=_HOME,
    )

    def discover(self, root: Path, name: str) -> Discovery:
        """The structural scans, sex and age band of everybody, and age and family where the restricted table is.

        Raises:
            DatasetError: nobody's folder, no open table, or no column of a table that is needed; all at once.
        """
        root, missing = root.absolute(), Missing()
        require_folder(root, name)
        found = look_under(root, _SUBJECT, depth=3)
        tables = _tables(found, missing)
        scans, gaps = _scans(found, name, _counted(tables), missing)
        missing.images(scans, gaps, root)
        missing.raise_if_any(name)
        labels: list[Label] = []
        notes: list[str] = []
        for table, columns in tables:
            stated, oddities = read_labels(table, name, _subject, columns)
            agreed, disputed = without_conflicts(stated)
            labels += agreed
            notes += [*table.notes, *oddities, *disputed]
        if len(tables) < 2:
            notes.append(f"Nobody's family is known, and twins may come to both sides of a split: {_GET_RESTRICTED}.")
        imaged, listed = {scan.subject for scan in scans}, {label.subject for label in labels}
        notes += [*found.notes("T1w", *_SERIES), *absent_images(scans), *not_in_both(imaged, listed, "the tables")]
        return Discovery(tuple(scans), tuple(labels), tuple(notes), gaps=tuple(gaps))


def _tables(found: Unpacked, missing: Missing) -> list[tuple[SourceTable, tuple[LabelColumn, ...]]]:
    tables: list[tuple[SourceTable, tuple[LabelColumn, ...]]] = []
    table = require_table(found, ("unrestricted_*.csv",), ("Subject",), missing, _GET_OPEN)
    if table is not None:
        require_columns(table, (), _OPEN, missing, _GET_OPEN)
        tables.append((table, _OPEN))
    restricted = found.table("RESTRICTED_*.csv")
    table = read_table(restricted, ("Subject",), missing, _GET_RESTRICTED) if restricted else None
    if table is not None:
        require_columns(table, (), _RESTRICTED, missing, _GET_RESTRICTED)
        tables.append((table, _RESTRICTED))
    return tables


def _counted(tables: Iterable[tuple[SourceTable, object]]) -> dict[str, set[str]]:
    """The contrasts that were scanned of each person, where a table counts them."""
    counted: dict[str, set[str]] = defaultdict(set)
    for table, _ in tables:
        for contrast, name in _COUNTS.items():
            column = find_column(table, (name,))
            for row in table.rows if column else ():
                if who := _subject(row):
                    counted[who] |= {contrast} if parse_whole(row.cells.get(column or "", "")) else set()
    return dict(counted)


def _scans(
    found: Unpacked, name: str, counted: Mapping[str, set[str]], missing: Missing
) -> tuple[list[Scan], list[Gap]]:
    """The scans of everybody, and the folders of people in which none is, though none is counted either.

    An image is missing if the table counts its contrast for a person whose folder has none, unless nobody has it here:
    then it was left out on purpose. The table counts what was scanned, which may be more than the packages hold, so
    that a second image of a contrast is never missed by it.
    """
    get = f"{_GET}{found.packed()}"
    folders: dict[str, list[Path]] = defaultdict(list)
    for folder in found.folders:  # two packages of a person may lie in two places
        folders[folder.name].append(folder)
    listed = {subject: _listed(folders[subject], name, get) for subject in sorted(folders)}
    everything = [scan for scans in listed.values() for scan in scans]
    downloaded, gaps = {scan.contrast for scan in everything}, []
    for subject, scans in listed.items():
        lacking = counted.get(subject, set()) - {scan.contrast for scan in scans}
        native, folder = any(map(_is_native, scans or everything)), folders[subject][0]
        for contrast in sorted(lacking & downloaded):
            if native:
                scans.append(_native(folder, _FIRST[contrast], name, get))
            else:
                scans.append(_preprocessed(folder, _PREPROCESSED[contrast], contrast, name, get))
        if not scans and subject not in counted:
            gaps.append(Gap(folder, get))
    if not everything:
        what = f"No folder called like 100307 with a structural image is under {found.root}{found.packed()}"
        missing.say(f"{what}: {_GET}.")
    return [scan for scans in listed.values() for scan in scans], gaps


def _listed(folders: Sequence[Path], name: str, get: str) -> list[Scan]:
    """The images of one person, and those whose series has a folder without its image.

    The preprocessed ones are taken where no unprocessed one is.
    """
    scans = [
        _native(folder, series, name, get)
        for folder in folders
        for series in by_name(folder / "unprocessed" / "3T")
        if _NATIVE.fullmatch(series)
    ]
    if any(scan.download is None for scan in scans):
        return _nearest(scans)
    scans += [
        _preprocessed(folder, stem, contrast, name, get)
        for folder in folders
        for contrast, stem in _PREPROCESSED.items()
        if f"{stem}.nii.gz" in {finished_name(file) or file for file in by_name(folder / "T1w")}
    ]
    return _nearest(scans)


def _nearest(scans: Sequence[Scan]) -> list[Scan]:
    """Each scan once: of copies that are there, the one nearest to the root."""
    best: dict[str, Scan] = {}
    for scan in sorted(scans, key=lambda scan: not scan.image_present):
        best.setdefault(scan.source_key, scan)
    return [best[key] for key in sorted(best)]


def _native(folder: Path, series: str, name: str, get: str) -> Scan:
    """An unprocessed image: `unprocessed/3T/T1w_MPR1/100307_3T_T1w_MPR1.nii.gz`."""
    match = _NATIVE.fullmatch(series)
    assert match is not None
    image = folder / "unprocessed" / "3T" / series / f"{folder.name}_3T_{series}.nii.gz"
    return _scan(Scan(name, f"{folder.name}/3T_{series}", folder.name, image, None, match[1], match[2]), get)


def _preprocessed(folder: Path, stem: str, contrast: str, name: str, get: str) -> Scan:
    """An image aligned to AC-PC and corrected: `T1w/T1w_acpc_dc_restore.nii.gz`, whose name holds no subject."""
    image = folder / "T1w" / f"{stem}.nii.gz"
    return _scan(Scan(name, f"{folder.name}/{stem}", folder.name, image, None, contrast), get)


def _scan(scan: Scan, get: str) -> Scan:
    entry = by_name(scan.image.parent).get(scan.image.name)
    known = replace(scan, skull_stripped=False, acquisition=_SCANNER)
    return as_found(known, entry is not None and content_present(entry), get)


def _is_native(scan: Scan) -> bool:
    return "/3T_" in scan.source_key


def _subject(row: Row) -> str | None:
    cell = row.cells.get("Subject", "")
    return cell if _SUBJECT.fullmatch(cell) else None
