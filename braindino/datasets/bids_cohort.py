"""A cohort in one BIDS tree with one participants.tsv: what most OpenNeuro datasets are."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from braindino.datasets.agreed import Agreed
from braindino.datasets.base import Discovery
from braindino.datasets.bids_files import subject_folders
from braindino.datasets.bids_labels import SubjectIds, without_conflicts
from braindino.datasets.bids_tree import MomentOf, TreeRules, coverage_notes, holds_scans, read_tree
from braindino.datasets.label_columns import LabelColumn, read_labels, require_columns
from braindino.datasets.required import Missing, find_column, require_folder
from braindino.datasets.tables import Row, SourceTable
from braindino.datasets.values import a_few, is_missing


@dataclass(frozen=True)
class Cohort:
    """Where the labels of a cohort are: `participants.tsv` and the columns of it that become labels.

    `rules.get` says which download provides what is missing, tables as well as images. `id_names` are the spellings of
    the column that holds a subject's id, `site_names` those of its site, `session_names` those of the session of a row,
    if the table has one; `needed` are further columns that the adapter reads. Where `subject_form` is given, a tree
    whose subjects are all named otherwise than that, and than `subject_example`, is another dataset.
    """

    rules: TreeRules
    columns: tuple[LabelColumn, ...]
    id_names: tuple[str, ...] = ("participant_id",)
    site_names: tuple[str, ...] = ()
    session_names: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    subject_form: str | None = None
    subject_example: str = ""


def participants(root: Path, name: str, cohort: Cohort) -> SourceTable:
    """The table of the cohort at `root`, in which every column that is needed has been found.

    Raises:
        DatasetError: no subject, no scan, no table, an empty one, or no such column; all at once.
    """
    require_folder(root, name)
    missing = Missing()
    subjects = [folder.name.removeprefix("sub-") for folder in subject_folders(root)]
    if not subjects:
        missing.say(f"{root} has no sub-* folder: {cohort.rules.get}, or give the dataset's own root.")
    elif cohort.subject_form and not any(re.fullmatch(cohort.subject_form, subject) for subject in subjects):
        missing.say(f"{root} has no subject named like sub-{cohort.subject_example}: {cohort.rules.get}.")
    elif not holds_scans(root, cohort.rules):
        missing.say(f"No sub-* folder of {root} holds an anatomical scan: {cohort.rules.get}.")
    table = missing.table(root / "participants.tsv", "\t", cohort.rules.get)
    if table is not None:
        names = [cohort.id_names, *([cohort.site_names] if cohort.site_names else ()), *cohort.needed]
        require_columns(table, names, cohort.columns, missing, cohort.rules.get)
    if table is None or missing.problems:
        tree = read_tree(root, name, cohort.rules)
        missing.images(tree.scans, tree.gaps, root)
        raise missing.error(name)
    return table


def subject_finder(table: SourceTable, id_names: Sequence[str], subjects: Sequence[str]) -> "SubjectOf":
    """Finds the subject of a table's row among `subjects`, with or without `sub-` and leading zeros."""
    column = find_column(table, id_names)
    return SubjectOf(column or id_names[0], SubjectIds(subjects))


@dataclass(frozen=True)
class SubjectOf:
    """The subject of a row, by its id in one column; None where the cell is empty."""

    column: str
    ids: SubjectIds

    def __call__(self, row: Row) -> str | None:
        """The subject's id as its folder has it, or as the table has it where there is no folder."""
        cell = row.cells.get(self.column, "")
        return None if is_missing(cell) else self.ids.resolve(cell)


@dataclass(frozen=True)
class SessionOf:
    """The session of a row, by its name in one column, without `ses-`; None without such a column or cell."""

    column: str | None

    def __call__(self, row: Row) -> str | None:
        """The session as its folder has it."""
        cell = row.cells.get(self.column, "") if self.column else ""
        return None if is_missing(cell) else cell.removeprefix("ses-")


def discover_cohort(root: Path, name: str, cohort: Cohort, moment: MomentOf | None = None) -> Discovery:
    """The scans and labels of the cohort at `root`; `moment` finds in a sidecar when a scan was.

    Raises:
        DatasetError: see `participants`.
    """
    root = root.absolute()
    table = participants(root, name, cohort)
    subjects = [folder.name.removeprefix("sub-") for folder in subject_folders(root)]
    subject = subject_finder(table, cohort.id_names, subjects)
    sites = agreed_cells((table,), cohort.site_names, lambda _: subject)
    tree = read_tree(root, name, cohort.rules, sites.facts(), moment)
    session = SessionOf(find_column(table, cohort.session_names))
    stated, oddities = read_labels(table, name, subject, cohort.columns, session)
    labels, conflicts = without_conflicts(stated)
    odd_sites = sites.notes(f"{table.path.name}: {a_few(cohort.site_names)}")
    notes = (*table.notes, *oddities, *conflicts, *odd_sites, *tree.notes, *coverage_notes(tree, labels))
    return Discovery(tree.scans, tuple(labels), notes, gaps=tree.gaps)


def agreed_cells(
    tables: Iterable[SourceTable],
    names: Sequence[str],
    subject_of: Callable[[SourceTable], Callable[[Row], str | None]],
) -> Agreed[str, str]:
    """What a column, in the tables that have it, says of each subject: the sites, for one."""
    agreed: Agreed[str, str] = Agreed()
    for table in tables:
        column, subject = find_column(table, names), subject_of(table)
        for row in table.rows if column else ():
            if (who := subject(row)) is not None and not is_missing(cell := row.cells.get(column or "", "")):
                agreed.add(who, cell)
    return agreed
