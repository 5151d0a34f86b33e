"""The layout of the Pixar movie study (OpenNeuro ds000228): children and adults, one T1w each."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from braindino.phantom.cohort import Subject, make_cohort
from braindino.phantom.layouts.bids_text import description, sidecar
from braindino.phantom.layouts.decoy import tiny_nifti
from braindino.phantom.layouts.people import age_label, draw_ids, pick, sex_code, sex_label
from braindino.phantom.layouts.text import json_text, tsv_text
from braindino.phantom.plan import Plan, ScanFile, Told, ToldLabel

_HEADER = (
    "participant_id", "Age", "AgeGroup", "Child_Adult", "Gender", "Handedness", "ToM Booklet-Matched",
    "ToM Booklet-Matched-NOFB", "FB_Composite", "FB_Group", "WPPSI BD raw", "WPPSI BD scaled", "KBIT_raw",
    "KBIT_standard", "DCCS Summary", "Scanlog: Scanner", "Scanlog: Coil", "Scanlog: Voxel slize", "Scanlog: Slice Gap",
)  # fmt: skip
_GROUPS = ((4.0, "3yo"), (5.0, "4yo"), (7.0, "5yo"), (8.0, "7yo"), (13.0, "8-12yo"), (40.0, "Adult"))  # upper ends
_CHILDREN = 79  # per cent
_HANDS = {"R": "right", "L": "left", "Ambi": "ambidextrous"}
_SIDECAR = {
    "EchoTime": 0.00164, "FlipAngle": 7, "MagneticFieldStrength": 3, "Manufacturer": "Siemens",
    "ManufacturersModelName": "TrioTim", "RepetitionTime": 2.53, "dcmmeta_shape": [176, 256, 256],
    "dcmmeta_version": 0.6, "global": {"const": {"SeriesDescription": "MEMPRAGE", "SliceThickness": 1.0}},
}  # fmt: skip
_FACTS: dict[str, str | float] = {"vendor": "Siemens", "model": "TrioTim", "field_strength": 3.0}


def plan(n_subjects: int, seed: tuple[int, ...]) -> Plan:
    """Whole heads, stored nearly RAS and oblique.

    Ages are fractions for children and whole years for adults, column names hold spaces and colons, the table ends
    without a line end, and the derivatives hold images that look like T1w.

    Raises:
        ConfigError: more people than ids.
    """
    shares = make_cohort(n_subjects, seed, patients=0.0, lesions=0.0, ages=(0.0, 100.0))
    subjects = [replace(subject, age=_age(subject.age)) for subject in shares]
    rng = np.random.default_rng((*seed, 1))
    scans, rows, labels = [], [], []
    files: dict[str, str | bytes] = {"dataset_description.json": description("Pixar movie", "PDDL")}
    for subject, number in zip(subjects, draw_ids(rng, 1, 155, n_subjects, "pixar"), strict=True):
        name, hand, scanner = (
            f"pixar{number:03d}",
            pick(rng, (*_HANDS, "n/a"), (0.7, 0.1, 0.1, 0.1)),
            pick(rng, ("3T1", "3T2")),
        )
        image = f"sub-{name}/anat/sub-{name}_T1w.nii.gz"
        tilt, told = float(rng.uniform(-8, 8)), Told(name, facts={**_FACTS, "site": scanner})
        scans.append(ScanFile(subject, "T1w", image, tilt=tilt, with_skull=True, told=told))
        rows.append(_row(subject, name, hand, scanner))
        labels += _labels(subject, name, hand)
        files |= {sidecar(image): json_text(_SIDECAR), **_decoys(name)}
    files["participants.tsv"] = tsv_text(_HEADER, rows).rstrip("\n")
    return Plan(subjects, scans, files, labels)


def _age(share: float) -> float:
    """An age at a percentile: nobody is between 13 and 18."""
    if share < _CHILDREN:
        return round(3.52 + share / _CHILDREN * 9.3, 9)
    return float(18 + int(share - _CHILDREN))


def _group(age: float) -> str:
    return next(name for below, name in _GROUPS if age < below)


def _labels(subject: Subject, name: str, hand: str) -> list[ToldLabel]:
    labels = [
        age_label(name, subject.age),
        sex_label(name, subject.sex),
        ToldLabel(name, "age_group", _group(subject.age)),
    ]
    return [*labels, ToldLabel(name, "handedness", _HANDS[hand])] if hand in _HANDS else labels


def _row(subject: Subject, name: str, hand: str, scanner: str) -> Sequence[object]:
    group = _group(subject.age)
    is_adult = group == "Adult"
    age = int(subject.age) if is_adult else subject.age
    tests = ["n/a"] * 9 if is_adult else ["0.8", "0.736842105", "6", "pass", "22", "13", "n/a", "n/a", "3"]
    who = [f"sub-{name}", age, group, "adult" if is_adult else "child", sex_code(subject, "M", "F"), hand]
    return [*who, *tests, scanner, "7-8yo 32ch", "3mm iso", "0.1"]


def _decoys(name: str) -> dict[str, bytes]:
    return {
        f"sub-{name}/func/sub-{name}_task-pixar_bold.nii.gz": tiny_nifti((4, 4, 4, 3)),
        f"derivatives/preprocessed_data/sub-{name}/sub-{name}_normed_anat.nii.gz": tiny_nifti(),
        f"derivatives/mriqc/sub-{name}/anat/sub-{name}_desc-conform_T1w.nii.gz": tiny_nifti(),
    }
