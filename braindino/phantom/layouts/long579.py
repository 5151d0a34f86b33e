"""The layout of LONG579 (OpenNeuro ds003604): children at 5, 7 and 9 years, with shifted dates and no age column."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from braindino.phantom.cohort import Subject, make_cohort
from braindino.phantom.layouts.bids_text import description, sidecar
from braindino.phantom.layouts.decoy import tiny_nifti
from braindino.phantom.layouts.people import age_label, draw_ids, sex_code, sex_label
from braindino.phantom.layouts.text import json_text, tsv_text
from braindino.phantom.plan import Plan, ScanFile, Told, ToldLabel

_SESSIONS = {"5": (5.54, 6.51), "7": (7.09, 8.48), "9": (9.04, 10.13)}  # the ages of each, in years
_HEADER = (
    "participant_id", "birthdate", "sex", "handedness_ses-5", "handedness_ses-7", "handedness_ses-9",
    "ses-5_date_ST", "ses-7_date_ST", "ses-9_date_ST",
)  # fmt: skip
_YEAR = 365.25  # days
_SIDECAR = {
    "Manufacturer": "Siemens", "ManufacturersModelName": "Skyra", "MagneticFieldStrength": 3, "SliceThickness": 1,
    "RepetitionTime": 1.9, "EchoTime": 0.00243, "InversionTime": 0.9, "FlipAngle": 9,
}  # fmt: skip
_DOCUMENTED: dict[str, str | float] = {
    "vendor": "Siemens",
    "model": "Skyra",
    "field_strength": 3.0,
    "site": "UT Austin",
}


@dataclass(frozen=True)
class _Session:
    """One session of a child: the dates of its scans by their `acq-` entity, and that of the tests."""

    subject: Subject  # at that age
    id: str
    label: str
    scans: dict[str, datetime.date]
    tests: datetime.date

    def image(self, acquisition: str) -> str:
        """The path of one of its T1w scans."""
        stem = f"sub-{self.id}_ses-{self.label}"
        return f"sub-{self.id}/ses-{self.label}/anat/{stem}_acq-{acquisition}_T1w.nii.gz"


def plan(n_subjects: int, seed: tuple[int, ...]) -> Plan:
    """Children in one to three sessions, some with repeats of the T1w on the same or another day.

    Dates are shifted into the nineteenth century; an age is the days from birth to the session's first scan. The
    first child's first sidecar was made by hand and tells its date only.

    Raises:
        ConfigError: more children than ids.
    """
    subjects = make_cohort(n_subjects, seed, patients=0.0, lesions=0.0, ages=(5.54, 6.5))
    rng = np.random.default_rng((*seed, 1))
    scans: list[ScanFile] = []
    rows: list[list[object]] = []
    labels: list[ToldLabel] = []
    files: dict[str, str | bytes] = {"dataset_description.json": description("LONG579", "CC0")}
    sessions: list[_Session] = []
    for subject, number in zip(subjects, draw_ids(rng, 5002, 5589, n_subjects, "long579"), strict=True):
        born = datetime.date(1809, 1, 1) + datetime.timedelta(days=int(rng.integers(0, 900)))
        attended = _attended(subject, str(number), born, rng)
        sessions += attended
        labels += [sex_label(str(number), subject.sex), *(_age(session, born) for session in attended)]
        rows.append(_row(subject, number, born, attended, rng))
    for session in sessions:
        scans += _scans(session, is_first=session is sessions[0])
        files |= _sidecars(session, is_first=session is sessions[0])
    files["participants.tsv"] = tsv_text(_HEADER, rows, newline="\r\n")
    return Plan(subjects, scans, files | _derivatives(sessions, rng), labels)


def _attended(subject: Subject, name: str, born: datetime.date, rng: np.random.Generator) -> list[_Session]:
    chosen = [label for label in _SESSIONS if label == "7" or rng.random() < 0.5]
    sessions = []
    for label in chosen:
        day = born + datetime.timedelta(days=round(float(rng.uniform(*_SESSIONS[label])) * _YEAR))
        scans = {f"D1S{int(rng.integers(2, 9))}": day}
        if rng.random() < 0.4:
            scans["D1S12"] = day
        if rng.random() < 0.3:
            scans["D2S3"] = day + datetime.timedelta(days=int(rng.integers(3, 20)))
        older = replace(subject, age=round((day - born).days / _YEAR, 2))
        tests = day + datetime.timedelta(days=int(rng.integers(2, 385)))
        sessions.append(_Session(older, name, label, scans, tests))
    return sessions


def _age(session: _Session, born: datetime.date) -> ToldLabel:
    first = min(session.scans.values())
    return age_label(session.id, (first - born).days / _YEAR, session.label)


def _row(
    subject: Subject, number: int, born: datetime.date, attended: Sequence[_Session], rng: np.random.Generator
) -> list[object]:
    tests = {session.label: session.tests.isoformat() for session in attended}
    hands = [int(rng.integers(1, 6)) if label in tests else "n/a" for label in _SESSIONS]
    dates = [tests.get(label, "n/a") for label in _SESSIONS]
    return [f"sub-{number}", born.isoformat(), sex_code(subject, "Male", "Female"), *hands, *dates]


def _scans(session: _Session, is_first: bool) -> list[ScanFile]:
    scans = []
    for repeat, (acquisition, day) in enumerate(session.scans.items()):
        by_hand = is_first and repeat == 0
        facts = _DOCUMENTED if by_hand else {**_DOCUMENTED, "slice_thickness": 1.0}
        told = Told(session.id, session.label, acquisition, ("shifted_date", day.isoformat()), facts)
        scans.append(
            ScanFile(session.subject, "T1w", session.image(acquisition), with_skull=True, repeat=repeat, told=told)
        )
    return scans


def _sidecars(session: _Session, is_first: bool) -> dict[str, str]:
    files = {}
    for repeat, (acquisition, day) in enumerate(session.scans.items()):
        known = {} if is_first and repeat == 0 else _SIDECAR
        files[sidecar(session.image(acquisition))] = json_text(
            {**known, "ShiftedAquisitionDate": f"{day.isoformat()} 00:00:00"}
        )
    return files


def _derivatives(sessions: Sequence[_Session], rng: np.random.Generator) -> dict[str, str | bytes]:
    """Ratings of the scans, and images that are none of them."""
    files: dict[str, str | bytes] = {}
    for label in sorted({session.label for session in sessions}):
        rows = [
            [f"sub-{session.id}", f"sub-{session.id}_ses-{label}_acq-{name}_T1w", round(float(rng.uniform(1, 5)), 2)]
            for session in sessions
            if session.label == label
            for name in session.scans
        ]
        header = ("participant_id", "run_name", "quality_score")
        files[f"derivatives/t1w_qa_composite/t1w_qa_ses-{label}.tsv"] = tsv_text(header, rows)
    for session in sessions:
        stem, folder = f"sub-{session.id}_ses-{session.label}", f"sub-{session.id}/ses-{session.label}"
        files[f"derivatives/mriqc/{folder}/anat/{stem}_desc-preproc_T1w.nii.gz"] = tiny_nifti()
        files[f"{folder}/func/{stem}_task-Sem_acq-D1S5_run-01_bold.nii.gz"] = tiny_nifti((4, 4, 4, 3))
        files[f"{folder}/dwi/{stem}_acq-D1S9_dwi.nii.gz"] = tiny_nifti((4, 4, 4, 3))
    return files
