"""The layout of BraTS 2024-GoAT: tumours of all kinds under new names, with nothing that tells where they are from."""

from collections.abc import Iterator
from itertools import count, cycle, islice
from zlib import crc32

import numpy as np

from braindino.errors import ConfigError
from braindino.phantom.cohort import Subject
from braindino.phantom.layouts import brats2023_men, brats2023_met
from braindino.phantom.layouts.brats import CODES_2023, NAMES_2023, case_scans, split_label
from braindino.phantom.layouts.gliomas import glioma
from braindino.phantom.plan import Plan, Reencoding, ScanFile, Told

_TRAINING = "MICCAI2024-BraTS-GoAT-TrainingData-With-GroundTruth"
_UNLABELLED = "MICCAI2024-BraTS-GoAT-TrainingData-WithOut-GroundTruth"
_VALIDATION = "MICCAI2024-BraTS-GoAT-ValidationData"
_FOLDERS = (*[f"{_TRAINING}/{_TRAINING}"] * 3, _VALIDATION, _UNLABELLED)  # of one case after the other
_AGAIN = Reencoding(factor=1.21, trim_mm=2.0, compression=4)  # as the challenge stored what it was given
_LAST_ID = 1350


def plan(n_subjects: int, seed: tuple[int, ...]) -> Plan:
    """Half of the people are in BraTS 2021 too, the others in BraTS 2023-MEN and -MET; no file says so.

    Raises:
        ConfigError: more people than ids.
    """
    if n_subjects > _LAST_ID + 1:
        raise ConfigError(
            f"The layout brats2024_goat has {_LAST_ID + 1} ids: ask for fewer than {n_subjects} subjects."
        )
    subjects = list(islice(_people(seed), n_subjects))
    numbers = np.random.default_rng((seed[0], crc32(b"GoAT"))).permutation(_LAST_ID + 1)
    names = [f"BraTS-GoAT-{int(number):05d}" for number in numbers[:n_subjects]]
    folders = list(islice(cycle(_FOLDERS), n_subjects))
    cases = list(zip(subjects, names, folders, strict=True))
    labels = [split_label(name, "Validation" if folder == _VALIDATION else "Training") for _, name, folder in cases]
    return Plan(subjects, [scan for case in cases for scan in _scans(*case)], {}, labels)


def _people(seed: tuple[int, ...]) -> Iterator[Subject]:
    """A glioma, a meningioma, a glioma, metastases, and so on."""
    everybody = (glioma(seed, number) for number in count(1))
    gliomas = (case.subject for case in everybody if case.brats_id is not None)
    men, met = iter(brats2023_men.people(seed)), iter(brats2023_met.people(seed))
    for source in cycle((gliomas, men, gliomas, met)):
        yield next(source)


def _scans(subject: Subject, name: str, folder: str) -> list[ScanFile]:
    stem = f"{folder}/{name}/{name}"
    outlined = f"{stem}-seg.nii.gz" if folder.startswith(_TRAINING) else None
    return case_scans(
        subject, stem, NAMES_2023, CODES_2023, Told(name), segmentation=outlined, reencoding=_AGAIN,
    )  # fmt: skip
