"""The layout of BraTS 2023-MEN: meningiomas, some at two time points, some replaced by corrected folders."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import count, islice
from zlib import crc32

from braindino.errors import ConfigError
from braindino.phantom.cohort import MENINGIOMA, Subject
from braindino.phantom.layouts.brats import CODES_2023, NAMES_2023, case_scans, split_label, tumour_person
from braindino.phantom.layouts.decoy import tiny_nifti
from braindino.phantom.layouts.people import age_label, sex_code, sex_label
from braindino.phantom.layouts.text import xlsx_bytes
from braindino.phantom.plan import Plan, ScanFile, Told, ToldLabel

_TRAINING = "ASNR-MICCAI-BraTS2023-MEN-Challenge-TrainingData/BraTS-MEN-Train"
_VALIDATION = "ASNR-MICCAI-BraTS2023-MEN-Challenge-ValidationData"
_CORRECTED = "BraTS-MEN-TRAIN-FIX-V4"  # its cases replace those of the same name
_TABLE = "Meningioma Supplementary Clinical Data and Imaging Parameters for Training and Validation Sets.xlsx"
_HEADER = ("BraTS ID", "Split", "Grade", "Age", "Sex")
_GRADES = (1, 1, 2, 3, None, "Anaplastic hemangiopericytoma, III")
_MOST = 900


@dataclass(frozen=True)
class _Exam:
    subject: Subject
    session: str

    @property
    def patient(self) -> str:
        return f"BraTS-MEN-{4 * self.subject.number:05d}"

    @property
    def name(self) -> str:
        return f"{self.patient}-{self.session}"

    @property
    def split(self) -> str:
        return "Validation" if self.subject.number % 5 == 3 else "Training"

    @property
    def is_corrected(self) -> bool:
        return self.split == "Training" and self.subject.number % 6 == 2

    @property
    def grade(self) -> int | str | None:
        return _GRADES[self.subject.number % len(_GRADES)]


def people(seed: tuple[int, ...]) -> Iterable[Subject]:
    """Everybody with a meningioma in a cohort, without end: the same for every layout with this cohort seed."""
    return (tumour_person((seed[0], crc32(b"meningiomas")), MENINGIOMA, number) for number in count(1))


def plan(n_subjects: int, seed: tuple[int, ...]) -> Plan:
    """Meningiomas before treatment; the originals of corrected cases still lie in the training set.

    Raises:
        ConfigError: more people than ids.
    """
    if n_subjects > _MOST:
        raise ConfigError(f"The layout brats2023_men has ids for {_MOST} patients: ask for fewer than {n_subjects}.")
    exams = [exam for subject in islice(people(seed), n_subjects) for exam in _exams(subject)]
    files: dict[str, str | bytes] = {_TABLE: xlsx_bytes({"Sheet1": [_HEADER, *(_row(exam) for exam in exams)]})}
    for exam in exams:
        if exam.is_corrected:
            old = f"{_TRAINING}/{exam.name}/{exam.name}"
            files |= {f"{old}{name}.nii.gz": tiny_nifti() for name in (*NAMES_2023.values(), "-seg")}
    return Plan(
        [exam.subject for exam in exams if exam.session == "000"],
        [scan for exam in exams for scan in _scans(exam)],
        files,
        list(dict.fromkeys(label for exam in exams for label in _labels(exam))),
    )


def _exams(subject: Subject) -> list[_Exam]:
    exams = [_Exam(subject, "000")]
    if subject.number % 4 == 1:
        exams.append(_Exam(replace(subject, age=round(subject.age + 1.3, 2)), "001"))
    return exams


def _scans(exam: _Exam) -> list[ScanFile]:
    folder = _VALIDATION if exam.split == "Validation" else _CORRECTED if exam.is_corrected else _TRAINING
    stem = f"{folder}/{exam.name}/{exam.name}"
    outlined = f"{stem}-seg.nii.gz" if exam.split == "Training" else None
    told = Told(exam.patient, exam.session)
    return case_scans(exam.subject, stem, NAMES_2023, CODES_2023, told, segmentation=outlined)


def _labels(exam: _Exam) -> list[ToldLabel]:
    labels = [
        age_label(exam.patient, exam.subject.age, exam.session),
        sex_label(exam.patient, exam.subject.sex),
        split_label(exam.patient, exam.split),
    ]
    if isinstance(exam.grade, int):
        labels.append(ToldLabel(exam.patient, "who_grade", exam.grade))
    return labels


def _row(exam: _Exam) -> list[object]:
    return [exam.name, exam.split, exam.grade, exam.subject.age, sex_code(exam.subject, "Male", "Female")]
