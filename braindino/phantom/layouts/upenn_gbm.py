"""The layout of UPENN-GBM: a folder per kind of image, two time points, and tables full of `Not Available`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from braindino.phantom.layouts.brats import CODES_2021, case_scans
from braindino.phantom.layouts.decoy import tiny_nifti
from braindino.phantom.layouts.gliomas import UPENN, Glioma, at_home
from braindino.phantom.layouts.people import age_label, sex_code, sex_label
from braindino.phantom.layouts.text import csv_text
from braindino.phantom.plan import Plan, ScanFile, Told, ToldLabel

_ROOT = "PKG - UPENN-GBM-NIfTI/UPENN-GBM/NIfTI-files"
_CLINICAL = (
    "ID", "Gender", "Age_at_scan_years", "Survival_from_surgery_days_UPDATED", "Survival_Status", "Survival_Censor",
    "Time_since_baseline_preop", "IDH1", "MGMT", "KPS", "GTR_over90percent", "PsP_TP_score",
)  # fmt: skip
_ACQUISITION = ("ID", "Manufacturer", "Model", "Magnetic Field Strength")
_AVAILABILITY = ("ID", "Structural imaging", "Corrected Tumor Segmentation")
_NAMES = {"T1w": "_T1", "T1c": "_T1GD", "T2w": "_T2", "FLAIR": "_FLAIR"}
_UNKNOWN = "Not Available"
_SCANNERS = (("SIEMENS", "TrioTim", "3"), ("SIEMENS", "Espree", "1.5"), ("GE MEDICAL SYSTEMS", "Signa HDxt", "3"))
_VENDORS = {"SIEMENS": "Siemens", "GE MEDICAL SYSTEMS": "GE"}
_OLD = (260, 509)  # patients whose folder holds older versions of the same files
_MOST = 611


@dataclass(frozen=True)
class _Exam:
    """One time point: 11 before the first surgery, 21 before a later one."""

    case: Glioma
    session: str
    days: int
    scanner: tuple[str, str, str] | None

    @property
    def subject(self) -> str:
        return f"UPENN-GBM-{self.case.home_number:05d}"

    @property
    def name(self) -> str:
        return f"{self.subject}_{self.session}"

    @property
    def is_corrected(self) -> bool:
        """Whether somebody corrected its segmentation by hand."""
        return self.session == "11" and self.case.home_number % 4 == 0

    @property
    def facts(self) -> dict[str, str | float]:
        if self.scanner is None:
            return {}
        maker, model, tesla = self.scanner
        return {"vendor": _VENDORS[maker], "model": model, "field_strength": float(tesla)}


def plan(n_subjects: int, seed: tuple[int, ...]) -> Plan:
    """Glioblastomas before surgery; every third patient was scanned again before another one.

    All first exams have an automatic segmentation and some also one corrected by hand. The first patient's folder
    holds older versions of the images in `old/`. How the originals are oriented is not known for sure: here a third
    of them differs from the others.

    Raises:
        ConfigError: more people than ids.
    """
    rng = np.random.default_rng((*seed, 1))
    exams = [exam for case in at_home(seed, UPENN, n_subjects, _MOST) for exam in _exams(case, rng)]
    files: dict[str, str | bytes] = {
        "UPENN-GBM_clinical_info_v2.1.csv": csv_text(_CLINICAL, [_clinical(exam) for exam in exams]),
        "UPENN-GBM_acquisition.csv": csv_text(_ACQUISITION, [_acquisition(exam) for exam in exams]),
        "UPENN-GBM_data_availability.csv": csv_text(
            _AVAILABILITY, [[exam.name, "available", "available"] for exam in exams]
        ),
    }
    for exam in exams:
        files |= _other_images(exam)
    return Plan(
        [exam.case.subject for exam in exams if exam.session == "11"],
        [scan for exam in exams for scan in _scans(exam)],
        files,
        _labels(exams),
    )


def _exams(case: Glioma, rng: np.random.Generator) -> list[_Exam]:
    scanner = None if rng.random() < 0.15 else _SCANNERS[int(rng.integers(len(_SCANNERS)))]
    first = _Exam(case, "11", 0, scanner)
    if (case.subject.number // 3) % 3 != 1:
        return [first]
    days = int(rng.integers(60, 500))
    older = replace(case, subject=replace(case.subject, age=round(case.subject.age + days / 365.25, 2)))
    return [first, _Exam(older, "21", days, scanner)]


def _scans(exam: _Exam) -> list[ScanFile]:
    automatic = f"{_ROOT}/automated_segm/{exam.name}_automated_approx_segm.nii.gz"
    best, others = automatic, tuple[str, ...]()
    if exam.is_corrected:
        best, others = f"{_ROOT}/images_segm/{exam.name}_segm.nii.gz", (automatic,)
    return case_scans(
        exam.case.subject, f"{_ROOT}/images_structural/{exam.name}/{exam.name}", _NAMES, CODES_2021,
        Told(exam.subject, exam.session, facts=exam.facts), segmentation=best if exam.session == "11" else None,
        axes="RAS" if exam.case.home_number % 3 == 0 else "LPS", lesion_copies=others,
    )  # fmt: skip


def _other_images(exam: _Exam) -> dict[str, bytes]:
    whole = f"{_ROOT}/images_structural_unstripped/{exam.name}/{exam.name}"
    files = {f"{whole}{name}_unstripped.nii.gz": tiny_nifti() for name in _NAMES.values()}
    files[f"{_ROOT}/images_DTI/{exam.name}/{exam.name}_DTI_FA.nii.gz"] = tiny_nifti()
    files[f"{_ROOT}/images_DSC/{exam.name}/{exam.name}_DSC_ap-rCBV.nii.gz"] = tiny_nifti()
    if exam.case.home_number in _OLD and exam.session == "11":
        old = f"{_ROOT}/images_structural/{exam.name}/old/{exam.name}"
        files |= {f"{old}{name}.nii.gz": tiny_nifti() for name in _NAMES.values()}
    return files


def _labels(exams: Sequence[_Exam]) -> list[ToldLabel]:
    labels: dict[ToldLabel, None] = {}  # what two rows of a person say alike is said once
    for exam in exams:
        case, name = exam.case, exam.subject
        labels[age_label(name, case.subject.age, exam.session)] = None
        labels[sex_label(name, case.subject.sex)] = None
        if _survival(case)[0] != _UNKNOWN:
            labels[ToldLabel(name, "survival_days", case.survival_days, "days")] = None
        labels[ToldLabel(name, "survival_event", int(case.died))] = None
        if _idh(case) != "NOS/NEC":
            labels[ToldLabel(name, "idh", "mutant" if case.mutant else "wildtype")] = None
        if case.methylated is not None:
            labels[ToldLabel(name, "mgmt", "methylated" if case.methylated else "unmethylated")] = None
        if case.resection != "biopsy":
            labels[ToldLabel(name, "resection", "GTR" if case.resection == "GTR" else "less than GTR")] = None
    return list(labels)


def _clinical(exam: _Exam) -> list[object]:
    case = exam.case
    mgmt = {None: ("Indeterminate", _UNKNOWN)[case.subject.number % 2], True: "Methylated", False: "Unmethylated"}
    return [
        exam.name, sex_code(case.subject, "M", "F"), case.subject.age, *_survival(case), exam.days, _idh(case),
        mgmt[case.methylated], _UNKNOWN, _gross_total(case), "Not Applicable",
    ]  # fmt: skip


def _survival(case: Glioma) -> tuple[int | str, str, int]:
    """Days, status, and whether the death was observed, as the table has them."""
    place = case.subject.number // 3
    if not case.died:
        return case.survival_days, "Lost to Follow-up" if place % 2 else "Alive", 0
    if place % 5 == 4:
        return _UNKNOWN, "Deceased - uncertain date of death", 1
    return case.survival_days, "Deceased", 1


def _idh(case: Glioma) -> str:
    if case.subject.number % 5 == 2:
        return "NOS/NEC"
    return "Mutated" if case.mutant else "Wildtype"


def _gross_total(case: Glioma) -> str:
    return {"GTR": "Y", "STR": "N", "biopsy": _UNKNOWN}[case.resection]


def _acquisition(exam: _Exam) -> list[object]:
    return [exam.name, *(exam.scanner or (_UNKNOWN,) * 3)]
