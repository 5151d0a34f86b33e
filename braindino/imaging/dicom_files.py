"""What the headers of DICOM files say of each slice: its place, its kind and its series. No voxel is read here.

Of names, dates and comments nothing is kept. Unique identifiers leave the header as short hashes, and the description
of a series is only asked whether it is a localiser.
"""

import contextlib
import hashlib
import io
import logging
import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pydicom
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag, Tag

from braindino.errors import Reason, ScanRefused
from braindino.imaging.image_file import MOST_VOXELS
from braindino.imaging.payload import all_bytes, first_bytes, is_packed, reading

# More files than any series has; whoever gives a folder of a whole archive is told so at once.
MOST_FILES = 20_000
_DEEPEST = 6  # levels of folders: patient, study, series and what archives add
_LARGEST_FILE = 2 * MOST_VOXELS + (1 << 26)

_TAGS: list[BaseTag | int] = [Tag(tag) for tag in (
    "ImageType", "SOPClassUID", "SOPInstanceUID", "AcquisitionTime", "Modality", "SeriesDescription", "SliceThickness",
    "EchoTime", "TriggerTime", "SpacingBetweenSlices", "DiffusionBValue", "SeriesInstanceUID", "SeriesNumber",
    "AcquisitionNumber", "InstanceNumber", "ImagePositionPatient", "ImageOrientationPatient",
    "TemporalPositionIdentifier", "SamplesPerPixel", "NumberOfFrames", "Rows", "Columns", "PixelSpacing",
    "BitsAllocated", "ComplexImageComponent", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    0x0043102F,
)]  # fmt: skip
# Everything on a slice that is a file of its own stands before the private groups behind this one; reading on through
# those costs most of the time.
_LAST_GROUP = 0x0043
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_GE_COMPONENT = 0x0043102F  # 0 magnitude, 1 phase, 2 real, 3 imaginary (GE's conformance statements)

# Words of ImageType (0008,0008), by vendor or by the standard, of images that are computed from others and show no
# anatomy as it was acquired.
_MAPS = frozenset({
    "ADC", "EADC", "EXP", "FA", "COLFA", "TENSOR", "TENSOR_B0", "TRACE", "TRACEW", "RA", "CBF", "CBV", "MTT", "TTP",
    "TMAX", "RELCBF", "RELCBV", "RELMTT", "PERFUSION", "PERMEABILITY", "KTRANS", "T1 MAP", "T2 MAP", "T2_STAR MAP",
    "T2STAR MAP", "T2* MAP", "R2 MAP", "R2_STAR MAP", "PD MAP", "FIELD MAP", "FIELD_MAP", "B0 MAP", "B1 MAP",
    "VELOCITY MAP", "DIFFUSION_ANISO", "MIP", "MNIP", "MINIP", "PROJECTION IMAGE", "MAX_IP", "MIN_IP", "SUB",
    "SUBTRACT", "SUBTRACTION", "T_MAP", "TMAP", "ZSCORE", "FMRI", "SCREEN SAVE", "POSDISP", "MASK", "ERROR",
})  # fmt: skip
_LOCALISERS = frozenset({"LOCALIZER", "LOCALISER", "SCOUT", "SURVEY"})
_LOCALISER_NAME = re.compile(
    r"(?i)locali[sz]er|scout|survey|(?:^|[_\W])(?:loc|3-?pl(?:ane)?|aahead|plan_?scan)(?:[_\W]|$)"
)
_PHASES = frozenset({"P", "PHASE", "PHASE MAP", "PHASE_MAP", "R", "REAL", "I", "IMAGINARY"})


@dataclass(frozen=True)
class Slice:
    """One slice: a file, or one frame of a file.

    `kind` is "image" or why it is none: "localiser", "map", "phase", "colour", "without a place" or "not MR". Lengths
    are mm in DICOM's patient coordinates (left, posterior, superior).
    """

    file: int  # its index among the files of the folder
    series: str  # a hash of the series' unique identifier
    number: int | None  # of the series, as the scanner shows it
    kind: str
    mosaic: bool  # a whole volume tiled into one slice, as Siemens stores fast series
    derived: bool
    rows: int
    columns: int
    spacing: tuple[float, float]  # between rows, between columns
    orientation: tuple[float, ...]  # direction along a row, direction along a column [6]
    position: tuple[float, ...]  # of the first voxel [3]
    between: float | None  # distance of slices that the header states
    echo: float | None  # ms
    moment: tuple[str, ...]  # what tells volumes at the same place apart


