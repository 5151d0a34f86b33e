"""The layout of DLBS (OpenNeuro ds004856): adults in up to three waves, T1w and FLAIR, one wide table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from braindino.phantom.cohort import Subject, make_cohort
from braindino.phantom.layouts.bids_text import description, sidecar
from braindino.phantom.layouts.decoy import tiny_nifti
from braindino.phantom.layouts.people import age_label, draw_ids, sex_code, sex_label
from braindino.phantom.layouts.text import json_text, tsv_text, xlsx_bytes
from braindino.phantom.plan import Plan, ScanFile, Told, ToldLabel

_HEADER = (
    "participant_id", "AgeMRI_W1", "AgeCog_W1", "AgePETAmy_W1", "AgeMRI_W2", "AgeCog_W2", "AgeMRI_W3", "AgeCog_W3",
    "Sex", "Race", "Ethnicity", "EduComp", "EduYrsEstCap", "HandednessScore", "MMSE_W1", "MMSE_W2", "MMSE_W3",
    "MRIW1toW2", "Height", "Weight", "BMI",
)  # fmt: skip
_WAVES = (1, 2, 3)
_GAP = 4  # years from wave to wave
_SCANNER = {"Manufacturer": "Philips"}
_SEQUENCES = {
    "MPRAGE": {**_SCANNER, "RepetitionTime": 0.0081, "EchoTime": 0.0037},
    "FLAIR": {**_SCANNER, "RepetitionTime": 11, "EchoTime": 0.125, "InversionTime": 2.8, "SliceThickness": 2.5},
}
_SUFFIXES = {"MPRAGE": "T1w", "FLAIR": "T2w"}  # as the files are called
_CONTRASTS = {"MPRAGE": "T1w", "FLAIR": "FLAIR"}  # what they are
_FACTS: dict[str, str | float] = {"vendor": "Philips", "field_strength": 3.0}


@dataclass(frozen=True)
class _Person:
    subject: Subject
    id: str
    waves: tuple[int, ...]
    repeats: tuple[tuple[int, str], ...]  # (wave, sequence) that was run twice, because of motion
    education: int
    mmse: dict[int, int]

    def age(self, wave: int) -> int:
        return int(self.subject.age) + _GAP * (wave - 1)


def plan(n_subjects: int, seed: tuple[int, ...]) -> Plan:
    """Healthy adults; whole heads.

    The FLAIR carries the suffix T2w and is told by `acq-FLAIR`, ids are not padded, lines end with CRLF, and the
    age at the MRI stands beside ages at other visits, one column per wave. The first person lacks a FLAIR, and a
    repeated FLAIR its sidecar.

    Raises:
        ConfigError: more people than ids.
    """
    subjects = make_cohort(n_subjects, seed, patients=0.0, lesions=0.0, ages=(20.0, 81.0))
    rng = np.random.default_rng((*seed, 1))
    people = [
        _person(subject, number, rng)
        for subject, number in zip(subjects, draw_ids(rng, 12, 1600, n_subjects, "dlbs"), strict=True)
    ]
    scans: list[ScanFile] = []
    files: dict[str, str | bytes] = {
        "dataset_description.json": description("DLBS", "CC0"),
        "DLBS KTTK.pdf": b"%PDF-1.4\n%%EOF\n",
        "cognition/Mini-Mental.xlsx": xlsx_bytes({"Sheet1": [["S#", "Wave", "MMSE"], [12, 1, "xx"]]}),
    }
    for person in people:
        for wave in person.waves:
            for sequence in _SEQUENCES:
                for scan, texts in _runs(person, wave, sequence):
                    scans.append(scan)
                    files |= texts
    files["participants.tsv"] = tsv_text(_HEADER, [_row(person) for person in people], newline="\r\n")
    return Plan(subjects, scans, files, [label for person in people for label in _labels(person)])


def _person(subject: Subject, number: int, rng: np.random.Generator) -> _Person:
    waves = _WAVES[: int(rng.integers(1, 4))]
    repeats = []
    if subject.number <= 2:
        repeats = [(1, "MPRAGE" if subject.number == 1 else "FLAIR")]
    mmse = {wave: int(rng.integers(26, 31)) for wave in waves if rng.random() < 0.8}
    return _Person(subject, str(number), waves, tuple(repeats), int(rng.integers(10, 21)), mmse)


def _runs(person: _Person, wave: int, sequence: str) -> list[tuple[ScanFile, dict[str, str | bytes]]]:
    """The runs of one sequence with the files beside them."""
    if person.subject.number == 1 and sequence == "FLAIR":
        return []
    folder, stem = f"sub-{person.id}/ses-wave{wave}", f"sub-{person.id}_ses-wave{wave}"
    older = replace(person.subject, age=float(person.age(wave)))
    runs = []
    for run in (1, 2) if (wave, sequence) in person.repeats else (1,):
        image = f"{folder}/anat/{stem}_acq-{sequence}_run-{run}_{_SUFFIXES[sequence]}.nii.gz"
        has_sidecar = sequence == "MPRAGE" or run == 1
        thick: dict[str, str | float] = {"slice_thickness": 2.5} if sequence == "FLAIR" and has_sidecar else {}
        told = Told(person.id, f"wave{wave}", str(run), facts={**_FACTS, **thick})
        scan = ScanFile(
            older, _CONTRASTS[sequence], image, axes="LAS", with_skull=True, repeat=3 * wave + run, told=told
        )
        texts: dict[str, str | bytes] = {f"{folder}/dwi/{stem}_run-1_dwi.nii.gz": tiny_nifti((4, 4, 4, 3))}
        if has_sidecar:
            texts[sidecar(image)] = json_text(_SEQUENCES[sequence])
        runs.append((scan, texts))
    return runs


def _labels(person: _Person) -> list[ToldLabel]:
    return [
        sex_label(person.id, person.subject.sex),
        ToldLabel(person.id, "education_years", float(person.education), "years"),
        *(age_label(person.id, float(person.age(wave)), f"wave{wave}") for wave in person.waves),
        *(ToldLabel(person.id, "mmse", float(score), None, f"wave{wave}") for wave, score in person.mmse.items()),
    ]


def _row(person: _Person) -> Sequence[object]:
    mri = [person.age(wave) if wave in person.waves else "n/a" for wave in _WAVES]
    other = [age if age == "n/a" else int(age) + 1 for age in mri]  # at the tests, a year later
    mmse = [person.mmse.get(wave, "n/a") for wave in _WAVES]
    sex = sex_code(person.subject, "m", "f")
    ages = [mri[0], other[0], "n/a", mri[1], other[1], mri[2], other[2]]
    return [f"sub-{person.id}", *ages, sex, 5, 2, 4, person.education, 0, *mmse, "n/a", 66, 160, 25.8]
