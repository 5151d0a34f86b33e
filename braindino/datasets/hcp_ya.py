"""Human Connectome Project, Young Adult (S1200): native or preprocessed T1w and T2w, ages in bands, many twins."""

import re
from dataclasses import dataclass
from pathlib import Path

from braindino.datasets.base import Acquisition, DatasetInfo, Discovery, Label, Scan
from braindino.datasets.bids_files import content_present
from braindino.datasets.bids_labels import without_conflicts
from braindino.datasets.coverage_notes import absent_images, not_in_both
from braindino.datasets.label_columns import LabelColumn, read_labels, require_columns, sex_column
from braindino.datasets.required import Missing
from braindino.datasets.search import Unpacked, by_name, look_under, read_table, require_table
from braindino.datasets.tables import Row, SourceTable
from braindino.datasets.values import a_few, parse_age

_HOME = "https://www.humanconnectome.org/study/hcp-young-adult"
_GET = f"unpack the packages NNNNNN_3T_Structural_unproc.zip (or ..._preproc.zip) of {_HOME}"
_GET_OPEN = f"export the unrestricted behavioural data (unrestricted_*.csv) of {_HOME}"
_GET_RESTRICTED = f"export the restricted data (RESTRICTED_*.csv), after their own agreement, from {_HOME}"
_SUBJECT = re.compile(r"\d{6}")
_NATIVE = re.compile(r"(T1w|T2w)_(?:MPR|SPC)(\d)")
_SERIES = tuple(f"unprocessed/3T/{series}" for series in ("T1w_MPR1", "T1w_MPR2", "T2w_SPC1", "T2w_SPC2"))
_PREPROCESSED = {"T1w_acpc_dc_restore": "T1w", "T2w_acpc_dc_restore": "T2w"}
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
            DatasetError: nobody's folder, folders without structural images, no open table, or no column of a table
                that is needed; all at once.
        """
        missing = Missing()
        found = look_under(root.absolute(), _SUBJECT, depth=3)
        scans = _scans(found, name, missing)
        tables = _tables(found, missing)
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
        return Discovery(tuple(scans), tuple(labels), tuple(notes))


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


def _scans(found: Unpacked, name: str, missing: Missing) -> list[Scan]:
    if not found.folders:
        missing.say(f"No folder called like 100307 is under {found.root}{found.packed()}: {_GET}.")
    folders: dict[str, list[Path]] = {}
    for folder in found.folders:  # two packages of a person may lie in two places
        folders.setdefault(folder.name, []).append(folder)
    scans: list[Scan] = []
    empty: list[str] = []
    for subject in sorted(folders):
        of_one = [scan for folder in folders[subject] for scan in _native(folder, name)]
        of_one = of_one or [scan for folder in folders[subject] for scan in _preprocessed(folder, name)]
        # Of copies, the one nearest to the root.
        scans += sorted({s.source_key: s for s in reversed(of_one)}.values(), key=lambda scan: scan.source_key)
        if not of_one:
            empty.append(subject)
    if empty:
        missing.say(f"{len(empty)} folder(s) hold no structural image ({a_few(empty)}), it is half a copy: {_GET}.")
    return scans


def _native(folder: Path, name: str) -> list[Scan]:
    """The unprocessed images: `unprocessed/3T/T1w_MPR1/100307_3T_T1w_MPR1.nii.gz`."""
    scans = []
    for series in by_name(folder / "unprocessed" / "3T"):
        match = _NATIVE.fullmatch(series)
        image = folder / "unprocessed" / "3T" / series / f"{folder.name}_3T_{series}.nii.gz"
        if match and (scan := _scan(name, folder.name, image, f"3T_{series}", match.group(1), match.group(2))):
            scans.append(scan)
    return scans


def _preprocessed(folder: Path, name: str) -> list[Scan]:
    """The images aligned to AC-PC and corrected: `T1w/T1w_acpc_dc_restore.nii.gz`, whose names hold no subject."""
    scans = []
    for stem, contrast in _PREPROCESSED.items():
        scan = _scan(name, folder.name, folder / "T1w" / f"{stem}.nii.gz", stem, contrast, None)
        scans += [scan] if scan else []
    return scans


def _scan(name: str, subject: str, image: Path, key: str, contrast: str, run: str | None) -> Scan | None:
    entry = by_name(image.parent).get(image.name)
    if entry is None:
        return None
    present = content_present(entry)
    hint = None if present else f"{image.name} is a link without content: {_GET}."
    return Scan(
        name, f"{subject}/{key}", subject, image, contrast=contrast, run=run, skull_stripped=False,
        acquisition=_SCANNER, image_present=present, absent_hint=hint,
    )  # fmt: skip


def _subject(row: Row) -> str | None:
    cell = row.cells.get("Subject", "")
    return cell if _SUBJECT.fullmatch(cell) else None
