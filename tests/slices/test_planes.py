"""A stored scan seen in another plane: each voxel where it was, each plane as radiologists look at it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from braindino import slices
from braindino.errors import StoreError
from braindino.imaging import Preprocessed, Recipe, Volume, preprocess_volume
from braindino.imaging.orient import to_ras
from tests.imaging.helpers import brain_volume

RECIPE = Recipe("test", spacing_mm=4.0, canvas_ap=56, canvas_lr=48, canvas_si=48, thick_mm=20.0)


def ramps() -> Volume:
    """A brain in which a value tells the place, with a nose in front, a mark at the right and one on top."""
    volume = brain_volume(4.0)
    x, y, z = np.indices(volume.data.shape)
    data = np.where(volume.data > 0, 1000 + 10 * x + 20 * y + 30 * z, 0).astype(np.float32)
    return volume.with_data(data)


@pytest.fixture(scope="module")
def scan() -> Preprocessed:
    return preprocess_volume(ramps(), RECIPE)


@pytest.fixture
def stored(scan: Preprocessed, tmp_path: Path) -> slices.ScanSlices:
    slices.write_scan(tmp_path / "a.zarr", scan, {})
    return slices.open_scan(tmp_path / "a.zarr")


def at(stack: slices.Stack, scan: Preprocessed) -> np.ndarray:
    """The stored number that the phantom's formula gives at each voxel's place in the world; 0 outside the brain."""
    _, rows, columns = stack.image.shape
    index = np.indices((len(stack.image), rows, columns))[::-1].reshape(3, -1)
    world = stack.affine[:3, :3] @ index + stack.affine[:3, 3:]
    ras = to_ras(ramps())
    x, y, z = (np.linalg.inv(ras.affine)[:3] @ np.vstack([world, np.ones(world.shape[1])])).reshape(
        3, *stack.image.shape
    )
    number = 1 + (1000 + 10 * x + 20 * y + 30 * z - scan.intensity.offset) / scan.intensity.scale
    return np.where(stack.brain > 0, number, 0)


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_every_voxel_is_where_it_was_in_the_world(stored: slices.ScanSlices, scan: Preprocessed, plane: str) -> None:
    stack = stored.volume(plane)
    assert stack.plane == plane
    inner = stack.brain > 0
    inner[0] = inner[-1] = False
    near = np.abs(stack.image.astype(float) - at(stack, scan)) <= 2
    assert near[inner].mean() > 0.97  # at the brain's edge the stored grid is interpolated towards the background
    assert stack.image.sum(dtype=np.int64) == scan.image.sum(dtype=np.int64)
    assert stack.brain.sum() == scan.brain.sum()


def test_coronal_slices_go_forward_with_the_right_on_the_left_and_the_top_above(stored: slices.ScanSlices) -> None:
    stack = stored.volume("coronal")
    assert stack.image.shape[1:] == (48, 48)  # padded to the canvas, whatever the brain's height
    directions = stack.affine[:3, :3] / 4.0
    np.testing.assert_allclose(directions[:, 0], [-1, 0, 0], atol=1e-9)  # columns to the left
    np.testing.assert_allclose(directions[:, 1], [0, 0, -1], atol=1e-9)  # rows down
    np.testing.assert_allclose(directions[:, 2], [0, 1, 0], atol=1e-9)  # slices forward


def test_sagittal_slices_go_from_right_to_left_looking_with_the_face_on_the_left(stored: slices.ScanSlices) -> None:
    stack = stored.volume("sagittal")
    assert stack.image.shape[1:] == (48, 56)
    directions = stack.affine[:3, :3] / 4.0
    np.testing.assert_allclose(directions[:, 0], [0, -1, 0], atol=1e-9)  # columns to the back
    np.testing.assert_allclose(directions[:, 1], [0, 0, -1], atol=1e-9)
    np.testing.assert_allclose(directions[:, 2], [-1, 0, 0], atol=1e-9)


@pytest.mark.parametrize("plane", ["coronal", "sagittal"])
def test_each_slice_holds_brain_and_the_brain_is_in_the_middle(stored: slices.ScanSlices, plane: str) -> None:
    stack = stored.volume(plane)
    assert stack.brain.any(axis=(1, 2)).all()
    rows = np.flatnonzero(stack.brain.any(axis=(0, 2)))
    assert abs(rows[0] - (stack.brain.shape[1] - 1 - rows[-1])) <= 1


def test_labels_come_along(scan: Preprocessed, tmp_path: Path) -> None:
    labels = np.zeros_like(scan.brain)
    labels[10, 20, 18] = 7
    slices.write_scan(tmp_path / "a.zarr", replace(scan, segmentation=labels), {})
    axial = scan.affine @ [18, 20, 10, 1]
    stack = slices.open_scan(tmp_path / "a.zarr").volume("sagittal")
    assert stack.segmentation is not None
    ((index, row, column),) = np.argwhere(stack.segmentation == 7)
    np.testing.assert_allclose(stack.affine @ [column, row, index, 1], axial)


def test_the_stored_plane_is_given_as_it_is(stored: slices.ScanSlices, scan: Preprocessed) -> None:
    stack = stored.volume()
    np.testing.assert_array_equal(stack.image, scan.image)
    np.testing.assert_array_equal(stack.brain, scan.brain)
    np.testing.assert_allclose(stack.affine, scan.affine)


def test_another_canvas_and_one_that_is_too_small(stored: slices.ScanSlices) -> None:
    assert stored.volume("coronal", canvas_si=64).image.shape[1:] == (64, 48)
    with pytest.raises(StoreError, match="larger canvas_si"):
        stored.volume("coronal", canvas_si=10)


def test_a_plane_that_is_none(stored: slices.ScanSlices) -> None:
    with pytest.raises(StoreError, match="axial, coronal, sagittal"):
        stored.volume("oblique")


def test_thick_slices_show_nothing_across(tmp_path: Path) -> None:
    volume = brain_volume(4.0)
    thick = Volume(volume.data[:, :, ::2], volume.affine @ np.diag([1, 1, 2, 1]), "thick")
    scan = preprocess_volume(thick, Recipe("thick", 4.0, 56, 48, 48, thick_mm=6.0))
    assert scan.facts.through_plane_mm == 8
    slices.write_scan(tmp_path / "a.zarr", scan, {})
    with pytest.raises(StoreError, match="thick slices"):
        slices.open_scan(tmp_path / "a.zarr").volume("coronal")
