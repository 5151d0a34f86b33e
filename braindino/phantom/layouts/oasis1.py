"""The layout of OASIS-1: discs of sessions, Analyze pairs with a fourth axis, a table that says little of the young."""

from dataclasses import dataclass, replace

import numpy as np

from braindino.phantom.cohort import PATIENT, Subject, make_cohort
from braindino.phantom.layouts.decoy import tiny_analyze
from braindino.phantom.layouts.people import age_label, draw_ids, sex_code, sex_label
from braindino.phantom.layouts.text import csv_text
from braindino.phantom.plan import AtlasSpace, Corner, Plan, ScanFile, Told, ToldLabel

_HEADER = ("ID", "M/F", "Hand", "Age", "Educ", "SES", "MMSE", "CDR", "eTIV", "nWBV", "ASF", "Delay")
# 256 x 256 x 160 voxels of 1 mm, stored sagittally: towards anterior, superior and left, first voxel (80, -128, -128).
_AXES = "ASL"
_FIELD: tuple[Corner, Corner] = ((-79.0, -128.0, -128.0), (81.0, 128.0, 128.0))
# 176 x 208 x 176 voxels of 1 mm around a straight head, as Analyze is by default: towards left, anterior, superior.
_T88 = AtlasSpace(field_mm=((-88.0, -121.0, -84.0), (88.0, 87.0, 92.0)), shift=(0.0, 0.0, 0.0))
_YOUNG = 33  # nobody under this age was asked for a CDR
_PER_DISC = 3
_FACTS = {"field_strength": 1.5}  # the dataset's own account; the files tell nothing of the scanner


@dataclass(frozen=True)
class _Session:
    """One row of the table; `delay` is the days since the first session, None at the first."""

    subject: Subject
    number: int
    session: str
    disc: int
    averaged: int  # scans
    cdr: float | None
    mmse: int | None
    delay: int | None = None

    @property
    def person(self) -> str:
        return f"OAS1_{self.number:04d}"

    @property
    def id(self) -> str:
        return f"{self.person}_{self.session}"

    @property
    def folder(self) -> str:
        disc = f"disc{self.disc}"
        # Some unpackers put every second archive into a folder of its own name.
        return f"oasis_cross-sectional_{disc}/{disc}/{self.id}" if self.disc % 2 == 0 else f"{disc}/{self.id}"

    @property
    def age(self) -> int:
        return int(self.subject.age)


