"""The layout of AOMIC ID1000 (OpenNeuro ds003097): young adults, three repeats of the T1w each."""

from collections.abc import Sequence

import numpy as np

from braindino.phantom.cohort import Subject, make_cohort
from braindino.phantom.layouts.bids_text import description
from braindino.phantom.layouts.decoy import tiny_nifti
from braindino.phantom.layouts.people import age_label, draw_ids, pick, sex_label
from braindino.phantom.layouts.text import json_text, tsv_text
from braindino.phantom.plan import Plan, ScanFile, Told, ToldLabel

_HEADER = (
    "participant_id", "age", "sex", "gender_identity_M", "gender_identity_F", "sexual_attraction_M",
    "sexual_attraction_F", "BMI", "handedness", "background_SES", "education_level", "religious_upbringing",
    "religious_now", "religious_importance", "NEO_N", "STAI_T",
)  # fmt: skip
_SIDECAR = {
    "Manufacturer": "Philips", "ManufacturersModelName": "Intera", "MagneticFieldStrength": 3, "RepetitionTime": 0.081,
    "EchoTime": 0.037, "FlipAngle": 8,
}  # fmt: skip
_FACTS: dict[str, str | float] = {"vendor": "Philips", "model": "Intera", "field_strength": 3.0, "site": "Amsterdam"}


def plan(n_subjects: int, seed: tuple[int, ...]) -> Plan:
    """Whole heads stored sagittal; a few people lack the third run, and one has no image at all.

    Ages go in quarters of a year. The sidecar at the root tells times that are ten times too long.

    Raises:
        ConfigError: more people than ids.
    """
    subjects = make_cohort(n_subjects, seed, patients=0.0, lesions=0.0, ages=(19.5, 26.0))
    rng = np.random.default_rng((*seed, 1))
    ids = draw_ids(rng, 1, 928, n_subjects + 1, "aomic_id1000")
    absent = ids.pop(int(rng.integers(len(ids))))
    scans: list[ScanFile] = []
    rows, labels = [_row(absent, subjects[0], 22.25, "n/a")], _labels(absent, subjects[0], 22.25, "n/a")
    files: dict[str, str | bytes] = {
        "dataset_description.json": description("AOMIC ID1000", "CC0"),
        "T1w.json": json_text(_SIDECAR),
    }
    for subject, number in zip(subjects, ids, strict=True):
        name, age, hand = f"{number:04d}", round(subject.age * 4) / 4, pick(rng, ("right", "left", "n/a"))
        scans += _scans(subject, name, 2 if number % 4 == 0 else 3)
        rows.append(_row(number, subject, age, hand))
        labels += _labels(number, subject, age, hand)
        files |= _decoys(name)
    files["participants.tsv"] = tsv_text(_HEADER, sorted(rows, key=lambda row: str(row[0])))
    return Plan(subjects, scans, files, labels)


def _scans(subject: Subject, name: str, runs: int) -> list[ScanFile]:
    return [
        ScanFile(
            subject, "T1w", f"sub-{name}/anat/sub-{name}_run-{run}_T1w.nii.gz", axes="PSR", with_skull=True,
            repeat=run - 1, told=Told(name, run=str(run), facts=_FACTS),
        )
        for run in range(1, runs + 1)
    ]  # fmt: skip


def _labels(number: int, subject: Subject, age: float, hand: str) -> list[ToldLabel]:
    name = f"{number:04d}"
    labels = [age_label(name, age), sex_label(name, subject.sex)]
    return labels if hand == "n/a" else [*labels, ToldLabel(name, "handedness", hand)]


def _row(number: int, subject: Subject, age: float, hand: str) -> Sequence[object]:
    unsaid = ["n/a"] * 4
    return [
        f"sub-{number:04d}", age, subject.sex, *unsaid, "22.1", hand, "3.5", "medium", "no", "no", "n/a", "31", "37",
    ]  # fmt: skip


def _decoys(name: str) -> dict[str, bytes]:
    return {
        f"sub-{name}/dwi/sub-{name}_run-1_dwi.nii.gz": tiny_nifti((4, 4, 4, 3)),
        f"sub-{name}/func/sub-{name}_task-moviewatching_bold.nii.gz": tiny_nifti((4, 4, 4, 3)),
        f"derivatives/fmriprep/sub-{name}/anat/sub-{name}_desc-preproc_T1w.nii.gz": tiny_nifti(),
    }