def dicom_files(source: Path) -> list[Path]:
    """The files of a folder and its subfolders that may be DICOM by their first bytes; or the one file that is given.

    Links to folders are not followed, so that no loop is entered.

    Raises:
        ScanRefused: `unsupported_format`, if there are far too many files or none is DICOM; `unreadable`, if the folder
            may not be read.
    """
    files: list[Path] = []
    for count, path in enumerate(walk(source)):
        if count > MOST_FILES:
            text = f"{source.name} holds more than {MOST_FILES} files; give the folder of one series."
            raise ScanRefused(Reason.UNSUPPORTED_FORMAT, text)
        with contextlib.suppress(ScanRefused):
            if is_dicom(first_bytes(path, 132)):
                files.append(path)
    if not files:
        text = f"The folder {source.name} holds no DICOM file; name the image itself, or download the series again."
        raise ScanRefused(Reason.UNSUPPORTED_FORMAT, text)
    return files


def walk(source: Path, depth: int = _DEEPEST) -> Iterator[Path]:
    """All regular files of a folder and its subfolders, `depth` levels down, in order of name; or the file itself.

    Raises:
        ScanRefused: `unreadable`, if the folder may not be read.
    """
    if source.is_file():
        yield source
        return
    try:
        entries = sorted(os.scandir(source), key=lambda entry: entry.name)
    except OSError as error:
        text = f"The folder {source.name} may not be read; give this user the permission."
        raise ScanRefused(Reason.UNREADABLE, text) from error
    for entry in entries:
        if entry.is_file():
            yield Path(entry.path)
        elif depth and entry.is_dir(follow_symlinks=False):
            yield from walk(Path(entry.path), depth - 1)


def is_dicom(head: bytes) -> bool:
    """Whether a file that begins with these 132 bytes may be DICOM: by its mark, or by the group that old files start
    with."""
    return head[128:132] == b"DICM" or (head[:2] == b"\x08\x00" and head[3:4] == b"\x00" and len(head) == 132)


def read_slices(files: list[Path]) -> list[Slice]:
    """The slices of files, in the files' order; what is no image, or cannot be read at all, gives none."""
    slices: list[Slice] = []
    with quiet():
        for index, path in enumerate(files):
            try:
                slices += _slices_of(path, index)
            except ScanRefused:
                continue
            except MemoryError:
                raise
            except Exception:  # pydicom raises all sorts of errors on broken headers
                continue
    return slices


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps pydicom from quoting a header's words in warnings and logs."""
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def open_dicom(path: Path) -> BinaryIO:
    """A DICOM file's bytes: the file itself, or in memory where it is gzipped.

    Raises:
        ScanRefused: as `payload.all_bytes` does; `unreadable`, if it is larger than any series.
    """
    if is_packed(path):
        return io.BytesIO(all_bytes(path, _LARGEST_FILE))
    with reading(path):
        if path.stat().st_size > _LARGEST_FILE:
            raise ScanRefused(Reason.UNREADABLE, f"{path.name} is larger than any DICOM file; leave it out.")
        return path.open("rb")


def patient_span(stream: BinaryIO) -> tuple[int, int]:
    """Where the patient's group (0010) begins and ends in a DICOM file, in bytes; an empty span if there is none."""
    ends = []
    with quiet():
        for last in (0x000F, 0x0010):
            stream.seek(0)
            read_partial(stream, stop_when=lambda tag, *_, last=last: tag >> 16 > last, force=True, specific_tags=_TAGS)
            ends.append(stream.tell())
    return ends[0], ends[1]


def _slices_of(path: Path, index: int) -> list[Slice]:
    if _DEFLATED in first_bytes(path, 2048):  # pydicom would decompress it whole, however much that is
        return []
    with open_dicom(path) as stream:
        header = read_partial(
            stream, stop_when=lambda tag, *_: tag >> 16 > _LAST_GROUP, force=True, specific_tags=_TAGS
        )
        if int(header.get("NumberOfFrames") or 1) > 1:
            stream.seek(0)
            header = pydicom.dcmread(stream, stop_before_pixels=True, force=True, specific_tags=_TAGS)
    if "Rows" not in header or "Columns" not in header:
        return []  # a report, a presentation state, raw data
    base = _base(header, index)
    if "PerFrameFunctionalGroupsSequence" not in header:
        return [base]
    shared = (header.get("SharedFunctionalGroupsSequence") or [pydicom.Dataset()])[0]
    return [_frame(base, shared, frame) for frame in header.PerFrameFunctionalGroupsSequence]


