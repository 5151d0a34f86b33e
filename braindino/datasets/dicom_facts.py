"""How an image was acquired, by the header of its first DICOM file."""

import gzip
import io
import os
import warnings
from pathlib import Path
from typing import Any, BinaryIO

from braindino.datasets.base import Acquisition
from braindino.datasets.bids_sidecars import acquisition_of

# DICOM's names of the facts and their names in BIDS.
_TAGS = {
    "Manufacturer": "Manufacturer",
    "ManufacturerModelName": "ManufacturersModelName",
    "MagneticFieldStrength": "MagneticFieldStrength",
    "SliceThickness": "SliceThickness",
}
_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_ENDINGS = (".dcm", ".ima", ".dcm.gz", ".ima.gz")
_LARGEST_HEADER = 1 << 24
_TRIES = 10  # files without the mark of DICOM that may come first in a folder: lists, thumbnails


def may_be_dicom(image: Path) -> bool:
    """Whether an image is a DICOM series by its name: a folder, or a file with an ending in use."""
    try:
        return image.name.lower().endswith(_ENDINGS) or image.is_dir()
    except OSError:  # no file can have this name
        return False


def dicom_facts(image: Path) -> Acquisition:
    """Vendor, model, field strength and slice thickness of a DICOM series (folder or file); none if it has no header.

    Four tags are read and nothing else: no name, date or comment of the header is ever held.
    """
    import pydicom  # few datasets come as DICOM

    try:
        stream = _first_file(image)
        if stream is None:
            return Acquisition()
        with stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they quote the header
            header = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=[*_TAGS, *_GROUPS])
            stated = {name: str(header[tag].value) for tag, name in _TAGS.items() if tag in header}
            if "SliceThickness" not in stated and (thickness := _of_frames(header)) is not None:
                stated["SliceThickness"] = str(thickness)
    except Exception:  # pydicom raises all sorts of errors on broken headers; what they lack is unknown
        return Acquisition()
    told = acquisition_of(stated)
    return Acquisition.of("dicom", told.vendor, told.model, told.field_strength, told.slice_thickness)


def _first_file(image: Path) -> BinaryIO | None:
    if image.is_dir():
        with os.scandir(image) as entries:
            paths = [image / name for name in sorted(entry.name for entry in entries if entry.is_file())]
    else:
        paths = [image] if image.is_file() else []  # a pipe would be waited for without end
    for path in paths[:_TRIES]:
        head = _head(path)
        if head[128:132] == b"DICM":
            return io.BytesIO(head)
    return None


def _head(path: Path) -> bytes:
    """A file's first bytes, decompressed: no header that tells of a scanner is longer than what is read."""
    with path.open("rb") as raw:
        content = raw.read(_LARGEST_HEADER)
        if content[:2] != b"\x1f\x8b":
            return content
    with gzip.open(path) as packed:
        return packed.read(_LARGEST_HEADER)


def _of_frames(header: Any) -> float | None:
    """The slice thickness of a file of many frames, which states it for all of them or for each."""
    for group in _GROUPS:
        for item in header.get(group, [])[:1]:
            if measures := item.get("PixelMeasuresSequence"):
                thickness = measures[0].get("SliceThickness")
                return None if thickness is None else float(thickness)
    return None
