"""IXI (brain-development.org): healthy adults from three London hospitals; flat NIfTI files and one table."""

import datetime
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from braindino.datasets.base import Acquisition, DatasetInfo, Discovery, Label, Moment, Scan
from braindino.datasets.bids_files import content_present, entries
from braindino.datasets.tables import Row, SourceTable, read_delimited, read_excel
from braindino.datasets.values import a_few, cap_age, parse_number
from braindino.errors import DatasetError

FILE_NAME = re.compile(r"(IXI(\d{3})-(Guys|HH|IOP)-(\d{4})-(T1|T2|PD|MRA|DTI-\d\d))\.nii(?:\.gz)?")
_CONTRASTS = {"T1": "T1w", "T2": "T2w", "PD": "PD"}  # angiograms and diffusion are not structural scans

# The owners publish the scanners per hospital (https://brain-development.org/ixi-dataset/), not per file.
_SITES = {
    "Guys": Acquisition.of("documentation", "Philips", "Gyroscan Intera", 1.5),
    "HH": Acquisition.of("documentation", "Philips", "Intera", 3.0),
    "IOP": Acquisition.of("documentation", "GE", None, 1.5),
}
_HOME = "https://brain-development.org/ixi-dataset/"

_ID, _SEX, _AGE, _DATE = "IXI_ID", "SEX_ID (1=m, 2=f)", "AGE", "STUDY_DATE"
# In these columns 0 means missing; a duplicated row has zeros in all of them.
_ZERO_IS_MISSING = ("HEIGHT", "WEIGHT", "ETHNIC_ID", "MARITAL_ID", "OCCUPATION_ID", "QUALIFICATION_ID")
_SEXES = {1.0: "male", 2.0: "female"}
# The table has heights such as 1520 and 1850; whether they are centimetres with a zero too many is not ours
# to say.
_PLAUSIBLE = {"HEIGHT": (100.0, 230.0, "cm"), "WEIGHT": (25.0, 250.0, "kg")}


class IxiAdapter:
    """Reads the tars, unpacked flat or into folders (`IXI-T1/`), and IXI.xls or a CSV of its sheet `Table`.

    `skull_stripped` is left open: the originals are whole heads, but copies that users stripped in place
    are common, and the files do not tell.
    """

    info = DatasetInfo(
        name="ixi",
        title="IXI: Information eXtraction from Images",
        licence="CC BY-SA 3.0",
        restrictions=None,
        homepage=_HOME,
    )

    def discover(self, root: Path, name: str) -> Discovery:
        """T1, T2 and PD scans, and age, sex, height and weight of every participant of the table.

        Raises:
            DatasetError: no image, no table, or no column of the table that is needed; all at once.
        """
        root = root.absolute()
        if not root.is_dir():
            raise DatasetError(name, (f"{root} is not a folder: give the folder with the unpacked IXI tars.",))
        scans, notes = _find_scans(root, name)
        path = _find_table(root)
        problems = []
        if not scans:
            problems.append(
                f"No file named like IXI002-Guys-0828-T1.nii.gz is in {root} or in its folders; unpack "
                f"IXI-T1.tar (and IXI-T2.tar, IXI-PD.tar) from {_HOME} there."
            )
        if path is None:
            problems.append(f"Neither IXI.xls nor IXI.csv is in {root} or up to two folders down; get it from {_HOME}.")
        else:
            table, lacking = _read_table(path)
            problems += lacking
        if problems or path is None:
            raise DatasetError(name, tuple(problems))
        labels, oddities = _labels(table, name)
        unlisted = sorted({scan.subject for scan in scans} - {_subject(number) for number in _ids(table)})
        if unlisted:
            oddities.append(f"{len(unlisted)} imaged participant(s) are not in {path.name}: {a_few(unlisted)}.")
        dates = _study_dates(table)
        dated = tuple(replace(scan, when=dates.get(scan.subject)) for scan in scans)
        return Discovery(dated, tuple(labels), (*notes, *table.notes, *oddities))


