"""The layout of UCSF-PDGM: a folder of many images per exam, and a table whose ids have a digit less."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from braindino.phantom.layouts.brats import CODES_2021, case_scans
from braindino.phantom.layouts.decoy import tiny_nifti
from braindino.phantom.layouts.gliomas import UCSF, Glioma, at_home
from braindino.phantom.layouts.people import age_label, pick, sex_code, sex_label
from braindino.phantom.layouts.text import csv_text
from braindino.phantom.plan import Plan, ScanFile, Told, ToldLabel

_ROOT = "PKG - UCSF-PDGM Version 5/UCSF-PDGM-v5"
_HEADER = (
    "ID", "Sex", "Age at MRI", "WHO CNS Grade", "Final pathologic diagnosis (WHO 2021)", "MGMT status", "MGMT index",
    "1p/19q", "IDH", "1-dead 0-alive", "OS", "EOR", "Biopsy prior to imaging", "BraTS21 ID",
    "BraTS21 Segmentation Cohort", "BraTS21 MGMT Cohort",
)  # fmt: skip
_NAMES = {"T1w": "_T1", "T1c": "_T1c", "T2w": "_T2", "FLAIR": "_FLAIR"}
_OTHER_IMAGES = (
    "T1_bias", "T1c_bias", "T2_bias", "FLAIR_bias", "SWI", "SWI_bias", "DWI", "DWI_bias", "ADC", "ASL", "DTI_eddy_FA",
    "DTI_eddy_MD", "DTI_eddy_L1", "DTI_eddy_L2", "DTI_eddy_L3", "DTI_eddy_noreg", "brain_parenchyma_segmentation",
)  # fmt: skip
_FOLLOW_UPS = {289: (391, 16), 175: (396, 175)}  # number at the first exam -> number and days of the second
# The one scanner of the collection, by its own account.
_SCANNER: dict[str, str | float] = {"vendor": "GE", "model": "Discovery 750", "field_strength": 3.0}
_MOST = 500
_MUTANT = ("mutated (NOS)", "IDH1 p.R132H", "IDH1 p.Arg132His", "IDH2 p.R172K")
_CODELETION = ("intact", "co-deletion", "Co-deletion", "relative co-deletion", "unknown", "")


@dataclass(frozen=True)
class _Exam:
    """One exam; `session` is None at the first, `FU016d` at one 16 days later."""

    case: Glioma
    number: int
    session: str | None
    mutation: str
    codeletion: str
    mgmt: str

    @property
    def subject(self) -> str:
        return f"UCSF-PDGM-{self.number:04d}"

    @property
    def name(self) -> str:
        return f"{self.subject}_{self.session}" if self.session else self.subject

    @property
    def stem(self) -> str:
        return f"{_ROOT}/{self.name}_nifti/{self.name}"


def plan(n_subjects: int, seed: tuple[int, ...]) -> Plan:
    """Gliomas before surgery; the first two patients were scanned again, under another number.

    Each folder holds bias-corrected copies and other sequences beside the four contrasts. The table names the BraTS
    2021 case of a patient where there is one.

    Raises:
        ConfigError: more people than ids.
    """
    rng = np.random.default_rng((*seed, 1))
    exams = [exam for case in at_home(seed, UCSF, n_subjects, _MOST) for exam in _exams(case, rng)]
    files: dict[str, str | bytes] = {"UCSF-PDGM-metadata_v5.csv": csv_text(_HEADER, [_row(exam) for exam in exams])}
    for exam in exams:
        others = (*_OTHER_IMAGES, "ASL_M0") if exam.session else _OTHER_IMAGES
        files |= {f"{exam.stem}_{name}.nii.gz": tiny_nifti() for name in others}
    return Plan(
        [exam.case.subject for exam in exams if exam.session is None],
        [scan for exam in exams for scan in _scans(exam)],
        files,
        [label for exam in exams for label in _labels(exam)],
        _links(exams),
    )


def _exams(case: Glioma, rng: np.random.Generator) -> list[_Exam]:
    mutation = pick(rng, _MUTANT) if case.mutant else "wildtype"
    codeletion = "co-deletion" if "codeleted" in case.diagnosis else pick(rng, _CODELETION)
    if case.methylated is None:
        mgmt = pick(rng, ("indeterminate", "unknown", ""))
    else:
        mgmt = "positive" if case.methylated else "negative"
    first = _Exam(case, case.home_number, None, mutation, codeletion, mgmt)
    if case.home_number not in _FOLLOW_UPS:
        return [first]
    number, days = _FOLLOW_UPS[case.home_number]
    older = replace(case, subject=replace(case.subject, age=round(case.subject.age + days / 365.25, 2)))
    return [first, replace(first, case=older, number=number, session=f"FU{days:03d}d")]


def _scans(exam: _Exam) -> list[ScanFile]:
    return case_scans(
        exam.case.subject, exam.stem, _NAMES, CODES_2021, Told(exam.subject, exam.session, facts=_SCANNER),
        segmentation=f"{exam.stem}_tumor_segmentation.nii.gz", brain_mask=f"{exam.stem}_brain_segmentation.nii.gz",
    )  # fmt: skip


def _labels(exam: _Exam) -> list[ToldLabel]:
    case, name = exam.case, exam.subject
    codeletion = {"intact": "intact", "co-deletion": "codeleted", "Co-deletion": "codeleted"}.get(exam.codeletion)
    mgmt = {"positive": "methylated", "negative": "unmethylated"}.get(exam.mgmt)
    labels = [
        age_label(name, float(round(case.subject.age)), exam.session),
        sex_label(name, case.subject.sex),
        ToldLabel(name, "diagnosis", case.diagnosis),
        ToldLabel(name, "who_grade", case.grade),
        ToldLabel(name, "idh", "mutant" if case.mutant else "wildtype"),
        ToldLabel(name, "survival_days", case.survival_days, "days"),
        ToldLabel(name, "survival_event", int(case.died)),
        ToldLabel(name, "resection", case.resection),
    ]
    found = (("codeletion_1p19q", codeletion), ("mgmt", mgmt))
    return labels + [ToldLabel(name, label, value) for label, value in found if value]


def _row(exam: _Exam) -> list[object]:
    case = exam.case
    first = exam.session is None
    known = case.brats_id is not None and first
    cohort = case.brats_cohort if known else ""
    return [
        f"UCSF-PDGM-{exam.number:03d}" if first else exam.name, sex_code(case.subject, "M", "F"),
        round(case.subject.age), case.grade, case.diagnosis, exam.mgmt, "7" if exam.mgmt == "positive" else "unknown",
        exam.codeletion, exam.mutation, int(case.died), case.survival_days, case.resection, "No",
        case.brats_id if known else "", cohort, cohort if case.methylated is not None else "",
    ]  # fmt: skip


def _links(exams: Sequence[_Exam]) -> list[tuple[str, tuple[str, str]]]:
    """Cases of BraTS 2021 by the table; second exams by the dataset's own account of their former numbers."""
    links = []
    for exam in exams:
        if exam.session is not None:
            links.append((exam.subject, ("ucsf_pdgm", f"UCSF-PDGM-{exam.case.home_number:04d}")))
        elif exam.case.brats_id is not None:
            links.append((exam.subject, ("brats2021", exam.case.brats_id)))
    return links
