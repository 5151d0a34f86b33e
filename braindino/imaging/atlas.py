"""The brain mask of a head with its skull: the ICBM152 template is fitted to it by an affine map.

The fit maximises the mutual information between what a point is in the template (one of eight T1 intensity
bands of the brain, or the rim just outside it) and how bright it is in the scan, as a share of the entropy of
the former (Theil's uncertainty coefficient). It knows nothing of which tissue is bright, so one template
serves all contrasts; the rim, mostly skull, tells brain from scalp. Points are few (thousands, not voxels),
so hundreds of starting positions can be tried: a single start from the centre of gravity fails on heads with
a neck.
"""

import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage, optimize

from braindino.errors import Reason, ScanRefused
from braindino.imaging.grid import Grid
from braindino.imaging.resample import resample
from braindino.imaging.volume import Volume


@dataclass(frozen=True)
class AtlasLimits:
    """When a fit is believed.

    Set on 17 real heads of T1w, T2w, FLAIR and PD contrast, judged by eye: right fits scored 0.15 to 0.25,
    wrong ones and images that are no heads 0.13 at most.
    """

    lowest_score: float = 0.145
    smallest_scale: float = 0.70
    largest_scale: float = 1.15
    largest_turn_degrees: float = 45.0
    smallest_visible_share: float = 0.97
    """Share of the fitted brain that must lie inside the field of view."""


@dataclass(frozen=True)
class AtlasMask:
    """A fitted brain mask on the volume's grid, bool [x, y, z], and the score of its fit, 0 to 1."""

    voxels: np.ndarray
    score: float


@dataclass(frozen=True)
class Template:
    """The ICBM152 brain as points [n, 3] (mm, relative to its centre) with a class each, and as a mask."""

    points: np.ndarray
    classes: np.ndarray
    centre: np.ndarray
    mask: np.ndarray
    affine: np.ndarray


_TEMPLATE_FILE = "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
_WORK_MM = 2.0
_BANDS = 8  # intensity bands of the template's brain; one more class is the rim
_LEVELS = 24  # equally filled brightness levels of the scan
_RIM_MM = 8.0
_RIM_SHARE = 0.5  # of the rim's points are used, so that it does not outweigh the brain
_LOWEST_RIM_MM = -20.0  # below, the rim is neck and face, which tell nothing
_SEARCH_POINTS, _COARSE_POINTS, _FINE_POINTS = 2500, 4000, 12000
_CANDIDATES = 6
_HEAD_AREA_MM2 = 1500.0

# Log scales of adult heads: the template is a tenth larger than life (Lancaster et al. 2007).
_USUAL_SCALES = np.array([-0.15, -0.06, -0.15])
_CLEARLY_GOOD = 0.18
_HOPELESS = 0.05  # before the fine fit; right ones have 0.11 at least

# Step sizes of the optimiser, per parameter: mm, radians, log scale.
_COARSE_STEPS = np.array([8, 8, 8, 0.12, 0.08, 0.08, 0.08])
_FINE_STEPS = np.array([3, 3, 3, 0.05, 0.05, 0.05, 0.04, 0.04, 0.04, 0.04, 0.04, 0.04])


@lru_cache(maxsize=1)
def template() -> Template:
    """The template, read once per process from nilearn's package data (nilearn itself is not imported)."""
    spec = importlib.util.find_spec("nilearn")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("The atlas mask needs the ICBM152 template of nilearn; pip install nilearn.")
    image = nib.load(Path(spec.submodule_search_locations[0]) / "datasets" / "data" / _TEMPLATE_FILE)
    voxels = np.asanyarray(image.dataobj)
    mask = ndimage.binary_fill_holes(voxels > 0)
    # Points on every second voxel of the 1 mm template, with room around it for the rim.
    margin = int(_RIM_MM / _WORK_MM) + 1
    brain = np.pad(mask[::2, ::2, ::2], margin)
    smooth = np.pad(ndimage.gaussian_filter(voxels.astype(np.float32), 1.0)[::2, ::2, ::2], margin)
    near = ndimage.distance_transform_edt(~brain) * _WORK_MM <= _RIM_MM
    indices = np.argwhere(near)
    points = (indices - margin) @ (image.affine[:3, :3].T * _WORK_MM) + image.affine[:3, 3]
    inside, bright = brain[near], smooth[near]
    bands = np.quantile(bright[inside], np.linspace(0, 1, _BANDS + 1)[1:-1])
    classes = np.where(inside, np.digitize(bright, bands), _BANDS)
    rng = np.random.default_rng(1)
    kept = inside | ((points[:, 2] > _LOWEST_RIM_MM) & (rng.random(len(points)) < _RIM_SHARE))
    shuffled = rng.permutation(np.flatnonzero(kept))[:_FINE_POINTS]  # any first n are then a fair sample
    centre = points[inside].mean(axis=0)
    return Template(points[shuffled] - centre, classes[shuffled], centre, mask, image.affine)


