"""LONG579 (OpenNeuro ds003604): children scanned around the ages of 5, 7 and 9; dates shifted, ages computed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from braindino.datasets.agreed import Agreed
from braindino.datasets.base import Acquisition, DatasetInfo, Discovery, Label, Moment, Scan
from braindino.datasets.bids_cohort import Cohort, discover_cohort, participants, subject_finder
from braindino.datasets.bids_tree import TreeRules
from braindino.datasets.label_columns import sex_column
from braindino.datasets.required import find_column
from braindino.datasets.values import a_few, parse_age

_DAYS_PER_YEAR = 365.25
_COHORT = Cohort(
    columns=(sex_column("sex"),),
    rules=TreeRules(
        contrasts=frozenset({"T1w"}),
        run="acq",  # D<scan day>S<series> tells repeats apart; there is no run-
        facts=Acquisition.of("documentation", "Siemens", "Skyra", field_strength=3.0, site="UT Austin"),
        get="get it with `datalad install https://github.com/OpenNeuroDatasets/ds003604.git`",
    ),
    needed=("birthdate",),
)


@dataclass(frozen=True)
class Long579Adapter:
    """Reads `sub-*/ses-*/anat` with its sidecars, and participants.tsv.

    No table has an age: it is the shifted date of a session's earliest scan (`ShiftedAquisitionDate` of the sidecar,
    spelt so) minus the shifted date of birth, which were moved together. The dates of the standardised tests differ
    from those of the scans by up to a year and are not used; nor are the handedness scores (1 to 5). The quality
    scores of derivatives/t1w_qa_composite are about single scans, not sessions, and give no label.
    """

    info = DatasetInfo(
        name="long579",
        title="LONG579: longitudinal brain imaging of reading in children of 5, 7 and 9 years",
        licence="CC0",
        restrictions=None,
        homepage="https://openneuro.org/datasets/ds003604",
    )

    def discover(self, root: Path, name: str) -> Discovery:
        """All T1w with their shifted dates; sex, and age per session.

        Raises:
            DatasetError: no subject, no participants.tsv, or no column of it that is needed; all at once.
        """
        found = discover_cohort(root, name, _COHORT, _shifted_date)
        births, disputed = _births(root.absolute(), name, {scan.subject for scan in found.scans})
        ages = _ages(name, births, found.scans)
        notes = [*found.notes, *disputed]
        if undated := [scan.source_key.rsplit("/", 1)[-1] for scan in found.scans if scan.when is None]:
            notes.append(f"{len(undated)} scan(s) have no ShiftedAquisitionDate in their sidecar: {a_few(undated)}.")
        sessions = {(scan.subject, scan.session) for scan in found.scans}
        if ageless := sorted(f"{who} ses-{session}" for who, session in sessions - _sessions(ages)):
            notes.append(f"No age of 0 to 130 years can be computed for {len(ageless)} session(s): {a_few(ageless)}.")
        return replace(found, labels=(*found.labels, *ages), notes=tuple(notes))


def _shifted_date(metadata: Mapping[str, Any]) -> Moment | None:
    day = _day(metadata.get("ShiftedAquisitionDate"))
    return None if day is None else Moment(day.isoformat(), "shifted_date", "day")


def _day(text: object) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if isinstance(text, str) else None
    except ValueError:
        return None


def _births(root: Path, name: str, subjects: set[str]) -> tuple[dict[str, date], list[str]]:
    table = participants(root, name, _COHORT)
    column, subject = find_column(table, _COHORT.needed), subject_finder(table, _COHORT.id_names, sorted(subjects))
    births: Agreed[str, date] = Agreed()
    for row in table.rows:
        who, day = subject(row), _day(row.cells[column or ""])
        if who is not None and day is not None:
            births.add(who, day)
    return births.facts(), births.notes("The shifted date of birth")


def _ages(name: str, births: Mapping[str, date], scans: Iterable[Scan]) -> list[Label]:
    """The age at the earliest scan of every session whose dates are known, where it is one of 0 to 130 years."""
    earliest: dict[tuple[str, str | None], date] = {}
    for scan in scans:
        day = _day(scan.when.value) if scan.when else None
        if day is not None:
            key = (scan.subject, scan.session)
            earliest[key] = min(day, earliest.get(key, day))
    years = {
        key: parse_age(str((day - births[key[0]]).days / _DAYS_PER_YEAR))
        for key, day in earliest.items()
        if key[0] in births
    }
    return [
        Label(name, who, "age", number=age, unit="years", session=session)
        for (who, session), age in years.items()
        if age is not None
    ]


def _sessions(labels: Iterable[Label]) -> set[tuple[str, str | None]]:
    return {(label.subject, label.session) for label in labels}
