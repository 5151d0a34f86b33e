"""The layout of BraTS 2023-MET: metastases, a folder per time point, and no table at all."""

from collections.abc import Iterable
from itertools import count, islice
from zlib import crc32

from braindino.errors import ConfigError
from braindino.phantom.cohort import METASTASES, Subject
from braindino.phantom.layouts.brats import CODES_2023, NAMES_2023, case_scans, split_label, tumour_person
from braindino.phantom.plan import Plan, ScanFile, Told

_ROOT = "ASNR-MICCAI-BraTS2023-MET-Challenge"
_MOST = 300


def people(seed: tuple[int, ...]) -> Iterable[Subject]:
    """Everybody with metastases in a cohort, without end: the same for every layout with this cohort seed."""
    return (tumour_person((seed[0], crc32(b"metastases")), METASTASES, number) for number in count(1))


def plan(n_subjects: int, seed: tuple[int, ...]) -> Plan:
    """Several small tumours each; every sixth case came in the second batch, every fifth is for validation.

    Raises:
        ConfigError: more people than ids.
    """
    if n_subjects > _MOST:
        raise ConfigError(f"The layout brats2023_met has ids for {_MOST} patients: ask for fewer than {n_subjects}.")
    subjects = list(islice(people(seed), n_subjects))
    scans = [scan for subject in subjects for scan in _scans(subject)]
    return Plan(subjects, scans, {}, [split_label(_patient(subject), _split(subject)) for subject in subjects])


def _patient(subject: Subject) -> str:
    return f"BraTS-MET-{5 * subject.number - 3:05d}"


def _split(subject: Subject) -> str:
    return "Validation" if subject.number % 5 == 3 else "Training"


def _scans(subject: Subject) -> list[ScanFile]:
    name, split = f"{_patient(subject)}-000", _split(subject)
    batch = "2" if split == "Training" and subject.number % 6 == 4 else ""
    stem = f"{_ROOT}-{split}Data{batch}/{name}/{name}"
    outlined = f"{stem}-seg.nii.gz" if split == "Training" else None
    told = Told(_patient(subject), "000")
    return case_scans(subject, stem, NAMES_2023, CODES_2023, told, segmentation=outlined)
