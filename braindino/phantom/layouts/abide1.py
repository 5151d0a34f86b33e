"""The layout of ABIDE I: the BIDS folders of its sites on S3, beside one phenotypic table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from braindino.phantom.cohort import PATIENT, Subject, make_cohort
from braindino.phantom.layouts.bids_text import description
from braindino.phantom.layouts.decoy import tiny_nifti
from braindino.phantom.layouts.people import age_label, draw_ids, pick, sex_code, sex_label
from braindino.phantom.layouts.text import csv_text, json_text, tsv_text
from braindino.phantom.plan import Plan, ScanFile, Told, ToldLabel


@dataclass(frozen=True)
class _Site:
    """A folder of the download, its code in the table, how its images are stored and what its sidecar states."""

    folder: str
    code: str
    axes: str
    scanner: tuple[str, str, float] | None = None  # maker as written, model, tesla

    @property
    def facts(self) -> dict[str, str | float]:
        if self.scanner is None:
            return {"site": self.code}
        maker, model, tesla = self.scanner
        vendor = {"SIEMENS": "Siemens", "Philips Medical Systems": "Philips", "GE MEDICAL SYSTEMS": "GE"}[maker]
        return {"site": self.code, "vendor": vendor, "model": model, "field_strength": tesla}

    @property
    def sidecar(self) -> dict[str, object]:
        sequence: dict[str, object] = {"RepetitionTime": 2.1, "EchoTime": 0.0039, "FlipAngle": 8}
        if self.scanner is None:
            return sequence
        maker, model, tesla = self.scanner
        return {
            "Manufacturer": maker, "ManufacturersModelName": model, "MagneticFieldStrength": tesla, **sequence,
        }  # fmt: skip


_SITES = (
    _Site("Pitt", "PITT", "PSR", ("SIEMENS", "Allegra", 3.0)),
    _Site("CMU_a", "CMU", "RAS", ("SIEMENS", "Verio", 3.0)),
    _Site("CMU_b", "CMU", "RAS", ("SIEMENS", "Verio", 3.0)),
    _Site("KKI", "KKI", "LAS", ("Philips Medical Systems", "Achieva", 3.0)),
    _Site("MaxMun_c", "MAX_MUN", "RPI", ("SIEMENS", "Verio", 3.0)),
    _Site("UM_1", "UM_1", "LPS", ("GE MEDICAL SYSTEMS", "Signa", 3.0)),
    _Site("UCLA_1", "UCLA_1", "ASL"),
)
_HEADER = (
    "SITE_ID", "SUB_ID", "DX_GROUP", "DSM_IV_TR", "AGE_AT_SCAN", "SEX", "HANDEDNESS_CATEGORY", "FIQ", "VIQ", "PIQ",
    "ADI_R_SOCIAL_TOTAL_A", "ADOS_TOTAL", "SRS_RAW_TOTAL", "EYE_STATUS_AT_SCAN", "AGE_AT_MPRAGE", "BMI",
)  # fmt: skip
_SUBTYPES = {"1": "autism", "2": "asperger", "3": "pdd_nos", "4": "asperger_or_pdd_nos"}
_SUBTYPE_CODES = ("1", "2", "3", "4", "0", "-9999")  # a few rows of patients have 0, as controls do
_HANDS = {"R": "right", "L": "left", "Ambi": "ambidextrous", "Mixed": "ambidextrous"}
_HAND_CELLS = ("R", "R", "R", "L", "Ambi", "Mixed", "L->R", "", "-9999", "`")
_NO_IMAGE = 51310  # one of the ten people in the table who have no T1w


@dataclass(frozen=True)
class _Person:
    subject: Subject
    number: int
    site: _Site
    subtype: str
    hand: str

    @property
    def id(self) -> str:
        return f"{self.number:07d}"

    @property
    def image(self) -> str:
        return f"RawDataBIDS/{self.site.folder}/sub-{self.id}/anat/sub-{self.id}_T1w.nii.gz"

    @property
    def sidecard(self) -> str:
        stem = f"sub-{self.id}/ses-{self.site.folder}/anat/sub-{self.id}_ses-{self.site.folder}_T1w.json"
        return f"RawDataBIDS/sidecards/{stem}"


def plan(n_subjects: int, seed: tuple[int, ...]) -> Plan:
    """People with autism and controls, one T1w of a whole head each.

    Folders pad the ids with zeros and the table does not; sites have other names there. The table lists a person
    without an image, and its missing cells are -9999, empty or a stray backtick. UCLA's `hires.nii.gz` is no T1w.

    Raises:
        ConfigError: more people than ids.
    """
    subjects = make_cohort(n_subjects, seed, lesions=0.0, ages=(6.5, 64.0))
    rng = np.random.default_rng((*seed, 1))
    people = [
        _Person(subject, number, _SITES[int(rng.integers(len(_SITES)))], _subtype(subject, rng), pick(rng, _HAND_CELLS))
        for subject, number in zip(subjects, draw_ids(rng, 50002, 51309, n_subjects, "abide1"), strict=True)
    ]
    scans = [
        ScanFile(p.subject, "T1w", p.image, axes=p.site.axes, with_skull=True, told=Told(p.id, facts=p.site.facts))
        for p in people
    ]
    listed = [*people, replace(people[-1], number=_NO_IMAGE)]
    return Plan(subjects, scans, _files(people, listed, rng), [label for person in listed for label in _labels(person)])


def _subtype(subject: Subject, rng: np.random.Generator) -> str:
    return pick(rng, _SUBTYPE_CODES) if subject.diagnosis == PATIENT else "0"


def _labels(person: _Person) -> list[ToldLabel]:
    subject = person.subject
    diagnosis = "autism" if subject.diagnosis == PATIENT else "control"
    labels = [
        age_label(person.id, subject.age),
        sex_label(person.id, subject.sex),
        ToldLabel(person.id, "diagnosis", diagnosis),
    ]
    if person.subtype in _SUBTYPES:
        labels.append(ToldLabel(person.id, "diagnosis_subtype", _SUBTYPES[person.subtype]))
    if person.hand in _HANDS:
        labels.append(ToldLabel(person.id, "handedness", _HANDS[person.hand]))
    return labels


def _files(people: Sequence[_Person], listed: Sequence[_Person], rng: np.random.Generator) -> dict[str, str | bytes]:
    """Tables, sidecars and what else lies beside the scans of `people`; `listed` are those in the tables."""
    files: dict[str, str | bytes] = {}
    for site in {person.site for person in people}:
        folder = f"RawDataBIDS/{site.folder}"
        files[f"{folder}/dataset_description.json"] = description(f"ABIDE {site.folder}", "CC BY-NC-SA 3.0")
        files[f"{folder}/T1w.json"] = json_text(site.sidecar)
        here = [person for person in people if person.site == site]
        files[f"{folder}/participants.tsv"] = tsv_text(["participant_id"], [[person.id] for person in here])
    for person in people:
        files[person.sidecard] = json_text(person.site.sidecar)
        folder = person.image.rpartition("/anat/")[0]
        files[f"{folder}/func/sub-{person.id}_task-rest_run-1_bold.nii.gz"] = tiny_nifti((4, 4, 4, 3))
        if person.site.folder.startswith("UCLA"):
            files[f"{folder}/anat/hires.nii.gz"] = tiny_nifti()
    files["Phenotypic_V1_0b.csv"] = csv_text(_HEADER, [_row(person, rng) for person in listed])
    files["Phenotypic_V1_0b_preprocessed1.csv"] = _preprocessed(listed)
    return files


def _row(person: _Person, rng: np.random.Generator) -> list[str]:
    subject, is_patient = person.subject, person.subject.diagnosis == PATIENT
    scores = [pick(rng, (str(int(rng.normal(105, 15))), "-9999", "")) for _ in range(3)]
    interview = ["18", "12", "90"] if is_patient else ["-9999", "", "-9999"]
    return [
        person.site.code, str(person.number), "1" if is_patient else "2", person.subtype, str(subject.age),
        sex_code(subject, "1", "2"), person.hand, *scores, *interview, "1", "", pick(rng, ("22.4", "`", "-9999", "")),
    ]  # fmt: skip


def _preprocessed(people: Sequence[_Person]) -> str:
    """The table of the preprocessed release: file ids, and notes with commas."""
    rows = []
    for person in people:
        file = "no_filename" if person.number == _NO_IMAGE else f"{person.site.folder}_{person.id}"
        rows.append([person.number, person.site.code, file, "skull-strip fail, mild motion"])
    return csv_text(("SUB_ID", "SITE_ID", "FILE_ID", "qc_notes_rater_1"), rows)
