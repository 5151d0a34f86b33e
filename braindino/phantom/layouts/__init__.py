"""The layouts that phantoms are written in: one file per dataset, each as its download looks."""

from collections.abc import Callable, Mapping
from zlib import crc32

from braindino.phantom.layouts import (
    abide1,
    adhd200,
    adni,
    aomic_id1000,
    atlas,
    bids,
    brats2021,
    brats2023_men,
    brats2023_met,
    brats2024_goat,
    dlbs,
    hcp_ya,
    icbm,
    ixi,
    long579,
    manifest,
    nki_rockland,
    oasis1,
    pixar,
    ppmi,
    ucsf_pdgm,
    upenn_gbm,
)
from braindino.phantom.plan import Plan

PlanFunction = Callable[[int, tuple[int, ...]], Plan]  # (subjects, seed) -> Plan

LAYOUTS: Mapping[str, PlanFunction] = {
    "ixi": ixi.plan,
    "bids": bids.plan,
    "manifest": manifest.plan,
    "abide1": abide1.plan,
    "adhd200": adhd200.plan,
    "aomic_id1000": aomic_id1000.plan,
    "atlas": atlas.plan,
    "atlas_v2": atlas.plan_v2,
    "dlbs": dlbs.plan,
    "hcp_ya": hcp_ya.plan,
    "long579": long579.plan,
    "nki_rockland": nki_rockland.plan,
    "pixar": pixar.plan,
    "adni": adni.plan,
    "brats2021": brats2021.plan,
    "brats2023_men": brats2023_men.plan,
    "brats2023_met": brats2023_met.plan,
    "brats2024_goat": brats2024_goat.plan,
    "icbm": icbm.plan,
    "oasis1": oasis1.plan,
    "ppmi": ppmi.plan,
    "ucsf_pdgm": ucsf_pdgm.plan,
    "upenn_gbm": upenn_gbm.plan,
}

_FIRST = {"ixi": 0, "bids": 1, "manifest": 2}  # the three layouts that were there first keep their people


def layout_seed(layout: str, seed: int) -> tuple[int, int]:
    """The seed of a layout's people: its own for every layout, whatever other layouts there are."""
    return seed, _FIRST.get(layout, crc32(layout.encode()))
