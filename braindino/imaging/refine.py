"""From an affine fit to the brain's own outline: the template is bent until its classes explain the scan.

Each voxel near the brain pulls the template towards where the class that lies there is the likeliest for the voxel's
brightness; the likelihoods are learned from the scan itself (point-wise mutual information, as in Rogelj et al.,
Comput Vis Image Underst 90 (2003) 112-140), the pulls are smoothed and so is the displacement they add up to (as in
Thirion's demons, Med Image Anal 2 (1998) 243-260). The bent surface follows the cortex into its
folds; masks of brains by convention bridge them and hold the fluid over them, so the outline is looked for half way
between the affine fit, which is smooth, and the bent one (see `outline`).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import ndimage

from braindino.imaging.affine_fit import linear_part, mean_scale, uncertainty_coefficient
from braindino.imaging.head import LEVELS, WORK_MM, Head
from braindino.imaging.outline import MARGIN_MM, Shown, find_outline
from braindino.imaging.template import BANDS, N_CLASSES, REACH_MM, local_mean, template
from braindino.imaging.volume import Volume

_MM = 3.0  # grid of the displacement, in the template's space
GRID_ML = _MM**3 / 1000  # a voxel of it, in the template's own millilitres
_COIL_MM = 30.0
# Rounds of steps: how many, smoothing of the pulls and of the displacement (mm), and how far a pull looks (mm).
_ROUNDS = ((8, 9.0, 10.0, 3.0), (8, 7.0, 8.0, 2.0), (8, 6.0, 6.0, 1.5))
_STEP_MM = 1.0
_BORDER_MM = 3.0  # details so near the brain's surface are the surface itself


@dataclass(frozen=True)
class Refined:
    """The bent template: `outside` [x, y, z] (mm of the template's grid, negative in the brain) and how well it fits.

    `score` is the uncertainty coefficient of all classes near the brain, `detail` that of what is brighter or
    darker than its surroundings within the brain (folds and nuclei; a bottle of water has none), `agreement` the Dice
    of the outline with what it was before the template was bent, `moved_mm` the mean displacement.
    """

    outside: np.ndarray
    score: float
    detail: float
    agreement: float
    moved_mm: float


def refine(head: Head, parameters: np.ndarray) -> Refined:
    """Bends the template, placed by the 12 parameters of `affine_fit`, to a head."""
    low, places = _grid()
    image, seen = _in_template_space(head, parameters, low, places.shape[1:])
    near = _distance(places) < REACH_MM
    used = near & seen
    moved = np.zeros_like(places)
    levels = np.zeros(image.shape, dtype=np.int64)
    for steps, pull_mm, stiff_mm, look in _ROUNDS:
        levels = _levels(_even(image, places + moved, seen), used)
        for _ in range(steps):
            pull = _pull(places + moved, levels, used, look, pull_mm)
            strongest = float(np.quantile(np.sqrt((pull[:, used] ** 2).sum(axis=0)), 0.98))
            moved += pull * np.float32(_STEP_MM / max(strongest, 1e-6))
            for axis in range(3):
                moved[axis] = ndimage.gaussian_filter(moved[axis], stiff_mm / _MM / np.sqrt(steps), truncate=3)
    bent = places + moved
    counts = _counts(_classes(bent)[used], levels[used])
    length = float(np.sqrt((moved[:, near] ** 2).sum(axis=0)).mean())
    plain = _distance(places)
    half_way = (plain + _distance(bent)) / 2
    scale = mean_scale(parameters)
    margin = MARGIN_MM / scale
    before, after = plain <= margin, half_way <= margin
    agreement = 2 * float((before & after).sum()) / max(1.0, float(before.sum() + after.sum()))
    shown = Shown(_even(image, bent, seen), _classes(bent), seen, _grid()[1][2], _MM)
    outline = find_outline(half_way, shown, scale)
    detail = _detail(image, bent, used)
    return Refined(outline, uncertainty_coefficient(counts), detail, agreement, length)


def _detail(image: np.ndarray, places: np.ndarray, used: np.ndarray) -> float:
    """The uncertainty coefficient of the template's details given the scan's, away from the brain's border."""
    distance = _distance(places)
    brain, deep = used & (distance < 0), used & (distance < -_BORDER_MM)
    if not deep.any():
        return 0.0
    shown = image - local_mean(image, brain, _MM)
    levels = np.searchsorted(np.quantile(shown[deep], np.linspace(0, 1, LEVELS + 1)[1:-1]), shown[deep])
    counts = _counts(_looked_up(template().details, places)[deep], levels)
    return uncertainty_coefficient(counts[:BANDS])


def onto_scan(volume: Volume, parameters: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """The outline on the scan's own voxels, bool [x, y, z]; voxels thinner than 3 mm see it interpolated."""
    known = template()
    back = np.linalg.inv(linear_part(parameters))
    to_template = np.eye(4)
    to_template[:3, :3], to_template[:3, 3] = back, known.centre - back @ parameters[:3]
    to_grid = np.diag([1 / _MM, 1 / _MM, 1 / _MM, 1.0])
    to_grid[:3, 3] = -known.low / _MM
    voxel = to_grid @ to_template @ volume.affine
    carried = ndimage.affine_transform(
        outside, voxel[:3, :3], voxel[:3, 3], volume.data.shape, order=1, mode="constant", cval=REACH_MM
    )
    return np.asarray(carried <= 0)


@lru_cache(maxsize=1)
def _grid() -> tuple[np.ndarray, np.ndarray]:
    """The grid's first point and all its points [3, x, y, z], mm of the template."""
    known = template()
    count = (np.array(known.classes.shape) - 1) // _MM + 1
    axes = [known.low[axis] + _MM * np.arange(int(count[axis])) for axis in range(3)]
    return known.low, np.stack(np.meshgrid(*axes, indexing="ij")).astype(np.float32)


def _in_template_space(
    head: Head, parameters: np.ndarray, low: np.ndarray, shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """The scan on the template's grid, and which of it lies in the field of view."""
    linear = linear_part(parameters)
    matrix = linear * _MM / WORK_MM
    offset = (linear @ (low - template().centre) + parameters[:3] - head.low) / WORK_MM
    image = ndimage.affine_transform(head.fine, matrix, offset, shape, order=1)
    seen = ndimage.affine_transform(np.ones(head.fine.shape, np.float32), matrix, offset, shape, order=1) > 0.99
    return image, seen


def _even(image: np.ndarray, places: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The image over a smooth field: how much brighter its brain is there than its classes are on average."""
    classes = _classes(places)
    brain = (classes < BANDS) & seen
    if not brain.any():
        return image
    total = np.bincount(classes[brain], minlength=BANDS)
    mean = np.bincount(classes[brain], image[brain], minlength=BANDS) / np.maximum(total, 1)
    expected = np.where(brain, mean[np.minimum(classes, BANDS - 1)], 0).astype(np.float32)
    shown = np.where(brain, np.minimum(image, np.quantile(image[brain], 0.99)), 0).astype(np.float32)
    width = _COIL_MM / _MM
    wanted, had = ndimage.gaussian_filter(expected, width), ndimage.gaussian_filter(shown, width)
    little = 0.02 * float(wanted.max())
    even: np.ndarray = image / np.clip((had + little) / (wanted + little), 0.4, 2.5)
    return even


def _levels(image: np.ndarray, used: np.ndarray) -> np.ndarray:
    borders = np.quantile(image[used], np.linspace(0, 1, LEVELS + 1)[1:-1])
    return np.searchsorted(borders, image)


def _pull(places: np.ndarray, levels: np.ndarray, used: np.ndarray, look: float, smooth_mm: float) -> np.ndarray:
    """Per grid point, in which direction the template's class grows likelier, smoothed, float32 [3, x, y, z]."""
    told = _log_likelihoods(_counts(_classes(places)[used], levels[used]))
    pull = np.zeros_like(places)
    for axis in range(3):
        ahead, behind = places.copy(), places.copy()
        ahead[axis] += look
        behind[axis] -= look
        gain = told[_classes(ahead), levels] - told[_classes(behind), levels]
        pull[axis] = ndimage.gaussian_filter(np.where(used, gain, 0), smooth_mm / _MM, truncate=3)
    return pull


def _counts(classes: np.ndarray, levels: np.ndarray) -> np.ndarray:
    cells = classes.astype(np.int64) * LEVELS + levels
    return np.bincount(cells, minlength=N_CLASSES * LEVELS).reshape(N_CLASSES, LEVELS)


def _log_likelihoods(counts: np.ndarray) -> np.ndarray:
    """How much likelier a level is in a class than anywhere, log, float32 [classes, levels]."""
    smooth = ndimage.gaussian_filter1d(counts.astype(np.float64), 1.0, axis=1, mode="nearest")
    by_class = smooth / np.maximum(smooth.sum(axis=1, keepdims=True), 1)
    anywhere = smooth.sum(axis=0) / max(float(smooth.sum()), 1)
    told: np.ndarray = np.log((by_class + 0.003) / (anywhere + 0.003)).astype(np.float32)
    return told


def _classes(places: np.ndarray) -> np.ndarray:
    return _looked_up(template().classes, places)


def _looked_up(volume: np.ndarray, places: np.ndarray) -> np.ndarray:
    """A volume of the template at points [3, ...], nearest voxel."""
    low = template().low
    index = [
        np.clip(np.rint(places[axis] - low[axis]).astype(np.int32), 0, volume.shape[axis] - 1) for axis in range(3)
    ]
    found: np.ndarray = volume[index[0], index[1], index[2]]
    return found


def _distance(places: np.ndarray) -> np.ndarray:
    """The template's distance from the brain at points [3, x, y, z], linear between voxels."""
    known = template()
    index = [places[axis] - np.float32(known.low[axis]) for axis in range(3)]
    found: np.ndarray = ndimage.map_coordinates(known.distance, index, order=1, mode="nearest")
    return found
