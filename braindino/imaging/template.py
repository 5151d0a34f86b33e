"""The ICBM152 brain that masks are fitted with: classes of tissue inside, shells of distance outside.

The template (Fonov et al., NeuroImage 54 (2011) 313-327) is stripped: outside its brain nothing is known but how far
away the brain is. What each shell looks like is learned from every scan anew.
"""

import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from scipy import ndimage

BANDS = 8  # intensity bands of the template's brain
SHELLS_MM = (3.0, 8.0, 14.0)  # outer borders of the shells around it, over the base of the skull
REACH_MM = SHELLS_MM[-1]
N_CLASSES = BANDS + 2 * (len(SHELLS_MM) + 1)
RIM_MM = SHELLS_MM[1]  # farther out the scalp's border with the air would outweigh the brain
POINT_CLASSES = BANDS + 2  # of the sample of points: the brain's, and the two shells of the rim
BASE_MM = -22.0  # below, everything around the brain is neck and face; shells have classes of their own there
_LOWEST_POINT_MM = -20.0  # below, the rim is neck and face, which tell nothing
_MARGIN_MM = 20
_SURROUNDINGS_MM = 8.0  # standard deviation of the window
_SHELL_SHARE = 0.5  # of the rim's points are used, so that they do not outweigh the brain
_N_POINTS = 12_000
_FILE = "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"


@dataclass(frozen=True)
class Template:
    """The template at 1 mm around its brain, in its own millimetres (right, anterior, superior).

    `low` is the position of the first voxel, `distance` (float32 [x, y, z]) mm outside the brain's surface, negative
    inside, `classes` (uint8) 0 to 7 by brightness inside and above that the shells outside, `details` (uint8) 0 to 7
    by how much brighter a voxel is than its surroundings. `points` [n, 3] are a fair sample in any first n, relative
    to `centre`; `point_classes` are 0 to 7, or 8 and 9 for the rim of 8 mm around the brain: fluid and
    dura, and from 3 mm on mostly skull; `point_distances` are as `distance`.
    """

    low: np.ndarray
    distance: np.ndarray
    classes: np.ndarray
    details: np.ndarray
    centre: np.ndarray
    points: np.ndarray
    point_classes: np.ndarray
    point_distances: np.ndarray

    @property
    def brain_ml(self) -> float:
        """The template's own brain, about a third larger than life."""
        return float((self.distance <= 0).sum()) / 1000


@lru_cache(maxsize=1)
def template() -> Template:
    """The template, read once per process; raises as `open_icbm152`."""
    image = open_icbm152()
    whole = np.asanyarray(image.dataobj).astype(np.float32)
    filled = ndimage.binary_fill_holes(whole > 0)
    ends = [np.flatnonzero(filled.any(axis=axes))[[0, -1]] for axes in ((1, 2), (0, 2), (0, 1))]
    box = tuple(slice(int(first), int(last) + 1) for first, last in ends)
    brain, bright = np.pad(filled[box], _MARGIN_MM), np.pad(whole[box], _MARGIN_MM)
    low = image.affine[:3, 3] + np.array([part.start for part in box]) - _MARGIN_MM
    distance = signed_distance(brain, 1.0)
    classes = _classes(brain, bright, distance, low[2] + np.arange(brain.shape[2]))
    centre = np.argwhere(brain).mean(axis=0) + low
    points, point_classes, point_distances = _sample(distance, classes, low)
    return Template(
        low, distance, classes, _details(brain, bright), centre, points - centre, point_classes, point_distances
    )


def open_icbm152() -> Any:
    """The ICBM152 T1 in nilearn's package data, 1 mm, stripped, its voxels not read yet; nilearn is not imported.

    Raises:
        ModuleNotFoundError: nilearn, which carries it, is not installed.
    """
    spec = importlib.util.find_spec("nilearn")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("Brain masks need the ICBM152 template of nilearn; pip install nilearn.")
    return nib.load(Path(spec.submodule_search_locations[0]) / "datasets" / "data" / _FILE)


def signed_distance(mask: np.ndarray, spacing: float) -> np.ndarray:
    """Millimetres outside the surface of a mask, negative inside, float32 of its shape."""
    outside, inside = ndimage.distance_transform_edt(~mask), ndimage.distance_transform_edt(mask)
    signed: np.ndarray = ((outside - inside + np.where(mask, 0.5, -0.5)) * spacing).astype(np.float32)
    return signed


def _classes(brain: np.ndarray, bright: np.ndarray, distance: np.ndarray, heights: np.ndarray) -> np.ndarray:
    smooth = ndimage.gaussian_filter(bright, 1.0)
    borders = np.quantile(smooth[brain], np.linspace(0, 1, BANDS + 1)[1:-1])
    shells = np.digitize(distance, SHELLS_MM) + (heights < BASE_MM)[None, None, :] * (len(SHELLS_MM) + 1)
    classes: np.ndarray = np.where(brain, np.digitize(smooth, borders), BANDS + shells).astype(np.uint8)
    return classes


def _details(brain: np.ndarray, bright: np.ndarray) -> np.ndarray:
    smooth = ndimage.gaussian_filter(bright, 1.0)
    detail = smooth - local_mean(smooth, brain, 1.0)
    borders = np.quantile(detail[brain], np.linspace(0, 1, BANDS + 1)[1:-1])
    details: np.ndarray = np.digitize(detail, borders).astype(np.uint8)
    return details


def local_mean(image: np.ndarray, inside: np.ndarray, spacing: float) -> np.ndarray:
    """The mean within about 16 mm, of the voxels inside alone, float32 of the image's shape."""
    width = _SURROUNDINGS_MM / spacing
    share = ndimage.gaussian_filter(inside.astype(np.float32), width)
    mean = ndimage.gaussian_filter(np.where(inside, image, 0).astype(np.float32), width)
    means: np.ndarray = mean / np.maximum(share, 1e-3)
    return means


def _sample(distance: np.ndarray, classes: np.ndarray, low: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points of the brain and of the rim above its base, on every second voxel, shuffled; classes and distances."""
    indices = np.argwhere(distance[::2, ::2, ::2] < RIM_MM) * 2
    points = indices + low
    inside = distance[tuple(indices.T)] <= 0
    rng = np.random.default_rng(1)
    kept = inside | ((points[:, 2] > _LOWEST_POINT_MM) & (rng.random(len(points)) < _SHELL_SHARE))
    chosen = rng.permutation(np.flatnonzero(kept))[:_N_POINTS]
    drawn = tuple(indices[chosen].T)
    return points[chosen].astype(np.float32), classes[drawn].astype(np.int64), distance[drawn]
