"""What a synthetic person's traits do to the brain: drawn parameters, and the smooth fields they make.

Effects overlap between groups, as real ones do; sources give direction, not the numbers: ventricles grow and the
cortex thins with age (Fjell and Walhovd, Rev Neurosci 21 (2010) 187-221), brains of men are about a tenth larger
(Ritchie et al., Cereb Cortex 28 (2018) 2959-2975), and the invented diagnosis shrinks the medial temporal lobe most,
widens the ventricles and thins the cortex (as Alzheimer's disease does; Frisoni et al., Nat Rev Neurol 6 (2010) 67-77).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from braindino.phantom.cohort import MALE, PATIENT, Subject
from braindino.phantom.template import Array, bump, load_template, offset, smooth_noise, ventricle_field

HIPPOCAMPI = ((-27.0, -20.0, -16.0), (27.0, -20.0, -16.0))
_FRONTAL, _CEREBELLUM = (0.0, 45.0, 10.0), (0.0, -62.0, -35.0)
_FREE, _FIELD, _LESIONS, _FOCI = 1, 2, 3, 4  # purposes of a person's random streams


@dataclass(frozen=True)
class Lesion:
    """A roundish spot of abnormal white matter, in template space (mm); `strength` runs from 0 to 1."""

    centre: tuple[float, float, float]
    radius: float
    strength: float


@dataclass(frozen=True)
class Anatomy:
    """One person's anatomy as parameters.

    `size` is brain size per axis over the template's; `turn` the head's tilt (radians about x, y, z) and
    `shift` its position (mm) in the scanner; `ventricles` how much wider the ventricles are (mm each side);
    `thinning` the loss of cortex (0 none, 1 all); `temporal` the loss of both medial temporal lobes;
    `frontal` an extra length (mm). `foci` are the tiny spots of ageing, which anybody may have and no mask
    marks.
    """

    size: tuple[float, float, float]
    turn: tuple[float, float, float]
    shift: tuple[float, float, float]
    ventricles: float
    thinning: float
    temporal: tuple[float, float]
    frontal: float
    lesions: tuple[Lesion, ...]
    foci: tuple[Lesion, ...]


def draw_anatomy(subject: Subject) -> Anatomy:
    """The anatomy of a person: the same person always has the same one."""
    rng = subject.rng(_FREE)
    years = max(subject.age - 20, 0) / 70  # children get the brains of young adults
    male = 1.0 if subject.sex == MALE else -1.0
    # The template is large for a person; 0.945 of it holds about 1.55 litres.
    overall = 0.945 * (1 + 0.016 * male + 0.016 * rng.standard_normal())
    size = overall * (1 + 0.015 * rng.standard_normal(3))
    loss = rng.uniform(0.6, 1.0) if subject.diagnosis == PATIENT else rng.uniform(0.0, 0.2)
    sides = np.clip(loss + 0.1 * years + 0.08 * rng.standard_normal(2), 0, 1)
    return Anatomy(
        size=_three(size),
        turn=_three(np.radians([3.0, 1.5, 2.0]) * rng.standard_normal(3)),
        shift=_three(4.0 * rng.standard_normal(3)),
        ventricles=float(-0.8 + 4.6 * years**1.5 + 2.4 * loss + 0.4 * rng.standard_normal()),
        thinning=float(np.clip(0.55 * years + 0.25 * loss + 0.04 * rng.standard_normal(), 0, 0.8)),
        temporal=(float(sides[0]), float(sides[1])),
        frontal=float(0.8 * male + 0.6 * rng.standard_normal()),
        lesions=_draw_spots(subject.rng(_LESIONS), 4, 8, (6.0, 12.0)) if subject.lesion else (),
        foci=_draw_spots(subject.rng(_FOCI), 0, 2 + round(6 * years), (1.5, 3.5)),
    )


def displacement(subject: Subject, anatomy: Anatomy) -> Array:
    """The field u [3, ...] (mm, on the field grid): the person at y looks like the template at y - u(y)."""
    individual = 1.8 * smooth_noise(subject.rng(_FIELD), 9, 3)
    field = individual + anatomy.ventricles * ventricle_field() + anatomy.frontal * _frontal_field()
    for loss, shrinking in zip(anatomy.temporal, _temporal_fields(), strict=True):
        field -= np.float32(loss) * shrinking
    return np.asarray(field, dtype=np.float32)


def temporal_loss(anatomy: Anatomy, points: Array) -> Array:
    """The share [n] of tissue that is lost to fluid around the hippocampi, at template points [3, n]."""
    lost = np.zeros(points.shape[1], dtype=np.float32)
    for loss, centre in zip(anatomy.temporal, HIPPOCAMPI, strict=True):
        square = np.sum((points - np.array(centre, dtype=np.float32)[:, None]) ** 2, axis=0)
        lost += np.float32(0.8 * loss) * np.exp(square / np.float32(-2 * 17.0**2))
    return lost


@lru_cache(maxsize=1)
def _temporal_fields() -> tuple[Array, Array]:
    """What makes each hippocampus smaller by a third at full loss."""
    left, right = (0.33 * offset(centre) * bump(centre, 16.0) for centre in HIPPOCAMPI)
    return left.astype(np.float32), right.astype(np.float32)


@lru_cache(maxsize=1)
def _frontal_field() -> Array:
    """One mm of length for the frontal lobe and of width for the cerebellum."""
    field = np.zeros_like(offset(_FRONTAL))
    field[1] = bump(_FRONTAL, 25.0)
    field[0] = np.tanh(offset(_CEREBELLUM)[0] / 15) * bump(_CEREBELLUM, 22.0)
    return field


def _draw_spots(rng: np.random.Generator, fewest: int, most: int, radii: tuple[float, float]) -> tuple[Lesion, ...]:
    candidates = _lesion_sites()
    chosen = candidates[rng.integers(0, len(candidates), int(rng.integers(fewest, most + 1)))]
    return tuple(Lesion(_three(centre), float(rng.uniform(*radii)), float(rng.uniform(0.45, 1.0))) for centre in chosen)


@lru_cache(maxsize=1)
def _lesion_sites() -> np.ndarray:
    """Deep white matter beside and above the ventricles, [n, 3] mm: where most such lesions of adults lie."""
    template = load_template()
    points = np.argwhere(template.white > 0.95) + template.grid.low
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    return points[(x > 16) & (x < 38) & (y > -70) & (y < 40) & (z > 8) & (z < 42)]


def _three(values: np.ndarray) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
