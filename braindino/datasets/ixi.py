"""IXI (brain-development.org): healthy adults from three London hospitals; flat NIfTI files and one table."""

import datetime
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from braindino.datasets.agreed import Agreed
from braindino.datasets.base import Acquisition, DatasetInfo, Discovery, Label, Moment, Scan
from braindino.datasets.bids_files import entries, folder_notes, is_folder, may_read, unfinished_downloads, volumes
from braindino.datasets.bids_labels import without_conflicts
from braindino.datasets.coverage_notes import absent_images
from braindino.datasets.half_copies import as_found
from braindino.datasets.label_columns import LabelColumn, age_column, read_labels, sex_column
from braindino.datasets.required import Missing, find_column, require_folder
from braindino.datasets.tables import Row, SourceTable
from braindino.datasets.values import a_few, is_missing, parse_number, parse_whole, shown

FILE_NAME = re.compile(r"(IXI(\d{3})-(Guys|HH|IOP)-(\d{4})-(T1|T2|PD|MRA|DTI-\d\d))\.nii(?:\.gz)?")
_CONTRASTS = {"T1": "T1w", "T2": "T2w", "PD": "PD"}  # angiograms and diffusion are not structural scans

# The owners publish the scanners per hospital (https://brain-development.org/ixi-dataset/), not per file.
_SITES = {
    "Guys": Acquisition.of("documentation", "Philips", "Gyroscan Intera", 1.5),
    "HH": Acquisition.of("documentation", "Philips", "Intera", 3.0),
    "IOP": Acquisition.of("documentation", "GE", None, 1.5),
}
_HOME = "https://brain-development.org/ixi-dataset/"
_GET = f"get it from {_HOME}"


def _between(low: float, high: float) -> Callable[[str], float | None]:
    def read(cell: str) -> float | None:
        number = parse_number(cell)
        return number if number is not None and low <= number <= high else None

    return read