def plan(n_subjects: int, seed: tuple[int, ...]) -> Plan:
    """Adults of all ages, the old ones with a CDR; two thirds of the young came back within 90 days.

    Analyze files hold no orientation: these lie as the originals do, and only the documentation tells. Beside the
    averaged image of a session lie its single scans and the average in atlas space, stripped; and, as tiny files
    without content, the unstripped version of that and a tissue segmentation.

    Raises:
        ConfigError: more people than ids.
    """
    subjects = make_cohort(n_subjects, seed, lesions=0.0, ages=(18.0, 96.9))
    rng = np.random.default_rng((*seed, 1))
    numbers = draw_ids(rng, 1, 457, n_subjects, "oasis1")
    sessions = [
        session
        for place, (subject, number) in enumerate(zip(subjects, numbers, strict=True))
        for session in _sessions(subject, number, 1 + place // _PER_DISC, rng)
    ]
    files: dict[str, str | bytes] = {
        "oasis_cross-sectional.csv": csv_text(_HEADER, [_row(session, rng) for session in sessions])
    }
    for session in sessions:
        files |= _beside(session)
    labels = list(dict.fromkeys(label for session in sessions for label in _labels(session)))
    further = [scan for session in sessions for scan in (*_repeats(session), _in_atlas_space(session))]
    return Plan(subjects, [_scan(session) for session in sessions], files, labels, further=further)


def _sessions(subject: Subject, number: int, disc: int, rng: np.random.Generator) -> list[_Session]:
    averaged = int(rng.integers(3, 7))
    if subject.age >= _YOUNG:
        ill = subject.diagnosis == PATIENT and subject.age > 60
        cdr = float(rng.choice((0.5, 1.0, 2.0), p=(0.6, 0.3, 0.1))) if ill else 0.0
        mmse = int(rng.integers(17, 27)) if ill else int(rng.integers(27, 31))
        return [_Session(subject, number, "MR1", disc, averaged, cdr, mmse)]
    first = _Session(subject, number, "MR1", disc, averaged, None, None)
    if number % 3 == 0:
        return [first]
    return [first, replace(first, session="MR2", delay=int(rng.integers(1, 90)))]


def _scan(session: _Session) -> ScanFile:
    stem = _stem(session, "PROCESSED/MPRAGE/SUBJ_111")
    return ScanFile(
        session.subject, "T1w", f"{stem}_mpr_n{session.averaged}_anon_sbj_111.img",
        axes=_AXES, with_skull=True, field_mm=_FIELD, singleton=True, repeat=int(session.session == "MR2"),
        told=Told(session.person, session.session, facts=_FACTS),
    )  # fmt: skip


def _repeats(session: _Session) -> list[ScanFile]:
    """The three or four scans that were averaged, as acquired; more were averaged where one was repeated again."""
    return [
        ScanFile(
            session.subject, "T1w", f"{_stem(session, 'RAW')}_mpr-{run}_anon.img",
            axes=_AXES, with_skull=True, field_mm=_FIELD, singleton=True,
            repeat=run + (5 if session.session == "MR2" else 1),
            told=Told(session.person, session.session, run=str(run), facts=_FACTS),
        )
        for run in range(1, min(session.averaged, 4) + 1)
    ]  # fmt: skip


def _in_atlas_space(session: _Session) -> ScanFile:
    stem = _stem(session, "PROCESSED/MPRAGE/T88_111")
    return ScanFile(
        session.subject, "T1w", f"{stem}_mpr_n{session.averaged}_anon_111_t88_masked_gfc.img",
        axes="LAS", atlas=_T88, singleton=True, repeat=int(session.session == "MR2"),
        told=Told(session.person, session.session, facts=_FACTS),
    )  # fmt: skip


def _stem(session: _Session, folder: str) -> str:
    return f"{session.folder}/{folder}/{session.id}"


def _beside(session: _Session) -> dict[str, str | bytes]:
    averaged = f"_mpr_n{session.averaged}_anon_111_t88"
    images = [f"{_stem(session, 'PROCESSED/MPRAGE/T88_111')}{averaged}_gfc"]
    images.append(f"{_stem(session, 'FSL_SEG')}{averaged}_masked_gfc_fseg")
    header, voxels = tiny_analyze()
    files: dict[str, str | bytes] = {f"{stem}.hdr": header for stem in images}
    files |= {f"{stem}.img": voxels for stem in images}
    files[f"{session.folder}/{session.id}.txt"] = _sidecar(session)
    return files


def _sidecar(session: _Session) -> str:
    facts = {
        "SESSION ID": session.id,
        "AGE": session.age,
        "M/F": sex_code(session.subject, "Male", "Female"),
        "HAND": "Right",
        "MMSE": _cell(session.mmse),
        "CDR": _cell(session.cdr),
    }
    return "".join(f"{key + ':':<14}{value}\n" for key, value in facts.items())


def _row(session: _Session, rng: np.random.Generator) -> list[object]:
    asked = session.cdr is not None
    measures = [int(rng.integers(1150, 1900)), round(float(rng.uniform(0.66, 0.88)), 3), 1.1]
    return [
        session.id, sex_code(session.subject, "M", "F"), "R", session.age, 3 if asked else "", 2 if asked else "",
        _cell(session.mmse), _cell(session.cdr), *measures, "N/A" if session.delay is None else session.delay,
    ]  # fmt: skip


def _labels(session: _Session) -> list[ToldLabel]:
    name = session.person
    labels = [
        age_label(name, float(session.age), session.session),
        sex_label(name, session.subject.sex),
        ToldLabel(name, "handedness", "right"),
    ]
    known = (("cdr", session.cdr), ("mmse", session.mmse))
    return labels + [
        ToldLabel(name, label, value, session=session.session) for label, value in known if value is not None
    ]


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
