"""What a layout consists of, before anything is rendered: scans with their file names, and text files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from braindino.phantom.cohort import Subject


@dataclass(frozen=True)
class ScanFile:
    """One scan to render and where it goes; all paths are relative to the dataset's root.

    `axes` are the directions that the stored voxel axes run to, such as "PSR" for a sagittal acquisition;
    `tilt` the obliquity in degrees that the header states. The lesion mask is written only for people who
    have lesions.
    """

    subject: Subject
    contrast: str
    image: str
    axes: str = "RAS"
    tilt: float = 0.0
    with_skull: bool = False
    brain_mask: str | None = None
    lesion_mask: str | None = None

    @property
    def segmentation(self) -> str | None:
        """The lesion mask that will really be written."""
        return self.lesion_mask if self.subject.lesion else None


@dataclass(frozen=True)
class Plan:
    """A dataset to write: who is in it, its scans, and its text files by relative path."""

    subjects: Sequence[Subject]
    scans: Sequence[ScanFile]
    texts: Mapping[str, str]
