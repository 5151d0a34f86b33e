"""Every way a file can be stored gives the same slices: a numbered phantom, 48 flips and permutations."""

import itertools

import nibabel as nib
import numpy as np
import pytest

from braindino.imaging import Preprocessed, Recipe, Volume, make_volume, preprocess_volume
from braindino.imaging.orient import affine_of, oblique_degrees, orientation_codes, to_ras
from tests.imaging.helpers import brain_volume

RECIPE = Recipe("test", spacing_mm=4.0, canvas_ap=56, canvas_lr=48, canvas_si=48, thick_mm=20.0)
WAYS = [
    (order, flips) for order in itertools.permutations(range(3)) for flips in itertools.product((False, True), repeat=3)
]


def stored_as(volume: Volume, order: tuple[int, ...], flips: tuple[bool, ...]) -> Volume:
    """The same world, stored with other axes: what a scanner or a converter may have done."""
    data, affine = np.transpose(volume.data, order), volume.affine[:, [*order, 3]].copy()
    for axis, flip in enumerate(flips):
        if flip:
            affine[:3, 3] += affine[:3, axis] * (data.shape[axis] - 1)
            affine[:3, axis] *= -1
            data = np.flip(data, axis)
    return make_volume(data, affine, "stored")


@pytest.fixture(scope="module")
def reference() -> Preprocessed:
    return preprocess_volume(brain_volume(), RECIPE)


@pytest.mark.parametrize(("order", "flips"), WAYS)
def test_the_stored_order_does_not_matter(
    reference: Preprocessed, order: tuple[int, ...], flips: tuple[bool, ...]
) -> None:
    volume = stored_as(brain_volume(), order, flips)
    assert orientation_codes(volume.affine) == "".join(nib.aff2axcodes(volume.affine))
    result = preprocess_volume(volume, RECIPE)
    np.testing.assert_array_equal(result.image, reference.image)
    np.testing.assert_allclose(result.affine, reference.affine, atol=1e-6)
    assert result.facts.orientation == orientation_codes(volume.affine)


@pytest.mark.parametrize(("order", "flips"), WAYS[::5])
def test_to_ras_agrees_with_nibabel(order: tuple[int, ...], flips: tuple[bool, ...]) -> None:
    volume = stored_as(brain_volume(8.0), order, flips)
    oracle = nib.as_closest_canonical(nib.Nifti1Image(volume.data, volume.affine))
    ras = to_ras(volume)
    np.testing.assert_array_equal(ras.data, oracle.get_fdata())
    np.testing.assert_allclose(ras.affine, oracle.affine, atol=1e-9)


def letters() -> Volume:
    """A brain whose right, anterior and superior ends each carry their own number."""
    volume = brain_volume(4.0)
    x, y, z = np.indices(volume.data.shape)
    middle = (np.array(volume.data.shape) - 1) / 2
    data = np.where(volume.data > 0, 100.0, 0.0)
    data[(data > 0) & (x > middle[0] + 8)] = 200.0  # right
    data[(data > 0) & (y > middle[1] + 12)] = 300.0  # anterior
    data[(data > 0) & (z > middle[2] + 8)] = 400.0  # superior
    data[data > 0] -= (0.003 * (x + y + z))[data > 0]  # no two voxels quite alike: a plateau at the top is saturation
    return volume.with_data(data.astype(np.float32))


def values(result: Preprocessed) -> np.ndarray:
    stored = result.intensity.offset + result.intensity.scale * (result.image.astype(float) - 1)
    return np.where(result.brain > 0, stored, 0)


def test_axial_right_is_left_on_screen_and_anterior_is_up() -> None:
    seen = values(preprocess_volume(letters(), RECIPE))
    slices, rows, columns = seen.shape
    assert seen[slices // 2, rows // 2, :18].max() == pytest.approx(200, abs=1)  # first columns: the patient's right
    assert seen[slices // 2, rows // 2, -16:].max() == pytest.approx(100, abs=1)
    assert seen[slices // 2, :16, columns // 2].max() == pytest.approx(300, abs=1)  # first rows: anterior
    assert seen[slices // 2, -16:, columns // 2].max() == pytest.approx(100, abs=1)
    assert seen[-1].max() == pytest.approx(400, abs=1)  # last slice: superior
    assert seen[0].max() < 350


@pytest.mark.parametrize(
    ("axis", "plane", "ends"),
    [
        (1, "coronal", ("rows up", 400, "columns first", 200)),
        (0, "sagittal", ("rows up", 400, "columns first", 300)),
    ],
)
def test_a_thick_stack_keeps_its_plane(axis: int, plane: str, ends: tuple[str, int, str, int]) -> None:
    volume = letters()
    step = [1, 1, 1]
    step[axis] = 2
    thick = make_volume(
        volume.data[:: step[0], :: step[1], :: step[2]],
        volume.affine @ np.diag([*map(float, step), 1.0]),
        "thick",
    )
    recipe = Recipe("test", spacing_mm=4.0, canvas_ap=56, canvas_lr=48, canvas_si=48, thick_mm=8.0)
    result = preprocess_volume(thick, recipe)
    assert result.plane == plane
    assert result.facts.through_plane_mm == pytest.approx(8.0)
    seen = values(result)
    middle = seen.shape[0] // 2
    assert seen[middle, :14].max() == pytest.approx(ends[1], abs=1)
    assert seen[middle, seen.shape[1] // 2, : seen.shape[2] // 2 - 5].max() == pytest.approx(ends[3], abs=1)
    first, last = seen[0].max(), seen[-1].max()
    assert (first < last) == (plane == "coronal")  # coronal ends at anterior (300), sagittal begins at right (200)


def test_the_angle_of_an_oblique_volume() -> None:
    turn = np.eye(4)
    angle = np.radians(17.0)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    assert oblique_degrees(turn @ brain_volume().affine) == pytest.approx(17.0)
    assert oblique_degrees(brain_volume().affine) == 0.0


def test_an_axis_is_given_away_once_even_at_45_degrees() -> None:
    quarter = np.eye(4)
    quarter[:2, :2] = np.array([[1, -1], [1, 1]]) / np.sqrt(2)
    assert sorted(orientation_codes(quarter)) in (sorted("RAS"), sorted("LAS"), sorted("RPS"), sorted("LPS"))


@pytest.mark.parametrize("codes", ["RAS", "LAS", "ASL", "PIR", "LPI", "IRP"])
def test_an_affine_of_codes_has_these_codes_and_its_centre_at_0(codes: str) -> None:
    affine = affine_of(codes, (20, 30, 40), np.array([1.0, 2.0, 3.0]))
    assert orientation_codes(affine) == codes
    np.testing.assert_allclose(np.linalg.norm(affine[:3, :3], axis=0), [1, 2, 3])
    np.testing.assert_allclose(affine @ [9.5, 14.5, 19.5, 1], [0, 0, 0, 1])


@pytest.mark.parametrize("codes", ["", "RA", "RAR", "RAL", "XYZ", "RASI"])
def test_codes_that_name_no_orientation(codes: str) -> None:
    with pytest.raises(ValueError, match="three letters such as 'RAS'"):
        affine_of(codes, (20, 30, 40), np.ones(3))
