"""UPENN-GBM (TCIA): glioblastomas before surgery (`_11`) and at follow-up (`_21`), a clinical and a scanner table."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from braindino.datasets.agreed import Agreed
from braindino.datasets.base import Acquisition, DatasetInfo, Discovery, Label, Scan
from braindino.datasets.bids_files import entries, folder_notes, is_file, is_folder, may_read, unfinished_downloads
from braindino.datasets.bids_sidecars import vendor_name
from braindino.datasets.brats_tree import CODES_2021
from braindino.datasets.coverage_notes import absent_images, not_in_both
from braindino.datasets.half_copies import as_found
from braindino.datasets.label_columns import LabelColumn, coded, read_labels, require_columns, sex_column
from braindino.datasets.required import Missing, require_folder
from braindino.datasets.search import Unpacked, by_name, look_under, pick, require_table
from braindino.datasets.tables import Row, SourceTable
from braindino.datasets.thickness import thickness_columns, thickness_of
from braindino.datasets.values import a_few, is_missing, is_plausible, parse_age, parse_number, shown

_HOME = "https://www.cancerimagingarchive.net/collection/upenn-gbm/"
_GET = f"download the NIfTI package (PKG - UPENN-GBM-NIfTI) from {_HOME}"
_GET_CLINICAL = f"get UPENN-GBM_clinical_info_v2.1.csv from {_HOME}"
_GET_SCANNERS = f"get UPENN-GBM_acquisition.csv from {_HOME}"
_CLINICAL = ("UPENN-GBM_clinical_info_v2*.csv", "UPENN-GBM_clinical_info*.csv")
_SCANNERS = ("UPENN-GBM_acquisition*.csv",)
_FOLDERS = re.compile(r"images_structural(?:_unstripped)?|images_segm|automated_segm|images_DTI|images_DSC")
_MASKS = {"images_segm": "segm", "automated_segm": "automated_approx_segm"}  # corrected by hand, then as computed
_EXAM = re.compile(r"(UPENN-GBM-\d{5})_(\d\d)")
_CONTRASTS = {"T1": "T1w", "T1GD": "T1c", "T2": "T2w", "FLAIR": "FLAIR"}
_WORDS = {"T1w": ("t1",), "T1c": ("t1gd",), "T2w": ("t2",), "FLAIR": ("flair",)}
_SCANNER = ("Manufacturer", "Model", "Magnetic Field Strength")
# Whether death was seen, not whether its date is certain.
_EVENTS = {"deceased": 1.0, "deceased - uncertain date of death": 1.0, "alive": 0.0, "lost to follow-up": 0.0}


def _event(cell: str) -> float | None:
    return _EVENTS.get(cell.strip().lower())


_LABELS = (
    LabelColumn("age", ("Age_at_scan_years",), parse_age, "years", of_row_session=True),
    sex_column("Gender"),
    LabelColumn("idh", ("IDH1",), coded({"wildtype": "wildtype", "mutated": "mutant"})),
    LabelColumn("mgmt", ("MGMT",), coded({"methylated": "methylated", "unmethylated": "unmethylated"})),
    LabelColumn("survival_days", ("Survival_from_surgery_days_UPDATED",), parse_number, "days"),
    LabelColumn("survival_event", ("Survival_Status",), _event),
    LabelColumn("resection", ("GTR_over90percent",), coded({"y": "GTR", "n": "less than GTR"})),
)


@dataclass(frozen=True)
class UpennGbmAdapter:
    """Reads the NIfTI package and the two tables; the DICOM of the collection is another download.

    `images` chooses the skull-stripped set, or the unstripped one, whose brain masks are then the stripped images. Of
    two tumour masks, the one corrected by hand is taken. Subfolders such as `old/` hold other versions of the same
    files and are left alone. What a person's two rows say of the person is taken from the earlier exam.
    """

    images: Literal["stripped", "unstripped"] = "stripped"
    info = DatasetInfo(
        name="upenn_gbm",
        title="University of Pennsylvania Glioblastoma Imaging (UPENN-GBM)",
        licence="CC BY 4.0",
        restrictions=None,
        homepage=_HOME,
    )

    def discover(self, root: Path, name: str) -> Discovery:
        """All structural scans, the labels of the clinical table and the facts of the acquisition table.

        Raises:
            DatasetError: no images, no tumour mask, a missing table or column; all at once.
        """
        root, missing = root.absolute(), Missing()
        require_folder(root, name)
        found = look_under(root, _FOLDERS)
        clinical = require_table(found, _CLINICAL, ("ID",), missing, _GET_CLINICAL)
        if clinical is not None:
            require_columns(clinical, (), _LABELS, missing, _GET_CLINICAL)
        scanners = require_table(found, _SCANNERS, ("ID", *_SCANNER), missing, _GET_SCANNERS)
        exams = self._exams(found, missing)
        masks = _masks(found, missing)
        scans = [scan for folder in exams for scan in self._scans(folder, name, masks)]
        missing.images(scans, (), root)
        if clinical is None or scanners is None or missing.problems:
            raise missing.error(name)
        facts = _Facts(scanners)
        scans = [replace(s, acquisition=facts.of(f"{s.subject}_{s.session}", s.contrast or "")) for s in scans]
        rows, contradicted = _one_row_each(clinical)
        ordered = SourceTable(clinical.path, clinical.columns, tuple(rows))
        stated, oddities = read_labels(ordered, name, _subject, _LABELS, _session)
        labels = _first_of_each(stated)
        walked = (*_walk_notes(found, exams), *found.copies())
        notes = (
            *clinical.notes,
            *contradicted,
            *scanners.notes,
            *facts.notes,
            *oddities,
            *walked,
            *_coverage(scans, labels),
        )
        return Discovery(tuple(scans), labels, notes)

    def _exams(self, found: Unpacked, missing: Missing) -> list[Path]:
        wanted = "images_structural" if self.images == "stripped" else "images_structural_unstripped"
        folders = [folder for folder in found.folders if folder.name == wanted]
        if not folders:
            missing.say(f"No folder {wanted} is under {found.root}{found.packed()}: {_GET}.")
            return []
        # Of copies, the one nearest to the root counts.
        inside = {entry.name: entry for folder in reversed(folders) for entry in entries(folder) if is_folder(entry)}
        exams = [Path(inside[exam].path) for exam in sorted(inside) if _EXAM.fullmatch(exam)]
        exams = [exam for exam in exams if may_read(exam)]
        if not exams:
            missing.say(f"{folders[0]} holds no exam folder: {_GET}.")
        return exams

    def _scans(self, folder: Path, name: str, masks: dict[str, Path]) -> list[Scan]:
        exam, stripped = folder.name, self.images == "stripped"
        files = by_name(folder)
        subject, session = exam.rsplit("_", 1)
        scans = []
        for token, contrast in _CONTRASTS.items():
            stem = f"{exam}_{token}" if stripped else f"{exam}_{token}_unstripped"
            image, present = pick(folder, files, f"{stem}.nii.gz", f"{stem}.nii")
            brain = folder.parent.with_name("images_structural") / exam / f"{exam}_{token}.nii.gz"
            scan = Scan(
                dataset=name,
                source_key=stem,
                subject=subject,
                image=image,
                session=session,
                contrast=contrast,
                brain_mask=None if stripped or not is_file(brain) else brain,
                segmentation=masks.get(exam),
                segmentation_codes=CODES_2021 if exam in masks else (),
                skull_stripped=stripped,
            )
            scans.append(as_found(scan, present, _GET))
        return scans


class _Facts:
    """The scanner and the slice thickness of each exam and contrast, by the acquisition table."""

    def __init__(self, table: SourceTable) -> None:
        stated: Agreed[tuple[str, str], Acquisition] = Agreed()
        columns = thickness_columns(table, _WORDS)
        odd: dict[str, list[str]] = {"field strength": [], "slice thickness": []}
        for row in table.rows:
            exam = row.cells["ID"]
            vendor, model, strength = (None if is_missing(row.cells[name]) else row.cells[name] for name in _SCANNER)
            tesla = parse_number(strength or "")
            if strength and (tesla is None or not is_plausible("field_strength", tesla)):
                odd["field strength"].append(shown(strength, exam))
                tesla = None
            for contrast in _CONTRASTS.values():
                cell = row.cells.get(columns.get(contrast, ""), "")
                thickness = thickness_of(row, columns.get(contrast))
                if thickness is None and not is_missing(cell):
                    odd["slice thickness"].append(shown(cell, exam))
                told = Acquisition.of("table", vendor_name(vendor), model, tesla, thickness)
                stated.add((exam, contrast), told)
        self._facts = stated.facts()
        self.notes = stated.notes(f"{table.path.name}: the scanner", " ".join)
        self.notes += [f"{table.path.name}: no {what}: {a_few(cells)}." for what, cells in odd.items() if cells]

    def of(self, exam: str, contrast: str) -> Acquisition:
        """What the table says of a scan; nothing for an exam that it does not list."""
        return self._facts.get((exam, contrast), Acquisition())


def _walk_notes(found: Unpacked, exams: Sequence[Path]) -> list[str]:
    """Notes on exams that may not be read, and on downloads that stopped half-way."""
    inside = [entry for folder in found.folders for entry in entries(folder)]
    closed = [Path(entry.path) for entry in inside if is_folder(entry) and not may_read(Path(entry.path))]
    files = [*inside, *(entry for exam in exams for entry in entries(exam))]
    return folder_notes((*found.unreadable, *closed), unfinished_downloads(files))


def _masks(found: Unpacked, missing: Missing) -> dict[str, Path]:
    """The tumour mask of each exam."""
    masks: dict[str, Path] = {}
    for name, ending in _MASKS.items():
        for entry in (entry for folder in found.folders if folder.name == name for entry in entries(folder)):
            exam = re.fullmatch(rf"({_EXAM.pattern})_{ending}\.nii(?:\.gz)?", entry.name)
            if exam:
                masks.setdefault(exam.group(1), Path(entry.path))
    if not masks:
        missing.say(f"Neither images_segm nor automated_segm with a tumour mask is under {found.root}: {_GET}.")
    return masks


def _one_row_each(table: SourceTable) -> tuple[list[Row], list[str]]:
    """One row per exam, the earlier first; what several rows of one exam contradict each other about is not known."""
    cells: Agreed[tuple[str, str], str] = Agreed()
    lines: dict[str, int] = {}
    for row in table.rows:
        exam = row.cells["ID"]
        lines.setdefault(exam, row.line)
        for column in table.columns:
            if not is_missing(cell := row.cells[column]):
                number = parse_number(cell)
                cells.add((exam, column), cell if number is None else str(number))  # 61.5 and 61.50 are one age
    agreed, nobody = cells.facts(), [row for row in table.rows if is_missing(row.cells["ID"])]
    rows = [
        Row(lines[exam], {column: agreed.get((exam, column), "") for column in table.columns})
        for exam in sorted(lines)
        if not is_missing(exam)
    ]
    notes = cells.notes(f"{table.path.name}: a fact of one exam", lambda key: f"{key[1]} of {key[0]}")
    return [*nobody, *rows], notes


def _subject(row: Row) -> str | None:
    match = _EXAM.fullmatch(row.cells["ID"])
    return match.group(1) if match else None


def _session(row: Row) -> str | None:
    match = _EXAM.fullmatch(row.cells["ID"])
    return match.group(2) if match else None


def _first_of_each(labels: Iterable[Label]) -> tuple[Label, ...]:
    first: dict[tuple[str, str | None, str], Label] = {}
    for label in labels:
        first.setdefault((label.subject, label.session, label.label), label)
    return tuple(first.values())


def _coverage(scans: Sequence[Scan], labels: Sequence[Label]) -> list[str]:
    listed = {label.subject for label in labels}
    notes = [*absent_images(scans), *not_in_both({scan.subject for scan in scans}, listed, "the clinical table")]
    if unmasked := sorted({f"{scan.subject}_{scan.session}" for scan in scans if scan.segmentation is None}):
        notes.append(f"{len(unmasked)} exam(s) have no tumour mask: {a_few(unmasked)}.")
    return notes
