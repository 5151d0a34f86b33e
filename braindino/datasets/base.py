"""What every dataset adapter yields: scans and label rows. Adapters read names, tables and headers, never voxels."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Acquisition:
    """How a scan was acquired, as far as the source says; unknown stays None.

    `source` names where the facts came from: "sidecar", "table", "documentation" or "manifest".
    """

    vendor: str | None = None
    model: str | None = None
    field_strength: float | None = None  # tesla
    slice_thickness: float | None = None  # mm
    site: str | None = None
    source: str | None = None


@dataclass(frozen=True)
class Scan:
    """One acquired volume of a dataset.

    `source_key` is made of the source's own ids and entities and identifies the scan for good, whatever the folder is
    called and whatever contrast it is later found to have. Paths are absolute. A scan that the source lists but whose
    image is not on disk has `image_present=False`; `absent_hint` then says how to fetch it.
    """

    dataset: str
    source_key: str
    subject: str
    image: Path
    session: str | None = None
    contrast: str | None = None  # T1w, T1c, T2w, FLAIR, PD, ...
    run: str | None = None
    brain_mask: Path | None = None
    segmentation: Path | None = None
    skull_stripped: bool | None = None  # None: the source does not say
    acquisition: Acquisition = field(default_factory=Acquisition)
    image_present: bool = True
    absent_hint: str | None = None


@dataclass(frozen=True)
class Label:
    """One fact about a subject (or one of its sessions), long format.

    Exactly one of `value` (text) and `number` is set; missing codes of the source give no row at all. `when` is None
    or a text whose meaning `when_kind` tells: "date" (ISO), "offset_days" or "age_years"; `when_precision` is "day",
    "month", "year" or None.
    """

    dataset: str
    subject: str
    label: str
    value: str | None = None
    number: float | None = None
    unit: str | None = None
    session: str | None = None
    when: str | None = None
    when_kind: str | None = None
    when_precision: str | None = None


@dataclass(frozen=True)
class Discovery:
    """Everything an adapter found.

    `notes` are sentences about oddities that did not stop it. `title` and `licence` are what this copy says of itself,
    where an adapter serves many datasets.
    """

    scans: tuple[Scan, ...]
    labels: tuple[Label, ...]
    notes: tuple[str, ...] = ()
    title: str | None = None
    licence: str | None = None


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
