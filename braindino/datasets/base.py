"""What every dataset adapter yields: scans and label rows. Adapters read names, tables and headers, never voxels."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

FACTS = ("vendor", "model", "field_strength", "slice_thickness", "site")
MOMENT_KINDS = ("date", "shifted_date", "offset_days", "age_years")


@dataclass(frozen=True)
class Acquisition:
    """How a scan was acquired, as far as the source says; unknown stays None.

    `sources` names, for every fact that is known, where it came from: "sidecar", "table", "path", "documentation",
    "manifest" or "dicom" (a header), as (fact, source) pairs.
    """

    vendor: str | None = None
    model: str | None = None
    field_strength: float | None = None  # tesla
    slice_thickness: float | None = None  # mm
    site: str | None = None
    sources: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(
        cls,
        source: str,
        vendor: str | None = None,
        model: str | None = None,
        field_strength: float | None = None,
        slice_thickness: float | None = None,
        site: str | None = None,
    ) -> "Acquisition":
        """Facts that one source states; those left out are unknown."""
        facts = cls(vendor, model, field_strength, slice_thickness, site)
        known = tuple((fact, source) for fact in FACTS if getattr(facts, fact) is not None)
        return replace(facts, sources=known)

    def or_else(self, other: "Acquisition") -> "Acquisition":
        """These facts, and those of `other` where they are unknown: the more trusted source is asked first."""
        missing = {fact for fact in FACTS if getattr(self, fact) is None and getattr(other, fact) is not None}
        sources = (*self.sources, *(pair for pair in other.sources if pair[0] in missing))
        return replace(self, **{fact: getattr(other, fact) for fact in missing}, sources=tuple(sorted(sources)))


@dataclass(frozen=True)
class Moment:
    """When something was: a date, days since the subject entered the study, or an age, as `kind` says.

    `value` is an ISO date for "date" and "shifted_date" (dates moved by the owners, by the same amount for all of one
    subject), else a number as text. `precision` is "day", "month" or "year", None where the source does not tell.
    Two moments of one subject can be compared when their kind is the same.
    """

    value: str
    kind: str
    precision: str | None = None


@dataclass(frozen=True)
class Scan:
    """One acquired volume of a dataset.

    `source_key` is made of the source's own ids and entities and identifies the scan for good, whatever the folder is
    called and whatever contrast it is later found to have. Paths are absolute. A scan that the source lists but whose
    image is not on disk has `image_present=False`; `absent_hint` then says how to fetch it. Where the download should
    have brought the image and did not, `download` says which ("unpack IXI-T1.tar from https://..."): the copy is half
    a copy (see `half_copies`, which sets the three). `segmentation_codes` says
    what the numbers of the segmentation mean, as (code, meaning) pairs. `orientation` says where the stored voxel axes
    point, as three letters such as "ASL" (to anterior, superior, left), for files whose format cannot say it (Analyze);
    a file that states its orientation is believed.
    """

    dataset: str
    source_key: str
    subject: str
    image: Path
    session: str | None = None
    contrast: str | None = None  # T1w, T1c, T2w, FLAIR, PD, ...
    run: str | None = None
    when: Moment | None = None
    brain_mask: Path | None = None
    segmentation: Path | None = None
    segmentation_codes: tuple[tuple[int, str], ...] = ()
    skull_stripped: bool | None = None  # None: the source does not say
    orientation: str | None = None
    acquisition: Acquisition = field(default_factory=Acquisition)
    image_present: bool = True
    absent_hint: str | None = None
    download: str | None = None


@dataclass(frozen=True)
class Label:
    """One fact about a subject (or one of its sessions), long format.

    Exactly one of `value` (text) and `number` is set; missing codes of the source give no row at all. With a session,
    it holds for the scans of that session alone. Without one, it holds for the subject, and if it has a moment, for
    each scan the statement nearest in time counts.
    """

    dataset: str
    subject: str
    label: str
    value: str | None = None
    number: float | None = None
    unit: str | None = None
    session: str | None = None
    when: Moment | None = None


@dataclass(frozen=True)
class SubjectLink:
    """A documented statement that a subject of this dataset is also known elsewhere.

    `other_dataset` is the name of the other dataset's adapter (or of this one, for two ids of one person), whatever a
    home calls its copy. `evidence` names the table that says so.
    """

    dataset: str
    subject: str
    other_dataset: str
    other_subject: str
    evidence: str


@dataclass(frozen=True)
class Gap:
    """A folder that holds none of its images, and nothing tells their names; `download` brings them."""

    folder: Path
    download: str


@dataclass(frozen=True)
class Discovery:
    """Everything an adapter found.

    `links` are people known under other ids as well, as far as this dataset's own tables tell. `notes` are sentences
    about oddities that did not stop it. `title` and `licence` are what this copy says of itself, where an adapter
    serves many datasets. `gaps` are images that are missing as well, beside the scans that say so.
    """

    scans: tuple[Scan, ...]
    labels: tuple[Label, ...]
    notes: tuple[str, ...] = ()
    links: tuple[SubjectLink, ...] = ()
    title: str | None = None
    licence: str | None = None
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a dataset before looking at a copy of it."""

    name: str
    title: str
    licence: str
    restrictions: str | None
    homepage: str | None


class Adapter(Protocol):
    """One source dataset: where its scans and labels are, and nothing else."""

    info: DatasetInfo

    def discover(self, root: Path, name: str) -> Discovery:
        """All scans and labels under `root`, with `name` as their dataset.

        Raises:
            DatasetError: listing everything expected but missing, each with the download that provides it.
        """
        ...
