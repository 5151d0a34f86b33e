"""A group is complete or not there at all, and never changes once it is there."""

from pathlib import Path

import numpy as np
import pytest
import zarr

from braindino import slices
from braindino.errors import StoreError
from braindino.slices import store
from tests.slices.helpers import small_scan


def files_of(path: Path) -> dict[str, bytes]:
    return {str(f.relative_to(path)): f.read_bytes() for f in sorted(path.rglob("*")) if f.is_file()}


def test_zarr_python_reads_back_what_was_written(tmp_path: Path) -> None:
    scan = small_scan(segmented=True)
    slices.write_scan(tmp_path / "a.zarr", scan, {"scan_id": "a"})
    group = zarr.open_group(str(tmp_path / "a.zarr"), mode="r")
    assert set(group.array_keys()) == {"image", "brain", "segmentation"}
    for name in ("image", "brain", "segmentation"):
        np.testing.assert_array_equal(group[name][:], getattr(scan, name))
    assert group["image"].dtype == np.uint16
    assert group.attrs["scan_id"] == "a"
    assert group.attrs["plane"] == "axial"


def test_a_chunk_is_a_slice_and_a_shard_is_the_scan(tmp_path: Path) -> None:
    slices.write_scan(tmp_path / "a.zarr", small_scan(), {})
    image = zarr.open_group(str(tmp_path / "a.zarr"), mode="r")["image"]
    assert image.chunks == (1, 12, 8)
    assert image.shards == (5, 12, 8)
    assert [name for name in files_of(tmp_path / "a.zarr") if name.startswith("image/c")] == ["image/c/0/0/0"]


def test_the_size_returned_is_the_size_on_disk(tmp_path: Path) -> None:
    size = slices.write_scan(tmp_path / "a.zarr", small_scan(), {})
    assert size == sum(len(content) for content in files_of(tmp_path / "a.zarr").values())


def test_an_existing_group_is_kept_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    size = slices.write_scan(path, small_scan(seed=0), {})
    before = files_of(path)
    assert slices.write_scan(path, small_scan(seed=1), {"more": 1}) == size
    assert files_of(path) == before


def test_what_a_killed_writer_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / "a.zarr.partial"
    (left / "image").mkdir(parents=True)
    (left / "image" / "half").write_text("half")
    slices.write_scan(tmp_path / "a.zarr", small_scan(), {})
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.zarr"]
    np.testing.assert_array_equal(slices.open_scan(tmp_path / "a.zarr").image(), small_scan().image)


def test_a_leftover_beside_a_finished_group_is_removed(tmp_path: Path) -> None:
    slices.write_scan(tmp_path / "a.zarr", small_scan(), {})
    (tmp_path / "a.zarr.partial").mkdir()
    slices.write_scan(tmp_path / "a.zarr", small_scan(), {})
    assert not (tmp_path / "a.zarr.partial").exists()


def test_a_write_that_fails_leaves_no_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "_array_spec", full_disk)
    with pytest.raises(StoreError, match="No space left"):
        slices.write_scan(tmp_path / "a.zarr", small_scan(), {})
    assert not (tmp_path / "a.zarr").exists()


def test_a_folder_that_cannot_be_made_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreError, match="cannot be written"):
        slices.write_scan(tmp_path / "file" / "a.zarr", small_scan(), {})