def brain_mask(volume: Volume, limits: AtlasLimits | None = None) -> AtlasMask:
    """Fits the template to a head and returns the brain it outlines.

    Args:
        volume: a head in RAS order (see `orient.to_ras`), of any contrast.
        limits: when to believe the fit.

    Raises:
        ScanRefused: `mask_uncertain`: the fit is poor, implausible, or leaves the field of view.
    """
    head = _Head(volume)
    score, parameters = _fit(head)
    voxels = _carry_over(volume, parameters)
    _check(volume, voxels, score, parameters, limits or AtlasLimits())
    return AtlasMask(voxels, score)


class _Head:
    """A scan prepared for fitting: on a 2 mm grid, smoothed, with brightness cut into equal shares."""

    def __init__(self, volume: Volume) -> None:
        corners = np.array(list(np.ndindex(2, 2, 2))) * (np.array(volume.data.shape) - 1)
        world = corners @ volume.affine[:3, :3].T + volume.affine[:3, 3]
        self.low = world.min(axis=0)
        count = np.ceil(np.ptp(world, axis=0) / _WORK_MM).astype(int) + 1
        affine = np.diag([_WORK_MM, _WORK_MM, _WORK_MM, 1.0])
        affine[:3, 3] = self.low
        grid = Grid("axial", affine, (int(count[2]), int(count[1]), int(count[0])))
        values = resample(volume, grid, "linear").T
        values -= min(0.0, float(values.min()))
        self.mask = _foreground(values)
        self.levels = np.quantile(values[self.mask], np.linspace(0, 1, _LEVELS + 1)[1:-1])
        self.coarse = ndimage.gaussian_filter(values, 4.0 / _WORK_MM)
        self.fine = ndimage.gaussian_filter(values, 1.4 / _WORK_MM)

    def starts(self) -> list[np.ndarray]:
        """Where the brain may be: under the top of the head, tilted by up to 25 degrees, at three sizes."""
        area = self.mask.sum(axis=(0, 1)) * _WORK_MM**2
        slices = np.flatnonzero(area > _HEAD_AREA_MM2)
        top = int(slices[-1]) if len(slices) else len(area) - 1
        upper = self.mask[:, :, max(0, top - int(90 / _WORK_MM)) : top + 1]
        middle = [np.flatnonzero(upper.any(axis=axes))[[0, -1]].mean() for axes in ((1, 2), (0, 2))]
        x, y, z = self.low + _WORK_MM * np.array([*middle, top])
        return [
            np.array([x, y + forward, z - below, pitch, 0, 0, scale])
            for pitch in np.radians([-25, -12, 0, 12, 25])
            for below in (45, 60, 75, 90, 105)
            for forward in (-20, -8, 4, 16)
            for scale in (-0.25, -0.12, 0.0)
        ]

    def score(self, parameters: np.ndarray, image: np.ndarray, n_points: int) -> float:
        """The uncertainty coefficient of the template's classes given the scan's brightness, 0 to 1."""
        known = template()
        points = known.points[:n_points] @ _linear_part(parameters).T + parameters[:3]
        values = ndimage.map_coordinates(image, ((points - self.low) / _WORK_MM).T, order=1, mode="constant", cval=0.0)
        classes = known.classes[:n_points]
        cells = classes * _LEVELS + np.searchsorted(self.levels, values)
        joint = np.bincount(cells, minlength=(_BANDS + 1) * _LEVELS).reshape(-1, _LEVELS) / len(points)
        by_class = _entropy(joint.sum(axis=1))
        return (by_class + _entropy(joint.sum(axis=0)) - _entropy(joint)) / by_class


def _fit(head: _Head) -> tuple[float, np.ndarray]:
    """The best score and its 12 parameters: translation mm, rotation radians, log scales, shears."""
    starts = head.starts()
    scores = [head.score(start, head.coarse, _SEARCH_POINTS) for start in starts]
    candidates = [starts[i] for i in np.argsort(scores)[::-1][:_CANDIDATES]]
    coarse = [_climb(head, start, _COARSE_STEPS, head.coarse, _COARSE_POINTS, 250) for start in candidates]
    rough, best = max(coarse, key=lambda found: found[0])
    if rough < _HOPELESS:
        return rough, np.concatenate([best[:6], np.full(3, best[6]), np.zeros(3)])
    # A single scale may have settled on the scalp: unless the fit is good, the usual shape is tried too.
    fits = []
    for scales in (np.full(3, best[6]), _USUAL_SCALES):
        start = np.concatenate([best[:6], scales, np.zeros(3)])
        fits.append(_climb(head, start, _FINE_STEPS, head.fine, _FINE_POINTS, 900))
        if fits[-1][0] >= _CLEARLY_GOOD:
            break
    return max(fits, key=lambda found: found[0])


