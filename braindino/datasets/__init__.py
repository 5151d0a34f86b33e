"""Adapters: one file per source dataset, saying where its scans and labels are, and nothing else."""

from braindino.datasets.base import (
    FACTS,
    Acquisition,
    Adapter,
    DatasetInfo,
    Discovery,
    Label,
    Moment,
    Scan,
    SubjectLink,
)
from braindino.datasets.half_copies import partial_notes, require_whole
from braindino.datasets.overlaps import OVERLAPS, Overlap
from braindino.datasets.registry import ADAPTERS, get_adapter

__all__ = [
    "ADAPTERS",
    "FACTS",
    "OVERLAPS",
    "Acquisition",
    "Adapter",
    "DatasetInfo",
    "Discovery",
    "Label",
    "Moment",
    "Overlap",
    "Scan",
    "SubjectLink",
    "get_adapter",
    "partial_notes",
    "require_whole",
]
