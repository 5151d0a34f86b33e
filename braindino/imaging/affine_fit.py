"""The template fitted to a head by an affine map, from hundreds of starting positions.

The fit maximises the mutual information between what a point is in the template (a band of brightness of the brain,
or the rim around it) and how bright it is in the scan, as a share of the entropy of the former (Theil's uncertainty
coefficient). It knows nothing of which tissue is bright, so one template serves all contrasts. Points are few
(thousands, not voxels), so many starts can be tried: a single one from the centre of gravity fails on heads with a
neck. Brains have skin over them, and their proportions vary little: both are part of the score, or else the template
settles on the scalp, where the brightness changes most, or deep inside.
"""

import numpy as np
from scipy import ndimage, optimize

from braindino.imaging.head import LEVELS, SKIN_MM, WORK_MM, Head
from braindino.imaging.template import POINT_CLASSES, template

_SEARCH_POINTS, _COARSE_POINTS, _FINE_POINTS = 2000, 3000, 8000
_CANDIDATES, _FINALISTS = 8, 3
_HEAD_AREA_MM2 = 1500.0
_TOP_MM = 90.0

# Log scales about their mean: life is narrower and lower than the template (Lancaster et al., Hum Brain Mapp 28
# (2007) 1194-1205).
_USUAL_SHAPE = np.array([-0.03, 0.06, -0.03])
_SHAPE_SPREAD, _SHEAR_SPREAD, _SIZE_SPREAD = 0.07, 0.06, 0.06
_SIZES = (-0.5, 0.0)  # mean log scales of infants and of the largest adults; beyond, the score falls
_SHAPE_WEIGHT, _SIZE_WEIGHT, _SKIN_WEIGHT = 0.004, 0.01, 0.3
_OVER_BRAIN_MM = 3.0  # so near the brain everything is well under the skin
# Half of the brain's vault lies so deep under the skin; beyond, the score falls. Skull and scalp of children are half
# as thick as an adult's, and what a fit takes for the brain is a little smaller than life.
_DEPTHS_MM, _DEPTH_SPREAD_MM, _DEPTH_WEIGHT = (9.0, 21.0), 5.0, 0.01
_HOPELESS = 0.02
_CLEARLY_GOOD = 0.18  # no second place is then tried

# Step sizes of the optimiser, per parameter: mm, radians, log scale, shear.
_COARSE_STEPS = np.array([8, 8, 8, 0.12, 0.08, 0.08, 0.08])
_FINE_STEPS = np.array([3, 3, 3, 0.05, 0.05, 0.05, 0.04, 0.04, 0.04, 0.04, 0.04, 0.04])


def fit_affine(head: Head) -> tuple[float, np.ndarray]:
    """The best score and its 12 parameters: translation mm, rotation radians, log scales, shears.

    A template point x (relative to the template's centre) lies at `linear_part(p) @ x + p[:3]` in the scan's world.
    """
    begin = starts(head)
    scores = [_score(head, start, head.coarse, _SEARCH_POINTS) for start in begin]
    candidates = [begin[i] for i in np.argsort(scores)[::-1][:_CANDIDATES]]
    rough = [_climb(head, start, _COARSE_STEPS, head.coarse, _COARSE_POINTS, 250) for start in candidates]
    finalists = _distinct(sorted(rough, key=lambda found: -found[0]))
    fits = []
    for place in finalists:
        start = np.concatenate([place[:6], place[6] + _USUAL_SHAPE, np.zeros(3)])
        fits.append(_climb(head, start, _FINE_STEPS, head.fine, _FINE_POINTS, 900))
        if fits[-1][0] >= _CLEARLY_GOOD:
            break
    return max(fits, key=lambda found: found[0])


def linear_part(parameters: np.ndarray) -> np.ndarray:
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


def mean_scale(parameters: np.ndarray) -> float:
    """How large the brain is over the template, the geometric mean of the three axes."""
    return float(np.exp(parameters[6:9].mean()))


