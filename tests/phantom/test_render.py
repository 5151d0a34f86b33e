"""What a person's traits do to the image, measured on the image."""

import numpy as np
import pytest

from braindino.errors import ConfigError
from braindino.phantom import Subject, render
from braindino.phantom.anatomy import draw_anatomy
from braindino.phantom.render import frame_for
from braindino.phantom.warp import tissues_of

SPACING = 3.0


def person(number=1, age=45.0, sex="female", diagnosis="control", lesion=False):
    return Subject(number, (11,), age, sex, diagnosis, lesion)


def fluid_share(scan, low, high):
    """The share of dark voxels of a T1w within a box of template coordinates (mm), brain only."""
    index = np.argwhere(scan.brain > 0)
    where = index @ scan.affine[:3, :3].T + scan.affine[:3, 3]
    inside = np.all((where >= low) & (where <= high), axis=1)
    values = scan.volume[tuple(index[inside].T)]
    return float(np.mean(values < 0.55 * np.median(scan.volume[scan.brain > 0])))


def test_shapes_types_and_repeatability():
    scan, again = (render(person(), "T1w", SPACING) for _ in range(2))
    assert scan.volume.dtype == np.float32
    assert scan.volume.shape == scan.brain.shape == scan.lesion.shape
    assert scan.brain.dtype == scan.lesion.dtype == np.uint8
    np.testing.assert_array_equal(scan.volume, again.volume)
    np.testing.assert_allclose(np.diag(scan.affine)[:3], SPACING)


def test_a_stripped_scan_is_zero_outside_and_at_least_one_inside():
    scan = render(person(), "FLAIR", SPACING)
    assert np.all(scan.volume[scan.brain == 0] == 0)
    assert scan.volume[scan.brain == 1].min() >= 1


def test_brains_are_of_human_size():
    volumes = [render(person(n, 20 + 8 * n, sex), "T1w", 4.0).brain.sum() * 0.064
               for n in range(1, 8) for sex in ("female", "male")]  # fmt: skip
    assert min(volumes) > 1300
    assert max(volumes) < 2000


def test_the_grid_tells_nothing_of_the_person():
    grids = [render(p, "T1w", 4.0) for p in (person(), person(2, 80, "male", "patient", True))]
    assert grids[0].volume.shape == grids[1].volume.shape
    np.testing.assert_array_equal(grids[0].affine, grids[1].affine)


def test_ventricles_grow_with_age():
    low, high = (-30, -50, 0), (30, 35, 35)
    shares = [fluid_share(render(person(age=age), "T1w", SPACING), low, high) for age in (25, 55, 85)]
    assert shares[0] < shares[1] < shares[2]


def test_men_have_larger_brains_on_average_but_not_all_of_them():
    sizes = {sex: [np.prod(draw_anatomy(person(n, sex=sex)).size) for n in range(200)] for sex in ("female", "male")}
    assert np.mean(sizes["male"]) / np.mean(sizes["female"]) == pytest.approx(1.10, abs=0.02)
    assert np.percentile(sizes["female"], 95) > np.percentile(sizes["male"], 25)


def test_the_diagnosis_hits_the_medial_temporal_lobe_hardest():
    boxes = {"temporal": ((-40, -35, -28), (40, -5, -4)), "parietal": ((-40, -90, 20), (40, -50, 60))}
    sick, well = (render(person(diagnosis=group), "T1w", SPACING) for group in ("patient", "control"))
    loss = {name: fluid_share(sick, *box) - fluid_share(well, *box) for name, box in boxes.items()}
    assert loss["temporal"] > 1.2 * loss["parietal"] > 0


@pytest.mark.parametrize(
    ("contrast", "order"),
    [
        ("T1w", "fluid grey white"),
        ("T2w", "white grey fluid"),
        ("FLAIR", "fluid white grey"),
        ("PD", "white fluid grey"),
    ],
)
def test_tissues_are_ordered_as_radiologists_know_them(contrast, order):
    subject = person()
    tissues = tissues_of(subject, frame_for(SPACING, with_skull=False))
    values = render(subject, contrast, SPACING).volume.ravel()[tissues.voxels]
    medians = [np.median(values[getattr(tissues, name) > 0.95]) for name in order.split()]
    assert medians == sorted(medians)


@pytest.mark.parametrize(("contrast", "brighter"), [("FLAIR", True), ("T2w", True), ("T1w", False)])
def test_lesions_are_where_their_mask_says(contrast, brighter):
    with_lesion = render(person(lesion=True), contrast, SPACING)
    without = render(person(lesion=False), contrast, SPACING)
    mask = with_lesion.lesion > 0
    assert 0.5 < mask.sum() * SPACING**3 / 1000 < 40  # ml
    assert np.all(with_lesion.brain[mask] == 1)
    assert not without.lesion.any()
    change = (with_lesion.volume - without.volume)[mask].mean()
    assert (change > 0) == brighter


def test_two_contrasts_of_a_person_show_the_same_brain():
    first, second = (render(person(lesion=True), contrast, 4.0) for contrast in ("T1w", "FLAIR"))
    np.testing.assert_array_equal(first.brain, second.brain)
    np.testing.assert_array_equal(first.lesion, second.lesion)
    assert not np.array_equal(first.volume, second.volume)


def test_a_head_holds_the_brain_among_other_bright_things():
    scan = render(person(), "T1w", 4.0, with_skull=True)
    outside = scan.volume[scan.brain == 0]
    assert 0.37 < np.mean(scan.volume == 0) < 0.75  # real unstripped heads measure 0.37 to 0.62
    assert np.sum(outside > np.median(scan.volume[scan.brain == 1])) > 1000
    assert np.sum(scan.volume > 0) * 0.064 > 2500  # ml: far more than a brain


def test_an_unknown_contrast_is_refused():
    with pytest.raises(ConfigError, match="FLAIR"):
        render(person(), "SWI")
