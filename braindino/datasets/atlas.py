"""ATLAS (stroke lesions outlined on T1w): release 2.0 in MNI space, and the raw trees of R2.1 and 3.0."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from braindino.datasets.agreed import Agreed
from braindino.datasets.base import Acquisition, DatasetInfo, Discovery, Label, Scan
from braindino.datasets.bids_cohort import agreed_cells, subject_finder
from braindino.datasets.bids_files import AnatFolder, is_file, subject_folders
from braindino.datasets.bids_names import mask_role
from braindino.datasets.bids_sidecars import vendor_name
from braindino.datasets.bids_tree import (
    TreeRules,
    bids_roots,
    coverage_notes,
    join_trees,
    read_tree,
    tables_above_subjects,
)
from braindino.datasets.required import Missing, require_folder
from braindino.datasets.search import read_table
from braindino.datasets.tables import Row, read_delimited
from braindino.datasets.values import a_few, is_missing, is_plausible, parse_number
from braindino.errors import DatasetError

_HOME = "https://fcon_1000.projects.nitrc.org/indi/retro/atlas.html"
_GET = f"unpack the archive from {_HOME} (its password comes by e-mail after the signed form)"
_MNI = "MNI152NLin2009aSym"
_DAYS, _CHRONICITY, _SITE = "DAYS_POST_STROKE", "CHRONICITY", "SITE"


def _due(folder: AnatFolder) -> Iterator[str]:
    """The T1w that a lesion mask was drawn on or a session's metadata are about, and that of a folder without any file.

    Which release it is of tell the mask, the metadata, or the folder of the part: `Testing`, `ATLAS3_Training_Raw`.
    """
    if any(file.name.suffix == "T1w" for file in folder.images):
        return
    stem, part = f"sub-{folder.subject}_ses-{folder.session}", folder.path.parents[3].name.lower()
    masks = [file.name for file in folder.images if mask_role(file.name) == "lesion"]
    if masks:
        registered = any(name.entities.get("space") == _MNI for name in masks)
    elif is_file(folder.path / f"{stem}_metadata.csv") or (folder.empty == folder.path and part.endswith("raw")):
        registered = False
    elif folder.empty == folder.path and part in ("training", "testing"):
        registered = True
    else:
        return
    yield f"{stem}_space-{_MNI}_T1w" if registered else f"{stem}_space-orig_desc-brain_T1w"


_RULES = TreeRules(frozenset({"T1w"}), segmentation_codes=((1, "stroke lesion"),), due=_due, get=_GET)


@dataclass(frozen=True)
class AtlasAdapter:
    """Reads `Training/R001/sub-*/ses-*/anat` of release 2.0 or of a raw tree, or one site's folder, and the tables.

    The raw trees have a `*_metadata.csv` per session with the days since the stroke, of which 0 and negative numbers
    are codes for unknown. Release 2.0 has one table, `*MetaData.xlsx` (or .csv), in which no such column, no age and no
    sex is known to be; its header is documented in part only, so `subject_names` are the spellings of its subjects'
    column and `vendor_words` what the column of scanner brands is known by, if there is one. Some masks are stored as
    0.01 or 0.9999 instead of 1. The split is that of the folder: the test part has no masks.
    """

    subject_names: tuple[str, ...] = ("Subject ID", "INDI Subject ID", "Subject", "participant_id")
    vendor_words: tuple[str, ...] = ("scanner", "manufacturer", "vendor")

    info = DatasetInfo(
        name="atlas",
        title="ATLAS: Anatomical Tracings of Lesions After Stroke",
        licence="data use agreement (free after a signed form)",
        restrictions="Use under the signed agreement only; the archive is encrypted and not to be passed on.",
        homepage=_HOME,
    )

    def discover(self, root: Path, name: str) -> Discovery:
        """T1w with lesion masks; the split, and in raw trees days since stroke and chronicity per session.

        Raises:
            DatasetError: no T1w, no table, or no column of one that is needed; all at once.
        """
        root = root.absolute()
        require_folder(root, name)
        missing = Missing()
        folders = bids_roots(root)
        tree = join_trees({folder: read_tree(folder, name, _rules(folder)) for folder in folders})
        if not tree.scans:
            missing.say(f"{root} holds no folder like Training/R001/sub-r001s001 with a T1w: {_GET}.")
        raw = [scan for scan in tree.scans if "space-orig" in scan.source_key]
        sessions = _Sessions.read(raw, missing)
        brands: Agreed[str, str] = Agreed()
        if len(raw) < len(tree.scans):
            brands = self._brands(root, tree.subjects, missing)
        vendors = {who: vendor_name(cell) or cell for who, cell in brands.facts().items()}
        missing.images(tree.scans, tree.gaps, root)
        missing.raise_if_any(name)
        labels = [*_splits(name, folders, tree.subjects), *sessions.labels(name)]
        tree = replace(tree, scans=tuple(sessions.described(_with_vendor(scan, vendors)) for scan in tree.scans))
        notes = (
            *tree.notes,
            *sessions.notes(),
            *brands.notes("The scanner's brand"),
            *coverage_notes(tree, labels, "the tables"),
        )
        return Discovery(tree.scans, tuple(labels), notes, gaps=tree.gaps)

    def _brands(self, root: Path, subjects: Sequence[str], missing: Missing) -> Agreed[str, str]:
        """The scanner brand of the subjects of release 2.0, if its table has such a column."""
        paths = [path for end in ("xlsx", "csv") for path in tables_above_subjects(root, f"*MetaData.{end}")]
        if not paths:
            missing.say(f"{root} has no table like 20220425_ATLAS_2.0_MetaData.xlsx: {_GET}, give its top folder.")
            return Agreed()
        table = read_table(paths[0], (), missing, _GET)
        if table is None:
            return Agreed()
        missing.column(table, self.subject_names, _GET)
        brand = next((c for c in table.columns if any(word in c.lower() for word in self.vendor_words)), None)
        subject = subject_finder(table, self.subject_names, subjects)
        return agreed_cells((table,), (brand,) if brand else (), lambda _: subject)


@dataclass(frozen=True)
class _Sessions:
    """What the metadata of single sessions say: a row per session; sessions without a file, and with a header only."""

    rows: dict[tuple[str, str | None], Row]
    absent: tuple[str, ...]
    empty: tuple[str, ...]

    @classmethod
    def read(cls, scans: Iterable[Scan], missing: Missing) -> "_Sessions":
        rows: dict[tuple[str, str | None], Row] = {}
        absent, empty, wrong = [], [], []
        for scan in scans:
            path = scan.image.with_name(f"sub-{scan.subject}_ses-{scan.session}_metadata.csv")
            try:
                table = read_delimited(path, ",") if path.is_file() else None
            except DatasetError:
                wrong.append(path.name)
                continue
            if table is None:
                absent.append(path.name)
            elif {_DAYS, _CHRONICITY} - set(table.columns):
                wrong.append(path.name)
            elif not table.rows:
                empty.append(path.name)
            else:
                rows[scan.subject, scan.session] = table.rows[0]
        if wrong:
            names = f"{_DAYS} and {_CHRONICITY}"
            missing.say(f"{len(wrong)} file(s) are no tables with the columns {names} ({a_few(wrong)}): {_GET}.")
        if absent and not (rows or empty or wrong):
            missing.say(f"Of {len(absent)} sessions none has its metadata ({a_few(absent)}): {_GET}.")
        return cls(rows, tuple(absent), tuple(empty))

    def labels(self, name: str) -> list[Label]:
        """Days since stroke and chronicity; nothing where the source says nothing."""
        found = []
        for (subject, session), row in self.rows.items():
            days = _days(row)
            if days is not None:
                found.append(Label(name, subject, "days_since_stroke", number=days, unit="days", session=session))
            if not is_missing(chronicity := row.cells[_CHRONICITY]):
                found.append(Label(name, subject, "stroke_chronicity", value=chronicity, session=session))
        return found

    def described(self, scan: Scan) -> Scan:
        """The scan with the site that its session's metadata name."""
        row = self.rows.get((scan.subject, scan.session))
        site = row.cells.get(_SITE) if row else None
        if is_missing(site):
            return scan
        return replace(scan, acquisition=Acquisition.of("table", site=site).or_else(scan.acquisition))

    def notes(self) -> list[str]:
        """Which sessions have no metadata, no row, or no usable number of days."""
        dayless = [subject for (subject, _), row in self.rows.items() if _days(row) is None]
        said = (
            (self.absent, "session(s) have no metadata.csv"),
            (self.empty, "metadata.csv have a header and no row"),
            (dayless, "session(s) have no usable number of days since stroke"),
        )
        return [f"{len(which)} {what}: {a_few(which)}." for which, what in said if which]


def _days(row: Row) -> float | None:
    number = parse_number(row.cells[_DAYS])
    return number if number is not None and is_plausible("days_since_stroke", number) else None


def _rules(folder: Path) -> TreeRules:
    return replace(_RULES, facts=Acquisition.of("path", site=folder.name))


def _with_vendor(scan: Scan, vendors: dict[str, str]) -> Scan:
    told = Acquisition.of("table", vendor=vendors.get(scan.subject))
    return replace(scan, acquisition=scan.acquisition.or_else(told))


def _splits(name: str, folders: Iterable[Path], subjects: Iterable[str]) -> list[Label]:
    """The part of the challenge by the folder above the site: `Training`, `Testing`, `ATLAS3_Training_Raw`."""
    known, labels = set(subjects), []
    for folder in folders:
        above = folder.parent.name.lower()
        part = "training" if "train" in above else "test" if "test" in above else None
        for inside in subject_folders(folder) if part else ():
            subject = inside.name.removeprefix("sub-")
            if subject in known:
                known.discard(subject)
                labels.append(Label(name, subject, "split", value=part))
    return labels
