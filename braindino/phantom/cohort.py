"""Synthetic people: who they are (age, sex, group, lesion, tumour), drawn from a seed."""

from dataclasses import dataclass

import numpy as np

FEMALE, MALE = "female", "male"
CONTROL, PATIENT = "control", "patient"
GLIOMA, MENINGIOMA, METASTASES = "glioma", "meningioma", "metastases"


@dataclass(frozen=True)
class Subject:
    """One synthetic person; `seed` and `number` decide everything that the other fields leave open.

    `lesion` tells of spots in the white matter, `tumour` (glioma, meningioma, metastases or None) of larger things.
    """

    number: int
    seed: tuple[int, ...]
    age: float
    sex: str
    diagnosis: str
    lesion: bool
    tumour: str | None = None

    def rng(self, purpose: int) -> np.random.Generator:
        """A random stream of this person for one purpose, independent of all others."""
        return np.random.default_rng((*self.seed, self.number, purpose))


def make_cohort(
    n_subjects: int,
    seed: tuple[int, ...],
    *,
    patients: float = 0.5,
    lesions: float = 0.4,
    ages: tuple[float, float] = (20.0, 92.0),
) -> tuple[Subject, ...]:
    """`n_subjects` people, numbered from 1.

    Ages fill the range evenly; half are women; the shares `patients` and `lesions` are met as nearly as
    whole people allow. The four traits are shuffled independently of each other, so that none gives another
    away beyond chance.
    """
    rng = np.random.default_rng((*seed, 0))
    spread = (np.arange(n_subjects) + rng.random(n_subjects)) / max(n_subjects, 1)
    age = rng.permutation(ages[0] + (ages[1] - ages[0]) * spread)
    male, patient, lesion = (_share(rng, n_subjects, share) for share in (0.5, patients, lesions))
    return tuple(
        Subject(
            number=i + 1,
            seed=seed,
            age=round(float(age[i]), 2),
            sex=MALE if male[i] else FEMALE,
            diagnosis=PATIENT if patient[i] else CONTROL,
            lesion=bool(lesion[i]),
        )
        for i in range(n_subjects)
    )


def _share(rng: np.random.Generator, n: int, share: float) -> np.ndarray:
    return rng.permutation(np.arange(n) < round(n * share))
