"""The layout of ADHD-200: one BIDS folder per site, each with a table in latin-1, and the challenge's test labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from braindino.phantom.cohort import FEMALE, PATIENT, Subject, make_cohort
from braindino.phantom.layouts.bids_text import description
from braindino.phantom.layouts.decoy import tiny_nifti
from braindino.phantom.layouts.people import age_label, draw_ids, pick, sex_code, sex_label
from braindino.phantom.layouts.text import csv_text, tsv_text
from braindino.phantom.plan import Plan, ScanFile, Told, ToldLabel

_ROOT = "RawDataBIDS"
_SITES: Mapping[str, str] = {  # site and how its images are stored
    "NYU": "PSR", "Brown": "RAS", "Peking_1": "LAS", "Peking_3": "RPI", "WashU": "LPS", "OHSU": "RAS",
}  # fmt: skip
_TWICE = ("NYU", "Peking_1", "Pittsburgh")  # their tables list the people of the test release twice
_REPEATED = ("NYU", "OHSU")
_DIAGNOSES = (
    ("Typically Developing Children", "control", "0"),
    ("ADHD-Combined", "adhd_combined", "1"),
    ("ADHD-Hyperactive/Impulsive", "adhd_hyperactive_impulsive", "2"),
    ("ADHD-Inattentive", "adhd_inattentive", "3"),
)  # as the site's table writes it, as the feature store does, and as the list of the test release does
_NO_IMAGE = 15019  # a person of WashU without an image
_COLUMNS = (
    "participant_id", "gender", "age", "handedness", "dx", "secondary_dx ", "adhd_measure", "adhd_index", "inattentive",
    "hyper_impulsive", "med_status", "iq_measure", "verbal_iq", "performance_iq", "full2_iq", "full4_iq",
)  # fmt: skip


@dataclass(frozen=True)
class _Person:
    subject: Subject
    number: int
    site: str
    hand: str  # as the site's table writes it
    diagnosis: int  # index into _DIAGNOSES
    is_test: bool  # of the challenge's test release

    @property
    def id(self) -> str:
        return f"{self.number:07d}"

    @property
    def folder(self) -> str:
        return f"{_ROOT}/{self.site}/sub-{self.id}/ses-{self.session}"

    @property
    def session(self) -> str:
        return "2" if self.site == "WashU" and self.number % 3 == 0 else "1"

    @property
    def is_pending(self) -> bool:
        return self.site == "Brown"  # whose labels were never released


def plan(n_subjects: int, seed: tuple[int, ...]) -> Plan:
    """Children with and without ADHD, one T1w of a whole head each or several.

    The tables write ids unpadded, -999 or nothing where they do not know, and an accented letter in latin-1; three
    sites list the people of the test release twice, and Brown's diagnoses are pending for ever.

    Raises:
        ConfigError: more people than ids.
    """
    subjects = make_cohort(n_subjects, seed, lesions=0.0, ages=(7.1, 21.8))
    rng = np.random.default_rng((*seed, 1))
    people = []
    for subject, number in zip(subjects, draw_ids(rng, 10001, 15018, n_subjects, "adhd200"), strict=True):
        site = list(_SITES)[(subject.number - 1) % len(_SITES)]
        ill = subject.diagnosis == PATIENT and site != "WashU"  # which scanned controls only
        diagnosis = int(rng.integers(1, len(_DIAGNOSES))) if ill else 0
        score = str(round(float(rng.uniform(-1, 1)), 2))
        hand = score if site == "NYU" else pick(rng, ("Right", "Right", "Left", "-999", ""))
        people.append(_Person(subject, number, site, hand, diagnosis, is_test=bool(rng.random() < 0.4)))
    scans = [scan for person in people for scan in _scans(person)]
    labels = [label for person in people for label in _labels(person)]
    if any(person.site == "WashU" for person in people):
        labels += _labels_of_unseen()
    return Plan(subjects, scans, _files(people, rng), labels)


def _scans(person: _Person) -> list[ScanFile]:
    entities: dict[str, str | None] = {"": None}
    if person.site in _REPEATED:
        entities = {"_run-1": "1", "_run-2": "2"}
    elif person.site == "Peking_3":
        entities = {f"_acq-{person.number % 5 + 1}": None}
    stem = f"{person.folder}/anat/sub-{person.id}_ses-{person.session}"
    return [
        ScanFile(
            person.subject, "T1w", f"{stem}{entity}_T1w.nii.gz", axes=_SITES[person.site], with_skull=True,
            repeat=repeat, told=Told(person.id, person.session, run, facts={"site": person.site}),
        )
        for repeat, (entity, run) in enumerate(entities.items())
    ]  # fmt: skip


def _labels(person: _Person) -> list[ToldLabel]:
    labels = [
        age_label(person.id, person.subject.age),
        sex_label(person.id, person.subject.sex),
        ToldLabel(person.id, "qc", "Pass"),
    ]
    if person.is_test:  # of the others a list so short says nothing
        labels.append(ToldLabel(person.id, "split", "test"))
    if not person.is_pending:
        labels.append(ToldLabel(person.id, "diagnosis", _DIAGNOSES[person.diagnosis][1]))
    if person.hand in ("Right", "Left"):
        labels.append(ToldLabel(person.id, "handedness", person.hand.lower()))
    return labels


def _labels_of_unseen() -> list[ToldLabel]:
    name = f"{_NO_IMAGE:07d}"
    return [
        age_label(name, 9.5),
        sex_label(name, FEMALE),
        ToldLabel(name, "diagnosis", "control"),
        ToldLabel(name, "handedness", "right"),
    ]


def _files(people: Sequence[_Person], rng: np.random.Generator) -> dict[str, str | bytes]:
    files: dict[str, str | bytes] = {}
    for site in sorted({person.site for person in people}):
        rows = [row for person in people if person.site == site for row in _rows(person, rng)]
        if site == "WashU":
            rows.append([_NO_IMAGE, "Female", 9.5, "Right", _DIAGNOSES[0][0], *[""] * (len(rows[0]) - 5)])
        quality = "qc_s1_anat" if site == "WashU" else "qc_anatomical_1"
        columns = [column.replace("dx ", "dx_") if site == "OHSU" else column for column in _COLUMNS]
        files[f"{_ROOT}/{site}/participants.tsv"] = tsv_text([*columns, quality], rows).encode("latin-1")
        files[f"{_ROOT}/{site}/dataset_description.json"] = description(f"ADHD200 {site}", "CC BY-NC")
    for person in people:
        stem = f"sub-{person.id}_ses-{person.session}"
        files[f"{person.folder}/func/{stem}_task-rest_run-1_bold.nii.gz"] = tiny_nifti((4, 4, 4, 3))
    tested = [
        [person.number, "pending" if person.is_pending else _DIAGNOSES[person.diagnosis][2]]
        for person in people
        if person.is_test
    ]
    files["allSubs_testSet_phenotypic_dx.csv"] = csv_text(("ID", "DX"), tested)
    return files


def _rows(person: _Person, rng: np.random.Generator) -> list[list[object]]:
    """A person's row; of test people at some sites a second one, of before the labels were released."""
    known = "pending" if person.is_pending else _DIAGNOSES[person.diagnosis][0]
    medicated = "Medication Na\u00efve" if person.diagnosis else ""
    scores = [pick(rng, (str(int(rng.normal(108, 14))), "-999", "")) for _ in range(4)]
    before = [person.number, sex_code(person.subject, "Male", "Female"), person.subject.age, person.hand]
    after = ["", "1", "-999", "50", "-999", medicated, "1", *scores, "Pass"]
    row = [*before, known, *after]
    return [row, [*before, "pending", *after]] if person.is_test and person.site in _TWICE else [row]
