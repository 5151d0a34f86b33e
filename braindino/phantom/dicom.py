"""Writing rendered volumes as DICOM series: a folder with a file per slice, as scanners export them."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from braindino.phantom.plan import DicomSeries

_LPS = np.diag([-1.0, -1.0, 1.0])  # DICOM's axes run to left, posterior and superior


def write_series(
    folder: Path, series: DicomSeries, voxels: npt.NDArray[np.int16], affine: npt.NDArray[np.float64]
) -> None:
    """Writes voxels [column, row, slice] with a RAS affine as one file per slice.

    Unique identifiers follow from the names of the files alone: the same series has the same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    steps = _LPS @ affine[:3, :3]
    sizes = np.linalg.norm(steps, axis=0)
    for k in range(voxels.shape[2]):
        name = series.file.format(slice=k + 1)
        dataset = _header(series, name)
        dataset.InstanceNumber = k + 1
        dataset.ImageOrientationPatient = [*(steps[:, 0] / sizes[0]), *(steps[:, 1] / sizes[1])]
        dataset.ImagePositionPatient = list(_LPS @ (affine @ [0, 0, k, 1])[:3])
        dataset.PixelSpacing = [sizes[1], sizes[0]]
        dataset.SpacingBetweenSlices = sizes[2]
        slab = np.ascontiguousarray(voxels[:, :, k].T).astype("<i2")
        dataset.Rows, dataset.Columns = slab.shape
        dataset.PixelData = slab.tobytes()
        dataset.save_as(folder / name, enforce_file_format=True)


def _header(series: DicomSeries, name: str) -> Dataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[name])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset(name, {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = MRImageStorage
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=[series.file])
    dataset.StudyInstanceUID = generate_uid(entropy_srcs=[series.file, "study"])
    dataset.Modality = "MR"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
    for keyword, value in series.tags:
        setattr(dataset, keyword, value)
    return dataset
