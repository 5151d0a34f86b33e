"""Brain masks by the programs SynthStrip and HD-BET, where they are installed. Their weights are never shipped here.

SynthStrip: Hoopes et al., NeuroImage 260 (2022) 119474; HD-BET: Isensee et al., Hum Brain Mapp 40 (2019) 4952-4964.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError

from braindino.errors import ConfigError, Reason, ScanRefused
from braindino.imaging.recipe import Recipe
from braindino.imaging.volume import Volume

TIMEOUT_S = 1800.0
WEIGHTS_VARIABLE = "BRAINDINO_MASK_WEIGHTS"
"""Environment variable: the weights' file or folder, where it is not where the program's own installer puts it."""
_TOLERANCE_MM = 1e-2
_LAST_WORDS = 200  # characters of a failed program's output that go into the refusal


@dataclass(frozen=True)
class Program:
    """An installed program: how it is called, and exactly which weights it uses.

    `identity` is its name with the SHA-256 of its weights; it becomes the mask method of every scan, so that other
    weights are other slices.
    """

    method: str
    path: str
    weights: Path
    identity: str


@dataclass(frozen=True)
class _Kind:
    """One method: the names its program may have, where its weights may lie, its command line and its installation."""

    programs: tuple[str, ...]
    weights: Callable[[], list[Path]]
    command: Callable[[str, Path, Path, Path], list[str]]  # program, weights, image, folder
    mask: str  # the file that the program leaves in the folder
    install: str


def find_program(method: str) -> Program:
    """The program of a mask method, or how to install it. Called before any scan is read.

    Args:
        method: "synthstrip" or "hd-bet".

    Raises:
        ConfigError: the program, or its weights, are not installed.
    """
    kind = _KINDS[method]
    path = next((found for name in kind.programs if (found := shutil.which(name))), None)
    if path is None:
        text = f"The recipe takes brain masks of {method}, and {' or '.join(kind.programs)} is not on the PATH."
        raise ConfigError(f"{text} {kind.install}")
    given = os.environ.get(WEIGHTS_VARIABLE)
    candidates = [Path(given)] if given else kind.weights()
    weights = next((place for place in candidates if place.exists()), None)
    if weights is None:
        places = " or ".join(map(str, candidates)) or "its usual place"
        text = f"The weights of {method} are not at {places}; set {WEIGHTS_VARIABLE} to where they are."
        raise ConfigError(f"{text} {kind.install}")
    return Program(method, path, weights, f"{method} {Path(path).name} sha256:{_sha256(weights)}")


def require_mask_program(recipe: Recipe) -> None:
    """Before any scan is read: that the program which a recipe takes its masks from is there, if it takes any.

    Raises:
        ConfigError: the program, or its weights, are not installed; the text says how to install them.
    """
    if recipe.mask in _KINDS:
        find_program(recipe.mask)


def external_mask(volume: Volume, method: str, timeout_s: float = TIMEOUT_S) -> tuple[np.ndarray, Program]:
    """Runs a program on one volume, on the CPU, in a folder of its own that is removed.

    Args:
        volume: the image in RAS order.
        method: "synthstrip" or "hd-bet".
        timeout_s: a program that takes longer is stopped.

    Returns:
        The mask, bool [x, y, z] on the volume's grid, and the program that made it.

    Raises:
        ConfigError: the program is not installed.
        ScanRefused: `mask_uncertain`: it failed, was too slow, or its mask is empty or on another grid.
    """
    program = find_program(method)
    kind = _KINDS[method]
    with tempfile.TemporaryDirectory(prefix="braindino-mask-") as name:
        folder = Path(name)
        image = folder / "image.nii.gz"
        nib.save(nib.Nifti1Image(volume.data.astype(np.float32), volume.affine), image)
        _run(kind.command(program.path, program.weights, image, folder), program, volume.name, timeout_s, folder)
        return _read_mask(folder / kind.mask, volume, program), program


def _run(command: list[str], program: Program, scan: str, timeout_s: float, folder: Path) -> None:
    with (folder / "output.txt").open("w+", encoding="utf-8", errors="replace") as output:
        # A session of its own: what the program started is stopped with it.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd=folder
        )
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            text = f"{program.method} took longer than {timeout_s:.0f} s on {scan} and was stopped."
            raise ScanRefused(Reason.MASK_UNCERTAIN, f"{text} Provide a brain mask, or use another recipe.") from None
        finally:
            _stop(process)
        output.seek(0)
        said = output.read().strip()[-_LAST_WORDS:].replace(str(folder), "")
    if code != 0:
        text = f"{program.method} failed on {scan} with exit status {code}: {' '.join(said.split()) or 'no output'}"
        raise ScanRefused(Reason.MASK_UNCERTAIN, f"{text}. Provide a brain mask, or use another recipe.")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, 9)
        process.wait()


def _read_mask(path: Path, volume: Volume, program: Program) -> np.ndarray:
    try:
        image = nib.load(path)
        voxels = np.asanyarray(image.dataobj)
    except (OSError, ImageFileError, EOFError, ValueError) as error:
        text = f"{program.method} left no readable mask of {volume.name}; check its installation."
        raise ScanRefused(Reason.MASK_UNCERTAIN, text) from error
    if voxels.shape != volume.data.shape or not np.allclose(image.affine, volume.affine, atol=_TOLERANCE_MM):
        text = f"The mask that {program.method} made of {volume.name} is on another grid than the image."
        raise ScanRefused(Reason.MASK_UNCERTAIN, f"{text} Check its version.")
    inside: np.ndarray = voxels > 0
    if not inside.any():
        text = f"{program.method} found no brain in {volume.name}. Look at the image, or provide a brain mask."
        raise ScanRefused(Reason.MASK_UNCERTAIN, text)
    return inside


def _sha256(weights: Path) -> str:
    files = [weights] if weights.is_file() else sorted(path for path in weights.rglob("*") if path.is_file())
    return _hash_of(tuple((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files))


@lru_cache(maxsize=8)
def _hash_of(files: tuple[tuple[str, int, int], ...]) -> str:
    """SHA-256 of the files' bytes, one after the other; once per process while they do not change."""
    digest = hashlib.sha256()
    for path, _, _ in files:
        with Path(path).open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _synthstrip_weights() -> list[Path]:
    home = os.environ.get("FREESURFER_HOME")
    return [] if home is None else [Path(home) / "models" / "synthstrip.1.pt"]


