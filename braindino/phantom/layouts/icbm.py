"""The layout of ICBM: volunteers of two sites whose names for everything differ, and one table."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np

from braindino.phantom.cohort import Subject, make_cohort
from braindino.phantom.layouts.loni import Image, Listed, collection_csv
from braindino.phantom.layouts.people import age_label, draw_ids, sex_code, sex_label
from braindino.phantom.plan import Plan, ScanFile, Told, ToldLabel

# What an image is called at each site, by contrast. The names of T2w and PD are not known from originals.
_DESCRIPTIONS = {
    "MNI": {"T1w": "T1-FFE", "T2w": "T2-TSE", "PD": "PD-TSE"},
    "UCLA": {"T1w": "SAG MPRAGE 8 CHANNEL"},
}
_AXES = {"MNI": "LPS", "UCLA": "PSR"}


@dataclass(frozen=True)
class _Person:
    subject: Subject
    site: str
    number: int
    images: dict[str, Image]  # by contrast

    @property
    def id(self) -> str:
        return f"{self.site}_{self.number:04d}"

    @property
    def session(self) -> str:
        return self.images["T1w"].session

    @property
    def age(self) -> int:
        return int(self.subject.age)


def plan(n_subjects: int, seed: tuple[int, ...]) -> Plan:
    """Healthy adults: three contrasts at Montreal, one at Los Angeles, each in the folder of its date.

    Raises:
        ConfigError: more people than ids.
    """
    subjects = make_cohort(n_subjects, seed, patients=0.0, lesions=0.0, ages=(18.0, 80.0))
    rng = np.random.default_rng((*seed, 1))
    numbers = draw_ids(rng, 100, 1299, n_subjects, "icbm")
    people = [_person(subject, number, rng) for subject, number in zip(subjects, numbers, strict=True)]
    rows = [
        Listed(image, "Volunteer", sex_code(person.subject, "M", "F"), person.age, "1")
        for person in people
        for image in person.images.values()
    ]
    return Plan(
        subjects,
        [scan for person in people for scan in _scans(person)],
        {"ICBM_Collection_8_15_2024.csv": collection_csv(rows)},
        [label for person in people for label in _labels(person)],
    )


def _person(subject: Subject, number: int, rng: np.random.Generator) -> _Person:
    site = tuple(_DESCRIPTIONS)[subject.number % len(_DESCRIPTIONS)]
    day = date(1998, 1, 1) + timedelta(days=int(rng.integers(0, 3000)))
    taken = datetime.combine(day, time(int(rng.integers(8, 18)), int(rng.integers(0, 60)), 38))
    image, series = int(rng.integers(1000, 20000)), int(rng.integers(3000, 20000))
    modality, mark, leaf = ("MRI", "br", "S") if site == "MNI" else ("MR", "br_raw", "I")
    images = {
        contrast: Image("ICBM", f"{site}_{number:04d}", words, taken, image + place, series + place,
                        modality=modality, mark=mark, leaf=leaf)
        for place, (contrast, words) in enumerate(_DESCRIPTIONS[site].items())
    }  # fmt: skip
    return _Person(subject, site, number, images)


def _scans(person: _Person) -> list[ScanFile]:
    told = Told(person.id, person.session, when=("date", person.session), facts={"site": person.site})
    return [
        ScanFile(person.subject, contrast, image.path, axes=_AXES[person.site], with_skull=True, told=told)
        for contrast, image in person.images.items()
    ]


def _labels(person: _Person) -> list[ToldLabel]:
    return [age_label(person.id, float(person.age), person.session), sex_label(person.id, person.subject.sex)]
