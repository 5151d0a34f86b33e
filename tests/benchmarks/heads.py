"""Synthetic heads around real brains: a stripped brain gets fluid, dura, skull, scalp, face and neck of random make.

The brain's own voxels stay what they were (or, for a contrast that was not scanned, are mapped through the
brightness of its three tissues); everything around them is invented, in random thickness and brightness, with a
random pose, size, field of view, coil field and noise. The truth is the brain's own non-zero voxels.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from scipy import ndimage

from braindino.imaging import Volume, make_volume
from braindino.phantom.contrast import CONTRASTS
from braindino.phantom.head import HEAD_SIGNALS, HeadSignal

_MM = 1.5  # grid on which a head is built
_MARGIN = np.array(
    [[42.0, 42.0], [45.0, 62.0], [120.0, 42.0]]
)  # mm around the brain: left/right, back/front, below/above
_HALF_BRAIN = np.array([70.0, 88.0, 70.0])  # mm; the face is placed for a brain of this size


@dataclass(frozen=True)
class Brain:
    """A stripped brain in RAS order: signal with fluid, grey and white near the contrast's own, and where it is.

    `lesion` is None where there is none, `fluid` the brightness of its fluid where that is brighter than tissue.
    """

    name: str
    volume: Volume
    mask: np.ndarray
    contrast: str
    lesion: np.ndarray | None = None
    fluid: float | None = None


@dataclass(frozen=True)
class HeadPlan:
    """What is drawn at random for one head; lengths mm, angles degrees."""

    size: float  # of the brain, over its own
    turn: tuple[float, float, float]
    spacing: tuple[float, float, float]
    below: float  # field of view below the brain
    above: float
    gap: float  # fluid over the brain
    bone: float
    scalp: float
    noise: float
    bias: float
    zero_background: bool
    defaced: bool
    seed: int
    shades: dict[str, float] = field(default_factory=dict)


def draw_plan(rng: np.random.Generator, *, thick: bool, child: bool) -> HeadPlan:
    """A random head: thick stacks of 3 to 7 mm in any plane, children down to 0.7 of an adult's size."""
    size = rng.uniform(0.70, 0.93) if child else rng.uniform(0.95, 1.05)
    fine = float(rng.uniform(0.9, 1.4))
    spacing = [fine, fine, fine]
    if thick:
        spacing = [0.9 * fine] * 3
        spacing[int(rng.choice(3, p=[0.2, 0.2, 0.6]))] = float(rng.uniform(3.0, 7.0))
    thinner = 0.6 if child else 1.0
    turn = rng.normal(0, [10, 5, 6])
    return HeadPlan(
        size=float(size),
        turn=(float(turn[0]), float(turn[1]), float(turn[2])),
        spacing=(spacing[0], spacing[1], spacing[2]),
        below=float(rng.choice([rng.uniform(3, 25), rng.uniform(25, 110)])),
        above=float(rng.uniform(4, 35)),
        gap=float(rng.uniform(0.6, 3.0)),
        bone=float(rng.uniform(4, 8)) * thinner,
        scalp=float(rng.uniform(4, 9)) * thinner,
        noise=float(rng.uniform(0.01, 0.035)),
        bias=float(rng.uniform(0.03, 0.12)),
        zero_background=bool(rng.random() < 0.4),
        defaced=bool(rng.random() < 0.3),
        seed=int(rng.integers(1 << 31)),
        shades={name: float(np.exp(rng.normal(0, 0.18))) for name in HeadSignal.__dataclass_fields__},
    )


def with_contrast(brain: Brain, contrast: str) -> Brain:
    """The brain as that contrast would show it: the brightness of fluid, grey and white matter is exchanged.

    The three are found by k-means of the brain's voxels; between them and beyond, the map is linear.
    """
    inside = brain.volume.data[brain.mask].astype(np.float64)
    known = CONTRASTS[brain.contrast]
    order = np.argsort([known.fluid, known.grey, known.white])
    means = _three_means(inside)
    wanted = CONTRASTS[contrast]
    targets = np.array([wanted.fluid, wanted.grey, wanted.white])[order]
    if contrast == brain.contrast:
        return _scaled(brain, inside, means)
    beyond = targets[2] + 0.5 * (targets[2] - targets[1])
    far = means[2] + 0.5 * (means[2] - means[1])
    mapped = np.interp(brain.volume.data, [*means, far], [*targets, beyond])
    return replace(brain, volume=brain.volume.with_data(mapped.astype(np.float32)), contrast=contrast)


