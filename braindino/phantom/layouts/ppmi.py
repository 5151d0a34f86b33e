"""The layout of PPMI: image folders with full dates, and tables with months at best."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

import numpy as np

from braindino.phantom.cohort import PATIENT, Subject, make_cohort
from braindino.phantom.layouts.decoy import tiny_nifti
from braindino.phantom.layouts.loni import Image, Listed, collection_csv, metadata_xml
from braindino.phantom.layouts.people import age_label, draw_ids, sex_code, sex_label
from braindino.phantom.layouts.text import csv_text
from braindino.phantom.plan import Plan, ScanFile, Told, ToldLabel

_STATUS = (
    "PATNO", "COHORT", "COHORT_DEFINITION", "ENROLL_DATE", "ENROLL_STATUS", "ENROLL_AGE", "ENRLPINK1", "ENRLPRKN",
    "ENRLSRDC", "ENRLHPSM", "ENRLRBD", "ENRLLRRK2", "ENRLSNCA", "ENRLGBA",
)  # fmt: skip
_MRI = ("REC_ID", "PATNO", "EVENT_ID", "PAG_NAME", "INFODT", "MRICMPLT", "MRIWDTI", "MRIWRSS", "MRIRSLT")
_SUFFIX = "_18Sep2025.csv"
_COHORTS = {  # the feature store's word: number, words of the status table, and of the collection's table
    "PD": (1, "Parkinson's Disease", "PD"),
    "control": (2, "Healthy Control", "Control"),
    "prodromal": (4, "Prodromal", "Prodromal"),
    "SWEDD": (3, "SWEDD", "SWEDD"),
}
_EVENTS = {"BL": 0, "V04": 365}  # days after baseline
_T1W = (("MPRAGE GRAPPA2", "MPRAGE Repeat"), ("SAG 3D MPRAGE",), ("3D T1-weighted",))  # at three kinds of sites
_STUB = '<?xml version="1.0" encoding="UTF-8"?>\n<metadata></metadata>\n'


@dataclass(frozen=True)
class _Session:
    """The images of one visit; `xml` is None where there is no sidecar, False where it is an empty stub."""

    subject: Subject  # at that age
    number: int
    cohort: str
    event: str
    t1w: Image
    repeats: tuple[Image, ...]
    flair: Image
    xml: bool | None

    @property
    def patno(self) -> str:
        return str(self.number)

    @property
    def facts(self) -> dict[str, str | float]:
        if not self.xml:
            return {}
        return {"vendor": "Siemens", "model": "TrioTim", "field_strength": 3.0, "slice_thickness": 1.0}


def plan(n_subjects: int, seed: tuple[int, ...]) -> Plan:
    """People with Parkinson's disease, in doubt or without, at one visit or two.

    Sexes are 0 for female here. Ages stand in a table by visit, which the collection's table links with the images.

    Raises:
        ConfigError: more people than ids.
    """
    subjects = make_cohort(n_subjects, seed, lesions=0.0, ages=(34.0, 84.0))
    rng = np.random.default_rng((*seed, 1))
    numbers = draw_ids(rng, 3000, 4198, n_subjects, "ppmi")
    sessions = [
        session
        for subject, number in zip(subjects, numbers, strict=True)
        for session in _sessions(subject, number, rng)
    ]
    files: dict[str, str | bytes] = {}
    for session in sessions:
        others = [
            replace(session.t1w, description=words, number=session.t1w.number + 60 + place)
            for place, words in enumerate(("FA map-MRI", "Transverse", "Coronal"))
        ]
        files |= {image.path: tiny_nifti(compressed=False) for image in (*session.repeats, *others)}
        if session.xml is not None:
            files[f"PPMI/{session.t1w.stem}.xml"] = (
                metadata_xml(_listed(session)[0], _PROTOCOL) if session.xml else _STUB
            )
    labels = dict.fromkeys(label for session in sessions for label in _labels(session))
    scans = [scan for session in sessions for scan in _scans(session)]
    return Plan(subjects, scans, files | _tables(sessions), list(labels))


def _sessions(subject: Subject, number: int, rng: np.random.Generator) -> list[_Session]:
    cohort = ("PD", "prodromal", "SWEDD")[int(rng.choice(3, p=(0.6, 0.3, 0.1)))]
    cohort = cohort if subject.diagnosis == PATIENT else "control"
    start = date(2010, 8, 1) + timedelta(days=int(rng.integers(0, 1500)))
    kind = _T1W[subject.number % len(_T1W)]
    sessions: list[_Session] = []
    for event, days in _EVENTS.items():
        if event != "BL" and rng.random() < 0.5:
            continue
        day = start + timedelta(days=days + int(rng.integers(0, 40)) * (days > 0))
        taken = datetime.combine(day, time(int(rng.integers(8, 18)), int(rng.integers(0, 50)), 16))
        first = Image("PPMI", str(number), kind[0], taken, int(rng.integers(200000, 900000)),
                      int(rng.integers(90000, 190000)), leaf="S")  # fmt: skip
        repeats = tuple(
            replace(first, description=words, taken=taken + timedelta(minutes=9), number=first.number + 1,
                    series=first.series + 1)
            for words in kind[1:]
        )  # fmt: skip
        flair = replace(first, description="AX T2 FLAIR", number=first.number + 30, series=first.series + 3)
        older = replace(subject, age=round(subject.age + (day - start).days / 365.25, 2))
        xml = (True, None, False)[(subject.number + len(sessions)) % 3]
        sessions.append(_Session(older, number, cohort, event, first, repeats, flair, xml))
    return sessions


def _scans(session: _Session) -> list[ScanFile]:
    day = session.t1w.session
    told = Told(session.patno, day, when=("date", day), facts=session.facts)
    of_flair = Told(session.patno, day, when=("date", day))
    return [
        ScanFile(session.subject, "T1w", session.t1w.path, axes="PSR", with_skull=True, told=told),
        ScanFile(session.subject, "FLAIR", session.flair.path, axes="LPS", with_skull=True, told=of_flair),
    ]


def _labels(session: _Session) -> list[ToldLabel]:
    return [
        age_label(session.patno, session.subject.age, session.t1w.session),
        sex_label(session.patno, session.subject.sex),
        ToldLabel(session.patno, "diagnosis", session.cohort),
    ]


def _listed(session: _Session) -> list[Listed]:
    group, sex = _COHORTS[session.cohort][2], sex_code(session.subject, "M", "F")
    images = (session.t1w, *session.repeats, session.flair)
    return [Listed(image, group, sex, round(session.subject.age), session.event) for image in images]


def _tables(sessions: list[_Session]) -> dict[str, str | bytes]:
    first = [session for session in sessions if session.event == "BL"]
    return {
        "PPMI_Collection_9_18_2025.csv": collection_csv(row for session in sessions for row in _listed(session)),
        f"Participant_Status{_SUFFIX}": csv_text(_STATUS, [_status(session) for session in first]),
        f"Demographics{_SUFFIX}": csv_text(
            ("PATNO", "SEX", "BIRTHDT", "HANDED"),
            [[item.number, sex_code(item.subject, "1", "0"), _birth(item), ""] for item in first],
        ),
        f"Age_at_visit{_SUFFIX}": csv_text(
            ("PATNO", "EVENT_ID", "AGE_AT_VISIT"), [[item.number, item.event, item.subject.age] for item in sessions]
        ),
        f"Magnetic_Resonance_Imaging__MRI_{_SUFFIX}": csv_text(
            _MRI,
            [[5000 + place, item.number, item.event, "MRI", f"{item.t1w.taken:%m/%Y}", 1, 1, 0, 1]
             for place, item in enumerate(sessions)],
        ),
    }  # fmt: skip


def _status(session: _Session) -> list[object]:
    number, words, _ = _COHORTS[session.cohort]
    status = ("Enrolled", "enrolled", "Withdrew")[session.number % 3]
    return [session.number, number, words, f"{session.t1w.taken:%m/%Y}", status, session.subject.age, *[0] * 8]


def _birth(session: _Session) -> str:
    return f"{session.t1w.taken.month:02d}/{session.t1w.taken.year - int(session.subject.age)}"


_PROTOCOL = {
    "Manufacturer": "SIEMENS", "Mfg Model": "TrioTim", "Field Strength": "3.0", "TR": "2300.0", "TE": "2.98",
    "TI": "900.0", "Pixel Spacing X": "1.0", "Pixel Spacing Y": "1.0", "Slice Thickness": "1.0",
}  # fmt: skip
