"""Reading: the right slices in the right order, and one clear sentence when they cannot be had."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from braindino import slices
from braindino.errors import StoreError
from tests.slices.helpers import INTENSITY, small_scan, stored_scan


def test_a_scan_reads_back_whole(tmp_path: Path) -> None:
    path, scan = stored_scan(tmp_path, "a")
    stored = slices.open_scan(path)
    assert (stored.n_slices, stored.shape, stored.plane) == (5, (5, 12, 8), "axial")
    assert stored.intensity == INTENSITY
    assert stored.attributes["facts"]["content_hash"] == "0123456789abcdef"
    np.testing.assert_array_equal(stored.image(), scan.image)
    np.testing.assert_array_equal(stored.brain(), scan.brain)
    assert stored.image().dtype == np.uint16
    assert stored.brain().dtype == np.uint8


def test_slices_come_in_the_order_asked_for_and_may_repeat(tmp_path: Path) -> None:
    path, scan = stored_scan(tmp_path, "a")
    np.testing.assert_array_equal(slices.open_scan(path).image([3, 0, 3]), scan.image[[3, 0, 3]])


def test_a_segmentation_keeps_its_labels_and_its_empty_slices(tmp_path: Path) -> None:
    scan = small_scan(segmented=True)
    slices.write_scan(tmp_path / "a.zarr", scan, {})
    stored = slices.open_scan(tmp_path / "a.zarr")
    assert stored.has_segmentation
    np.testing.assert_array_equal(stored.segmentation(), scan.segmentation)
    np.testing.assert_array_equal(stored.segmentation([1]), np.zeros((1, 12, 8)))


def test_asking_for_a_segmentation_that_is_not_there(tmp_path: Path) -> None:
    path, _ = stored_scan(tmp_path, "a")
    assert not slices.open_scan(path).has_segmentation
    with pytest.raises(StoreError, match="holds no segmentation"):
        slices.open_scan(path).segmentation()


def test_a_batch_over_many_scans_keeps_the_order_of_the_requests(tmp_path: Path) -> None:
    scans = [stored_scan(tmp_path, f"s{seed}", seed=seed, n_slices=3 + seed) for seed in range(4)]
    wanted = [(3, 5), (0, 0), (2, 4), (0, 2), (3, 5)]
    image = slices.read_many([(scans[scan][0], index) for scan, index in wanted])
    assert image.dtype == np.uint16
    for row, (scan, index) in enumerate(wanted):
        np.testing.assert_array_equal(image[row], scans[scan][1].image[index])
        np.testing.assert_array_equal(image[row] > 0, scans[scan][1].brain[index])


def test_canvases_are_not_mixed(tmp_path: Path) -> None:
    one, _ = stored_scan(tmp_path, "one")
    other, _ = stored_scan(tmp_path, "other", height=14)
    with pytest.raises(StoreError, match="one plane of one recipe"):
        slices.read_many([(one, 0), (other, 0)])


def test_a_process_keeps_its_handles(tmp_path: Path) -> None:
    path, _ = stored_scan(tmp_path, "a")
    slices.read_many([(path, 0), (str(path), 1)])
    scan = slices.open_scan(path)
    assert scan is slices.open_scan(str(path))
    assert scan.handle("image") is scan.handle("image")


def test_slices_can_be_read_into_a_place_that_is_given(tmp_path: Path) -> None:
    path, scan = stored_scan(tmp_path, "a")
    out = np.zeros((3, 12, 8), np.uint16)
    assert slices.read_many([(path, 4), (path, 1)], out[1:]).base is out
    np.testing.assert_array_equal(out, np.stack([np.zeros((12, 8)), scan.image[4], scan.image[1]]))


def test_an_empty_batch_is_refused() -> None:
    with pytest.raises(StoreError, match="at least one"):
        slices.read_many([])


@pytest.mark.parametrize("index", [-1, 5])
def test_a_slice_that_is_not_there(tmp_path: Path, index: int) -> None:
    path, _ = stored_scan(tmp_path, "a")
    with pytest.raises(StoreError, match="slices 0 to 4"):
        slices.open_scan(path).image([index])
    with pytest.raises(StoreError, match="slices 0 to 4"):
        slices.read_many([(path, index)])


def test_a_missing_group(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no complete slices"):
        slices.open_scan(tmp_path / "nowhere.zarr")


def test_a_group_of_another_layout(tmp_path: Path) -> None:
    path, _ = stored_scan(tmp_path, "a")
    header = path / "zarr.json"
    header.write_text(header.read_text().replace('"slices_version": 1', '"slices_version": 99'))
    with pytest.raises(StoreError, match="layout 99"):
        slices.open_scan(path)


def test_lost_voxels_are_an_error_and_not_empty_slices(tmp_path: Path) -> None:
    path, _ = stored_scan(tmp_path, "a")
    shutil.rmtree(path / "image" / "c")
    with pytest.raises(StoreError, match="missing or damaged"):
        slices.open_scan(path).image()
    with pytest.raises(StoreError, match="missing or damaged"):
        slices.read_many([(path, 0)])


def test_a_shortened_shard_is_an_error(tmp_path: Path) -> None:
    path, _ = stored_scan(tmp_path, "a")
    shard = path / "image" / "c" / "0" / "0" / "0"
    shard.write_bytes(shard.read_bytes()[:-20])
    with pytest.raises(StoreError, match="missing or damaged"):
        slices.open_scan(path).image([2])


def test_arrays_of_different_lengths_are_an_error(tmp_path: Path) -> None:
    path, _ = stored_scan(tmp_path, "a")
    longer, _ = stored_scan(tmp_path, "b", n_slices=6)
    shutil.rmtree(path / "brain")
    shutil.copytree(longer / "brain", path / "brain")
    with pytest.raises(StoreError, match="ingest it again"):
        slices.open_scan(path).brain()


def test_reading_needs_neither_zarr_nor_the_imaging_libraries() -> None:
    heavy = "{'zarr', 'nibabel', 'SimpleITK', 'scipy', 'torch', 'braindino.imaging'}"
    program = f"import sys, braindino.slices; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
