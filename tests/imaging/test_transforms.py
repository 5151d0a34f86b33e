"""A NIfTI header can hold two maps to the world: which counts, and when it contradicts itself."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from braindino.errors import Reason, ScanRefused
from braindino.imaging import Volume, read_volume
from tests.imaging.helpers import save

SHAPE = (20, 24, 22)
DATA = (np.arange(np.prod(SHAPE)).reshape(SHAPE) % 1000).astype(np.int16)
QFORM = np.array([[-4.0, 0, 0, 38], [0, 4, 0, -46], [0, 0, 4, -42], [0, 0, 0, 1]])


def turned(degrees: float, affine: np.ndarray = QFORM) -> np.ndarray:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    out = affine.copy()
    out[:3] = turn @ affine[:3]
    return out


def written(path: Path, sform: np.ndarray | None, qform: np.ndarray | None = QFORM) -> Path:
    image = nib.Nifti1Image(DATA, None)
    image.header.set_zooms((4.0, 4.0, 4.0))
    image.set_qform(qform, code=0 if qform is None else 1)
    image.set_sform(sform, code=0 if sform is None else 2)
    nib.save(image, path)
    return path


def patched(path: Path, offset: int, content: bytes) -> Path:
    """The file with other bytes in its header, which no library would write."""
    data = bytearray(path.read_bytes())
    data[offset : offset + len(content)] = content
    path.write_bytes(data)
    return path


def read(path: Path) -> Volume:
    return read_volume(path)


def refused(path: Path) -> str:
    with pytest.raises(ScanRefused) as caught:
        read_volume(path)
    assert caught.value.reason == Reason.BAD_GEOMETRY
    return str(caught.value)


@pytest.mark.parametrize(("sform", "qform"), [(QFORM, QFORM), (QFORM, None), (None, QFORM)])
def test_maps_that_agree_or_stand_alone_leave_nothing_to_record(
    tmp_path: Path, sform: np.ndarray | None, qform: np.ndarray | None
) -> None:
    volume = read(written(tmp_path / "a.nii", sform, qform))
    np.testing.assert_allclose(volume.affine, QFORM, atol=1e-4)
    assert volume.repairs == ()


def test_of_two_that_differ_by_an_alignment_the_sform_counts_and_the_distance_is_recorded(tmp_path: Path) -> None:
    sform = turned(10)
    volume = read(written(tmp_path / "a.nii", sform))
    np.testing.assert_allclose(volume.affine, sform, atol=1e-4)
    (repair,) = volume.repairs
    assert "mm apart, sform taken" in repair


def test_rounding_is_no_disagreement(tmp_path: Path) -> None:
    sform = QFORM.copy()
    sform[:3, 3] += 0.05
    assert read(written(tmp_path / "a.nii", sform)).repairs == ()


def test_left_and_right_cannot_be_guessed(tmp_path: Path) -> None:
    sform = QFORM.copy()
    sform[0] *= -1
    assert "left and right" in refused(written(tmp_path / "a.nii", sform))


def test_a_large_turn_or_another_size_cannot_be_guessed_either(tmp_path: Path) -> None:
    assert "60 degrees" in refused(written(tmp_path / "a.nii", turned(60)))
    sform = QFORM.copy()
    sform[:3, :3] *= 1.1
    assert "4.4 x 4.4 x 4.4 and 4 x 4 x 4 mm" in refused(written(tmp_path / "b.nii", sform))


def test_a_singular_sform_gives_way(tmp_path: Path) -> None:
    path = patched(written(tmp_path / "a.nii", QFORM), 280, np.zeros(12, "<f4").tobytes())
    volume = read(path)
    np.testing.assert_allclose(volume.affine, QFORM, atol=1e-4)
    assert volume.repairs == ("sform singular, qform taken",)


def test_a_quaternion_that_is_no_rotation_gives_way_or_is_refused(tmp_path: Path) -> None:
    broken = np.array([3.0, 3.0, 3.0], "<f4").tobytes()
    volume = read(patched(written(tmp_path / "a.nii", QFORM), 256, broken))
    assert volume.repairs == ("qform is no rotation, ignored",)
    assert "no rotation" in refused(patched(written(tmp_path / "b.nii", None), 256, broken))


@pytest.mark.parametrize("size", [0.0, -4.0, np.nan, np.inf])
def test_a_voxel_size_that_is_none(tmp_path: Path, size: float) -> None:
    pixdim = np.array([4.0, size], "<f4").tobytes()
    assert "voxels measure" in refused(patched(written(tmp_path / "q.nii", None), 84, pixdim))
    assert "voxels measure" in refused(patched(written(tmp_path / "none.nii", None, None), 84, pixdim))
    volume = read(patched(written(tmp_path / "s.nii", QFORM), 84, pixdim))
    np.testing.assert_allclose(volume.spacing, 4, atol=1e-4)
    assert volume.repairs == ("pixdim without voxel sizes, those of the sform taken",)


def test_analyze_knows_sizes_only_and_their_sign_says_nothing(tmp_path: Path) -> None:
    nib.save(nib.AnalyzeImage(DATA, np.diag([4.0, 4, 4, 1])), tmp_path / "a.img")
    patched(tmp_path / "a.hdr", 80, np.array([-4.0], "<f4").tobytes())
    volume = read(tmp_path / "a.img")
    np.testing.assert_allclose(volume.spacing, 4)
    assert "sign of voxel sizes dropped" in volume.repairs
    patched(tmp_path / "a.hdr", 80, np.zeros(1, "<f4").tobytes())
    assert "voxels measure" in refused(tmp_path / "a.img")


def test_the_affine_that_spm_wrote_beside_analyze(tmp_path: Path) -> None:
    nib.save(nib.Spm99AnalyzeImage(DATA, turned(20)), tmp_path / "a.img")
    assert (tmp_path / "a.mat").exists()
    volume = read(tmp_path / "a.img")
    np.testing.assert_allclose(volume.affine, turned(20), atol=1e-4)
    assert volume.repairs == ()


def test_nifti_2_follows_the_same_rules(tmp_path: Path) -> None:
    image = nib.Nifti2Image(DATA, None)
    image.set_qform(QFORM, code=1)
    image.set_sform(turned(10), code=2)
    nib.save(image, tmp_path / "a.nii")
    assert "sform taken" in read(tmp_path / "a.nii").repairs[0]


def test_sheared_axes_are_made_orthogonal_and_recorded(tmp_path: Path) -> None:
    affine = np.array([[4.0, 0.1, 0, 0], [0, 4, 0, 0], [0, 0, 4, 0], [0, 0, 0, 1]])
    volume = read(save(tmp_path / "a.nii", DATA, affine))
    axes = volume.directions
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-9)
    assert "orthonormal" in volume.repairs[-1]
