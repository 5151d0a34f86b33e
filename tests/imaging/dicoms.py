"""Made-up DICOM series for the imaging tests: every voxel's value tells where in the world it lies."""

import gzip
import struct
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

SHAPE = (24, 20, 16)  # columns, rows, slices
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])

# An oblique sagittal stack: rows run down, columns to the back, slices to the left; 4 x 5 x 6 mm.
TILT = np.radians(8)
AXES = np.array([[0, 0, -1], [-np.cos(TILT), np.sin(TILT), 0], [-np.sin(TILT), -np.cos(TILT), 0]])
AFFINE = np.eye(4)
AFFINE[:3, :3] = AXES * [4.0, 5.0, 6.0]
AFFINE[:3, 3] = [45.0, 60.0, 55.0]


def values(affine: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """What a voxel holds at its place: 2000 + 3 x + 5 y + 7 z (RAS mm), int16."""
    index = np.indices(tuple(shape)).reshape(3, -1)
    world = affine[:3, :3] @ index + affine[:3, 3:]
    return np.rint(2000 + np.array([3, 5, 7]) @ world).reshape(tuple(shape)).astype(np.int16)


def header(series: str = "1", number: int = 5, vendor: str = "SIEMENS", **tags: Any) -> Dataset:
    """What all slices of a series share."""
    data = Dataset()
    data.SOPClassUID, data.Modality = MRImageStorage, "MR"
    data.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
    data.Manufacturer, data.ManufacturerModelName, data.MagneticFieldStrength = vendor, "Made up", 3.0
    data.SeriesInstanceUID = generate_uid(entropy_srcs=["series", series])
    data.StudyInstanceUID = generate_uid(entropy_srcs=["study"])
    data.FrameOfReferenceUID = generate_uid(entropy_srcs=["frame"])
    data.SeriesNumber, data.AcquisitionNumber, data.PatientPosition = number, 1, "HFS"
    data.EchoTime, data.RepetitionTime, data.MRAcquisitionType = 3.0, 2000.0, "3D"
    data.SeriesDescription = "t1 mprage"
    data.PatientName, data.PatientBirthDate, data.PatientID = "Secret^Name", "19400101", "secret-id"
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
    for keyword, value in tags.items():
        setattr(data, keyword, value)
    return data


def series(
    affine: np.ndarray = AFFINE,
    shape: Sequence[int] = SHAPE,
    shared: Dataset | None = None,
    voxels: np.ndarray | None = None,
) -> list[Dataset]:
    """One data set per slice, in order; `voxels` are int16 [column, row, slice], by default those of `values`."""
    shared = header() if shared is None else shared
    steps, sizes = (LPS @ affine)[:3, :3], np.linalg.norm(affine[:3, :3], axis=0)
    voxels = values(affine, shape) if voxels is None else voxels
    slices = []
    for k in range(shape[2]):
        data = deepcopy(shared)
        data.InstanceNumber = k + 1
        data.SOPInstanceUID = generate_uid(entropy_srcs=[str(shared.SeriesInstanceUID), str(k)])
        data.ImageOrientationPatient = [*(steps[:, 0] / sizes[0]), *(steps[:, 1] / sizes[1])]
        data.ImagePositionPatient = list((LPS @ affine @ [0, 0, k, 1])[:3])
        data.PixelSpacing, data.SliceThickness = [sizes[1], sizes[0]], sizes[2]
        data.SpacingBetweenSlices = sizes[2]
        data.Rows, data.Columns = shape[1], shape[0]
        data.PixelData = np.ascontiguousarray(voxels[:, :, k].T).astype("<i2").tobytes()
        slices.append(data)
    return slices


def save(path: Path, data: Dataset) -> Path:
    """Writes one file, gzipped where its name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = data.SOPClassUID
    meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset("", data, file_meta=meta, preamble=b"\0" * 128)
    plain = path.with_name(path.name.removesuffix(".gz"))
    file.save_as(plain, enforce_file_format=True)
    if plain != path:
        path.write_bytes(gzip.compress(plain.read_bytes(), 1))
        plain.unlink()
    return path


def save_all(folder: Path, slices: Sequence[Dataset], name: Callable[[int], str] = "{:04d}.dcm".format) -> Path:
    """Writes a file per slice and returns the folder."""
    for index, data in enumerate(slices):
        save(folder / name(index), data)
    return folder


def enhanced(slices: Sequence[Dataset]) -> Dataset:
    """The slices as the frames of one file."""
    first = slices[0]
    data = deepcopy(first)
    for keyword in (
        "ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices",
        "EchoTime", "InstanceNumber", "RepetitionTime",
    ):  # fmt: skip
        delattr(data, keyword)
    data.SOPClassUID, data.InstanceNumber, data.NumberOfFrames = EnhancedMRImageStorage, 1, len(slices)
    data.PixelData = b"".join(one.PixelData for one in slices)
    shared = Dataset()
    shared.PixelMeasuresSequence = Items([_items(first, "PixelSpacing", "SliceThickness", "SpacingBetweenSlices")])
    shared.PlaneOrientationSequence = Items([_items(first, "ImageOrientationPatient")])
    timing = Dataset()
    timing.RepetitionTime, timing.FlipAngle, timing.EchoTrainLength = 2000.0, 9.0, 1
    shared.MRTimingAndRelatedParametersSequence = Items([timing])
    data.SharedFunctionalGroupsSequence = Items([shared])
    frames = []
    for k, one in enumerate(slices):
        frame, content, echo, kind = Dataset(), Dataset(), Dataset(), Dataset()
        content.StackID, content.InStackPositionNumber, content.TemporalPositionIndex = "1", k + 1, 1
        content.DimensionIndexValues = [1, k + 1]
        echo.EffectiveEchoTime = 3.0
        kind.FrameType, kind.ComplexImageComponent = list(first.ImageType), "MAGNITUDE"
        frame.FrameContentSequence, frame.MREchoSequence = Items([content]), Items([echo])
        frame.PlanePositionSequence = Items([_items(one, "ImagePositionPatient")])
        frame.MRImageFrameTypeSequence = Items([kind])
        frames.append(frame)
    data.PerFrameFunctionalGroupsSequence = Items(frames)
    return data


def mosaic(affine: np.ndarray, shape: Sequence[int], volumes: int) -> list[Dataset]:
    """A Siemens mosaic per volume: all slices tiled into one image, their number in the vendor's private header."""
    stack = series(affine, shape)
    tiles = int(np.ceil(np.sqrt(shape[2])))
    voxels = values(affine, shape)
    sheet = np.zeros((tiles * shape[1], tiles * shape[0]), "<i2")
    for k in range(shape[2]):
        row, column = divmod(k, tiles)
        area = np.s_[row * shape[1] : (row + 1) * shape[1], column * shape[0] : (column + 1) * shape[0]]
        sheet[area] = voxels[:, :, k].T
    # A mosaic's position is that of its sheet's corner, as if the sheet were centred where the first slice is.
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    shift = (np.array([sheet.shape[1] - shape[0], sheet.shape[0] - shape[1]]) / 2) * sizes[:2]
    axes = (LPS @ affine)[:3, :3] / sizes
    corner = np.array(stack[0].ImagePositionPatient, float) - axes[:, 0] * shift[0] - axes[:, 1] * shift[1]
    normal = [f"{number:.8f}" for number in axes[:, 2]]
    data = []
    for volume in range(volumes):
        one = deepcopy(stack[0])
        one.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
        one.InstanceNumber = one.AcquisitionNumber = volume + 1
        one.AcquisitionTime = f"12000{volume}"
        one.SOPInstanceUID = generate_uid(entropy_srcs=["mosaic", str(volume)])
        one.ImagePositionPatient = list(corner)
        one.Rows, one.Columns = sheet.shape
        one.PixelData = (sheet + volume).astype("<i2").tobytes()
        one.add_new(0x00290010, "LO", "SIEMENS CSA HEADER")
        fields = {"NumberOfImagesInMosaic": ("US", [str(shape[2])]), "SliceNormalVector": ("FD", normal)}
        one.add_new(0x00291010, "OB", _csa(fields))
        one.add_new(0x00291008, "CS", "IMAGE NUM 4")
        data.append(one)
    return data


def _items(source: Dataset, *keywords: str) -> Dataset:
    data = Dataset()
    for keyword in keywords:
        setattr(data, keyword, getattr(source, keyword))
    return data


def _csa(fields: dict[str, tuple[str, list[str]]]) -> bytes:
    """Siemens' private header of the kind SV10, as nibabel's documentation describes it."""
    out = b"SV10\x04\x03\x02\x01" + struct.pack("<II", len(fields), 77)
    for name, (kind, items) in fields.items():
        out += struct.pack("<64si4siii", name.encode(), len(items), kind.encode(), 0, len(items), 77)
        for item in items:
            text = item.encode() + b"\0"
            out += struct.pack("<iiii", len(text), len(text), 77, len(text)) + text + b"\0" * (-len(text) % 4)
    return out