def _climb(
    head: _Head, start: np.ndarray, steps: np.ndarray, image: np.ndarray, n_points: int, evaluations: int
) -> tuple[float, np.ndarray]:
    """Powell's method from one start: it needs no gradient, which binned scores do not have."""
    found = optimize.minimize(
        lambda x: -head.score(start + x * steps, image, n_points), np.zeros(len(start)), method="Powell",
        options={"maxfev": evaluations, "xtol": 0.05, "ftol": 1e-5},
    )  # fmt: skip
    return -float(found.fun), start + found.x * steps


def _linear_part(parameters: np.ndarray) -> np.ndarray:
    """Rotation x scale x shear, [3, 3]; 7 parameters have one scale for all axes and no shear."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(parameters[3:6]), np.sin(parameters[3:6])
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    linear: np.ndarray = about_z @ about_y @ about_x * np.exp(parameters[6:9])
    if len(parameters) == 12:
        shear = np.eye(3)
        shear[0, 1], shear[0, 2], shear[1, 2] = parameters[9:]
        linear = linear @ shear
    return linear


def _carry_over(volume: Volume, parameters: np.ndarray) -> np.ndarray:
    """The template's mask on the volume's grid, bool [x, y, z]."""
    known = template()
    back = np.linalg.inv(_linear_part(parameters))
    to_template = np.eye(4)
    to_template[:3, :3], to_template[:3, 3] = back, known.centre - back @ parameters[:3]
    voxel = np.linalg.inv(known.affine) @ to_template @ volume.affine
    soft = ndimage.affine_transform(
        known.mask.astype(np.float32), voxel[:3, :3], voxel[:3, 3], volume.data.shape, order=1
    )
    carried: np.ndarray = soft >= 0.5
    return carried


def _check(volume: Volume, voxels: np.ndarray, score: float, parameters: np.ndarray, limits: AtlasLimits) -> None:
    scales = np.exp(parameters[6:9])
    turn = float(np.degrees(np.abs(parameters[3:6])).max())
    whole = float(template().mask.sum()) / 1000 * float(np.linalg.det(_linear_part(parameters)))
    visible = float(voxels.sum()) * volume.voxel_ml / whole
    doubts = []
    if score < limits.lowest_score:
        doubts.append(f"the fit scores {score:.2f}, below {limits.lowest_score:.2f}")
    if scales.min() < limits.smallest_scale or scales.max() > limits.largest_scale:
        doubts.append(f"the brain would be {scales.min():.2f} to {scales.max():.2f} times the template")
    if turn > limits.largest_turn_degrees:
        doubts.append(f"the head would be turned by {turn:.0f} degrees")
    if visible < limits.smallest_visible_share:
        doubts.append(f"only {visible:.0%} of the brain would lie in the field of view")
    if doubts:
        text = f"No trustworthy brain mask was found for {volume.name}: {', and '.join(doubts)}."
        advice = "Provide a brain mask, or a skull-stripped image."
        attempt = AtlasMask(voxels, score) if voxels.any() else None
        raise ScanRefused(Reason.MASK_UNCERTAIN, f"{text} {advice}", attempt)


def _foreground(values: np.ndarray) -> np.ndarray:
    """The largest body brighter than air: Otsu's threshold, opened, filled."""
    top = np.quantile(values, 0.995)
    counts, edges = np.histogram(np.clip(values, 0, top), 128)
    centres = (edges[1:] + edges[:-1]) / 2
    below, mass = np.cumsum(counts)[:-1], np.cumsum(counts * centres)
    between = (mass[-1] * below / counts.sum() - mass[:-1]) ** 2 / np.maximum(below * (counts.sum() - below), 1)
    bright = ndimage.binary_opening(values > centres[np.argmax(between)])
    labels, components = ndimage.label(bright)
    if components == 0:
        return np.ones_like(values, bool)
    largest: np.ndarray = labels == np.argmax(np.bincount(labels.ravel())[1:]) + 1
    filled: np.ndarray = ndimage.binary_fill_holes(largest)
    return filled


def _entropy(shares: np.ndarray) -> float:
    positive = shares[shares > 0]
    return -float((positive * np.log(positive)).sum())
