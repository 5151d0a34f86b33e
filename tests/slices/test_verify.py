"""Damage is told by size or by content, and a damaged group is replaced by whoever knows what it was."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from braindino import slices
from tests.slices.helpers import small_scan, stored_scan

SHARD = "image/c/0/0/0"


@pytest.fixture
def group(tmp_path: Path) -> Path:
    return stored_scan(tmp_path, "a")[0]


def size_of(group: Path) -> int:
    return sum(file.stat().st_size for file in group.rglob("*") if file.is_file())


def flip(file: Path) -> None:
    """Another byte in the middle; the size stays."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


@pytest.mark.parametrize("segmented", [False, True])
def test_a_group_as_it_was_written_is_fine(tmp_path: Path, segmented: bool) -> None:
    size = slices.write_scan(tmp_path / "a.zarr", small_scan(segmented=segmented), {})
    assert slices.check_group(tmp_path / "a.zarr", size) is None
    assert slices.check_group(tmp_path / "a.zarr", size, slices.group_sha256(tmp_path / "a.zarr")) is None


def test_every_file_of_a_group_is_looked_at(tmp_path: Path) -> None:
    """No file is left out of size and hash, or damage to it would not be seen."""
    path = tmp_path / "a.zarr"
    size = slices.write_scan(path, small_scan(segmented=True), {})
    whole = slices.group_sha256(path)
    for file in [file for file in path.rglob("*") if file.is_file()]:
        kept = file.read_bytes()
        flip(file)
        assert slices.group_sha256(path) != whole, file
        file.write_bytes(kept[:-1])
        damage = slices.check_group(path, size)
        assert damage is not None
        assert damage.kind == "short", file
        file.write_bytes(kept)


def test_what_is_missing_is_named(group: Path) -> None:
    size = size_of(group)
    (group / SHARD).unlink()
    assert slices.check_group(group, size) == slices.Damage("missing", SHARD)
    shutil.rmtree(group)
    assert slices.check_group(group, size) == slices.Damage("missing", "all of it")


def test_a_lost_segmentation_makes_a_group_short(tmp_path: Path) -> None:
    size = slices.write_scan(tmp_path / "a.zarr", small_scan(segmented=True), {})
    shutil.rmtree(tmp_path / "a.zarr" / "segmentation")
    damage = slices.check_group(tmp_path / "a.zarr", size)
    assert damage is not None
    assert damage.kind == "short"


def test_an_altered_byte_shows_in_the_hash_alone(group: Path) -> None:
    size, sha256 = size_of(group), slices.group_sha256(group)
    flip(group / SHARD)
    assert slices.check_group(group, size) is None
    damage = slices.check_group(group, size, sha256)
    assert damage is not None
    assert damage.kind == "altered"


def test_a_damaged_group_is_replaced_and_a_sound_one_is_kept(tmp_path: Path) -> None:
    path, scan = stored_scan(tmp_path, "a")
    sha256 = slices.group_sha256(path)
    before = (path / SHARD).stat().st_ino
    slices.write_scan(path, scan, {"scan_id": "a"}, sha256=sha256)
    assert (path / SHARD).stat().st_ino == before
    flip(path / SHARD)
    slices.write_scan(path, scan, {"scan_id": "a"}, sha256=sha256)
    assert slices.group_sha256(path) == sha256
    np.testing.assert_array_equal(slices.open_scan(path).image(), scan.image)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.zarr"], "nothing of the old one is left"


def test_a_group_with_a_lost_file_is_replaced(tmp_path: Path) -> None:
    path, scan = stored_scan(tmp_path, "a")
    sha256 = slices.group_sha256(path)
    (path / "brain" / "zarr.json").unlink()
    slices.write_scan(path, scan, {"scan_id": "a"}, sha256=sha256)
    assert slices.group_sha256(path) == sha256


def test_stray_groups_are_those_that_no_row_names_and_that_have_settled(tmp_path: Path) -> None:
    folder = tmp_path / "slices" / "recipe" / "dataset"
    for name in ("named.zarr", "orphan.zarr", "killed.zarr.partial"):
        (folder / name).mkdir(parents=True)
    named = ["slices/recipe/dataset/named.zarr"]
    later = folder.stat().st_mtime + 10
    found = {path.name: kind for path, kind in slices.stray_groups(tmp_path / "slices", named, later)}
    assert found == {"orphan.zarr": "orphan", "killed.zarr.partial": "leftover"}
    assert list(slices.stray_groups(tmp_path / "slices", named, later - 3600)) == []
    assert list(slices.stray_groups(tmp_path / "nowhere", [], later)) == []
