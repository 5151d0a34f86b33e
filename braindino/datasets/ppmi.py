"""PPMI (LONI IDA): Parkinson's disease and controls; the archive's tree, its list of images, and the study's tables."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from braindino.datasets.base import DatasetInfo, Discovery, Label
from braindino.datasets.bids_labels import without_conflicts
from braindino.datasets.label_columns import LabelColumn, fill_in, read_labels, require_columns, sex_column
from braindino.datasets.loni_descriptions import CONTRAST_RULES, ContrastRules, contrast_reader, require_patterns
from braindino.datasets.loni_scans import (
    IdaChoice,
    IdaFacts,
    imaged,
    make_scans,
    not_downloaded,
    raise_if_any,
    unlisted_gaps,
)
from braindino.datasets.loni_tables import IdaList, read_ida_lists, study_table
from braindino.datasets.loni_tree import read_tree
from braindino.datasets.required import Missing, require_folder
from braindino.datasets.search import read_table
from braindino.datasets.tables import Row, SourceTable
from braindino.datasets.values import parse_age, parse_whole

_HOME = "https://www.ppmi-info.org"
_GET = "download the image collection of the project PPMI from https://ida.loni.usc.edu, and its list as CSV"
_GET_TABLE = "get it from https://ida.loni.usc.edu, PPMI, Study Data"
_SUBJECT = re.compile(r"\d{4,6}")
_ID, _EVENT = "PATNO", "EVENT_ID"
_DIAGNOSES = {
    "parkinson's disease": "PD", "pd": "PD", "healthy control": "control", "control": "control",
    "prodromal": "prodromal", "swedd": "SWEDD",
}  # fmt: skip
# Months of the study's schedule of visits, V01 to V12.
_MONTHS = (3, 6, 9, 12, 18, 24, 30, 36, 42, 48, 54, 60)
_VISIT_WORDS = (
    ("Screening", "SC"),
    ("Baseline", "BL"),
    *((f"Month {month}", f"V{number:02d}") for number, month in enumerate(_MONTHS, start=1)),
)


def _diagnosis(cell: str) -> str:
    """The cohort in the words of the feature store; other cohorts (Early Imaging) as the study calls them."""
    return _DIAGNOSES.get(cell.lower().replace("\u2019", "'"), cell)


_COHORT = (LabelColumn("diagnosis", ("COHORT_DEFINITION",), _diagnosis),)
_PERSON = (sex_column("SEX", codes={"0": "female", "1": "male"}),)
_AGE = (LabelColumn("age", ("AGE_AT_VISIT",), parse_age, "years", of_row_session=True),)


@dataclass(frozen=True)
class PpmiAdapter:
    """Reads `<PATNO>/<description>/<time>/<id>`, the CSV of the collection, Participant_Status and Demographics.

    An age is that of Age_at_visit for the visit that the list of images names, else the one of the list itself.
    The numbers of COHORT above 2 are not documented, so that its words are read. Transverse and coronal reformats are
    left out with other derived images by `contrast_rules`; of several images of one session and contrast,
    three-dimensional ones and those that are no repeat are preferred. `visit_words` are the visits as a search of the
    archive names them, by the study's schedule, which is an assumption.
    """

    contrast_rules: ContrastRules = CONTRAST_RULES
    preference: tuple[str, ...] = (r"mp ?rage|\b3d\b|spgr|bravo", "")
    one_per_session: bool = True
    dicom_headers: bool = True
    visit_words: tuple[tuple[str, str], ...] = _VISIT_WORDS

    info = DatasetInfo(
        name="ppmi",
        title="PPMI: Parkinson's Progression Markers Initiative",
        licence="PPMI Data Use Agreement",
        restrictions="Access on application; data are not to be passed on to others.",
        homepage=_HOME,
    )

    def __post_init__(self) -> None:
        require_patterns(self.contrast_rules, self.preference)

    def discover(self, root: Path, name: str) -> Discovery:
        """T1w, T2w, FLAIR and PD scans, one per session and contrast; diagnosis, sex, and age at each session.

        Raises:
            DatasetError: no image, no list of images, no table, or no column of one that is needed; all at once.
        """
        root, missing = root.absolute(), Missing()
        require_folder(root, name)
        contrast_of = contrast_reader(self.contrast_rules)
        tree = read_tree(root, _SUBJECT, contrast_of, missing, _GET)
        tables = tree.found.tables
        listed = read_ida_lists(tables, _SUBJECT, missing, _GET, root)
        status = _table(tables, "Participant_Status", (_ID,), _COHORT, missing, root)
        people = _table(tables, "Demographics", (_ID,), _PERSON, missing, root)
        visits = _table(tables, "Age_at_visit", (_ID, _EVENT), _AGE, missing)
        choice = IdaChoice(self.preference, self.one_per_session, self.dicom_headers)
        absent = not_downloaded(root, tree, listed, contrast_of, "PPMI")
        raise_if_any(missing, name, tree, listed, choice, absent)
        assert status is not None  # or it would be among the problems, as the other table
        assert people is not None
        scans, notes = make_scans(tree, listed, name, choice, absent, IdaFacts())
        diagnoses, oddities = read_labels(status, name, _patient, _COHORT)
        stated, more = read_labels(people, name, _patient, _PERSON)
        of_visits, odd = _ages(visits, listed, name, dict(self.visit_words))
        # What a better table says twice with different values is not taken from the list either.
        ages = imaged(fill_in(of_visits, listed.ages(name)), scans)
        labels, conflicts = without_conflicts([*diagnoses, *fill_in(stated, listed.sexes(name)), *ages])
        if visits is None:
            notes.append(f"There is no Age_at_visit table: ages are those of the list of images; {_GET_TABLE}.")
        read = [note for table in (status, people, visits) if table is not None for note in table.notes]
        notes += [*listed.notes, *read, *oddities, *more, *odd, *conflicts]
        return Discovery(tuple(scans), tuple(labels), tuple(notes), gaps=unlisted_gaps(tree, absent))


def _table(
    tables: tuple[Path, ...],
    stem: str,
    keys: tuple[str, ...],
    columns: tuple[LabelColumn, ...],
    missing: Missing,
    root: Path | None = None,
) -> SourceTable | None:
    """The newest table of this name; its absence is a problem if a `root` is given to name in it."""
    path = study_table(tables, stem)
    if path is None:
        if root is not None:
            missing.say(f"No {stem}.csv (a date may follow the name) is under {root}: {_GET_TABLE}.")
        return None
    table = read_table(path, keys, missing, _GET_TABLE)
    if table is not None:
        require_columns(table, (), columns, missing, _GET_TABLE)
    return table


def _patient(row: Row) -> str | None:
    who = str(parse_whole(row.cells[_ID]))
    return who if _SUBJECT.fullmatch(who) else None


def _ages(
    visits: SourceTable | None, listed: IdaList, name: str, words: Mapping[str, str]
) -> tuple[list[Label], list[str]]:
    """The ages of the visits that images belong to, as ages of their sessions: all, where rows contradict each other.

    Also notes on what could not be read.
    """
    if visits is None:
        return [], []
    stated, notes = read_labels(visits, name, _patient, _AGE, lambda row: row.cells[_EVENT].upper())
    of_visit: dict[tuple[str, str | None], list[Label]] = defaultdict(list)
    for label in stated:
        of_visit[label.subject, label.session].append(label)
    visited = {(row.subject, row.day, words.get(row.visit, row.visit.upper())): None for row in listed.rows if row.day}
    ages = [replace(age, session=day) for who, day, visit in visited for age in of_visit.get((who, visit), ())]
    return ages, notes
