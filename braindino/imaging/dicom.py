"""A DICOM series as one image: headers are judged here, voxels are decoded by dcm2niix.

Tried on series of Siemens (classic, XA30 enhanced) and Philips (classic, gzipped). Siemens mosaics, enhanced files of
other vendors, GE, Canon and UIH could be tried on made-up files only; dcm2niix's own tests cover them.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import dcm2niix
import numpy as np

from braindino.errors import Reason, ScanRefused
from braindino.imaging.apart import run_apart
from braindino.imaging.dicom_cut import naming_cut_files
from braindino.imaging.dicom_files import dicom_files, open_dicom, patient_span, read_slices
from braindino.imaging.dicom_series import choose_series
from braindino.imaging.image_file import ImageFile, check_size
from braindino.imaging.nifti import open_nifti
from braindino.imaging.payload import is_packed
from braindino.imaging.volume import corners_apart

_SECONDS = 300.0
# How far a corner of the decoded volume may lie from where the headers put it.
_LARGEST_ERROR_MM = 0.5
# No sidecar, no compression, no defaults of the user, axes as acquired, one level of folders.
_OPTIONS = ("-b", "n", "-z", "n", "-g", "i", "-x", "i", "-d", "0", "-w", "2", "-f", "series")


def open_dicom_series(source: Path) -> ImageFile:
    """Finds the one structural series of a folder, or in one file of many frames, and checks that it is whole.

    Raises:
        ScanRefused: `unsupported_format`, `unreadable`, `truncated`, `bad_geometry` and the reasons that begin with
            `dicom_`.
    """
    files = dicom_files(source)
    slices = read_slices(files)
    if not slices:
        text = f"No file of {source.name} has a readable DICOM header with an image; download the series again."
        raise ScanRefused(Reason.UNREADABLE, text)
    series = choose_series(slices, source.name)
    check_size(series.shape, source.name)
    chosen = [files[index] for index in series.files]

    repairs = ["the series is derived from others, by its headers"] if series.derived else []
    if series.left_out:
        repairs.append(f"{series.left_out} slices left out: localisers, maps or other kinds")
    if series.affine is None:  # only the decoder knows how a mosaic is tiled
        with naming_cut_files(chosen), tempfile.TemporaryDirectory(prefix="braindino-") as folder:
            decoded = _decode(chosen, Path(folder), source.name)
        affine, shape = decoded.affine, decoded.shape
    else:
        affine = series.affine
        shape = series.shape if series.shape[3] > 1 else series.shape[:3]

    def read(rule: Literal["first", "mean"]) -> np.ndarray:
        with naming_cut_files(chosen), tempfile.TemporaryDirectory(prefix="braindino-") as folder:
            decoded = _decode(chosen, Path(folder), source.name)
            return _as_in_headers(decoded.read(rule), decoded.affine, affine, shape[:3], source.name)

    return ImageFile(source.name, shape, np.dtype(np.int16), affine, True, read, tuple(repairs))


def _decode(files: Sequence[Path], folder: Path, name: str) -> ImageFile:
    """What dcm2niix makes of the files of one series, in a folder that the caller removes.

    It sees links to the files. Those that are gzipped, which it cannot read, it sees decompressed and without the
    group of the patient (0010), so that no name is ever written.
    """
    here, there = folder / "in", folder / "out"
    here.mkdir()
    there.mkdir()
    for index, path in enumerate(files):
        link = here / f"{index:05d}.dcm"
        if is_packed(path):
            _write_without_patient(path, link)
        else:
            link.symlink_to(path.absolute())
    try:
        code = run_apart([dcm2niix.bin, *_OPTIONS, "-o", there, here], _SECONDS)
    except OSError as error:
        text = f"{name} is DICOM and the program dcm2niix cannot be run here; install its Python package again."
        raise ScanRefused(Reason.UNSUPPORTED_FORMAT, text) from error
    made = sorted(there.glob("*.nii"))
    if not made:
        ended = "took too long" if code is None else "failed"
        text = f"The slices of {name} cannot be decoded (dcm2niix {ended}); download the series again."
        raise ScanRefused(Reason.UNREADABLE, text)
    if len(made) > 1:
        text = f"The slices of {name} make {len(made)} volumes and not one; give each a folder of its own."
        raise ScanRefused(Reason.DICOM_MIXED, text)
    return open_nifti(made[0])


def _write_without_patient(path: Path, target: Path) -> None:
    with open_dicom(path) as stream:
        start, end = patient_span(stream)
        stream.seek(0)
        content = stream.read()
    target.write_bytes(content[:start] + content[end:])


def _as_in_headers(
    voxels: np.ndarray, decoded: np.ndarray, wanted: np.ndarray, shape: tuple[int, ...], name: str
) -> np.ndarray:
    """The decoder's voxels in the order that the headers give: axes exchanged and turned, nothing else.

    Raises:
        ScanRefused: `bad_geometry`, if the decoder places the volume elsewhere than the headers do.
    """
    to_index = np.linalg.inv(wanted) @ decoded
    order = np.abs(to_index[:3, :3]).argmax(axis=1)
    if len(set(order.tolist())) == 3:
        senses = np.sign(to_index[np.arange(3), order])
        turned = voxels.transpose(order)[tuple(slice(None, None, int(sense)) for sense in senses)]
        exact = np.zeros((4, 4))
        exact[3, 3] = 1
        for axis, (source, sense) in enumerate(zip(order, senses, strict=True)):
            exact[axis, source] = sense
            exact[axis, 3] = 0 if sense > 0 else turned.shape[axis] - 1
        apart = corners_apart(decoded, wanted @ exact, voxels.shape)
        if turned.shape == tuple(shape) and apart <= _LARGEST_ERROR_MM:
            return turned
    text = f"The headers of {name} and the decoded volume disagree about its size or place."
    raise ScanRefused(Reason.BAD_GEOMETRY, f"{text} Download the series again, or convert it to NIfTI.")