def starts(head: Head) -> list[np.ndarray]:
    """Where the brain may be: under the top of the head, tilted by up to 25 degrees, of infant to adult size."""
    area = head.body.sum(axis=(0, 1)) * WORK_MM**2
    slices = np.flatnonzero(area > _HEAD_AREA_MM2)
    top = int(slices[-1]) if len(slices) else len(area) - 1
    upper = head.body[:, :, max(0, top - int(_TOP_MM / WORK_MM)) : top + 1]
    middle = [np.flatnonzero(upper.any(axis=axes))[[0, -1]].mean() for axes in ((1, 2), (0, 2))]
    x, y, z = head.low + WORK_MM * np.array([*middle, top])
    return [
        np.array([x, y + forward * np.exp(scale), z - below * np.exp(scale), pitch, 0, 0, scale])
        for pitch in np.radians([-25, -12, 0, 12, 25])
        for below in (60, 75, 90, 105)
        for forward in (-22, -8, 6, 20)
        for scale in (-0.45, -0.3, -0.17, -0.05)
    ]


def _score(head: Head, parameters: np.ndarray, image: np.ndarray, n_points: int) -> float:
    """The uncertainty coefficient of the template's classes given the scan's brightness, less what is implausible."""
    known = template()
    points = known.points[:n_points] @ linear_part(parameters).T + parameters[:3]
    places, classes = ((points - head.low) / WORK_MM).T, known.point_classes[:n_points]
    values = ndimage.map_coordinates(image, places, order=1, mode="constant", cval=0.0)
    counts = np.bincount(classes * LEVELS + np.searchsorted(head.levels, values), minlength=POINT_CLASSES * LEVELS)
    told = uncertainty_coefficient(counts.reshape(POINT_CLASSES, LEVELS))
    over = known.point_distances[:n_points]
    near = (over > 0) & (over < _OVER_BRAIN_MM)
    depth = ndimage.map_coordinates(head.depth, places[:, near], order=1, mode="nearest")
    return told - _misplaced(depth, known.points[:n_points][near][:, 2] > 0) - _implausible(parameters)


def _misplaced(depth: np.ndarray, vault: np.ndarray) -> float:
    """What a place costs: with parts in the air, or with a vault just under the skin or far from it."""
    in_air = 1 - float(np.minimum(depth, SKIN_MM).mean()) / SKIN_MM
    usual = float(np.median(depth[vault])) if vault.any() else _DEPTHS_MM[0]
    beyond = max(0.0, _DEPTHS_MM[0] - usual, usual - _DEPTHS_MM[1])
    return _SKIN_WEIGHT * in_air + _DEPTH_WEIGHT * (beyond / _DEPTH_SPREAD_MM) ** 2


def _implausible(parameters: np.ndarray) -> float:
    """What a size or a shape that brains do not have costs."""
    scales = parameters[6:9]
    mean = float(scales.mean())
    beyond = max(0.0, mean - _SIZES[1], _SIZES[0] - mean)
    cost = _SIZE_WEIGHT * (beyond / _SIZE_SPREAD) ** 2
    if len(parameters) == 12:
        odd = float((((scales - mean) - _USUAL_SHAPE) ** 2).sum()) / _SHAPE_SPREAD**2
        cost += _SHAPE_WEIGHT * (odd + float((parameters[9:] ** 2).sum()) / _SHEAR_SPREAD**2)
    return cost


def uncertainty_coefficient(counts: np.ndarray) -> float:
    """Theil's uncertainty coefficient, 0 to 1, of the rows of a table of counts given its columns."""
    joint = counts / max(float(counts.sum()), 1e-12)
    by_row = _entropy(joint.sum(axis=1))
    return (by_row + _entropy(joint.sum(axis=0)) - _entropy(joint)) / by_row if by_row > 0 else 0.0


def _climb(
    head: Head, start: np.ndarray, steps: np.ndarray, image: np.ndarray, n_points: int, evaluations: int
) -> tuple[float, np.ndarray]:
    """Powell's method from one start: it needs no gradient, which binned scores do not have."""
    found = optimize.minimize(
        lambda x: -_score(head, start + x * steps, image, n_points), np.zeros(len(start)), method="Powell",
        options={"maxfev": evaluations, "xtol": 0.05, "ftol": 1e-5},
    )  # fmt: skip
    return -float(found.fun), start + found.x * steps


def _distinct(found: list[tuple[float, np.ndarray]]) -> list[np.ndarray]:
    """The best few that are not the same place again; of a hopeless lot the first alone."""
    chosen: list[np.ndarray] = []
    for score, place in found:
        if chosen and score < _HOPELESS:
            break
        if all(np.linalg.norm((place - other)[:3]) > 6 or abs(place[6] - other[6]) > 0.06 for other in chosen):
            chosen.append(place)
    return chosen[:_FINALISTS]


def _entropy(shares: np.ndarray) -> float:
    positive = shares[shares > 0]
    return -float((positive * np.log(positive)).sum())
