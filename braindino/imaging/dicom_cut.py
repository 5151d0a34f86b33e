"""Which files of a DICOM series end before their voxels do: asked only once the series could not be decoded."""

import contextlib
import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydicom.filereader import read_partial

from braindino.errors import Reason, ScanRefused
from braindino.imaging.dicom_files import open_dicom, quiet

_PIXEL_DATA = 0x7FE00010
_UNDEFINED = 0xFFFFFFFF
# The mark behind the last fragment of compressed voxels (PS3.5, A.4).
_LAST_FRAGMENT = b"\xfe\xff\xdd\xe0"


@contextlib.contextmanager
def naming_cut_files(files: Sequence[Path]) -> Iterator[None]:
    """Says of a series that is refused within, which of its files end early, if any does.

    Raises:
        ScanRefused: `truncated`, naming the first of them; else what was raised within.
    """
    try:
        yield
    except ScanRefused as refusal:
        cut = [path.name for path in files if ends_early(path)]
        if not cut:
            raise
        text = f"The file {cut[0]} ends early; download it again."
        if len(cut) > 1:
            text = f"{len(cut)} files of the series end early, the first is {cut[0]}; download them again."
        raise ScanRefused(Reason.TRUNCATED, text) from refusal


def ends_early(path: Path) -> bool:
    """Whether a DICOM file with an image holds fewer voxels than it promises, or none; False where nothing tells."""
    try:
        with quiet(), open_dicom(path) as stream:
            header = read_partial(stream, stop_when=lambda tag, *_: tag >= _PIXEL_DATA, force=True)
            implicit, little = header.original_encoding
            place = stream.tell()
            left = stream.seek(0, os.SEEK_END) - place
            stream.seek(place)
            element = stream.read(8 if implicit else 12)
            if len(element) < (8 if implicit else 12):
                return True
            length = struct.unpack("<I" if little else ">I", element[-4:])[0]
            if length == _UNDEFINED:
                return _LAST_FRAGMENT not in stream.read()
            return bool(length > left - len(element))
    except MemoryError:
        raise
    except Exception:  # pydicom raises all sorts of errors on broken headers
        return False
