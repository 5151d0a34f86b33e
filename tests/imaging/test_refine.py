"""The template bent to a head whose shape no affine map gives."""

import numpy as np
from scipy import ndimage

from braindino.imaging import make_volume
from braindino.imaging.affine_fit import uncertainty_coefficient
from braindino.imaging.head import prepare
from braindino.imaging.refine import onto_scan, refine
from braindino.imaging.template import template
from tests.imaging.test_atlas import template_head

# Where `template_head` puts the template without a turn, as `affine_fit` says it.
SCALE = 0.88
KNOWN = np.array([0, 0, 0, 0, 0, 0, *np.log([SCALE] * 3), 0, 0, 0], dtype=float)


def known_place() -> np.ndarray:
    centre = np.array([0.0, -18.0, 0.0])
    place = KNOWN.copy()
    place[:3] = centre + SCALE * (template().centre - centre)
    return place


def test_a_bulge_is_followed_further_than_an_affine_map_can() -> None:
    head, brain = template_head(turn_degrees=0.0)
    x, y, z = (np.indices(head.data.shape)[axis] - (head.data.shape[axis] - 1) / 2 for axis in range(3))
    index = np.indices(head.data.shape).astype(np.float64)
    index[0] += 3.3 * np.exp(-((x + 18) ** 2 + y**2 + z**2) / (2 * 9.0**2))  # the left side drawn out by 10 mm
    bulging = make_volume(ndimage.map_coordinates(head.data, index, order=1), head.affine, "bulging")
    truth = ndimage.map_coordinates(brain.astype(np.float32), index, order=1) >= 0.5
    found = refine(prepare(bulging), known_place())
    side = (slice(0, 30), slice(28, 56), slice(26, 54))
    plain = onto_scan(bulging, known_place(), refine(prepare(head), known_place()).outside)
    bent = onto_scan(bulging, known_place(), found.outside)
    assert (truth & ~bent)[side].sum() < 0.75 * (truth & ~plain)[side].sum()
    assert found.moved_mm < 6


def test_a_brain_shows_details_and_its_smooth_ghost_does_not() -> None:
    head, brain = template_head(turn_degrees=0.0)
    rng = np.random.default_rng(0)
    ghost = np.where(brain, 120 + rng.normal(scale=5, size=brain.shape), head.data).astype(np.float32)
    real, empty = (refine(prepare(one), known_place()).detail for one in (head, head.with_data(ghost)))
    assert real > 0.15
    assert empty < 0.03


def test_the_uncertainty_coefficient_runs_from_nothing_to_all() -> None:
    assert uncertainty_coefficient(np.full((3, 4), 5)) < 1e-9
    assert uncertainty_coefficient(np.diag([5, 5, 5])) > 1 - 1e-9
    assert uncertainty_coefficient(np.zeros((3, 3))) == 0