def _find_scans(root: Path, name: str) -> tuple[list[Scan], list[str]]:
    found: dict[str, Scan] = {}
    copies, unused = [], 0
    folders = [root, *(Path(entry.path) for entry in entries(root) if entry.is_dir())]
    for entry in (entry for folder in folders for entry in entries(folder)):
        match = FILE_NAME.fullmatch(entry.name)
        if match is None or (not entry.is_file() and not entry.is_symlink()):
            continue
        key, number, site, _, kind = match.groups()
        if kind not in _CONTRASTS:
            unused += 1
        elif key in found:
            copies.append(key)
        else:
            present = content_present(entry)
            hint = None if present else f"The link {entry.name} leads nowhere: unpack IXI-{kind}.tar from {_HOME}."
            found[key] = Scan(
                name, key, _subject(int(number)), Path(entry.path), contrast=_CONTRASTS[kind],
                acquisition=_SITES[site].or_else(Acquisition.of("path", site=site)),
                image_present=present, absent_hint=hint,
            )  # fmt: skip
    notes = [f"Found more than once and taken once: {a_few(copies)}."] if copies else []
    if unused:
        notes.append(f"{unused} MRA and DTI file(s) are not structural scans and were left out.")
    return [found[key] for key in sorted(found)], notes


def _find_table(root: Path) -> Path | None:
    """The table nearest to the root; of two in one folder, the original Excel file."""
    wanted = ("ixi.xls", "ixi.xlsx", "ixi.csv")
    level = [root]
    for _ in range(3):
        inside = [entry for folder in level for entry in entries(folder)]
        here = {entry.name.lower(): Path(entry.path) for entry in reversed(inside) if entry.is_file()}
        for file_name in wanted:
            if file_name in here:
                return here[file_name]
        level = [Path(entry.path) for entry in inside if entry.is_dir()]
    return None


def _read_table(path: Path) -> tuple[SourceTable, list[str]]:
    table = read_delimited(path, ",") if path.suffix.lower() == ".csv" else read_excel(path, "Table")
    lacking = [column for column in (_ID, _SEX, _AGE) if column not in table.columns]
    if not lacking:
        return table, []
    has = ", ".join(table.columns)
    return table, [
        f"{path} has no column {', '.join(map(repr, lacking))} (it has {has}); get the original from {_HOME}."
    ]


def _subject(number: int) -> str:
    return f"IXI{number:03d}"


def _number(row: Row, column: str) -> float | None:
    """A cell as a number, with the zeros that IXI writes for missing taken as missing."""
    number = parse_number(row.cells.get(column, ""))
    return None if number == 0 else number


def _ids(table: SourceTable) -> dict[int, list[Row]]:
    rows: dict[int, list[Row]] = defaultdict(list)
    for row in table.rows:
        number = parse_number(row.cells[_ID])
        if number is not None:
            rows[int(number)].append(row)
    return rows


def _labels(table: SourceTable, name: str) -> tuple[list[Label], list[str]]:
    labels: list[Label] = []
    conflicting, doubled, implausible = [], 0, []
    for number, rows in sorted(_ids(table).items()):
        if _conflict(rows):
            conflicting.append(str(number))
            continue
        doubled += len(rows) > 1
        row = _fullest(rows)
        subject = _subject(number)
        age, sex = _number(row, _AGE), _SEXES.get(_number(row, _SEX) or 0)
        if age is not None:
            labels.append(Label(name, subject, "age", number=cap_age(age), unit="years"))
        if sex is not None:
            labels.append(Label(name, subject, "sex", value=sex))
        for column, (low, high, unit) in _PLAUSIBLE.items():
            amount = _number(row, column)
            if amount is not None and low <= amount <= high:
                labels.append(Label(name, subject, column.lower(), number=amount, unit=unit))
            elif amount is not None:
                implausible.append(f"{column.lower()} {amount:g} of {subject}")
    notes = []
    if doubled:
        notes.append(f"{doubled} ids stand in the table more than once; of each, the fullest row was used.")
    if conflicting:
        notes.append(f"No labels for ids whose rows contradict each other in age or sex: {a_few(conflicting)}.")
    if implausible:
        notes.append(f"Implausible and left out: {a_few(implausible)}.")
    return labels, notes


def _study_dates(table: SourceTable) -> dict[str, Moment]:
    """The day of each participant's scans, where the table tells one day."""
    dates = {}
    for number, rows in _ids(table).items():
        stated = {day for row in rows if (day := _date(row.cells.get(_DATE, ""))) is not None}
        if len(stated) == 1:
            dates[_subject(number)] = Moment(stated.pop(), "date", "day")
    return dates


def _date(text: str) -> str | None:
    try:
        return datetime.date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return None


def _conflict(rows: Sequence[Row]) -> bool:
    """Whether rows of one id disagree on age or sex: then they are two people (219, 328), not a copy."""
    for column in (_AGE, _SEX):
        if len({value for row in rows if (value := _number(row, column)) is not None}) > 1:
            return True
    return False


def _fullest(rows: Sequence[Row]) -> Row:
    return max(rows, key=lambda row: sum(_number(row, column) is not None for column in _ZERO_IS_MISSING))
