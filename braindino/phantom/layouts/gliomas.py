"""People with a glioma, who are in several collections under several names.

UPENN-GBM and UCSF-PDGM gave patients to BraTS 2021, whose cases went on into BraTS 2024-GoAT. Here too: written with
one cohort seed, the four layouts hold the same people. The tables of three tell so; GoAT's files do not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import count, islice
from zlib import crc32

import numpy as np

from braindino.errors import ConfigError
from braindino.phantom.cohort import CONTROL, FEMALE, GLIOMA, MALE, Subject

UPENN, UCSF, TCGA = "UPENN-GBM", "UCSF-PDGM", "TCGA-GBM"
_BRATS = "BraTS2021"
_HOMES = (TCGA, UPENN, UCSF)  # of persons number 3, 1, 2 and so on
FOLLOW_UPS = (391, 396, 409, 429, 431, 433)  # numbers of UCSF-PDGM that stand for second exams of others
TASK_2_ONLY = 169  # number of a BraTS 2021 case that only the second task has
_TRAITS = 8  # purpose of a person's random stream
_DIAGNOSES = {  # by grade and IDH
    (4, False): "Glioblastoma, IDH-wildtype",
    (4, True): "Astrocytoma, IDH-mutant",
    (3, True): "Astrocytoma, IDH-mutant",
    (2, True): "Oligodendroglioma, IDH-mutant, 1p/19q-codeleted",
    (3, False): "Astrocytoma, IDH-wildtype",
    (2, False): "Astrocytoma, IDH-wildtype",
}
_HIDDEN = 5  # every so many people are not in BraTS 2021
_VALIDATION = 4  # every so many people are in its validation set


@dataclass(frozen=True)
class Glioma:
    """One patient, and what is known of the tumour; `methylated` is None where it was not tested."""

    subject: Subject
    home: str
    grade: int
    mutant: bool
    methylated: bool | None
    died: bool
    survival_days: int
    resection: str

    @property
    def diagnosis(self) -> str:
        """The pathologist's words (WHO 2021)."""
        return _DIAGNOSES[self.grade, self.mutant]

    @property
    def home_number(self) -> int:
        """The number that the collection of origin gave: 1 to 611 at UPENN, 4 to 541 at UCSF."""
        place = (self.subject.number - 1) // len(_HOMES)
        first, last, lead = {UPENN: (1, 611, (260,)), UCSF: (4, 541, (289, 175)), TCGA: (1, 999, ())}[self.home]
        return _numbers(self.subject.seed, self.home, first, last, lead)[place]

    @property
    def brats_id(self) -> str | None:
        """The name in BraTS 2021, for those who are in it."""
        if self.subject.number % _HIDDEN == 0:
            return None
        return f"{_BRATS}_{_numbers(self.subject.seed, _BRATS, 0, 1665)[self.subject.number]:05d}"

    @property
    def brats_cohort(self) -> str:
        """`Training` or `Validation`, of BraTS 2021."""
        return "Validation" if self.subject.number % _VALIDATION == _VALIDATION - 1 else "Training"


def at_home(seed: tuple[int, ...], home: str, n: int, most: int) -> list[Glioma]:
    """The first `n` patients of a collection.

    Raises:
        ConfigError: more than `most`, for whom it has ids.
    """
    return _first(seed, n, most, lambda case: case.home == home)


def in_brats2021(seed: tuple[int, ...], n: int) -> list[Glioma]:
    """The first `n` patients of BraTS 2021, of all collections.

    Raises:
        ConfigError: more than there are ids.
    """
    return _first(seed, n, 1200, lambda case: case.brats_id is not None)


@lru_cache(maxsize=4096)
def glioma(seed: tuple[int, ...], number: int) -> Glioma:
    """Patient `number` (from 1) of a cohort: the same for every layout with the same cohort seed `seed[0]`."""
    shared = (seed[0], crc32(b"gliomas"))
    rng = np.random.default_rng((*shared, number, _TRAITS))
    age, sex = round(float(rng.uniform(22, 86)), 2), MALE if rng.random() < 0.6 else FEMALE
    mutant = bool(rng.random() < (0.5 if age < 45 else 0.1))
    died = bool(rng.random() < (0.3 if mutant else 0.75))
    home = _HOMES[number % len(_HOMES)]
    return Glioma(
        subject=Subject(number, shared, age, sex, CONTROL, lesion=False, tumour=GLIOMA),
        home=home,
        grade=int(rng.choice((2, 3, 4))) if home == UCSF and mutant else 4,
        mutant=mutant,
        methylated=(None, True, False)[int(rng.choice(3, p=(0.2, 0.4, 0.4)))],
        died=died,
        survival_days=int(rng.integers(20, 1800)),
        resection=str(rng.choice(("GTR", "STR", "biopsy"), p=(0.5, 0.4, 0.1))),
    )


def _first(seed: tuple[int, ...], n: int, most: int, belongs: Callable[[Glioma], bool]) -> list[Glioma]:
    if n > most:
        raise ConfigError(f"This layout has ids for {most} patients: ask for fewer than {n}.")
    return list(islice((case for case in (glioma(seed, number) for number in count(1)) if belongs(case)), n))


@lru_cache(maxsize=16)
def _numbers(seed: tuple[int, ...], name: str, first: int, last: int, lead: tuple[int, ...] = ()) -> tuple[int, ...]:
    """The numbers of a collection in the order in which it hands them out: `lead`, then all others shuffled."""
    rng = np.random.default_rng((*seed, crc32(name.encode())))
    taken = {UCSF: FOLLOW_UPS, _BRATS: (TASK_2_ONLY,)}.get(name, ())
    shuffled = (int(number) for number in rng.permutation(np.arange(first, last + 1)))
    return (*lead, *(number for number in shuffled if number not in (*lead, *taken)))
