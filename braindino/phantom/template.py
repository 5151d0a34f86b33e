"""The anatomy that phantoms are grown from: the ICBM152 2009a template that nilearn carries.

The maps (T1, grey and white matter at 1 mm) are those of Fonov et al., NeuroImage 54 (2011) 313-327.
Coordinates are those of the template, in mm, towards right, anterior, superior.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
from scipy import ndimage

Array = npt.NDArray[np.float32]

FIELD_MM = 4.0  # spacing of the grid that smooth fields are kept on
FIELD_LOW = np.array([-104.0, -144.0, -136.0])
FIELD_HIGH = np.array([104.0, 116.0, 120.0])
# Mean T1 values of grey matter, white matter and CSF of the template, over the one of white matter.
T1_GREY, T1_WHITE, T1_CSF = 0.755, 1.0, 0.30
_WHITE_VALUE = 221.0


@dataclass(frozen=True)
class Grid:
    """An axis-aligned grid of template space: the first voxel at `low`, `step` mm apart."""

    low: npt.NDArray[np.float64]
    step: float

    def index(self, points: Array) -> Array:
        """Fractional voxel indices [3, n] of points [3, n] in mm."""
        return ((points - self.low[:, None].astype(np.float32)) / np.float32(self.step)).astype(np.float32)


@dataclass(frozen=True)
class Template:
    """Tissue maps at 1 mm, all float32 [x, y, z] in 0..1, on `grid`.

    `texture` is what the T1 shows beyond its tissues (deep grey nuclei, myelin), in units of white matter.
    """

    grid: Grid
    grey: Array
    white: Array
    brain: Array
    texture: Array
    near_brain: npt.NDArray[np.bool_]  # at 2 mm: within reach of the brain

    def is_near(self, points: Array) -> npt.NDArray[np.bool_]:
        """Whether points [3, n] in mm are in the brain, or so near that a deformation may move them there."""
        index = np.rint(self.grid.index(points) / 2).astype(np.int32)
        limit = np.array(self.near_brain.shape)[:, None]
        found = self.near_brain[tuple(np.clip(index, 0, limit - 1))]
        return np.asarray(found & np.all((index >= 0) & (index < limit), axis=0))


@lru_cache(maxsize=1)
def load_template() -> Template:
    """The template's maps; read once per process (about a second).

    Raises:
        FileNotFoundError: nilearn is installed without its template files.
    """
    t1, affine = _read("t1")
    margin = 14
    box = []
    for axis in range(3):
        used = np.flatnonzero(np.any(t1 > 0, axis=tuple({0, 1, 2} - {axis})))
        box.append(slice(max(used[0] - margin, 0), used[-1] + 1 + margin))
    grid = Grid(affine[:3, 3] + np.array([part.start for part in box]), 1.0)
    t1 = t1[tuple(box)] / np.float32(_WHITE_VALUE)
    grey, white = (_read(kind)[0][tuple(box)] / np.float32(255) for kind in ("gm", "wm"))
    inside = ndimage.binary_closing(t1 > 0)
    explained = T1_CSF + (T1_GREY - T1_CSF) * grey + (T1_WHITE - T1_CSF) * white
    texture = ndimage.gaussian_filter(np.where(inside, np.clip(t1 - explained, -0.2, 0.2), 0), 0.5)
    brain = ndimage.gaussian_filter(inside.astype(np.float32), 0.7)
    near = ndimage.distance_transform_edt(~inside[::2, ::2, ::2]) * 2 <= 8  # deformations move a point by less
    return Template(grid, _real(grey), _real(white), _real(brain), _real(texture), near)


@lru_cache(maxsize=1)
def field_grid() -> tuple[Grid, tuple[int, int, int]]:
    """The grid of smooth fields, and its shape; it covers a whole head."""
    shape = np.ceil((FIELD_HIGH - FIELD_LOW) / FIELD_MM).astype(int) + 1
    return Grid(FIELD_LOW, FIELD_MM), (int(shape[0]), int(shape[1]), int(shape[2]))


@lru_cache(maxsize=1)
def ventricle_field() -> Array:
    """Unit-height field [3, ...] on the field grid that points away from the ventricles and fades over 12 mm.

    Sampling the template at `y - a * field(y)` makes the ventricles `a` mm wider on each side.
    """
    template, step = load_template(), 2
    thin = (slice(None, None, step),) * 3  # half the resolution is enough for a field that is smooth over 12 mm
    depth = step * ndimage.distance_transform_edt(template.brain[thin] > 0.5)
    fluid = (template.grey[thin] + template.white[thin] < 0.5) & (depth > 22)
    labels, _ = ndimage.label(fluid)
    sizes = np.bincount(labels.ravel())[1:]
    ventricles = np.isin(labels, 1 + np.flatnonzero(sizes > 60))
    signed = ndimage.distance_transform_edt(~ventricles) - ndimage.distance_transform_edt(ventricles)
    signed = step * ndimage.gaussian_filter(signed.astype(np.float32), 1)
    direction = np.stack(np.gradient(signed, step))
    field = direction * np.exp(-np.abs(signed) / 12)
    return _to_field_grid(_real(field), Grid(template.grid.low, float(step)))


def bump(centre: tuple[float, float, float], width: float) -> Array:
    """A Gaussian of height 1 and standard deviation `width` mm around `centre`, on the field grid."""
    return _real(np.exp(-0.5 * np.sum(offset(centre) ** 2, axis=0) / width**2))


def offset(centre: tuple[float, float, float]) -> Array:
    """The vector [3, ...] from `centre` to each point of the field grid, in mm."""
    grid, shape = field_grid()
    axes = [grid.low[a] + FIELD_MM * np.arange(shape[a]) - centre[a] for a in range(3)]
    return _real(np.stack(np.meshgrid(*axes, indexing="ij")))


def smooth_noise(rng: np.random.Generator, order: int, channels: int) -> Array:
    """Random smooth fields [channels, ...] on the field grid, mean square 1: `order` cosines per axis."""
    _, shape = field_grid()
    waves = np.arange(order)
    power = np.exp(-0.5 * (waves / (0.5 * order)) ** 2)
    decay = power[:, None, None] * power[None, :, None] * power[None, None, :]
    decay[0, 0, 0] = 0  # a constant is a shift, not a shape
    field = rng.standard_normal((channels, order, order, order)) * decay
    for n in shape:  # each pass turns the first wave axis into a space axis at the end
        basis = np.cos(np.pi * np.outer(waves, np.arange(n) + 0.5) / n)
        field = np.tensordot(field, basis, axes=(1, 0))
    rms = np.sqrt(np.mean(np.square(field), axis=(1, 2, 3), keepdims=True))
    return _real(field / rms)


def sample(values: Array, grid: Grid, points: Array) -> Array:
    """Trilinear values [n] of an array on `grid` at points [3, n] in mm; 0 outside."""
    found = ndimage.map_coordinates(values, grid.index(points), order=1, output=np.float32, mode="constant")
    return np.asarray(found, dtype=np.float32)


def _real(values: npt.NDArray[np.floating[Any]]) -> Array:
    return np.asarray(values, dtype=np.float32)


def _to_field_grid(field: Array, source: Grid) -> Array:
    _, shape = field_grid()
    points = offset((0.0, 0.0, 0.0)).reshape(3, -1)
    return np.stack([sample(component, source, points).reshape(shape) for component in field])


def _read(kind: str) -> tuple[Array, npt.NDArray[np.float64]]:
    spec = find_spec("nilearn")
    folder = Path(spec.origin or "").parent if spec else Path()
    path = folder / "datasets" / "data" / f"mni_icbm152_{kind}_tal_nlin_sym_09a_converted.nii.gz"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: phantoms need the template that nilearn carries.")
    image = nibabel.load(path)
    return np.asarray(image.dataobj, dtype=np.float32), np.asarray(image.affine, dtype=np.float64)
