"""Tumours of synthetic people: what grows where, and which part of it is at a point.

As described for the BraTS challenges (Baid et al., arXiv 2107.02314): a dead core inside an enhancing rim, and swollen
white matter around both. Meningiomas sit on the brain's surface and enhance throughout; metastases are several and
small. Nothing is displaced: there is no mass effect.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from braindino.phantom.cohort import GLIOMA, MENINGIOMA, METASTASES, Subject
from braindino.phantom.template import Array, field_grid, load_template, sample, smooth_noise

PARTS = ("core", "enhancing", "oedema")  # from the core outwards
_SITE, _SHAPE = 6, 7  # purposes of a person's random streams
_SOFT_MM = 2.0  # over which one part turns into the next

Points = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Mass:
    """One roundish tumour in template space (mm): the outer radius of each part; a part may be missing (0)."""

    centre: tuple[float, float, float]
    core: float
    enhancing: float
    oedema: float


def draw_masses(subject: Subject) -> tuple[Mass, ...]:
    """The tumours of a person: the same person always has the same ones; none where `tumour` is None."""
    rng = subject.rng(_SITE)
    if subject.tumour == GLIOMA:
        core = rng.uniform(7, 13)
        solid = core + rng.uniform(4, 7)
        return (_mass(_pick(rng, _deep_white()), core, solid, solid + rng.uniform(9, 16)),)
    if subject.tumour == MENINGIOMA:
        surface, solid = _pick(rng, _surface()), rng.uniform(13, 20)
        centre = surface * (1 - 0.7 * solid / float(np.linalg.norm(surface)))  # most of it inside what is left of it
        return (_mass(centre, rng.uniform(3, 6), solid, solid + rng.uniform(3, 10)),)
    if subject.tumour == METASTASES:
        largest = _mass(_pick(rng, _junction()), rng.uniform(5, 7), rng.uniform(9, 12), rng.uniform(17, 24))
        return (largest, *(_small(rng) for _ in range(int(rng.integers(2, 7)))))
    return ()


def tumour_shares(subject: Subject, points: Array, white: Array) -> Array | None:
    """The shares [3, n] of `PARTS` at template points [3, n], or None for people without a tumour.

    Oedema keeps to white matter, of which `white` [n] is the share.
    """
    masses = draw_masses(subject)
    if not masses:
        return None
    rough = sample(smooth_noise(subject.rng(_SHAPE), 18, 1)[0], field_grid()[0], points)
    core, solid, swollen = (np.zeros(points.shape[1], dtype=np.float32) for _ in range(3))
    for mass in masses:
        centre = np.array(mass.centre, dtype=np.float32)[:, None]
        distance = np.sqrt(np.sum((points - centre) ** 2, axis=0)) * (1 + np.float32(0.2) * rough)
        for share, radius in ((core, mass.core), (solid, mass.enhancing), (swollen, mass.oedema)):
            if radius > 0:
                np.maximum(share, np.clip((radius - distance) / _SOFT_MM + 0.5, 0, 1), out=share)
    swollen *= np.clip(2 * white, 0, 1)
    return np.stack([core, np.maximum(solid - core, 0), np.maximum(swollen - solid, 0)]).astype(np.float32)


def _small(rng: np.random.Generator) -> Mass:
    solid = rng.uniform(2.5, 6)
    return _mass(_pick(rng, _junction()), max(solid - 4, 0), solid, solid + rng.uniform(0, 6))


@lru_cache(maxsize=1)
def _deep_white() -> Points:
    template = load_template()
    points = np.argwhere(template.white > 0.95) + template.grid.low
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    return np.asarray(points[(x > 20) & (x < 42) & (y > -65) & (y < 38) & (z > -5) & (z < 42)])


@lru_cache(maxsize=1)
def _junction() -> Points:
    """Where grey meets white matter, at which most metastases lodge."""
    template = load_template()
    points = np.argwhere(np.abs(template.white - 0.5) < 0.1) + template.grid.low
    return np.asarray(points[(np.abs(points[:, 0]) > 12) & (np.abs(points[:, 0]) < 55) & (points[:, 2] > -15)])


@lru_cache(maxsize=1)
def _surface() -> Points:
    """The convexity of the brain."""
    template = load_template()
    brain = template.brain > 0.5
    points = np.argwhere(brain & ~ndimage.binary_erosion(brain, iterations=2)) + template.grid.low
    return np.asarray(points[(np.abs(points[:, 0]) > 18) & (points[:, 2] > 15)])


def _pick(rng: np.random.Generator, sites: Points) -> Points:
    return np.asarray(sites[int(rng.integers(len(sites)))], dtype=np.float64)


def _mass(centre: Points, core: float, enhancing: float, oedema: float) -> Mass:
    place = (float(centre[0]), float(centre[1]), float(centre[2]))
    return Mass(place, float(core), float(enhancing), float(oedema))
