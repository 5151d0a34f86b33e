"""The tables of ADNI: ADNIMERGE, the diagnoses of all phases, and the list of T1w images."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from braindino.phantom.cohort import Subject
from braindino.phantom.layouts.loni import Image
from braindino.phantom.layouts.people import sex_code
from braindino.phantom.layouts.text import csv_text

_MERGE = (
    "RID", "COLPROT", "ORIGPROT", "PTID", "SITE", "VISCODE", "EXAMDATE", "DX_bl", "AGE", "PTGENDER", "PTEDUCAT",
    "PTETHCAT", "PTMARRY", "APOE4", "FDG", "PIB", "AV45", "CDRSB", "ADAS11", "ADAS13", "ADASQ4", "MMSE",
    "RAVLT_immediate", "FAQ", "MOCA", "Ventricles", "Hippocampus", "WholeBrain", "Entorhinal", "ICV", "DX", "MMSE_bl",
)  # fmt: skip
_DXSUM = ("Phase", "RID", "PTID", "VISCODE", "VISCODE2", "EXAMDATE", "DXCURREN", "DXCHANGE", "DIAGNOSIS")
_MPRAGEMETA = (
    "SubjectID", "Visit", "Sequence", "ScanDate", "StudyID", "SeriesID", "ImageUID", "MagStrength", "Orig/Proc",
)  # fmt: skip
_MERGE_WORDS = {"CN": "CN", "MCI": "MCI", "AD": "Dementia"}
_NUMBERS = {"CN": 1, "MCI": 2, "AD": 3}
_CHANGES = {("CN", "MCI"): 4, ("MCI", "AD"): 5, ("CN", "AD"): 6, ("MCI", "CN"): 7, ("AD", "MCI"): 8, ("AD", "CN"): 9}


@dataclass(frozen=True)
class Visit:
    """One examination; `in_merge` tells whether ADNIMERGE already knows its diagnosis, None is an unknown score."""

    code: str
    day: date
    diagnosis: str  # CN, MCI or AD
    mmse: int | None
    in_merge: bool = True


@dataclass(frozen=True)
class Participant:
    """One person and all visits, the baseline first."""

    subject: Subject
    ptid: str
    phase: str  # ADNI1, ADNI2 or ADNI3
    education: int
    apoe4: int | None
    visits: tuple[Visit, ...]

    @property
    def rid(self) -> int:
        """The number that the tables go by: the last block of the id."""
        return int(self.ptid.rpartition("_")[2])

    @property
    def age(self) -> float:
        """Age at baseline, to a tenth of a year."""
        return round(self.subject.age, 1)


def adnimerge(people: Iterable[Participant]) -> str:
    """One row per visit; the age is that at baseline in all of them."""
    return csv_text(_MERGE, [_merge_row(person, visit) for person in people for visit in person.visits])


def dxsum(people: Iterable[Participant]) -> str:
    """The diagnosis of each visit, in the column of the phase and in its numbers; the others are empty or -4."""
    rows: list[Sequence[object]] = []
    for person in people:
        before = person.visits[0].diagnosis
        for visit in person.visits:
            number = _NUMBERS[visit.diagnosis]
            change = _CHANGES.get((before, visit.diagnosis), number)
            current, changed, newest = {
                "ADNI1": (number, "-4", ""), "ADNI2": ("-4", change, ""), "ADNI3": ("", "", number),
            }[person.phase]  # fmt: skip
            rows.append(
                [person.phase, person.rid, person.ptid, visit.code, visit.code, visit.day, current, changed, newest]
            )
            before = visit.diagnosis
    return csv_text(_DXSUM, rows)


def mpragemeta(images: Iterable[tuple[Image, float]]) -> str:
    """Images and the strength of their magnets (tesla)."""
    rows = [
        [image.subject, "ADNI Baseline", image.description, image.session, 7000 + image.series, image.series,
         image.number, tesla, "Processed" if image.processed else "Original"]
        for image, tesla in images
    ]  # fmt: skip
    return csv_text(_MPRAGEMETA, rows)


def _merge_row(person: Participant, visit: Visit) -> list[object]:
    first = person.visits[0]
    known = _MERGE_WORDS[visit.diagnosis] if visit.in_merge else ""
    at_baseline = {"CN": "CN", "MCI": "LMCI", "AD": "AD"}[first.diagnosis]
    mmse = "-4" if visit.mmse is None else visit.mmse
    return [
        person.rid, person.phase, person.phase, person.ptid, int(person.ptid[:3]), visit.code, visit.day, at_baseline,
        person.age, sex_code(person.subject, "Male", "Female"), person.education, "Not Hisp/Latino", "Married",
        "" if person.apoe4 is None else person.apoe4, *[""] * 3, 0.5, 9.67, 14.0, 4, mmse, 38, 1, "", *[""] * 5,
        known, first.mmse,
    ]  # fmt: skip
