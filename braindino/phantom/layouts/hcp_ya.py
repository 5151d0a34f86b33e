"""The layout of HCP Young Adult: a folder per person, an open table with age bands and a restricted one with ages."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from braindino.phantom.cohort import FEMALE, Subject, make_cohort
from braindino.phantom.layouts.decoy import tiny_nifti
from braindino.phantom.layouts.people import age_label, draw_ids, pick, sex_code, sex_label
from braindino.phantom.layouts.text import csv_text
from braindino.phantom.plan import Plan, ScanFile, Told, ToldLabel

_OPEN = "unrestricted_phantom_1_1_2020_0_0_0.csv"
_RESTRICTED = "RESTRICTED_phantom_1_1_2020_0_0_0.csv"
_OPEN_HEADER = (
    "Subject", "Release", "Acquisition", "Gender", "Age", "3T_Full_MR_Compl", "T1_Count", "T2_Count", "QC_Issue",
)  # fmt: skip
_RESTRICTED_HEADER = (
    "Subject", "Age_in_Yrs", "HasGT", "ZygositySR", "ZygosityGT", "Family_ID", "Mother_ID", "Father_ID", "Race",
    "Ethnicity", "Handedness",
)  # fmt: skip
_FACTS: dict[str, str | float] = {"vendor": "Siemens", "model": "Skyra", "field_strength": 3.0}
_PROCESSED = ("T1w_acpc_dc_restore", "T2w_acpc_dc_restore")
_DERIVED = (
    "T1w/T1w_acpc_dc_restore_brain", "T1w/T1w_acpc_dc_restore_1.25", "T1w/BiasField_acpc_dc", "T1w/aparc+aseg",
    "MNINonLinear/T1w_restore",
)  # fmt: skip


@dataclass(frozen=True)
class _Person:
    subject: Subject
    id: str
    family: str
    quality: str

    @property
    def age(self) -> int:
        return int(self.subject.age)

    @property
    def band(self) -> str:
        return next(band for oldest, band in ((25, "22-25"), (30, "26-30"), (35, "31-35"), (99, "36+"))
                    if self.age <= oldest)  # fmt: skip

    @property
    def is_processed_only(self) -> bool:
        return self.subject.number % 3 == 0

    @property
    def has_second_run(self) -> bool:
        return self.subject.number % 2 == 0


def plan(n_subjects: int, seed: tuple[int, ...]) -> Plan:
    """Young adults, most as scanned (T1w once or twice, T2w), every third with the processed images only.

    The first two people are identical twins: they share Family_ID, age and sex. Processed names hold no id, and many
    volumes look like a T1w. The open table lists a person without images.

    Raises:
        ConfigError: more people than ids.
    """
    first, *others = make_cohort(n_subjects, seed, patients=0.0, lesions=0.0, ages=(22.0, 37.9))
    twins = [replace(other, age=first.age, sex=first.sex) for other in others[:1]]
    subjects = [first, *twins, *others[1:]]
    rng = np.random.default_rng((*seed, 1))
    *ids, absent = draw_ids(rng, 100206, 996782, n_subjects + 1, "hcp_ya")
    people = [
        _Person(subject, str(number), f"{51000 + max(subject.number, 2)}_{81000 + max(subject.number, 2)}",
                pick(rng, ("", "A", "B", "")))
        for subject, number in zip(subjects, ids, strict=True)
    ]  # fmt: skip
    scans = [scan for person in people for scan in _scans(person)]
    files: dict[str, str | bytes] = {}
    for person in people:
        files |= _beside(person)
    rows = [_open_row(person) for person in people]
    files[_OPEN] = csv_text(_OPEN_HEADER, [*rows, [absent, "S1200", "Q03", "F", "31-35", "false", 0, 0, ""]])
    files[_RESTRICTED] = csv_text(_RESTRICTED_HEADER, [_restricted_row(person) for person in people])
    unseen = [sex_label(str(absent), FEMALE), ToldLabel(str(absent), "age_band", "31-35")]
    return Plan(subjects, scans, files, [*unseen, *(label for person in people for label in _labels(person))])


def _scans(person: _Person) -> list[ScanFile]:
    """Whole heads: as scanned, sagittal; or aligned and corrected, stored LAS."""
    told = Told(person.id, facts=_FACTS)
    if person.is_processed_only:
        return [
            ScanFile(person.subject, name[:3], f"{person.id}/T1w/{name}.nii.gz", axes="LAS", with_skull=True, told=told)
            for name in _PROCESSED
        ]
    runs = [("T1w", "T1w_MPR1", "1"), ("T2w", "T2w_SPC1", "1")]
    if person.has_second_run:
        runs.insert(1, ("T1w", "T1w_MPR2", "2"))
    return [
        ScanFile(
            person.subject, contrast, f"{person.id}/unprocessed/3T/{name}/{person.id}_3T_{name}.nii.gz", axes="PSR",
            with_skull=True, repeat=int(run) - 1, told=Told(person.id, run=run, facts=_FACTS),
        )
        for contrast, name, run in runs
    ]  # fmt: skip


def _beside(person: _Person) -> dict[str, str | bytes]:
    """Field maps and derived volumes, which are no scans."""
    files: dict[str, str | bytes] = {f"{person.id}/{name}.nii.gz": tiny_nifti() for name in _DERIVED}
    if person.is_processed_only:
        return files
    raw = f"{person.id}/unprocessed/3T"
    for name in ("AFI", "BIAS_32CH", "BIAS_BC", "FieldMap_Magnitude", "FieldMap_Phase"):
        files[f"{raw}/T1w_MPR1/{person.id}_3T_{name}.nii.gz"] = tiny_nifti()
    files[f"{raw}/{person.id}_3T.csv"] = "Scan Number,Scan Type\n8,T1w\n"
    return files | {f"{person.id}/T1w/{name}.nii.gz": tiny_nifti() for name in _PROCESSED}


def _labels(person: _Person) -> list[ToldLabel]:
    labels = [
        sex_label(person.id, person.subject.sex),
        ToldLabel(person.id, "age_band", person.band),
        age_label(person.id, float(person.age)),
        ToldLabel(person.id, "family", person.family),
    ]
    return [*labels, ToldLabel(person.id, "qc", person.quality)] if person.quality else labels


def _open_row(person: _Person) -> Sequence[object]:
    runs = 2 if person.has_second_run and not person.is_processed_only else 1
    sex = sex_code(person.subject, "M", "F")
    return [person.id, "S1200", "Q06", sex, person.band, "true", runs, 1, person.quality]


def _restricted_row(person: _Person) -> Sequence[object]:
    is_twin = person.subject.number <= 2
    kind = ("MZ", "MZ") if is_twin else ("NotTwin", "")
    mother, father = person.family.split("_")
    return [person.id, person.age, "TRUE", *kind, person.family, mother, father, "White", "", -65 if is_twin else 90]
