"""Who the people of BraTS 2021 are in other datasets: the mapping tables of its owners, read in one way."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from braindino.datasets.base import SubjectLink
from braindino.datasets.required import Missing
from braindino.datasets.search import read_table
from braindino.datasets.tables import Row, SourceTable
from braindino.datasets.values import is_missing

# Our names for the columns, and how the owners' begin, whatever the case and the spaces: their headers are whole
# phrases, such as "PatientID on TCIA Radiology Portal". The second table is of the challenge of 2023, whose gliomas are
# those of 2021 under new names.
_TO_TCIA = {
    "case": "BraTS2021 ID", "collection": "Data Collection", "person": "PatientID", "site": "Site",
    "split": "Segmentation (Task 1)", "mgmt": "MGMT value",
}  # fmt: skip
_GLI = {"case": "BraTS2021", "collection": "Cohort Name", "person": "Local ID", "site": "Site No"}
MAPPINGS = (("brats2021_mappingtotcia.*", _TO_TCIA), ("brats2023_2017_gli_mapping.*", _GLI))


@dataclass(frozen=True)
class Collection:
    """A collection that is one of our datasets: the name of its adapter, and how its ids are written there."""

    adapter: str
    id: re.Pattern[str]
    format: str


# TCIA's id of a person of UPENN-GBM carries the exam (UPENN-GBM-00011_11), that of UCSF-PDGM is a bare number (57). New
# cases have `new-not-previously-in-TCIA` instead, which fits neither.
COLLECTIONS = {
    "UPENN-GBM": Collection("upenn_gbm", re.compile(r"(?:UPENN-GBM-)?(\d{1,5})(?:_\d\d)?"), "UPENN-GBM-{:05d}"),
    "UCSF-PDGM": Collection("ucsf_pdgm", re.compile(r"(?:UCSF-PDGM-)?(\d{1,4})(?:_FU\d+d)?"), "UCSF-PDGM-{:04d}"),
}


def read_mappings(paths: Sequence[Path], missing: Missing, download: str) -> list[SourceTable]:
    """The mapping tables among `paths`, the more complete first, with our names for their columns."""
    tables = []
    for pattern, columns in MAPPINGS:
        path = next((path for path in paths if re.fullmatch(pattern.replace("*", ".*"), path.name.lower())), None)
        if path is None:
            continue
        delimiter = ";" if columns is _GLI else ","  # the CSV variant of the second uses semicolons
        table = read_table(path, (), missing, download, delimiter)
        if table is not None:
            tables.append(_renamed(table, columns, missing, download))
    return tables


def _renamed(table: SourceTable, columns: dict[str, str], missing: Missing, download: str) -> SourceTable:
    names: dict[str, str] = {}
    lost = []
    for ours, start in columns.items():
        theirs = next((column for column in table.columns if _plain(column).startswith(_plain(start))), None)
        if theirs is None:
            lost.append(repr(start))
        else:
            names[ours] = theirs
    if lost:
        what = f"{table.path} has no column whose name starts with {' or '.join(lost)}"
        missing.say(f"{what}; it has {', '.join(table.columns)}. For it, {download}.")
    rows = [Row(row.line, {ours: row.cells.get(theirs, "") for ours, theirs in names.items()}) for row in table.rows]
    return replace(table, columns=tuple(names), rows=tuple(rows))


def _plain(header: str) -> str:
    return "".join(header.lower().split())


def case_of(row: Row) -> str | None:
    """The case that a row is about; None where the cell holds none. A bare number (`00169`) is one of Task 2 only."""
    match = re.fullmatch(r"(?:BraTS2021_)?(\d{1,5})", row.cells.get("case", ""))
    return f"BraTS2021_{int(match.group(1)):05d}" if match else None


def segmented_cases(tables: Sequence[SourceTable]) -> set[str]:
    """The cases of Task 1, those with images that are registered and stripped: their ids are written in full."""
    cells = (row.cells.get("case", "") for table in tables for row in table.rows)
    return {cell for cell in cells if cell.startswith("BraTS2021_")}


def sites_of(tables: Sequence[SourceTable]) -> dict[str, str]:
    """The site of each case, as the owners number their contributors; the first table is believed."""
    sites: dict[str, str] = {}
    for row in (row for table in tables for row in table.rows):
        case, site = case_of(row), row.cells.get("site", "")
        if case and not is_missing(site):
            sites.setdefault(case, site)
    return sites


def links_of(table: SourceTable, name: str) -> list[SubjectLink]:
    """The people of UPENN-GBM and UCSF-PDGM that the cases of the dataset `name` are."""
    links = []
    for row in table.rows:
        case, collection = case_of(row), COLLECTIONS.get(row.cells.get("collection", ""))
        match = collection.id.fullmatch(row.cells.get("person", "")) if collection else None
        if case and collection and match:
            person = collection.format.format(int(match.group(1)))
            links.append(SubjectLink(name, case, collection.adapter, person, table.path.name))
    return links