_ID, _DATE = "IXI_ID", "STUDY_DATE"
_ZERO = frozenset({"0", "0.0", "0.00"})  # missing in all columns; a duplicated row has zeros in most of them
_AGE = replace(age_column("AGE"), silent=_ZERO)
_SEX = replace(sex_column("SEX_ID (1=m, 2=f)", codes={"1": "male", "2": "female"}), silent=_ZERO)
# The table has heights such as 1520 and 1850; whether they are centimetres with a zero too many is not ours
# to say.
_BODY = (
    LabelColumn("height", ("HEIGHT",), _between(100, 230), "cm", silent=_ZERO, optional=True),
    LabelColumn("weight", ("WEIGHT",), _between(25, 250), "kg", silent=_ZERO, optional=True),
)


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
            DatasetError: no image, no table, an empty one, or no column of it that is needed; all at once.
        """
        root, missing = root.absolute(), Missing()
        require_folder(root, name)
        scans, notes = _find_scans(root, name)
        missing.images(scans, (), root)
        if not scans:
            missing.say(
                f"No file named like IXI002-Guys-0828-T1.nii.gz is in {root} or in its folders; unpack "
                f"IXI-T1.tar (and IXI-T2.tar, IXI-PD.tar) from {_HOME} there."
            )
        table = _read_table(root, missing)
        if table is None or missing.problems:
            raise missing.error(name)
        rows, oddities = _by_id(table)
        labels, more = _labels(table, rows, name)
        dates, undated = _study_dates(table, rows)
        unlisted = sorted({scan.subject for scan in scans} - rows.keys())
        if unlisted:
            more.append(f"{len(unlisted)} imaged participant(s) are not in {table.path.name}: {a_few(unlisted)}.")
        dated = tuple(replace(scan, when=dates.get(scan.subject)) for scan in scans)
        notes = [*notes, *absent_images(scans), *table.notes, *oddities, *more, *undated]
        return Discovery(dated, tuple(labels), tuple(notes))


def _find_scans(root: Path, name: str) -> tuple[list[Scan], list[str]]:
    found: dict[str, Scan] = {}
    copies, unused = [], 0
    unfinished: list[str] = []
    folders = [root, *(Path(entry.path) for entry in entries(root) if is_folder(entry))]
    denied = [folder for folder in folders if not may_read(folder)]
    for inside in (entries(folder) for folder in folders if may_read(folder)):
        files = [entry for entry in inside if not is_folder(entry)]
        unfinished += unfinished_downloads(entry for entry in files if FILE_NAME.match(entry.name))
        for path, present in volumes(files).items():
            match = FILE_NAME.fullmatch(path.name)
            if match is None:
                continue
            if match[5] not in _CONTRASTS:
                unused += 1
            elif match[1] in found and found[match[1]].image_present:
                copies.append(match[1])
            else:
                found[match[1]] = _scan(path, present, match, name)
    notes = [f"Found more than once and taken once: {a_few(copies)}."] if copies else []
    if unused:
        notes.append(f"{unused} MRA and DTI file(s) are not structural scans and were left out.")
    notes += folder_notes(denied, unfinished)
    return [found[key] for key in sorted(found)], notes


def _scan(path: Path, present: bool, match: re.Match[str], name: str) -> Scan:
    key, number, site, _, kind = match.groups()
    scan = Scan(
        name, key, _subject(int(number)), path, contrast=_CONTRASTS[kind],
        acquisition=_SITES[site].or_else(Acquisition.of("path", site=site)),
    )  # fmt: skip
    return as_found(scan, present, f"unpack IXI-{kind}.tar from {_HOME}")


def _find_table(root: Path) -> Path | None:
    """The table nearest to the root; of two in one folder, the original Excel file."""
    wanted = ("ixi.xls", "ixi.xlsx", "ixi.csv")
    level = [root]
    for _ in range(3):
        inside = [entry for folder in level if may_read(folder) for entry in entries(folder)]
        here = {entry.name.lower(): Path(entry.path) for entry in reversed(inside) if not is_folder(entry)}
        for file_name in wanted:
            if file_name in here:
                return here[file_name]
        level = [Path(entry.path) for entry in inside if is_folder(entry)]
    return None


def _read_table(root: Path, missing: Missing) -> SourceTable | None:
    """The table with its id in the column IXI_ID; what it lacks is a problem, or a note if it can do without."""
    path = _find_table(root)
    if path is None:
        missing.say(f"Neither IXI.xls nor IXI.csv is in {root} or up to two folders down; {_GET}.")
        return None
    is_csv = path.suffix.lower() == ".csv"
    table = missing.table(path, ",", _GET) if is_csv else missing.excel(path, _GET, sheet="Table")
    if table is None:
        return None
    own = {missing.column(table, _ID, _GET): _ID}
    for needed in (_AGE, _SEX):
        missing.column(table, needed.names, _GET)
    lost = [column for column in ("HEIGHT", "WEIGHT", _DATE) if find_column(table, (column,)) is None]
    notes = [f"{path.name} has no column {a_few(lost)}, and nothing is known of it; for it, {_GET}."] if lost else []
    rows = tuple(replace(row, cells={own.get(key, key): cell for key, cell in row.cells.items()}) for row in table.rows)
    return replace(table, rows=rows, notes=(*table.notes, *notes))


def _subject(number: int) -> str:
    return f"IXI{number:03d}"


def _by_id(table: SourceTable) -> tuple[dict[str, list[Row]], list[str]]:
    """The rows of every participant, and a note on rows whose id is none."""
    rows: dict[str, list[Row]] = defaultdict(list)
    nobody = []
    for row in table.rows:
        number = parse_whole(row.cells.get(_ID, ""))
        if number is not None and 0 < number < 1000:
            rows[_subject(number)].append(row)
        else:
            nobody.append(shown(row.cells.get(_ID, ""), f"line {row.line}"))
    notes = [f"{table.path.name}: {_ID} is no id of a participant in {a_few(nobody)}."] if nobody else []
    return dict(sorted(rows.items())), notes


def _labels(table: SourceTable, people: dict[str, list[Row]], name: str) -> tuple[list[Label], list[str]]:
    two = [who for who, rows in people.items() if _contradict(table, rows)]
    whose = {row.line: who for who, rows in people.items() if who not in two for row in rows}
    known = replace(table, rows=tuple(row for row in table.rows if row.line in whose))
    stated, notes = read_labels(known, name, lambda row: whose[row.line], (_AGE, _SEX, *_BODY))
    labels, disputed = without_conflicts(stated)
    if doubled := sum(len(rows) > 1 for who, rows in people.items() if who not in two):
        notes.append(f"{doubled} ids stand in the table more than once; of each, all rows were used.")
    if two:
        notes.append(f"No labels for ids whose rows contradict each other in age or sex: {a_few(two)}.")
    return labels, [*notes, *disputed]


def _contradict(table: SourceTable, rows: Sequence[Row]) -> bool:
    """Whether rows of one id disagree on age or sex: then they are two people (219, 328), not a copy."""
    for column in (_AGE, _SEX):
        name = find_column(table, column.names) or ""
        cells = {row.cells.get(name, "") for row in rows}
        if len({column.read(cell) for cell in cells if cell not in column.silent} - {None}) > 1:
            return True
    return False


def _study_dates(table: SourceTable, people: dict[str, list[Row]]) -> tuple[dict[str, Moment], list[str]]:
    """The day of each participant's scans, where the table tells one day."""
    column = find_column(table, (_DATE,)) or ""
    days: Agreed[str, str] = Agreed()
    unread = []
    for who, cell in ((who, row.cells.get(column, "")) for who, rows in people.items() for row in rows):
        if (day := _date(cell)) is not None:
            days.add(who, day)
        elif not is_missing(cell) and cell not in _ZERO:
            unread.append(shown(cell, who))
    notes = [f"{table.path.name}: {column} is no date in {a_few(unread)}."] if unread else []
    dates = {who: Moment(day, "date", "day") for who, day in days.facts().items()}
    return dates, [*notes, *days.notes(f"The {_DATE}")]


def _date(text: str) -> str | None:
    try:
        return datetime.date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return None
