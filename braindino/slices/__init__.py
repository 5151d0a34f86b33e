"""The slice store: one Zarr group per scan, written once, and what draws and reads training batches."""

from braindino.intensity import Intensity
from braindino.slices.pairs import PAIRS, Partners
from braindino.slices.planes import Stack
from braindino.slices.reader import ScanSlices, open_scan, read_many
from braindino.slices.sampler import ScanRef, SliceSampler
from braindino.slices.store import SLICES_VERSION, write_scan
from braindino.slices.verify import Damage, check_group, group_sha256, stray_groups
from braindino.slices.window import WINDOWS, apply_window, window_bounds

__all__ = [
    "PAIRS",
    "SLICES_VERSION",
    "WINDOWS",
    "Damage",
    "Intensity",
    "Partners",
    "ScanRef",
    "ScanSlices",
    "SliceSampler",
    "Stack",
    "apply_window",
    "check_group",
    "group_sha256",
    "open_scan",
    "read_many",
    "stray_groups",
    "window_bounds",
    "write_scan",
]
