"""The tissues of one synthetic person at the voxels of an image."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from braindino.phantom.anatomy import Anatomy, displacement, draw_anatomy, temporal_loss
from braindino.phantom.cohort import Subject
from braindino.phantom.template import Array, field_grid, load_template, sample, smooth_noise
from braindino.phantom.tumour import tumour_shares

_LESION_SHAPE = 5  # purpose of a random stream


@dataclass(frozen=True)
class Frame:
    """The voxel grid of an image (axes towards right, anterior, superior): first voxel at `low` mm.

    In a `registered` image everybody lies straight and centred, as an atlas does.
    """

    shape: tuple[int, int, int]
    low: tuple[float, float, float]
    spacing: float
    registered: bool = False

    @property
    def affine(self) -> npt.NDArray[np.float64]:
        """Voxel indices to mm, 4 x 4."""
        affine = np.diag([self.spacing, self.spacing, self.spacing, 1.0])
        affine[:3, 3] = self.low
        return affine

    def axes(self) -> list[Array]:
        """The coordinates along each axis, mm."""
        return [(self.low[a] + self.spacing * np.arange(self.shape[a])).astype(np.float32) for a in range(3)]


@dataclass(frozen=True)
class Tissues:
    """What is where, at the voxels `voxels` (flat indices into the image) that may belong to the brain.

    `points` [3, n] are template coordinates after all deformation; the rest are shares 0..1 [n] except
    `texture`. `lesion` is what a rater would outline, `abnormal` how much lesions and tiny foci change the
    signal. `tumour` [3, n] are the shares of a tumour's parts, for people who have one.
    """

    voxels: npt.NDArray[np.int64]
    points: Array
    grey: Array
    white: Array
    fluid: Array
    brain: Array
    texture: Array
    lesion: Array
    abnormal: Array
    tumour: Array | None = None


@lru_cache(maxsize=2)
def tissues_of(subject: Subject, frame: Frame) -> Tissues:
    """The tissues of a person on a grid; kept for the person's next contrast."""
    template, anatomy = load_template(), draw_anatomy(subject)
    upright = to_template(anatomy, frame).reshape(3, -1)
    voxels = np.flatnonzero(template.is_near(upright))
    points = deform(subject, upright[:, voxels])
    brain = sample(template.brain, template.grid, points)
    kept = brain > 0.02
    voxels, points, brain = voxels[kept], points[:, kept], brain[kept]
    grey, white, texture = (
        sample(values, template.grid, points) for values in (template.grey, template.white, template.texture)
    )
    grey, white = _atrophy(anatomy, points, grey, white)
    fluid = np.clip(brain - grey - white, 0, 1)
    lesion, abnormal = _lesion_shares(subject, anatomy, points) * np.clip(4 * (grey + white) - 2, 0, 1)
    tumour = tumour_shares(subject, points, white)
    return Tissues(voxels, points, grey, white, fluid, brain, texture, lesion, abnormal, tumour)


def to_template(anatomy: Anatomy, frame: Frame) -> Array:
    """Template coordinates [3, x, y, z] of an image's voxels: position, tilt and size undone."""
    turn, shift = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)) if frame.registered else (anatomy.turn, anatomy.shift)
    matrix = (_rotation(turn).T / np.array(anatomy.size)[:, None]).astype(np.float32)
    x, y, z = (axis - np.float32(s) for axis, s in zip(frame.axes(), shift, strict=True))
    rows = [row[0] * x[:, None, None] + row[1] * y[None, :, None] + row[2] * z[None, None, :] for row in matrix]
    return np.stack(rows)


def deform(subject: Subject, points: Array) -> Array:
    """Where in the template each point [3, n] of a person comes from."""
    grid, _ = field_grid()
    field = displacement(subject, draw_anatomy(subject))
    return points - np.stack([sample(component, grid, points) for component in field])


def _atrophy(anatomy: Anatomy, points: Array, grey: Array, white: Array) -> tuple[Array, Array]:
    """Turns tissue into fluid: at the edges of sulci with age, medial temporally with the diagnosis."""
    tissue = np.clip(grey + white, 0, 1)
    # Only where tissue already shares its voxel with fluid does a higher threshold take any of it away: at
    # the edges.
    left = np.clip((tissue - anatomy.thinning) / (1 - anatomy.thinning), 0, 1) / np.maximum(tissue, 1e-3)
    left = left * (1 - temporal_loss(anatomy, points))
    return (grey * left).astype(np.float32), (white * np.maximum(left, 0.6)).astype(np.float32)


def _lesion_shares(subject: Subject, anatomy: Anatomy, points: Array) -> Array:
    """The shares `lesion` and `abnormal` [2, n] of white matter at template points [3, n]."""
    shares = np.zeros((2, points.shape[1]), dtype=np.float32)
    rough = _roughness(subject, points) if anatomy.lesions else None
    for lesion in (*anatomy.lesions, *anatomy.foci):
        # One axis first: most points are far away already along it.
        near = np.flatnonzero(np.abs(points[2] - np.float32(lesion.centre[2])) < 2 * lesion.radius)
        distance = np.sqrt(np.sum((points[:, near] - np.array(lesion.centre, dtype=np.float32)[:, None]) ** 2, axis=0))
        labelled = lesion in anatomy.lesions
        if labelled and rough is not None:
            distance = distance * rough[near]
        share = np.clip((lesion.radius - distance) / 2 + 0.5, 0, 1)
        if labelled:
            shares[0, near] = np.maximum(shares[0, near], share)
        shares[1, near] = np.maximum(shares[1, near], lesion.strength * share)
    return shares


def _roughness(subject: Subject, points: Array) -> Array:
    noise = smooth_noise(subject.rng(_LESION_SHAPE), 18, 1)[0]
    return np.asarray(1 + 0.3 * sample(noise, field_grid()[0], points), dtype=np.float32)


def _rotation(turn: tuple[float, float, float]) -> npt.NDArray[np.float64]:
    (cx, cy, cz), (sx, sy, sz) = np.cos(turn), np.sin(turn)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x, dtype=np.float64)
