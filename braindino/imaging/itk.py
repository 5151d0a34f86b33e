"""NRRD (.nrrd, .nhdr) and MetaImage (.mha, .mhd), decoded by SimpleITK in a process of its own."""

import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

import numpy as np

from braindino.errors import Reason, ScanRefused
from braindino.imaging.apart import run_apart
from braindino.imaging.image_file import ImageFile, check_size, damaged_header
from braindino.imaging.payload import first_bytes

_DECODER = Path(__file__).with_name("itk_decoder.py")
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_LONGEST_HEADER = 1 << 16
_SECONDS = 120.0

_DATA_FILE = re.compile(r"^\s*(?:data ?file\s*:|ElementDataFile\s*=)\s*(.*?)\s*$", re.IGNORECASE | re.MULTILINE)
_WITH_SPACE = re.compile(
    r"^\s*(?:space\s*:|(?:TransformMatrix|Rotation|Orientation)\s*=)", re.IGNORECASE | re.MULTILINE
)
_INSIDE = ("", "LOCAL", "local", "Local")

_TYPES = {
    "8-bit unsigned integer": "u1", "8-bit signed integer": "i1", "16-bit unsigned integer": "u2",
    "16-bit signed integer": "i2", "32-bit unsigned integer": "u4", "32-bit signed integer": "i4",
    "64-bit unsigned integer": "u8", "64-bit signed integer": "i8", "32-bit float": "f4", "64-bit float": "f8",
}  # fmt: skip


def is_itk(path: Path, head: bytes) -> bool:
    """Whether a file is NRRD by its first bytes, or MetaImage by its name."""
    return head.startswith(b"NRRD0") or path.name.lower().endswith((".mha", ".mhd"))


def data_file(path: Path) -> Path | None:
    """The file beside a header that holds its voxels; None if the header's own file does.

    Raises:
        ScanRefused: `unsupported_format`, if the header names several files or one in another folder (a header from
            elsewhere must not make this machine read any file it likes); as `first_bytes` does.
    """
    text = _text(path)
    named = [match.group(1) for match in _DATA_FILE.finditer(text)]
    if all(name in _INSIDE for name in named):
        return None
    name = named[-1]
    if len(named) > 1 or name != Path(name).name or "%" in name or name.upper().startswith("LIST") or "\0" in name:
        text = f"{path.name} keeps its voxels in several files or in another folder; convert it to one file."
        raise ScanRefused(Reason.UNSUPPORTED_FORMAT, text)
    return path.with_name(name)


def open_itk(path: Path) -> ImageFile:
    """Reads the header of a NRRD or MetaImage file.

    Raises:
        ScanRefused: `unreadable`, `missing_file`, `unsupported_format` or `bad_geometry`.
    """
    voxels = data_file(path)
    if voxels is not None and not voxels.is_file():
        text = f"The voxels of {path.name} lie in a file beside it that is not there; both are needed."
        raise ScanRefused(Reason.MISSING_FILE, text)
    with tempfile.TemporaryDirectory() as folder:
        header = _decoded(path, Path(folder), "header")
    shape = tuple(int(size) for size in header["shape"])
    kind = str(header["type"]).removeprefix("vector of ")
    dtype = np.dtype(_TYPES.get(kind, "c8"))
    if header["components"] > 1:
        shape = (*shape, *(1,) * (4 - len(shape)), int(header["components"]))
    check_size(shape, path.name)
    affine = np.eye(4)
    if len(shape) >= 3:
        dimension = len(header["spacing"])
        direction = np.array(header["direction"]).reshape(dimension, dimension)
        n = min(3, dimension)
        affine[:n, :n] = direction[:n, :n] * np.array(header["spacing"][:n])
        affine[:n, 3] = header["origin"][:n]
    oriented = _WITH_SPACE.search(_text(path)) is not None

    def read(rule: Literal["first", "mean"]) -> np.ndarray:
        with tempfile.TemporaryDirectory() as folder:
            _decoded(path, Path(folder), rule)
            return np.asarray(np.load(Path(folder) / "voxels.npy"))

    return ImageFile(path.name, shape, dtype, _LPS_TO_RAS @ affine, oriented, read)


def _text(path: Path) -> str:
    """The text header of a file, without the voxels that may follow."""
    head = first_bytes(path, _LONGEST_HEADER)
    return re.split(rb"\n\r?\n", head, maxsplit=1)[0].decode("latin-1") if head.startswith(b"NRRD") else _meta(head)


def _meta(head: bytes) -> str:
    lines: list[str] = []
    for line in head.split(b"\n"):
        lines.append(line.decode("latin-1"))
        if line.strip().lower().startswith(b"elementdatafile"):  # the last field; voxels may follow
            break
    return "\n".join(lines)


def _decoded(path: Path, folder: Path, rule: str) -> dict[str, Any]:
    code = run_apart([sys.executable, "-I", _DECODER, path.absolute(), folder, rule], _SECONDS)
    header = folder / "header.json"
    if rule == "header" and not (code == 0 and header.is_file()):
        raise damaged_header(path)
    if code != 0:
        text = f"The voxels of {path.name} cannot be decoded: they end early or are damaged; download it again."
        raise ScanRefused(Reason.TRUNCATED, text)
    decoded: dict[str, Any] = json.loads(header.read_text())
    return decoded
