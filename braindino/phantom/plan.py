"""What a layout consists of, before anything is rendered: scans with their file names, other files, and the truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from braindino.phantom.cohort import Subject

Corner = tuple[float, float, float]


@dataclass(frozen=True)
class Told:
    """What the files of a layout say about one scan, in the words of the feature store; None where they are silent.

    `facts` holds vendor, model, field_strength (tesla), slice_thickness (mm) and site, as far as stated. `when` is
    (kind, value), such as ("date", "2006-11-02") or ("offset_days", "757").
    """

    subject: str
    session: str | None = None
    run: str | None = None
    when: tuple[str, str] | None = None
    facts: Mapping[str, str | float] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class ToldLabel:
    """One fact about a person that the files of a layout state, in the words of the feature store."""

    subject: str
    label: str
    value: str | float
    unit: str | None = None
    session: str | None = None
    when: tuple[str, str] | None = None


@dataclass(frozen=True)
class AtlasSpace:
    """The grid that a dataset registered its images to: heads straight and in its centre.

    `field_mm` are two corners of it in RAS mm of the template, `shift` how far its own coordinates lie from those.
    """

    field_mm: tuple[Corner, Corner]
    shift: Corner


@dataclass(frozen=True)
class Reencoding:
    """How another owner stored one and the same scan, so that no byte of it is the same.

    `factor` multiplies the stored integers, `trim_mm` is what a tighter brain mask leaves off all round, and
    `compression` the level of gzip.
    """

    factor: float = 1.0
    trim_mm: float = 0.0
    compression: int = 6


@dataclass(frozen=True)
class DicomSeries:
    """A scan stored as a folder of DICOM files: their names, with `{slice}` in them, and tags by DICOM keyword."""

    file: str
    tags: tuple[tuple[str, str | float], ...]


@dataclass(frozen=True)
class ScanFile:
    """One scan to render and where it goes; all paths are relative to the dataset's root.

    `axes` are the directions that the stored voxel axes run to, such as "PSR" for a sagittal acquisition; `tilt` the
    obliquity in degrees that the header states. `field_mm` are two corners of the field of view in RAS mm, where the
    layout prescribes them. `singleton` adds a fourth axis of length 1, `slope` stores integers that the header scales,
    `gain` multiplies intensities, and `lesion_slope` scales the codes of the lesion mask. That mask is written only
    for people who have lesions; `lesion_codes` are the numbers of its nested parts, from the core outwards. `repeat`
    counts further scans of one contrast: the same anatomy in other noise. A later session has an older `subject`.
    A tumour has three parts: core, enhancing, oedema. `lesion_copies` are other files with the same mask.
    With `dicom`, `image` is the folder of a series.
    """

    subject: Subject
    contrast: str
    image: str
    axes: str = "RAS"
    tilt: float = 0.0
    with_skull: bool = False
    brain_mask: str | None = None
    lesion_mask: str | None = None
    lesion_codes: tuple[int, ...] = (1,)
    field_mm: tuple[Corner, Corner] | None = None
    singleton: bool = False
    slope: float | None = None
    gain: float = 1.0
    lesion_slope: float | None = None
    repeat: int = 0
    atlas: AtlasSpace | None = None
    reencoding: Reencoding | None = None
    lesion_copies: tuple[str, ...] = ()
    dicom: DicomSeries | None = None
    told: Told | None = None

    @property
    def segmentation(self) -> str | None:
        """The lesion mask that will really be written."""
        return self.lesion_mask if self.subject.lesion or self.subject.tumour else None


@dataclass(frozen=True)
class Plan:
    """A dataset to write: who is in it, its scans, and its other files by relative path (text as UTF-8).

    `further` are other versions of the scans that the download holds as well, for whoever chooses to read those.
    `labels` is everything that its tables state of the people and that the feature store has a word for; `links` are
    pairs of (id here, (other dataset, id there)) that its tables state.
    """

    subjects: Sequence[Subject]
    scans: Sequence[ScanFile]
    files: Mapping[str, str | bytes]
    labels: Sequence[ToldLabel] = ()
    links: Sequence[tuple[str, tuple[str, str]]] = ()
    further: Sequence[ScanFile] = ()
