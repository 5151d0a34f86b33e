"""Small trees as LONI's archive delivers them."""

from pathlib import Path

from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import MRImageStorage, generate_uid

LIST_HEADER = (
    '"Image Data ID","Subject","Group","Sex","Age","Visit","Modality","Description","Type","Acq Date","Format",'
    '"Downloaded"\n'
)
STAMP = "20070219173850420"


def listed(*rows: tuple[str, ...]) -> str:
    """A collection's list of images with these rows: image, subject, group, sex, age, visit, description, date."""
    lines = []
    for image, subject, group, sex, age, visit, description, day in rows:
        cells = (image, subject, group, sex, age, visit, "MRI", description, "Original", day, "DCM", "1/24/2022")
        lines.append(",".join(f'"{cell}"' for cell in cells) + "\n")
    return LIST_HEADER + "".join(lines)


def volume(project: str, subject: str, description: str, time: str, image: str, modality: str = "MR") -> str:
    """The path of a NIfTI file of the archive."""
    name = f"{project}_{subject}_{modality}_{description}_Br_{STAMP}_S21856_{image}.nii"
    return f"{project}/{subject}/{description}/{time}/{image}/{name}"


def write_series(folder: Path, stem: str, image: str, slices: int = 2) -> Path:
    """A DICOM series of a few tiny slices whose headers also hold what must never leave them."""
    folder.mkdir(parents=True)
    for number in range(1, slices + 1):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = MRImageStorage
        meta.MediaStorageSOPInstanceUID = generate_uid()
        meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
        data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        data.PatientName = "Secret^Name"
        data.PatientBirthDate = "19400101"
        data.ImageComments = "seen by Dr Secret"
        data.Manufacturer = "SIEMENS"
        data.ManufacturerModelName = "TrioTim"
        data.MagneticFieldStrength = 3
        data.SliceThickness = 1.2
        data.save_as(folder / f"{stem}_{STAMP}_{number}_S21856_{image}.dcm")
    return folder
