"""Pairs of the known datasets that share people, as far as their owners or users have said."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Overlap:
    """Two datasets, by adapter, that share people or may.

    `known` is "table" (a table maps the ids: the adapters read it), "stated" (said by the owners, without a map) or
    "suspected" (likely, never shown).
    """

    a: str
    b: str
    known: str
    note: str


_MAPPING = "BraTS2021_MappingToTCIA.xlsx names the cases; without it only copies of scans tell"
_GOAT = "made from the tasks of BraTS 2023 under new ids, without a public map"

OVERLAPS = (
    Overlap("brats2021", "upenn_gbm", "table", _MAPPING),
    Overlap("brats2021", "ucsf_pdgm", "table", _MAPPING + "; UCSF's own table has a column BraTS21 ID as well"),
    Overlap("brats2024_goat", "brats2021", "stated", _GOAT),
    Overlap("brats2024_goat", "brats2023_men", "stated", _GOAT),
    Overlap("brats2024_goat", "brats2023_met", "stated", _GOAT),
    Overlap("brats2024_goat", "upenn_gbm", "stated", f"through BraTS 2021: {_GOAT}"),
    Overlap("brats2024_goat", "ucsf_pdgm", "stated", f"through BraTS 2021: {_GOAT}"),
    Overlap("abide1", "adhd200", "suspected", "NYU, KKI, OHSU and Pittsburgh gave to both; controls may be shared"),
)