def _scaled(brain: Brain, inside: np.ndarray, means: np.ndarray) -> Brain:
    """The brain with its tissue, all but fluid and what is as bright or as dark, as bright as its contrast's."""
    known = CONTRASTS[brain.contrast]
    bright_fluid = known.fluid > max(known.grey, known.white)
    tissue = inside[inside < means[1:].mean()] if bright_fluid else inside[inside > means[:2].mean()]
    scale = (known.grey + known.white) / 2 / float(np.median(tissue))
    fluid = float(means[2]) * scale if bright_fluid else None
    return replace(brain, volume=brain.volume.with_data(brain.volume.data * scale), fluid=fluid)


def with_lesions(brain: Brain, rng: np.random.Generator) -> Brain:
    """The brain with six to twelve round lesions, a third of them at its surface; both shown and known."""
    mask, spacing = brain.mask, brain.volume.spacing
    depth = ndimage.distance_transform_edt(mask, spacing)
    lesion = np.zeros_like(mask)
    deep, shallow = np.argwhere(depth > 8), np.argwhere((depth > 2) & (depth < 5))
    for number in range(int(rng.integers(6, 13))):
        sites = shallow if number % 3 == 0 else deep
        centre, radius = sites[rng.integers(len(sites))], rng.uniform(3, 9)
        low = np.maximum(centre - np.ceil(radius / spacing).astype(int), 0)
        high = centre + np.ceil(radius / spacing).astype(int) + 1
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        grid = np.moveaxis(np.indices(mask[box].shape), 0, -1) + low - centre
        lesion[box] |= ((grid * spacing) ** 2).sum(-1) < radius**2
    lesion &= mask
    share = ndimage.gaussian_filter(lesion.astype(np.float32), 0.7)
    data = brain.volume.data * (1 - share) + CONTRASTS[brain.contrast].lesion * share
    return replace(brain, volume=brain.volume.with_data(data.astype(np.float32)), lesion=lesion)


def make_head(brain: Brain, plan: HeadPlan) -> tuple[Volume, np.ndarray, np.ndarray | None]:
    """A head around a brain, and on its grid the truth (bool) and the lesions (bool, or None)."""
    rng = np.random.default_rng(plan.seed)
    low, head = _surroundings(brain, plan, rng)
    centre, half = _extent(brain)
    grid_affine, shape = _field_of_view(plan, half)
    # From a voxel of the new scan to the brain's own world: turned about its centre, and larger or smaller.
    turn = _rotation(np.radians(plan.turn))
    to_own = np.eye(4)
    to_own[:3, :3] = turn.T / plan.size
    to_own[:3, 3] = centre
    affine = to_own @ grid_affine
    to_brain = np.linalg.inv(brain.volume.affine) @ affine
    to_head = np.diag([1 / _MM] * 3 + [1.0])
    to_head[:3, 3] = -low / _MM
    to_head = to_head @ affine
    shown = _sampled(head, to_head, shape, plan)
    share = _sampled(brain.mask.astype(np.float32), to_brain, shape, plan)
    inner = _sampled(np.where(brain.mask, brain.volume.data, 0).astype(np.float32), to_brain, shape, plan)
    signal = inner + (1 - np.clip(share, 0, 1)) * shown
    signal *= np.exp(plan.bias * _smooth_noise(rng, shape, np.array(plan.spacing), 60.0))
    noise = plan.noise * rng.standard_normal((2, *shape)).astype(np.float32)
    heard = np.hypot(signal + noise[0], noise[1]).astype(np.float32)
    if plan.zero_background:
        near = ndimage.binary_closing(ndimage.gaussian_filter(signal, 1) > 0.08, iterations=3)
        heard *= ndimage.binary_fill_holes(near)
    lesion = None
    if brain.lesion is not None:
        lesion = _sampled(brain.lesion.astype(np.float32), to_brain, shape, plan) >= 0.5
    scale = float(np.exp(rng.uniform(np.log(50), np.log(3000))))
    return make_volume(heard * scale, grid_affine, f"{brain.name} in a head"), share >= 0.5, lesion


