"""A BIDS dataset: T1w and FLAIR of patients and controls from two scanners, with lesion masks."""

from collections.abc import Sequence

import numpy as np

from braindino.phantom.cohort import MALE, Subject, make_cohort
from braindino.phantom.layouts.bids_text import description, sidecar
from braindino.phantom.layouts.people import age_label, sex_label
from braindino.phantom.layouts.text import json_text
from braindino.phantom.plan import Plan, ScanFile, Told, ToldLabel

_SKULL_EVERY = 8  # every so many people were shared as whole heads
_NO_FLAIR_EVERY = 12  # every so many people have no FLAIR
_SCANNERS = {
    "A": {"Manufacturer": "Siemens", "ManufacturersModelName": "Prisma", "MagneticFieldStrength": 3},
    "B": {
        "Manufacturer": "GE MEDICAL SYSTEMS",
        "ManufacturersModelName": "Signa",
        "MagneticFieldStrength": 1.5,
    },
}
_FACTS: dict[str, dict[str, str | float]] = {
    "A": {"vendor": "Siemens", "model": "Prisma", "field_strength": 3.0},
    "B": {"vendor": "GE", "model": "Signa", "field_strength": 1.5},
}
_SEQUENCES = {
    "T1w": {"RepetitionTime": 2.3, "EchoTime": 0.003, "InversionTime": 0.9, "FlipAngle": 9},
    "FLAIR": {"RepetitionTime": 5, "EchoTime": 0.39, "InversionTime": 1.8, "FlipAngle": 120},
}


def plan(n_subjects: int, seed: tuple[int, ...]) -> Plan:
    """Patients and controls, some with lesions.

    The sidecars at the root describe scanner A; people of scanner B have sidecars of their own that
    overrule them. participants.tsv has CRLF line ends, a byte-order mark and missing values, as published
    ones do.
    """
    subjects = make_cohort(n_subjects, seed)
    rng = np.random.default_rng((*seed, 1))
    sites = ["B" if draw < 0.35 else "A" for draw in rng.random(n_subjects)]
    hands = [str(rng.choice(["right", "left", "n/a"], p=[0.8, 0.1, 0.1])) for _ in subjects]
    texts = {
        "dataset_description.json": description("SYNTHETIC brains of patients and controls", "CC0"),
        "derivatives/lesions/dataset_description.json": description("SYNTHETIC masks", "CC0", "derivative"),
        "participants.tsv": _participants(subjects, sites, hands),
    }
    for contrast, sequence in _SEQUENCES.items():
        texts[f"{contrast}.json"] = json_text({**_SCANNERS["A"], **sequence})
    scans, labels = [], []
    for subject, site, hand in zip(subjects, sites, hands, strict=True):
        labels += _labels(subject, site, hand)
        for scan in _scans(subject, site):
            scans.append(scan)
            if site == "B":
                texts[sidecar(scan.image)] = json_text(_SCANNERS["B"])
    return Plan(subjects, scans, texts, labels)


def label(subject: Subject) -> str:
    """The participant's label, without `sub-`."""
    return f"SYN{subject.number:03d}"


def _scans(subject: Subject, site: str) -> list[ScanFile]:
    folder, stem = f"sub-{label(subject)}/ses-01/anat", f"sub-{label(subject)}_ses-01"
    whole = subject.number % _SKULL_EVERY == 0
    told = Told(label(subject), "01", facts={**_FACTS[site], "site": site})
    scans = [ScanFile(subject, "T1w", f"{folder}/{stem}_T1w.nii.gz", with_skull=whole, told=told)]
    if subject.number % _NO_FLAIR_EVERY:
        mask = f"derivatives/lesions/{folder}/{stem}_space-FLAIR_label-lesion_mask.nii.gz"
        image = f"{folder}/{stem}_FLAIR.nii.gz"
        scans.append(ScanFile(subject, "FLAIR", image, "LPS", with_skull=whole, lesion_mask=mask, told=told))
    return scans


def _labels(subject: Subject, site: str, hand: str) -> list[ToldLabel]:
    """What the table says; columns that the feature store has no word for keep their names."""
    name = label(subject)
    labels = [
        age_label(name, subject.age),
        sex_label(name, subject.sex),
        ToldLabel(name, "diagnosis", subject.diagnosis),
        ToldLabel(name, "lesion", "present" if subject.lesion else "absent"),
        ToldLabel(name, "site", site),
    ]
    return labels if hand == "n/a" else [*labels, ToldLabel(name, "handedness", hand)]


def _participants(subjects: Sequence[Subject], sites: Sequence[str], hands: Sequence[str]) -> str:
    lines = ["participant_id\tage\tsex\tgroup\tlesion\tsite\thandedness"]
    for subject, site, hand in zip(subjects, sites, hands, strict=True):
        sex = "M" if subject.sex == MALE else "F"
        lesion = "present" if subject.lesion else "absent"
        cells = (f"sub-{label(subject)}", str(subject.age), sex, subject.diagnosis, lesion, site, hand)
        lines.append("\t".join(cells))
    return "\ufeff" + "\r\n".join(lines) + "\r\n"