def _base(header: pydicom.Dataset, index: int) -> Slice:
    words = {str(word).strip().upper() for word in _list(header.get("ImageType"))}
    spacing, thickness = _floats(header.get("PixelSpacing")), _number(header.get("SliceThickness"))
    orientation = _floats(header.get("ImageOrientationPatient"))
    position = _floats(header.get("ImagePositionPatient"))
    placed = len(spacing) == 2 and len(orientation) == 6 and len(position) == 3
    frames = "PerFrameFunctionalGroupsSequence" in header
    between = _number(header.get("SpacingBetweenSlices"))
    when = ("TemporalPositionIdentifier", "AcquisitionNumber", "TriggerTime", "DiffusionBValue", "AcquisitionTime")
    return Slice(
        file=index,
        series=_hash(header.get("SeriesInstanceUID")),
        number=_whole(header.get("SeriesNumber")),
        kind=_kind(header, words) if placed or frames else "without a place",
        mosaic="MOSAIC" in words,
        derived="DERIVED" in words,
        rows=int(header.Rows),
        columns=int(header.Columns),
        spacing=(spacing[0], spacing[1]) if len(spacing) == 2 else (0.0, 0.0),
        orientation=orientation,
        position=position,
        between=max(between, thickness or 0.0) if between else None,
        echo=_number(header.get("EchoTime")),
        moment=tuple(str(header.get(name) or "") for name in when),
    )


def _frame(base: Slice, shared: pydicom.Dataset, frame: pydicom.Dataset) -> Slice:
    def group(name: str) -> pydicom.Dataset:
        found = frame.get(name) or shared.get(name)
        return found[0] if found else pydicom.Dataset()

    measures, echo = group("PixelMeasuresSequence"), group("MREchoSequence")
    kind = group("MRImageFrameTypeSequence")
    content, diffusion = group("FrameContentSequence"), group("MRDiffusionSequence")
    orientation = _floats(group("PlaneOrientationSequence").get("ImageOrientationPatient")) or base.orientation
    position = _floats(group("PlanePositionSequence").get("ImagePositionPatient")) or base.position
    spacing = _floats(measures.get("PixelSpacing")) or base.spacing
    words = {str(word).strip().upper() for word in _list(kind.get("FrameType"))}
    component = str(kind.get("ComplexImageComponent") or "MAGNITUDE")
    what = base.kind if base.kind != "image" else _kind_of_words(words | {component})
    between, thickness = _number(measures.get("SpacingBetweenSlices")), _number(measures.get("SliceThickness"))
    if len(orientation) != 6 or len(position) != 3 or len(spacing) != 2:
        what = "without a place"
    return replace(
        base,
        kind=what,
        derived=base.derived or "DERIVED" in words,
        spacing=(spacing[0], spacing[1]) if len(spacing) == 2 else (0.0, 0.0),
        orientation=orientation,
        position=position,
        between=max(between, thickness or 0.0) if between else base.between,
        echo=_number(echo.get("EffectiveEchoTime")) or base.echo,
        moment=(str(content.get("TemporalPositionIndex") or ""), str(diffusion.get("DiffusionBValue") or "")),
    )


def _kind(header: pydicom.Dataset, words: set[str]) -> str:
    if str(header.get("Modality") or "MR").strip().upper() != "MR":
        return "not MR"
    if int(header.get("SamplesPerPixel") or 1) > 1:
        return "colour"
    if words & _LOCALISERS or _LOCALISER_NAME.search(str(header.get("SeriesDescription") or "")):
        return "localiser"
    component = header.get(_GE_COMPONENT)
    if component is not None and _list(component.value)[:1] in ([1], [2], [3]):
        return "phase"
    return _kind_of_words(words | {str(header.get("ComplexImageComponent") or "").strip().upper()})


def _kind_of_words(words: set[str]) -> str:
    if words & _MAPS:
        return "map"
    return "phase" if words & _PHASES else "image"


def _list(value: Any) -> list[Any]:
    if value is None or isinstance(value, str | bytes):
        return [] if not value else [value]
    return list(value) if hasattr(value, "__iter__") else [value]


def _floats(value: Any) -> tuple[float, ...]:
    numbers = tuple(float(number) for number in _list(value))
    return numbers if np.isfinite(numbers).all() else ()


def _number(value: Any) -> float | None:
    numbers = _floats(value) if value not in (None, "") else ()
    return numbers[0] if numbers else None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _hash(uid: Any) -> str:
    return hashlib.sha256(str(uid or "").encode()).hexdigest()[:8]
