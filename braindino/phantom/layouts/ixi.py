"""The layout of IXI: a folder per contrast, names as in the original, and a table with its dirt."""

import datetime
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from braindino.errors import ConfigError
from braindino.phantom.cohort import MALE, Subject, make_cohort
from braindino.phantom.layouts.people import age_label, sex_label
from braindino.phantom.layouts.text import csv_text
from braindino.phantom.plan import Plan, ScanFile, Told, ToldLabel

_HEADER = (
    "IXI_ID", "SEX_ID (1=m, 2=f)", "HEIGHT", "WEIGHT", "ETHNIC_ID", "MARITAL_ID", "OCCUPATION_ID",
    "QUALIFICATION_ID", "DOB", "DATE_AVAILABLE", "STUDY_DATE", "AGE",
)  # fmt: skip
_SITES, _SITE_SHARES = ("Guys", "HH", "IOP"), (0.55, 0.32, 0.13)
_SCANNERS: dict[str, dict[str, str | float]] = {
    "Guys": {"vendor": "Philips", "model": "Gyroscan Intera", "field_strength": 1.5},
    "HH": {"vendor": "Philips", "model": "Intera", "field_strength": 3.0},
    "IOP": {"vendor": "GE", "field_strength": 1.5},
}
_MOST = 900  # ids have three digits, and some are needed for rows without images
_STUDY = datetime.date(2006, 1, 15)


def plan(n_subjects: int, seed: tuple[int, ...]) -> Plan:
    """Healthy adults with T1 (stored sagittal, oblique) and T2 (axial).

    As in the original, the table lacks an imaged person (the last one, who has no T2 either) and lists
    people without images; one id stands twice, the second time zeroed (the first person's), and one has two
    rows that contradict each other (a person without images).

    Raises:
        ConfigError: more people than three-digit ids allow.
    """
    if n_subjects > _MOST:
        raise ConfigError(f"The IXI layout has three-digit ids: ask for at most {_MOST} subjects, not {n_subjects}.")
    subjects = make_cohort(n_subjects, seed, patients=0.0, lesions=0.0, ages=(20.0, 86.0))
    rng = np.random.default_rng((*seed, 1))
    ids = sorted(int(number) for number in rng.choice(np.arange(1, 1000), n_subjects + 2, replace=False))
    scans: list[ScanFile] = []
    for subject, number in zip(subjects, ids, strict=False):
        scans += _scans(subject, number, rng, has_t2=subject is not subjects[-1])
    rows = [_row(number, subject, rng) for subject, number in zip(subjects[:-1], ids, strict=False)]
    dates = {f"IXI{int(row[0]):03d}": row[_HEADER.index("STUDY_DATE")] for row in rows}
    scans = [_dated(scan, dates) for scan in scans]
    labels = [label for subject, row in zip(subjects[:-1], rows, strict=True) for label in _labels(subject, row)]
    absent = f"IXI{ids[-1]:03d}"
    labels += [sex_label(absent, MALE), *_size_labels(absent, "170", "80")]
    return Plan(subjects, scans, {"IXI.csv": _table(rows, ids[-2:], rng)}, labels)


def _scans(subject: Subject, number: int, rng: np.random.Generator, has_t2: bool) -> list[ScanFile]:
    site = str(rng.choice(_SITES, p=_SITE_SHARES))
    stem = f"IXI{number:03d}-{site}-{int(rng.integers(400, 2800)):04d}"
    tilt = float(rng.uniform(-8, 8))
    told = Told(f"IXI{number:03d}", facts={"site": site, **_SCANNERS[site]})
    t1 = ScanFile(subject, "T1w", f"IXI-T1/{stem}-T1.nii.gz", axes="PSR", tilt=tilt, told=told)
    t2 = ScanFile(subject, "T2w", f"IXI-T2/{stem}-T2.nii.gz", axes="LAS", told=told)
    return [t1, t2] if has_t2 else [t1]


def _dated(scan: ScanFile, dates: dict[str, str]) -> ScanFile:
    """A scan with the day that the table tells, if it tells one."""
    if scan.told is None or scan.told.subject not in dates:
        return scan
    return replace(scan, told=replace(scan.told, when=("date", dates[scan.told.subject])))


def _labels(subject: Subject, row: Sequence[str]) -> list[ToldLabel]:
    name = f"IXI{int(row[0]):03d}"
    return [age_label(name, subject.age), sex_label(name, subject.sex), *_size_labels(name, row[2], row[3])]


def _size_labels(name: str, height: str, weight: str) -> list[ToldLabel]:
    return [ToldLabel(name, "height", float(height), "cm"), ToldLabel(name, "weight", float(weight), "kg")]


def _table(known: Sequence[list[str]], unseen: Sequence[int], rng: np.random.Generator) -> str:
    """The table with its dirt; `unseen` are the ids of two people without images."""
    rows = list(known)
    if rows:
        zeroed = [*rows[0][:2], *["0"] * 6, *rows[0][8:]]
        rows.insert(1, zeroed)
    contradiction, absent = unseen
    rows.append(_known(contradiction, "2", 53.0814, rng))
    rows.append(_known(contradiction, "1", 58.0726, rng))
    rows.append([str(absent), "1", "170", "80", "2", "3", "5", "2", "1968-02-22", "0", "", ""])
    return csv_text(_HEADER, rows)


def _row(number: int, subject: Subject, rng: np.random.Generator) -> list[str]:
    return _known(number, "1" if subject.sex == MALE else "2", subject.age, rng)


def _known(number: int, sex: str, age: float, rng: np.random.Generator) -> list[str]:
    height = round(rng.normal(176 if sex == "1" else 164, 7))
    weight = round(rng.normal(80 if sex == "1" else 66, 10))
    codes = [str(int(code)) for code in rng.integers(1, 5, 4)]
    study = _STUDY + datetime.timedelta(days=int(rng.integers(0, 240)))
    birth = study - datetime.timedelta(days=round(age * 365.25))
    dates = [birth.isoformat(), "1", study.isoformat()]
    return [str(number), sex, str(height), str(weight), *codes, *dates, str(age)]
