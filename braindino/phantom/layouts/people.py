"""What all layouts need of their people: ids, and the labels that nearly every table states."""

from collections.abc import Sequence

import numpy as np

from braindino.errors import ConfigError
from braindino.phantom.cohort import MALE, Subject
from braindino.phantom.plan import ToldLabel


def draw_ids(rng: np.random.Generator, first: int, last: int, n: int, layout: str) -> list[int]:
    """`n` different numbers from `first` to `last`, ascending.

    Raises:
        ConfigError: there are not so many numbers.
    """
    if n > last - first + 1:
        raise ConfigError(f"The ids of the layout {layout} run from {first} to {last}: ask for fewer subjects.")
    return sorted(int(number) for number in rng.choice(np.arange(first, last + 1), n, replace=False))


def age_label(subject: str, age: float, session: str | None = None) -> ToldLabel:
    """An age in years as the feature store has it: nobody is older than 90."""
    return ToldLabel(subject, "age", 90.0 if age > 89 else age, "years", session)


def sex_label(subject: str, sex: str) -> ToldLabel:
    """`male` or `female`."""
    return ToldLabel(subject, "sex", sex)


def sex_code(subject: Subject, male: str, female: str) -> str:
    """A person's sex in the code of a table."""
    return male if subject.sex == MALE else female


def pick(rng: np.random.Generator, choices: Sequence[str], shares: Sequence[float] | None = None) -> str:
    """One of the choices at random, with these shares (the same for all, by default)."""
    return str(choices[int(rng.choice(len(choices), p=shares))])
