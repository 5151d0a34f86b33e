"""The content hash knows a scan by what it shows."""

import gzip
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from braindino.imaging import content_hash, make_volume, read_volume
from tests.imaging.helpers import save

DATA = (np.arange(20 * 22 * 24).reshape(20, 22, 24) % 700).astype(np.int16)
AFFINE = np.diag([4.0, 4.0, 4.0, 1.0])


def test_names_compression_and_number_types_do_not_matter(tmp_path: Path) -> None:
    one = save(tmp_path / "one.nii", DATA, AFFINE)
    (tmp_path / "two.nii.gz").write_bytes(gzip.compress(one.read_bytes(), 1))
    (tmp_path / "three.nii.gz").write_bytes(gzip.compress(one.read_bytes(), 9))
    floats = save(tmp_path / "four.nii.gz", DATA.astype(np.float64), AFFINE)
    big_endian = save(tmp_path / "five.nii", DATA.astype(">i2"), AFFINE)
    files = [one, tmp_path / "two.nii.gz", tmp_path / "three.nii.gz", floats, big_endian]
    assert len({content_hash(read_volume(file)) for file in files}) == 1


@given(st.integers(0, DATA.size - 1))
@settings(max_examples=20, deadline=None)
def test_one_voxel_changes_it(place: int) -> None:
    other = DATA.copy()
    other.flat[place] += 1
    assert content_hash(make_volume(other, AFFINE)) != content_hash(make_volume(DATA, AFFINE))


def test_affine_mask_and_segmentation_change_it() -> None:
    volume = make_volume(DATA, AFFINE)
    moved = AFFINE.copy()
    moved[0, 3] = 0.01
    mask = make_volume((DATA > 10).astype(np.uint8), AFFINE)
    hashes = {
        content_hash(volume), content_hash(make_volume(DATA, moved)), content_hash(volume, mask),
        content_hash(volume, None, mask),
    }  # fmt: skip
    assert len(hashes) == 4
    assert all(len(one) == 16 for one in hashes)


def test_rounding_of_the_header_does_not_change_it() -> None:
    noisy = AFFINE + 1e-6
    noisy[3] = AFFINE[3]
    assert content_hash(make_volume(DATA, AFFINE)) == content_hash(make_volume(DATA, noisy))


def test_it_is_the_same_on_every_machine() -> None:
    assert content_hash(make_volume(DATA, AFFINE)) == "2780e793fc198fce"
