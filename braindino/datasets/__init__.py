"""Adapters: one file per source dataset, saying where its scans and labels are, and nothing else."""

from braindino.datasets.base import Acquisition, Adapter, DatasetInfo, Discovery, Label, Scan
from braindino.datasets.registry import ADAPTERS, get_adapter

__all__ = [
    "ADAPTERS",
    "Acquisition",
    "Adapter",
    "DatasetInfo",
    "Discovery",
    "Label",
    "Scan",
    "get_adapter",
]
