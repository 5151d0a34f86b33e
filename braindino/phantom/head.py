"""A synthetic skull, scalp, face and neck: good enough that software must find the brain in it."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from braindino.phantom.template import FIELD_MM, Array, Grid, field_grid, load_template, offset, sample

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class HeadSignal:
    """Signal of what is not brain, white matter of a T1w being 1."""

    fat: float
    muscle: float
    bone: float
    marrow: float
    skin: float
    fluid: float
    eye: float
    cord: float


HEAD_SIGNALS = {
    "T1w": HeadSignal(fat=1.15, muscle=0.5, bone=0.06, marrow=0.7, skin=0.6, fluid=0.26, eye=0.3, cord=0.85),
    "T1c": HeadSignal(fat=1.15, muscle=0.58, bone=0.06, marrow=0.75, skin=0.7, fluid=0.34, eye=0.3, cord=0.85),
    "T2w": HeadSignal(fat=0.8, muscle=0.25, bone=0.05, marrow=0.45, skin=0.4, fluid=1.0, eye=1.0, cord=0.5),
    "FLAIR": HeadSignal(fat=0.75, muscle=0.3, bone=0.05, marrow=0.4, skin=0.4, fluid=0.14, eye=0.2, cord=0.6),
    "PD": HeadSignal(fat=1.0, muscle=0.7, bone=0.07, marrow=0.6, skin=0.7, fluid=0.86, eye=0.9, cord=0.85),
}

# Shapes in template space, mm: centre and radii of ellipsoids, chosen by eye.
_FACE = ((0, 42, -62), (60, 58, 62))
_NOSE = ((0, 98, -52), (13, 16, 20))
_NASAL_CAVITY = ((0, 68, -58), (13, 26, 18))
_PHARYNX = ((0, 26, -100), (11, 9, 34))
_SINUSES = (((-32, 58, -68), (12, 13, 12)), ((32, 58, -68), (12, 13, 12)))
_EYES = (((-32, 64, -36), (12, 12, 12)), ((32, 64, -36), (12, 12, 12)))
_NECK_CENTRE, _NECK_RADII, _NECK_TOP = (0, -28), (56, 60), -62
_CORD = (0, -46)  # x and y of the spinal canal below the template


def head_signal(points: Array, signals: HeadSignal, tissue_noise: Array) -> tuple[Array, Mask]:
    """Noise-free signal [n] of all but brain at template points [3, n], and which points are in the head.

    `tissue_noise` [n] (mean square 1) mixes muscle with fat.
    """
    grid, _ = field_grid()
    surface, brain = _distances()
    depth, beyond = sample(surface, grid, points), sample(brain, grid, points)
    signal = np.full(points.shape[1], signals.muscle, dtype=np.float32)
    signal += np.float32(signals.fat - signals.muscle) * np.clip(0.5 * tissue_noise - 0.3, 0, 1)
    signal[(depth > 2) & (depth < 6)] = signals.fat
    canal = np.hypot(points[0] - _CORD[0], points[1] - _CORD[1])
    below = points[2] < -66
    signal[below & (canal < 17) & (points[1] > _CORD[1] - 5)] = signals.marrow  # vertebrae
    signal[below & (canal < 9)] = signals.fluid
    signal[below & (canal < 5)] = signals.cord
    _skull(signal, signals, beyond, depth, points)
    for centre, radii in _EYES:
        signal[_inside(points, centre, radii) & (beyond > 6)] = signals.eye
    for centre, radii in (_NASAL_CAVITY, _PHARYNX, *_SINUSES):
        signal[_inside(points, centre, radii) & (beyond > 6)] = 0
    signal[depth <= 2] = signals.skin
    within = depth > 0
    return np.where(within, signal, 0).astype(np.float32), within


def _skull(signal: Array, signals: HeadSignal, beyond: Array, depth: Array, points: Array) -> None:
    """Paints fluid, bone, marrow and bone outwards from the brain, thinner at the base of the skull."""
    thick = np.clip((points[2] + 50) / 30, 0.4, 1)
    out = beyond / thick
    signal[(out < 9) & (depth > 2)] = signals.bone
    signal[(out > 3.5) & (out < 6.5) & (depth > 4)] = signals.marrow
    signal[beyond < 1.8] = signals.fluid


@lru_cache(maxsize=1)
def _distances() -> tuple[Array, Array]:
    """On the field grid, mm: depth under the skin (negative in air) and distance outside the brain."""
    _, shape = field_grid()
    points = offset((0.0, 0.0, 0.0)).reshape(3, -1)
    template = load_template()
    outside = 2 * _far(template.brain[::2, ::2, ::2])
    # The field grid reaches beyond the template; what lies outside is at least as far as the border it
    # passed.
    low, high = template.grid.low, template.grid.low + 2 * (np.array(outside.shape) - 1)
    clipped = np.clip(points, low[:, None] + 0.01, high[:, None] - 0.01).astype(np.float32)
    excess = np.sqrt(np.sum((points - clipped) ** 2, axis=0))
    brain = (sample(outside, Grid(template.grid.low, 2.0), clipped) + excess).reshape(shape).astype(np.float32)
    hull = ndimage.binary_closing(np.pad(brain < 2, 8), iterations=6)[8:-8, 8:-8, 8:-8]
    cranium = ndimage.distance_transform_edt(~hull) * FIELD_MM < 13
    x, y, z = points
    neck = np.hypot((x - _NECK_CENTRE[0]) / _NECK_RADII[0], (y - _NECK_CENTRE[1]) / _NECK_RADII[1]) < 1
    solid = cranium.ravel() | _inside(points, *_FACE) | _inside(points, *_NOSE) | (neck & (z < _NECK_TOP))
    padded = np.pad(solid.reshape(shape), ((4, 4), (4, 4), (4, 4)), mode="edge")  # the neck goes on below
    soft = ndimage.gaussian_filter(padded.astype(np.float32), 1.5) > 0.5
    signed = ndimage.distance_transform_edt(soft) - ndimage.distance_transform_edt(~soft)
    signed = ndimage.gaussian_filter(signed.astype(np.float32), 1) * FIELD_MM
    return signed[4:-4, 4:-4, 4:-4].astype(np.float32), brain


def _far(brain: Array) -> Array:
    return np.asarray(ndimage.distance_transform_edt(brain <= 0.5), dtype=np.float32)


def _inside(points: Array, centre: tuple[int, int, int], radii: tuple[int, int, int]) -> Mask:
    scaled = (points - _column(centre)) / _column(radii)
    return np.asarray(np.sum(scaled**2, axis=0) < 1)


def _column(values: tuple[int, int, int]) -> Array:
    return np.array(values, dtype=np.float32)[:, None]