def _synthstrip(program: str, weights: Path, image: Path, folder: Path) -> list[str]:
    return [program, "-i", str(image), "-m", str(folder / "mask.nii.gz"), "--model", str(weights)]


def _hd_bet_weights() -> list[Path]:
    return [Path.home() / "hd-bet_params" / "release_2.0.0"]


def _hd_bet(program: str, weights: Path, image: Path, folder: Path) -> list[str]:
    del weights  # it finds them itself
    output = str(folder / "brain.nii.gz")
    flags = ["-device", "cpu", "--disable_tta", "--save_bet_mask", "--no_bet_image"]
    return [program, "-i", str(image), "-o", output, *flags]


_KINDS = {
    "synthstrip": _Kind(
        ("mri_synthstrip", "nipreps-synthstrip"), _synthstrip_weights, _synthstrip, "mask.nii.gz",
        "Install FreeSurfer 7.3 or newer, or `pip install nipreps-synthstrip` and take the weights (synthstrip.1.pt) "
        "from the SynthStrip page of FreeSurfer.",
    ),
    "hd-bet": _Kind(
        ("hd-bet",), _hd_bet_weights, _hd_bet, "brain_bet.nii.gz",
        "`pip install hd-bet` (version 2) and run hd-bet once: it fetches its weights.",
    ),
}  # fmt: skip
