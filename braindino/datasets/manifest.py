"""The manifest adapter: any dataset, described by one CSV file with a row per scan."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from braindino.datasets.base import Acquisition, DatasetInfo, Discovery, Label, Scan
from braindino.datasets.bids_sidecars import vendor_name
from braindino.datasets.dicom_facts import dicom_facts, may_be_dicom
from braindino.datasets.tables import Row, SourceTable, read_delimited
from braindino.datasets.values import (
    a_few,
    all_numbers,
    cap_age,
    cap_age_text,
    is_age_column,
    is_missing,
    is_plausible,
    is_private,
    nearest,
    parse_age,
    parse_number,
    parse_sex,
    shown,
)
from braindino.errors import DatasetError

REQUIRED = ("subject", "image")
OPTIONAL = (
    "dataset", "session", "contrast", "run", "mask", "segmentation", "skull_stripped", "age", "sex", "vendor",
    "field_strength",
)  # fmt: skip
LABEL_PREFIX = "label:"

# Spellings that are certain; other contrasts are kept as written.
_CONTRASTS = {
    "t1": "T1w", "t1w": "T1w", "t1n": "T1w", "t1c": "T1c", "t1ce": "T1c", "t1gd": "T1c",
    "t2": "T2w", "t2w": "T2w", "flair": "FLAIR", "t2f": "FLAIR", "pd": "PD", "pdw": "PD",
}  # fmt: skip
_TRUTH = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


class ManifestAdapter:
    """Reads a manifest: required columns `subject` and `image`, the optional ones, and any `label:<name>`.

    `image`, `mask` and `segmentation` are files (an image also a folder of DICOM files), absolute or
    relative to the manifest. They need not exist: a scan whose file is missing is refused at ingest, with
    the reason `missing_file`. What the manifest does not say of the scanner is taken from the header of a
    DICOM series. A scan's key is its image path as written, or relative to the manifest where it lies beside
    or below it, so that the folder as a whole can move.
    """

    info = DatasetInfo(
        name="manifest",
        title="Any scans listed in a CSV manifest",
        licence="as the owner of the scans states",
        restrictions=None,
        homepage=None,
    )

    def discover(self, root: Path, name: str) -> Discovery:
        """Scans and labels of `root` (or `root/manifest.csv`), under `name` or the `dataset` column.

        Raises:
            DatasetError: everything wrong with the manifest, with line numbers.
        """
        path = root.absolute()
        path = path / "manifest.csv" if path.is_dir() else path
        if not path.is_file():
            raise DatasetError(name, (f"{path} is not a file: give the manifest, or a folder with a manifest.csv.",))
        table = read_delimited(path, "\t" if path.suffix.lower() == ".tsv" else ",")
        reading = _Reading(table, name)
        reading.check_columns()
        if not reading.problems:
            reading.read_rows()
        if reading.problems:
            raise DatasetError(name, tuple(reading.problems))
        return Discovery(tuple(reading.scans), tuple(reading.labels.values()), (*table.notes, *reading.notes()))


@dataclass
class _Reading:
    """One pass over a manifest, collecting scans, labels and problems."""

    table: SourceTable
    name: str
    scans: list[Scan] = field(default_factory=list)
    labels: dict[tuple[str, str, str, str], Label] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    _lines: dict[tuple[str, ...], int] = field(default_factory=dict)
    _numeric: set[str] = field(default_factory=set)
    _implausible: dict[str, list[str]] = field(default_factory=dict)

    def notes(self) -> list[str]:
        """A sentence per label column on its numbers that cannot be."""
        told = "holds numbers that cannot be, which were left out"
        return [f"{column} {told}: {a_few(cells)}." for column, cells in self._implausible.items()]

    def check_columns(self) -> None:
        columns = self.table.columns
        known = ", ".join((*REQUIRED, *OPTIONAL, f"{LABEL_PREFIX}<name>"))
        for column in columns:
            if column.startswith(LABEL_PREFIX) and is_private(column.removeprefix(LABEL_PREFIX)):
                self.problems.append(f"Line 1: the column {column!r} may identify a person; take it out.")
                continue
            if column in (*REQUIRED, *OPTIONAL) or (column.startswith(LABEL_PREFIX) and column != LABEL_PREFIX):
                continue
            guess = nearest(column, (*REQUIRED, *OPTIONAL))
            hint = f" Did you mean {guess!r}?" if guess else f" For a label of your own write '{LABEL_PREFIX}{column}'."
            self.problems.append(f"Line 1: unknown column {column!r}.{hint} Known columns: {known}.")
        for column in REQUIRED:
            if column not in columns:
                self.problems.append(f"Line 1: the required column {column!r} is missing. Known columns: {known}.")
        if not self.table.rows:
            self.problems.append("The manifest has no rows: add one per scan.")

    def read_rows(self) -> None:
        labels = [column for column in self.table.columns if column.startswith(LABEL_PREFIX)]
        self._numeric = {
            column for column in labels
            if column != f"{LABEL_PREFIX}diagnosis" and all_numbers(self.table.column(column))
        }  # fmt: skip
        for row in self.table.rows:
            scan = self._scan(row)
            if scan is not None:
                self.scans.append(scan)
                for label in self._row_labels(row, scan, labels):
                    self._add_label(label, row.line)

    def _scan(self, row: Row) -> Scan | None:
        subject, image = (row.cells[column] for column in REQUIRED)
        for column, cell in zip(REQUIRED, (subject, image), strict=True):
            if not cell:
                self.problems.append(f"Line {row.line}: {column!r} is empty.")
        if not subject or not image:
            return None
        dataset = _cell(row, "dataset") or self.name
        key = self._source_key(image)
        if (first := self._lines.setdefault((dataset, key), row.line)) != row.line:
            self.problems.append(f"Line {row.line}: the image {image} was already named in line {first}.")
        contrast = _cell(row, "contrast")
        return Scan(
            dataset=dataset,
            source_key=key,
            subject=subject,
            image=self._path(image),
            session=_cell(row, "session"),
            contrast=_CONTRASTS.get(contrast.lower(), contrast) if contrast else None,
            run=_cell(row, "run"),
            brain_mask=self._optional_path(row, "mask"),
            segmentation=self._optional_path(row, "segmentation"),
            skull_stripped=self._truth(row, "skull_stripped"),
            acquisition=self._acquisition(row),
        )

    def _acquisition(self, row: Row) -> Acquisition:
        vendor, strength, text = vendor_name(_cell(row, "vendor")), None, _cell(row, "field_strength")
        if text is not None:
            strength = parse_number(text)
            if strength is None or not 0 < strength < 25:
                self.problems.append(
                    f"Line {row.line}: field_strength{_quoted(text)} is no number of tesla (such as 1.5)."
                )
        told, image = Acquisition.of("manifest", vendor, field_strength=strength), self._path(row.cells["image"])
        return told.or_else(dicom_facts(image)) if may_be_dicom(image) else told

    def _row_labels(self, row: Row, scan: Scan, columns: list[str]) -> list[Label]:
        base = Label(scan.dataset, scan.subject, "", session=scan.session)
        found = []
        if (text := _cell(row, "age")) is not None:
            age = parse_age(text)
            found.append(replace(base, label="age", number=age, unit="years"))
            if age is None:
                self.problems.append(f"Line {row.line}: age{_quoted(text)} is no number of years between 0 and 130.")
        if (text := _cell(row, "sex")) is not None:
            sex = parse_sex(text)
            found.append(replace(base, label="sex", value=sex))
            if sex is None:
                self.problems.append(f"Line {row.line}: sex{_quoted(text)} is neither male, female, m nor f.")
        for column in columns:
            if (text := _cell(row, column)) is not None:
                label = column.removeprefix(LABEL_PREFIX)
                number = parse_number(text) if column in self._numeric else None
                if number is not None and not _can_be(label, number):
                    self._implausible.setdefault(column, []).append(shown(text, f"line {row.line}"))
                elif number is not None:
                    capped = cap_age(number) if is_age_column(label) else number
                    found.append(replace(base, label=label, number=capped))
                else:
                    said = cap_age_text(text) if is_age_column(label) else text
                    found.append(replace(base, label=label, value=said))
        return found

    def _add_label(self, label: Label, line: int) -> None:
        """Keeps one label per fact; scans of one session repeat their subject's facts, and must agree."""
        key = (label.dataset, label.subject, label.session or "", label.label)
        first = self._lines.setdefault(("label", *key), line)
        if self.labels.setdefault(key, label) != label:
            self.problems.append(f"Line {line}: {label.label} of {label.subject} differs from line {first}.")

    def _truth(self, row: Row, column: str) -> bool | None:
        text = _cell(row, column)
        if text is None:
            return None
        if text.lower() not in _TRUTH:
            self.problems.append(f"Line {row.line}: {column}{_quoted(text)} is neither yes nor no.")
        return _TRUTH.get(text.lower())

    def _path(self, text: str) -> Path:
        return self.table.path.parent / text

    def _optional_path(self, row: Row, column: str) -> Path | None:
        text = _cell(row, column)
        return None if text is None else self._path(text)

    def _source_key(self, text: str) -> str:
        path, folder = Path(text), self.table.path.parent
        return (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix()


def _can_be(label: str, number: float) -> bool:
    return 0 <= number <= 130 if is_age_column(label) else is_plausible(label, number)


def _quoted(text: str) -> str:
    """A short code for a message; words and dates stay in the manifest: a shifted column may hold a person's name."""
    return f" {text!r}" if shown(text, "") else ""


def _cell(row: Row, column: str) -> str | None:
    """A cell of an optional column; None where the column is absent or the cell says nothing."""
    text = row.cells.get(column)
    return None if is_missing(text) else text
