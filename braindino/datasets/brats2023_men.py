"""BraTS 2023-MEN (meningioma): cases, their corrected replacements, and a table of grade, age and sex."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from braindino.datasets.agreed import Agreed
from braindino.datasets.base import Acquisition, DatasetInfo, Discovery, Scan
from braindino.datasets.bids_labels import without_conflicts
from braindino.datasets.brats_tree import BratsRules, read_cases
from braindino.datasets.label_columns import LabelColumn, coded, fill_in, read_labels, require_columns, sex_column
from braindino.datasets.required import Missing
from braindino.datasets.search import require_table
from braindino.datasets.tables import Row, SourceTable
from braindino.datasets.thickness import thickness_columns, thickness_of
from braindino.datasets.values import a_few, is_missing, parse_age, parse_number, shown

_HOME = "https://www.synapse.org/Synapse:syn51156910"
_GET = f"unpack ASNR-MICCAI-BraTS2023-MEN-Challenge-TrainingData.zip (and ...ValidationData.zip) from {_HOME}"
_TABLE = "*meningioma*clinical*data*"
_GET_TABLE = (
    "get `Meningioma Supplementary Clinical Data and Imaging Parameters for Training and Validation Sets.xlsx` "
    f"from {_HOME}"
)
_ID = "BraTS ID"
_CASE = re.compile(r"(BraTS-MEN-\d{5})-(\d{3})")
# Folders of BraTS-MEN-TRAIN-FIX-V4.zip, which holds 47 training cases again, mended.
_RULES = BratsRules(_CASE, "BraTS-MEN-00004-000", _GET, corrected=re.compile(r"MEN.*FIX", re.IGNORECASE))
# How the contrasts are spelled in the header of the table is not documented; these are the spellings in use.
_WORDS = {"T1w": ("t1", "t1n", "t1w"), "T1c": ("t1c", "t1ce", "t1gd"), "T2w": ("t2", "t2w"), "FLAIR": ("flair", "t2f")}


def _grade(cell: str) -> float | None:
    """1, 2 or 3; the one text in the column names another tumour than a meningioma and gives no label."""
    number = parse_number(cell)
    return number if number in (1, 2, 3) else None


_LABELS = (
    LabelColumn("age", ("Age",), parse_age, "years", of_row_session=True),
    sex_column("Sex"),
    LabelColumn("who_grade", ("Grade",), _grade),
    LabelColumn("split", ("Split",), coded({word: word for word in ("training", "validation", "test")})),
)


@dataclass(frozen=True)
class Brats2023MenAdapter:
    """Reads the unpacked archives; `-000`, `-001` in a case's name are time points of one person, and its sessions.

    Of a case that the correction FIX-V4 holds again, each file there replaces the original. The table has a row per
    case: the age is that of the time point, the grade is taken as the person's.
    """

    info = DatasetInfo(
        name="brats2023_men",
        title="ASNR-MICCAI BraTS 2023, Intracranial Meningioma",
        licence="Terms of the BraTS 2023 challenge (Synapse)",
        restrictions="Needs a Synapse account and the challenge's terms.",
        homepage=_HOME,
    )

    def discover(self, root: Path, name: str) -> Discovery:
        """All cases and their split, and the age, sex and grade of every case of the table.

        Raises:
            DatasetError: no case, no clinical table, or no column of it that is needed; all at once.
        """
        missing = Missing()
        tree = read_cases(root.absolute(), name, _RULES, missing)
        table = require_table(tree.found, (_TABLE,), (_ID,), missing, _GET_TABLE)
        if table is not None:
            require_columns(table, (), _LABELS, missing, _GET_TABLE)
        if table is None or missing.problems:
            raise missing.error(name)
        stated, oddities = read_labels(table, name, _subject, _LABELS, _time_point)
        labels, disputed = without_conflicts(stated)
        thicknesses, unclear = _thicknesses(table)
        notes = (*tree.notes, *table.notes, *oddities, *disputed, *unclear)
        scans = (
            replace(scan, acquisition=Acquisition.of("table", slice_thickness=thicknesses.get(_key(scan))))
            for scan in tree.scans
        )
        return Discovery(tuple(scans), tuple(fill_in(tree.splits, labels)), notes)


def _subject(row: Row) -> str | None:
    match = _CASE.fullmatch(row.cells.get(_ID, ""))
    return match.group(1) if match else None


def _time_point(row: Row) -> str | None:
    match = _CASE.fullmatch(row.cells.get(_ID, ""))
    return match.group(2) if match else None


def _key(scan: Scan) -> tuple[str, str]:
    return f"{scan.subject}-{scan.session}", scan.contrast or ""


def _thicknesses(table: SourceTable) -> tuple[dict[tuple[str, str], float], list[str]]:
    """The slice thickness in mm by case and contrast, and notes on cells that no slice can have or that disagree."""
    stated: Agreed[tuple[str, str], float] = Agreed()
    odd = []
    for contrast, column in thickness_columns(table, _WORDS).items():
        for row in table.rows:
            case, thickness = row.cells[_ID], thickness_of(row, column)
            if thickness is not None:
                stated.add((case, contrast), thickness)
            elif not is_missing(row.cells.get(column, "")):
                odd.append(shown(row.cells[column], f"{case} {contrast}"))
    notes = stated.notes(f"{table.path.name}: the slice thickness", " ".join)
    return stated.facts(), [*notes, *([f"{table.path.name}: no slice thickness: {a_few(odd)}."] if odd else [])]
