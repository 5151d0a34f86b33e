"""A BIDS dataset: T1w and FLAIR of patients and controls from two scanners, with lesion masks."""

import json
from collections.abc import Sequence

import numpy as np

from braindino.phantom.cohort import MALE, Subject, make_cohort
from braindino.phantom.plan import Plan, ScanFile

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
    texts = {
        "dataset_description.json": _json(_description("SYNTHETIC brains of patients and controls", "raw")),
        "derivatives/lesions/dataset_description.json": _json(_description("SYNTHETIC masks", "derivative")),
        "participants.tsv": _participants(subjects, sites, rng),
    }
    for contrast, sequence in _SEQUENCES.items():
        texts[f"{contrast}.json"] = _json({**_SCANNERS["A"], **sequence})
    scans = []
    for subject, site in zip(subjects, sites, strict=True):
        for scan in _scans(subject):
            scans.append(scan)
            if site == "B":
                texts[scan.image.replace(".nii.gz", ".json")] = _json(_SCANNERS["B"])
    return Plan(subjects, scans, texts)


def label(subject: Subject) -> str:
    """The participant's label, without `sub-`."""
    return f"SYN{subject.number:03d}"


def _scans(subject: Subject) -> list[ScanFile]:
    folder, stem = f"sub-{label(subject)}/ses-01/anat", f"sub-{label(subject)}_ses-01"
    whole = subject.number % _SKULL_EVERY == 0
    scans = [ScanFile(subject, "T1w", f"{folder}/{stem}_T1w.nii.gz", with_skull=whole)]
    if subject.number % _NO_FLAIR_EVERY:
        mask = f"derivatives/lesions/{folder}/{stem}_space-FLAIR_label-lesion_mask.nii.gz"
        image = f"{folder}/{stem}_FLAIR.nii.gz"
        scans.append(ScanFile(subject, "FLAIR", image, axes="LPS", with_skull=whole, lesion_mask=mask))
    return scans


def _participants(subjects: Sequence[Subject], sites: Sequence[str], rng: np.random.Generator) -> str:
    lines = ["participant_id\tage\tsex\tgroup\tlesion\tsite\thandedness"]
    for subject, site in zip(subjects, sites, strict=True):
        sex = "M" if subject.sex == MALE else "F"
        lesion = "present" if subject.lesion else "absent"
        hand = str(rng.choice(["right", "left", "n/a"], p=[0.8, 0.1, 0.1]))
        cells = (f"sub-{label(subject)}", str(subject.age), sex, subject.diagnosis, lesion, site, hand)
        lines.append("\t".join(cells))
    return "\ufeff" + "\r\n".join(lines) + "\r\n"


def _description(name: str, kind: str) -> dict[str, object]:
    made = {"Name": "braindino phantom", "Description": "grown from the ICBM152 template, no person scanned"}
    facts = {"Name": name, "BIDSVersion": "1.9.0", "DatasetType": kind, "License": "CC0"}
    return {**facts, "GeneratedBy": [made]}


def _json(content: object) -> str:
    return json.dumps(content, indent=2) + "\n"