def _surroundings(brain: Brain, plan: HeadPlan, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """All but brain, painted on a 1.5 mm grid of the brain's world: its low corner, and the signal."""
    centre, half = _extent(brain)
    low = centre - half - _MARGIN[:, 0]
    shape = np.ceil((2 * half + _MARGIN.sum(axis=1)) / _MM).astype(int)
    affine = np.diag([_MM, _MM, _MM, 1.0])
    affine[:3, 3] = low
    to_brain = np.linalg.inv(brain.volume.affine) @ affine
    soft = ndimage.gaussian_filter(brain.mask.astype(np.float32), 0.7)
    inside = ndimage.affine_transform(soft, to_brain[:3, :3], to_brain[:3, 3], tuple(shape), order=1) >= 0.5
    outside = (ndimage.distance_transform_edt(~inside) * _MM).astype(np.float32)
    grown = ndimage.distance_transform_edt(outside <= 9) * _MM
    hull = grown > 9  # closed by a ball of 9 mm: the inner skull is smooth
    away = (ndimage.distance_transform_edt(~hull) * _MM).astype(np.float32)
    axes = [low[axis] + _MM * np.arange(shape[axis]) - centre[axis] for axis in range(3)]
    x, y, z = (
        a / h * s for a, h, s in zip(np.meshgrid(*axes, indexing="ij", sparse=True), half, _HALF_BRAIN, strict=True)
    )
    signals = HEAD_SIGNALS[brain.contrast]
    if brain.fluid is not None:
        signals = replace(signals, fluid=brain.fluid)
    signals = _shaded(signals, plan)
    base = np.clip((z + 45) / 40, 0.35, 1)  # the base of the skull is thin
    wave = [_smooth_noise(rng, tuple(shape), np.full(3, _MM), length) for length in (30.0, 25.0, 25.0)]
    gap = np.clip(plan.gap * (1 + 0.7 * wave[0]) + 0.8 * np.clip(z / 60, 0, 1), 0.4, None)
    bone = plan.bone * np.clip(1 + 0.35 * wave[1], 0.4, 1.8) * base
    scalp = plan.scalp * np.clip(1 + 0.35 * wave[2], 0.4, 1.8)
    skin_at = gap + 1.2 + bone + scalp
    face = _inside(x, y, z, (0, 42, -62), (58, 58, 64)) | _inside(x, y, z, (0, 98, -55), (13, 14, 20))
    neck = (np.hypot((x - 0) / 55, (y + 25) / 60) < 1) & (z < -52)
    body = (away < skin_at) | (face & ~plan.defaced) | neck
    if plan.defaced:
        body &= ~((y > 55) & (z < -28) & (away > 6))
    depth = ndimage.distance_transform_edt(np.pad(body, 1, mode="edge"))[1:-1, 1:-1, 1:-1] * _MM
    tissue = _smooth_noise(rng, tuple(shape), np.full(3, _MM), 6.0)
    fat = np.clip(0.5 * tissue, 0, 1)
    signal = signals.muscle + (signals.fat - signals.muscle) * fat
    signal = np.where((depth > 2) & (depth < 2 + plan.scalp * 0.6), signals.fat, signal)
    signal = np.where((z < -60) & (np.hypot(x, y + 40) < 17), signals.marrow, signal)  # vertebrae, canal, cord
    signal = np.where((z < -60) & (np.hypot(x, y + 40) < 9), signals.fluid, signal)
    signal = np.where((z < -55) & (np.hypot(x, y + 40) < 5), signals.cord, signal)
    inner, outer = gap + 1.2, gap + 1.2 + bone
    signal = np.where((away > inner) & (away < outer), signals.bone, signal)
    diploe = (away > inner + 0.35 * bone) & (away < inner + 0.65 * bone) & (bone > 3.5)
    signal = np.where(diploe, signals.marrow * np.clip(0.9 + 0.3 * wave[0], 0.3, 1.3), signal)
    for side in (-32, 32):
        globe = _inside(x, y, z, (side, 68, -38), (13, 13, 13)) & (away > 5)
        fatty = _inside(x, y, z, (side, 58, -38), (18, 24, 17)) & (away > 5)
        signal = np.where(globe, signals.eye, np.where(fatty, signals.fat, signal))
        air = _inside(x, y, z, (side, 55, -70), (12, 13, 13)) & (away > 5)
        signal = np.where(air, 0, signal)
    for place, radii in (((0, 68, -62), (13, 26, 17)), ((0, 26, -105), (11, 9, 36)), ((0, 76, -18), (18, 7, 12))):
        signal = np.where(_inside(x, y, z, place, radii) & (away > inner), 0.02, signal)
    dura = signals.muscle * (2.2 if brain.contrast == "T1c" else 1.0)
    signal = np.where((away <= inner) & (away > gap), dura, signal)
    sinus = (np.abs(x) < 5) & (away > 0) & (away < 7) & ((z > 20) | (y < -60)) & (np.abs(x) + away < 8)
    signal = np.where(sinus, signals.muscle * (3.0 if brain.contrast == "T1c" else 0.8), signal)
    signal = np.where((away <= gap) & ~sinus, signals.fluid, signal)
    signal = np.where(depth <= 2, signals.skin, signal)
    signal = np.where(body, signal, 0)
    return low, ndimage.gaussian_filter(signal.astype(np.float32), 0.4)


def _field_of_view(plan: HeadPlan, half: np.ndarray) -> tuple[np.ndarray, tuple[int, int, int]]:
    """A grid about the brain's centre: head-wide, with the drawn room below and above."""
    reach = half * plan.size
    turned = np.abs(_rotation(np.radians(plan.turn))) @ reach * 0.97
    low = np.array([-turned[0] - 22, -turned[1] - 20, -turned[2] - plan.below])
    high = np.array([turned[0] + 22, turned[1] + 28, turned[2] + plan.above])
    spacing = np.array(plan.spacing)
    count = np.ceil((high - low) / spacing).astype(int)
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = low
    return affine, (int(count[0]), int(count[1]), int(count[2]))


def _sampled(values: np.ndarray, affine: np.ndarray, shape: tuple[int, ...], plan: HeadPlan) -> np.ndarray:
    """Values on the scan's grid; across a thick slice the mean of four samples, as its profile blurs."""
    spacing = np.array(plan.spacing)
    axis = int(np.argmax(spacing))
    steps = 4 if spacing[axis] > 1.8 else 1
    total = np.zeros(shape, np.float32)
    for step in range(steps):
        shift = np.zeros(3)
        shift[axis] = ((step + 0.5) / steps - 0.5) * 0.9
        offset = affine[:3, 3] + affine[:3, :3] @ shift
        total += ndimage.affine_transform(values, affine[:3, :3], offset, shape, order=1)
    return total / steps


def _extent(brain: Brain) -> tuple[np.ndarray, np.ndarray]:
    """World centre of the brain's box and half its size, mm; the volume must be nearly along the axes."""
    points = np.argwhere(brain.mask)[::50]
    world = points @ brain.volume.affine[:3, :3].T + brain.volume.affine[:3, 3]
    low, high = world.min(axis=0), world.max(axis=0)
    return (low + high) / 2, (high - low) / 2


def _three_means(values: np.ndarray) -> np.ndarray:
    """Centres of three clusters of brightness, ascending (Lloyd's algorithm on a sample)."""
    sample = values[:: max(1, len(values) // 50_000)]
    centres = np.quantile(sample, [0.05, 0.4, 0.85])
    for _ in range(20):
        nearest = np.argmin(np.abs(sample[:, None] - centres), axis=1)
        centres = np.array([sample[nearest == k].mean() for k in range(3)])
    return np.sort(centres)


def _shaded(signals: HeadSignal, plan: HeadPlan) -> HeadSignal:
    return replace(signals, **{name: getattr(signals, name) * shade for name, shade in plan.shades.items()})


def _smooth_noise(rng: np.random.Generator, shape: tuple[int, ...], spacing: np.ndarray, length: float) -> np.ndarray:
    """Noise of unit spread whose bumps are about `length` mm wide."""
    coarse = np.maximum(4, np.ceil(np.array(shape) * spacing / length * 2).astype(int) + 3)
    values = ndimage.gaussian_filter(rng.standard_normal(coarse), 1.0)
    values /= values.std()
    zoom = (coarse - 1) / np.maximum(np.array(shape) - 1, 1)
    return np.asarray(ndimage.affine_transform(values.astype(np.float32), zoom, 0.0, tuple(shape), order=1))


def _inside(
    x: np.ndarray, y: np.ndarray, z: np.ndarray, at: tuple[int, int, int], radii: tuple[int, int, int]
) -> np.ndarray:
    inside: np.ndarray = ((x - at[0]) / radii[0]) ** 2 + ((y - at[1]) / radii[1]) ** 2 + (
        (z - at[2]) / radii[2]
    ) ** 2 < 1
    return inside


def _rotation(angles: np.ndarray) -> np.ndarray:
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles), np.sin(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    turned: np.ndarray = about_z @ about_y @ about_x
    return turned
