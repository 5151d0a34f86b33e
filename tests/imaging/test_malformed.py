"""More than a hundred inputs that nobody wants, and bytes at random: each ends in its reason, none in a crash."""

import contextlib
import functools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from braindino.errors import ScanRefused
from braindino.imaging import Volume, check_header, get_recipe, read_volume
from tests.imaging import dicoms
from tests.malformed import AFFINE, CASES, Case, ramp

LIMIT = 4 << 30

# Reads files under a limit of memory and says the reason of each.
ALONE = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]), int(sys.argv[1])))
from braindino.errors import ScanRefused
from braindino.imaging import read_volume
for path in sys.argv[2:]:
    try:
        read_volume(Path(path))
    except ScanRefused as refusal:
        print(path, refusal.reason.value, sep=":", flush=True)
"""


def each(dangerous: bool) -> "pytest.MarkDecorator":
    chosen = [case for case in CASES if case.dangerous == dangerous]
    return pytest.mark.parametrize("case", chosen, ids=[case.name for case in chosen])


@pytest.fixture(autouse=True)
def _leave_no_locked_folder(tmp_path: Path) -> object:
    yield
    for path in tmp_path.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o700)


def test_there_are_many() -> None:
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)


@each(dangerous=False)
def test_each_input_ends_in_its_reason(case: Case, tmp_path: Path) -> None:
    if case.name.startswith("no_permission") and os.geteuid() == 0:
        pytest.skip("for root there is nothing that may not be read")
    path = case.make(tmp_path)
    if not case.reasons:
        assert read_volume(path).data.ndim == 3
        return
    with pytest.raises(ScanRefused) as caught:
        read_volume(path)
    assert caught.value.reason in case.reasons, str(caught.value)
    assert len(str(caught.value)) < 600
    # What the header alone shows is never another reason than what reading shows, but it may show nothing.
    with contextlib.suppress(ScanRefused):
        check_header(path, get_recipe("isotropic"))


@pytest.fixture(scope="session")
def reasons(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What reading each dangerous input ended in, by name; those after a crash are missing."""
    if sys.platform != "linux":
        pytest.skip("memory can be limited on Linux only")
    paths = {case.make(tmp_path_factory.mktemp(case.name)): case.name for case in CASES if case.dangerous}
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(LIMIT), *paths], capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    return {paths[Path(path)]: reason for path, reason in (line.rsplit(":", 1) for line in done.stdout.splitlines())}


@each(dangerous=True)
def test_what_would_take_much_memory_takes_little(case: Case, reasons: dict[str, str]) -> None:
    assert reasons.get(case.name) in {reason.value for reason in case.reasons}


# Whole files that mutations start from, by format: small, for each is decoded hundreds of times.


@functools.cache
def sound(kind: str, folder: Path) -> bytes:
    path = folder / f"sound.{kind}"
    voxels = ramp((12, 12, 12))
    if kind in ("nii", "nii.gz"):
        nib.save(nib.Nifti1Image(voxels, AFFINE), path)
    elif kind == "mgh":
        nib.save(nib.MGHImage(voxels, AFFINE), path)
    elif kind == "mnc":
        return (Path(nib.__file__).parent / "tests" / "data" / "small.mnc").read_bytes()
    elif kind == "dcm":
        dicoms.save(path, dicoms.enhanced(dicoms.series(shape=(12, 12, 10))))
    else:
        image = sitk.GetImageFromArray(voxels)
        image.SetSpacing((4, 4, 4))
        sitk.WriteImage(image, str(path))
    return path.read_bytes()


CHANGES = st.lists(
    st.tuples(
        st.floats(0, 1), st.one_of(st.binary(max_size=6), st.sampled_from([b"\xff" * 4, b"\0" * 8, b"-1", b"1e99"]))
    ),
    min_size=1,
    max_size=6,
)


def mutated(content: bytes, changes: list[tuple[float, bytes]], early: float, length: float) -> bytes:
    """A file with some bytes replaced, most of them in its first part, and its end cut off."""
    data = bytearray(content)
    for place, new in changes:
        at = int(place * len(data) * early)
        data[at : at + len(new)] = new
    return bytes(data[: max(1, int(len(data) * length))])


def only_refused_or_read(path: Path) -> None:
    try:
        volume = read_volume(path)
    except ScanRefused:
        return
    assert isinstance(volume, Volume)
    assert np.isfinite(volume.data).all()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mutated")


def fuzz(examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Bytes changed at random; `early` keeps most changes in the header."""

    def wrap(test: Callable[..., None]) -> Callable[..., None]:
        checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
        drawn = given(
            changes=CHANGES, early=st.sampled_from([0.02, 0.1, 1.0]), length=st.sampled_from([1, 1, 1, 0.9, 0.3])
        )
        return settings(max_examples=examples, deadline=None, suppress_health_check=checks)(drawn(test))

    return wrap


@pytest.mark.parametrize("kind", ["nii", "nii.gz", "mgh"])
@fuzz(150)
def test_mutated_files_are_read_or_refused(
    kind: str, folder: Path, changes: list[tuple[float, bytes]], early: float, length: float
) -> None:
    path = folder / f"a.{kind}"
    path.write_bytes(mutated(sound(kind, folder), changes, early, length))
    only_refused_or_read(path)


@pytest.mark.parametrize("kind", ["mnc", "dcm"])
@fuzz(60)
def test_mutated_minc_and_dicom_files_are_read_or_refused(
    kind: str, folder: Path, changes: list[tuple[float, bytes]], early: float, length: float
) -> None:
    path = folder / f"a.{kind}"
    path.write_bytes(mutated(sound(kind, folder), changes, early, length))
    only_refused_or_read(path)


@pytest.mark.parametrize("kind", ["nrrd", "mha"])
@fuzz(6)  # each example starts a process
def test_mutated_nrrd_and_metaimage_files_are_read_or_refused(
    kind: str, folder: Path, changes: list[tuple[float, bytes]], early: float, length: float
) -> None:
    path = folder / f"a.{kind}"
    path.write_bytes(mutated(sound(kind, folder), changes, early, length))
    only_refused_or_read(path)
