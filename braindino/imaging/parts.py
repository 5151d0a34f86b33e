"""Of which files an image consists, for those who watch them for changes: no header of a voxel file is read."""

from pathlib import Path

from braindino.errors import ScanRefused
from braindino.imaging.dicom_files import MOST_FILES, walk
from braindino.imaging.itk import data_file
from braindino.imaging.nifti import halves

_DETACHED = (".nhdr", ".mhd")


def files_of(image: Path) -> tuple[Path, ...]:
    """The files of an image: itself, the other half of a pair, the voxels beside a text header, all files of a folder.

    What is not there, or may not be read, is named all the same: it is missed by whoever opens it.
    """
    try:
        if image.is_dir():
            return tuple(path for path, _ in zip(walk(image), range(MOST_FILES), strict=False)) or (image,)
        if image.suffix.lower() in _DETACHED and image.is_file():
            voxels = data_file(image)
            return (image,) if voxels is None else (image, voxels)
    except (ScanRefused, OSError, ValueError):
        return (image,)
    pair = halves(image)
    return (image,) if pair is None else (image, *(half for half in pair if half != image))
