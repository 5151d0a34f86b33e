"""UCSF-PDGM (TCIA): pre-operative diffuse gliomas, stripped and registered, with one table for all exams."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from braindino.datasets.base import Acquisition, DatasetInfo, Discovery, Label, Scan, SubjectLink
from braindino.datasets.bids_labels import without_conflicts
from braindino.datasets.brats_tree import CODES_2021
from braindino.datasets.coverage_notes import absent_images, not_in_both
from braindino.datasets.half_copies import as_found
from braindino.datasets.label_columns import LabelColumn, age_column, coded, read_labels, require_columns, sex_column
from braindino.datasets.required import Missing, require_folder
from braindino.datasets.search import Unpacked, by_name, look_under, pick, require_table
from braindino.datasets.tables import Row, SourceTable
from braindino.datasets.values import parse_number

_HOME = "https://www.cancerimagingarchive.net/collection/ucsf-pdgm/"
_GET = f"download the NIfTI package (UCSF-PDGM-v5) from {_HOME} again"
_GET_TABLE = f"get UCSF-PDGM-metadata_v5.csv from {_HOME}"
_TABLES = ("UCSF-PDGM-metadata_v5*.csv", "UCSF-PDGM-metadata_v[2-9]*.csv", "UCSF-PDGM-metadata*.csv")
_FOLDER = re.compile(r"(UCSF-PDGM-\d{4}(?:_FU\d+d)?)_nifti")
_EXAM = re.compile(r"UCSF-PDGM-(\d{3,4})(?:_(FU\d+d))?")  # the table pads numbers to 3 digits, folders to 4
_CONTRASTS = {"T1": "T1w", "T1c": "T1c", "T2": "T2w", "FLAIR": "FLAIR"}
_SCANNER = Acquisition.of("documentation", "GE", "Discovery 750", 3.0)  # one for all, says the collection's page
_BRATS = "BraTS21 ID"

# Exams that were first published as other people, and are follow-ups (number in this release, number before).
RENAMED = ((391, 289), (396, 175), (409, 181), (429, 138), (431, 278), (433, 315))


def _idh(cell: str) -> str | None:
    """A mutation is written in many ways (`IDH1 p.R132H`, `mutated (NOS)`, `IDH2 p.Arg172Trp`), its absence in one."""
    word = cell.strip().lower()
    return "wildtype" if word == "wildtype" else "mutant" if word.startswith(("idh", "mutated")) else None


def _event(cell: str) -> float | None:
    dead = parse_number(cell)
    return dead if dead in (0, 1) else None


_LABELS = (
    LabelColumn("age", ("Age at MRI",), age_column().read, "years", of_row_session=True),
    sex_column("Sex"),
    LabelColumn("who_grade", ("WHO CNS Grade",), parse_number),
    LabelColumn("diagnosis", ("Final pathologic diagnosis (WHO 2021)",), str.strip),
    LabelColumn("mgmt", ("MGMT status",), coded({"positive": "methylated", "negative": "unmethylated"})),
    LabelColumn("codeletion_1p19q", ("1p/19q",), coded({"intact": "intact", "co-deletion": "codeleted"})),
    LabelColumn("idh", ("IDH",), _idh),
    LabelColumn("survival_event", ("1-dead 0-alive",), _event),
    LabelColumn("survival_days", ("OS",), parse_number, "days"),
    LabelColumn("resection", ("EOR",), str.strip),
)  # fmt: skip


@dataclass(frozen=True)
class UcsfPdgmAdapter:
    """Reads the folders `UCSF-PDGM-NNNN_nifti` and the table of version 2 or later.

    T1, T1c, T2 and FLAIR are taken, their `_bias` copies (bias-corrected) are not. A follow-up exam keeps its person's
    number and has the session `FU016d`, whose age its row of the table states; everything else is the person's. A
    `relative co-deletion` gives no label: of six, the owners diagnose two as astrocytoma, which is never codeleted.
    `renamed` are the exams that earlier releases and BraTS 2021 know under another number: the pairs come from a
    third party's count and agree with the table of version 2 in age, sex and survival; the owners' page was not seen.
    """

    renamed: tuple[tuple[int, int], ...] = RENAMED
    info = DatasetInfo(
        name="ucsf_pdgm",
        title="UCSF Preoperative Diffuse Glioma MRI (UCSF-PDGM)",
        licence="CC BY 4.0",
        restrictions=None,
        homepage=_HOME,
    )

    def discover(self, root: Path, name: str) -> Discovery:
        """All exams, the labels of the table, and the same people in BraTS 2021 and under their former numbers.

        Raises:
            DatasetError: no exam, no table, or no column of it that is needed; all at once.
        """
        root, missing = root.absolute(), Missing()
        require_folder(root, name)
        found = look_under(root, _FOLDER)
        scans = _scans(found, name, missing)
        table = require_table(found, _TABLES, ("ID", _BRATS), missing, _GET_TABLE)
        if table is not None:
            require_columns(table, (), _LABELS, missing, _GET_TABLE)
        if table is None or missing.problems:
            raise missing.error(name)
        stated, oddities = read_labels(table, name, _subject, _LABELS, _session)
        labels, disputed = without_conflicts(stated)
        listed = {label.subject for label in labels}
        covered = not_in_both({scan.subject for scan in scans}, listed, table.path.name)
        links = [*_brats(table, name), *self._former(scans, labels, name)]
        notes = (*table.notes, *oddities, *disputed, *found.notes(), *found.copies(), *absent_images(scans), *covered)
        return Discovery(tuple(scans), tuple(labels), notes, tuple(dict.fromkeys(links)))

    def _former(self, scans: Sequence[Scan], labels: Sequence[Label], name: str) -> list[SubjectLink]:
        known = {scan.subject for scan in scans} | {label.subject for label in labels}
        pairs = [(f"UCSF-PDGM-{now:04d}", f"UCSF-PDGM-{then:04d}") for now, then in self.renamed]
        evidence = "renamed follow-ups of UCSF-PDGM"
        return [SubjectLink(name, now, self.info.name, then, evidence) for now, then in pairs if now in known]


def _scans(found: Unpacked, name: str, missing: Missing) -> list[Scan]:
    if not found.folders:
        missing.say(f"No folder called like UCSF-PDGM-NNNN_nifti is under {found.root}{found.packed()}: {_GET}.")
    nearest = {folder.name: folder for folder in reversed(found.folders)}  # of copies, the one nearest to the root
    scans = [scan for exam in sorted(nearest) for scan in _exam(nearest[exam], name)]
    missing.images(scans, (), found.root)
    return scans


def _exam(folder: Path, name: str) -> list[Scan]:
    exam = folder.name.removesuffix("_nifti")
    match = _EXAM.fullmatch(exam)
    assert match is not None
    files = by_name(folder)
    tumour, has_tumour = pick(folder, files, *_named(exam, "tumor_segmentation"))
    brain, has_brain = pick(folder, files, *_named(exam, "brain_segmentation"))
    scans = []
    for suffix, contrast in _CONTRASTS.items():
        image, present = pick(folder, files, *_named(exam, suffix))
        scan = Scan(
            dataset=name,
            source_key=f"{exam}_{suffix}",
            subject=_padded(match.group(1)),
            image=image,
            session=match.group(2),
            contrast=contrast,
            brain_mask=brain if has_brain else None,
            segmentation=tumour if has_tumour else None,
            segmentation_codes=CODES_2021 if has_tumour else (),
            skull_stripped=True,
            acquisition=_SCANNER,
        )
        scans.append(as_found(scan, present, _GET))
    return scans


def _named(exam: str, suffix: str) -> tuple[str, str]:
    return f"{exam}_{suffix}.nii.gz", f"{exam}_{suffix}.nii"


def _padded(number: str) -> str:
    return f"UCSF-PDGM-{int(number):04d}"


def _subject(row: Row) -> str | None:
    match = _EXAM.fullmatch(row.cells.get("ID", ""))
    return _padded(match.group(1)) if match else None


def _session(row: Row) -> str | None:
    match = _EXAM.fullmatch(row.cells.get("ID", ""))
    return match.group(2) if match else None


def _brats(table: SourceTable, name: str) -> list[SubjectLink]:
    pairs = [(_subject(row), row.cells.get(_BRATS, "")) for row in table.rows]
    return [
        SubjectLink(name, subject, "brats2021", case, table.path.name)
        for subject, case in pairs
        if subject and re.fullmatch(r"BraTS2021_\d{5}", case)
    ]
