"""SynthStrip and HD-BET as they are called, with a small program in their place."""

import hashlib
import os
import stat
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from braindino.errors import ConfigError, Reason, ScanRefused
from braindino.imaging import get_recipe, preprocess_volume, require_mask_program
from braindino.imaging.external_masks import WEIGHTS_VARIABLE, external_mask, find_program
from tests.imaging.helpers import brain_volume

# What stands in for the programs: it reads the image where its command line says and writes what MAKE asks for.
_PROGRAM = """#!{python}
import os, sys, time
import nibabel, numpy
arguments = sys.argv[1:]
image = nibabel.load(arguments[arguments.index("-i") + 1])
if "-m" in arguments:
    path = arguments[arguments.index("-m") + 1]
else:
    assert "--save_bet_mask" in arguments
    path = arguments[arguments.index("-o") + 1].replace(".nii.gz", "_bet.nii.gz")
make = os.environ["MAKE"]
if make == "crash":
    sys.exit("out of memory")
if make == "sleep":
    time.sleep(60)
mask = numpy.asarray(image.dataobj) > 100
if make == "empty":
    mask[:] = False
if make == "half":
    mask = mask[::2]
if make == "garbage":
    open(path, "w").write("no image")
elif make != "nothing":
    nibabel.save(nibabel.Nifti1Image(mask.astype("uint8"), image.affine), path)
"""
NAMES = {"synthstrip": "mri_synthstrip", "hd-bet": "hd-bet"}


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Puts a program on the PATH that makes what it is told, and weights beside it."""

    def put(method: str, make: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        program = folder / NAMES[method]
        program.write_text(_PROGRAM.format(python=sys.executable))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        weights = tmp_path / "weights.pt"
        weights.write_bytes(b"weights")
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setenv(WEIGHTS_VARIABLE, str(weights))
        monkeypatch.setenv("MAKE", make)

    return put


@pytest.mark.parametrize("method", ["synthstrip", "hd-bet"])
def test_the_programs_mask_is_used_and_its_weights_are_recorded(
    method: str, install: Callable[[str, str], None]
) -> None:
    install(method, "mask")
    head = brain_volume()
    noisy = head.with_data(np.where(head.data > 0, head.data, 5).astype(np.float32))
    mask, program = external_mask(noisy, method)
    np.testing.assert_array_equal(mask, head.data > 100)
    assert program.identity == f"{method} {NAMES[method]} sha256:{hashlib.sha256(b'weights').hexdigest()}"


def test_other_weights_are_another_mask(
    tmp_path: Path, install: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    install("synthstrip", "mask")
    before = find_program("synthstrip").identity
    (tmp_path / "weights.pt").write_bytes(b"other weights")
    assert find_program("synthstrip").identity != before


@pytest.mark.parametrize(
    ("make", "said"),
    [("crash", "exit status 1: out of memory"), ("empty", "found no brain"), ("half", "another grid"),
     ("garbage", "no readable mask"), ("nothing", "no readable mask")],
)  # fmt: skip
def test_what_goes_wrong_is_a_refusal(make: str, said: str, install: Callable[[str, str], None]) -> None:
    install("synthstrip", make)
    with pytest.raises(ScanRefused, match=said) as caught:
        external_mask(brain_volume(), "synthstrip")
    assert caught.value.reason is Reason.MASK_UNCERTAIN


def test_a_program_that_does_not_end_is_stopped(install: Callable[[str, str], None]) -> None:
    install("hd-bet", "sleep")
    with pytest.raises(ScanRefused, match="took longer than 0 s"):
        external_mask(brain_volume(), "hd-bet", timeout_s=0.2)


@pytest.mark.parametrize("method", ["synthstrip", "hd-bet"])
def test_a_missing_program_says_how_to_install_it(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match=r"not on the PATH.*pip install"):
        require_mask_program(replace(get_recipe("isotropic"), mask=method))  # type: ignore[arg-type]
    require_mask_program(get_recipe("isotropic"))


def test_missing_weights_say_where_they_were_looked_for(
    tmp_path: Path, install: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    install("synthstrip", "mask")
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path / "nowhere.pt"))
    with pytest.raises(ConfigError, match=r"nowhere\.pt"):
        find_program("synthstrip")


def test_a_recipe_with_a_program_stores_its_slices(install: Callable[[str, str], None]) -> None:
    install("synthstrip", "mask")
    recipe = replace(get_recipe("isotropic_2mm"), mask="synthstrip")
    assert recipe.recipe_id != get_recipe("isotropic_2mm").recipe_id
    head = brain_volume()
    result = preprocess_volume(head.with_data(np.where(head.data > 0, head.data, 5).astype(np.float32)), recipe)
    assert result.facts.mask_method.startswith("synthstrip mri_synthstrip sha256:")
