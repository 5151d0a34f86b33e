"""A clinic's own folder: FreeSurfer and Analyze files, listed in a manifest."""

import numpy as np

from braindino.phantom.cohort import MALE, Subject, make_cohort
from braindino.phantom.layouts.people import age_label
from braindino.phantom.layouts.text import csv_text
from braindino.phantom.plan import Plan, ScanFile, Told, ToldLabel

_COLUMNS = (
    "subject", "image", "session", "contrast", "mask", "segmentation", "skull_stripped", "age", "sex",
    "vendor", "field_strength", "label:diagnosis", "label:lesion",
)  # fmt: skip
_SKULL_EVERY = 6  # every so many people are whole heads, with a brain mask beside them


def plan(n_subjects: int, seed: tuple[int, ...]) -> Plan:
    """T1w as .mgz in FreeSurfer's orientation, T2w as an Analyze pair, lesions outlined on the T2w."""
    subjects = make_cohort(n_subjects, seed)
    rng = np.random.default_rng((*seed, 1))
    scans, rows, labels = [], [], []
    for subject in subjects:
        scanner = ("Philips", "3") if rng.random() < 0.5 else ("Siemens", "1.5")
        labels += _labels(subject)
        for scan in _scans(subject, scanner):
            scans.append(scan)
            rows.append(_row(scan, scanner))
    return Plan(subjects, scans, {"manifest.csv": csv_text(_COLUMNS, rows)}, labels)


def name(subject: Subject) -> str:
    """The subject's id in the manifest."""
    return f"case{subject.number:03d}"


def _scans(subject: Subject, scanner: tuple[str, str]) -> list[ScanFile]:
    folder = f"images/{name(subject)}"
    whole = subject.number % _SKULL_EVERY == 0
    t1_mask, t2_mask = (f"{folder}/T1_brain.mgz", f"{folder}/T2_brain.img") if whole else (None, None)
    told = Told(name(subject), "1", facts={"vendor": scanner[0], "field_strength": float(scanner[1])})
    return [
        ScanFile(subject, "T1w", f"{folder}/T1.mgz", "LIA", with_skull=whole, brain_mask=t1_mask, told=told),
        # Analyze stores no orientation; readers take it for left, anterior, superior.
        ScanFile(
            subject, "T2w", f"{folder}/T2.img", "LAS", with_skull=whole, brain_mask=t2_mask,
            lesion_mask=f"{folder}/T2_lesions.img", told=told,
        ),
    ]  # fmt: skip


def _labels(subject: Subject) -> list[ToldLabel]:
    """What the manifest says, which is of one session."""
    who, lesion = name(subject), "present" if subject.lesion else "absent"
    return [
        age_label(who, subject.age, "1"),
        ToldLabel(who, "sex", subject.sex, session="1"),
        ToldLabel(who, "diagnosis", subject.diagnosis, session="1"),
        ToldLabel(who, "lesion", lesion, session="1"),
    ]


def _row(scan: ScanFile, scanner: tuple[str, str]) -> list[str]:
    subject = scan.subject
    return [
        name(subject),
        scan.image,
        "1",
        scan.contrast,
        scan.brain_mask or "",
        scan.segmentation or "",
        "no" if scan.with_skull else "yes",
        str(subject.age),
        "m" if subject.sex == MALE else "f",
        *scanner,
        subject.diagnosis,
        "present" if subject.lesion else "absent",
    ]
