"""Reading stored slices through TensorStore: one scan at a time, or random slices of many scans at once."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore as ts

from braindino.errors import StoreError
from braindino.intensity import Intensity
from braindino.slices.planes import Stack, seen_in
from braindino.slices.store import SLICES_VERSION

# An open scan keeps about 20 KB and no file descriptor. Opening one takes many times as long as reading a slice: all
# scans of a large training should stay open.
_MAX_HANDLES = 65_536

# Slices that are read in one operation.
_STACK = 64

# The pool holds what was read last: decoded slices, and the shard indices that save a random slice its second read.
_CONTEXT = ts.Context({"cache_pool": {"total_bytes_limit": 64_000_000}})


@dataclass(frozen=True)
class ScanSlices:
    """The stored slices of one scan: metadata now, voxels when asked for. Made by `open_scan`.

    `shape` is (S, H, W). `plane` is "axial", "coronal" or "sagittal". `attributes` are all JSON attributes of
    the group, among them `affine` ((column, row, slice) index to RAS mm), `facts` and the keys given at the
    write.
    """

    path: Path
    shape: tuple[int, int, int]
    plane: str
    intensity: Intensity
    attributes: Mapping[str, Any]

    @property
    def n_slices(self) -> int:
        """The number of stored slices; each holds brain."""
        return self.shape[0]

    @property
    def has_segmentation(self) -> bool:
        """Whether a segmentation is stored beside the slices."""
        return (self.path / "segmentation" / "zarr.json").is_file()

    def image(self, indices: Sequence[int] | None = None) -> np.ndarray:
        """Stored intensities, uint16 [n, H, W], 0 outside the brain: all slices, or those asked for.

        Raises:
            StoreError: an index is out of range, or the group is missing or damaged.
        """
        return self._read("image", indices)

    def brain(self, indices: Sequence[int] | None = None) -> np.ndarray:
        """The brain mask, uint8 of 0 and 1, [n, H, W]; raises as `image` does."""
        return self._read("brain", indices)

    def segmentation(self, indices: Sequence[int] | None = None) -> np.ndarray:
        """The source's labels, uint8 [n, H, W]; raises as `image` does, and where there are none."""
        if not self.has_segmentation:
            raise StoreError(f"{self.path} holds no segmentation; ask `has_segmentation` first.")
        return self._read("segmentation", indices)

    def volume(self, plane: str | None = None, canvas_si: int | None = None) -> Stack:
        """The whole scan as slices of any plane, by default of the stored one: whole shards are read, once each.

        Args:
            plane: "axial", "coronal" or "sagittal".
            canvas_si: rows of coronal and sagittal slices, see `planes.seen_in`.

        Raises:
            StoreError: as `image` does; the slices are thick, or the brain does not fit on the canvas.
        """
        labels = self.segmentation() if self.has_segmentation else None
        affine = np.array(self.attributes["affine"], np.float64)
        image = self.image()
        stored = Stack(self.plane, image, (image > 0).astype(np.uint8), labels, affine)
        return seen_in(stored, plane or self.plane, canvas_si)

    def check_index(self, index: int) -> int:
        """The index itself if there is such a slice; negative ones are refused: they hide mistakes."""
        if not 0 <= index < self.n_slices:
            raise StoreError(f"{self.path} has slices 0 to {self.n_slices - 1}; there is no slice {index}.")
        return int(index)

    @cached_property
    def stores(self) -> "dict[str, ts.TensorStore]":
        """The open TensorStore handles by array name, filled as arrays are first read."""
        return {}

    def handle(self, name: str) -> ts.TensorStore:
        """The open TensorStore of one array; raises StoreError if it is missing or of another shape."""
        if name not in self.stores:
            self.stores[name] = _opened(self, name, _opening(self.path, name))
        return self.stores[name]

    def _read(self, name: str, indices: Sequence[int] | None) -> np.ndarray:
        store = self.handle(name)
        try:
            if indices is not None:
                store = store[np.array([self.check_index(index) for index in indices], np.int64)]
            return np.asarray(store.read().result())
        except (ValueError, OSError) as error:
            raise _damaged(self.path, error) from error


def open_scan(path: Path | str) -> ScanSlices:
    """Opens the stored slices of one scan; opening it again in the same process costs nothing.

    Raises:
        StoreError: there is no such group, it is incomplete, or it was written in another layout.
    """
    return _open_cached(os.fspath(path))


def read_many(requests: Sequence[tuple[Path | str, int]], out: np.ndarray | None = None) -> np.ndarray:
    """Random slices of many scans of one canvas, all reads in flight at once.

    The brain is where a slice is above 0: its mask is not read, which would double the number of reads.

    Args:
        requests: (path of the group, slice index) for each slice wanted.
        out: where to put them, uint16 [n, H, W], C-contiguous; by default a new array.

    Returns:
        Stored intensities, uint16 [n, H, W], in the order of the requests.

    Raises:
        StoreError: a group is missing or damaged, an index is out of range, or the canvases differ.
    """
    scans = [open_scan(path) for path, _ in requests]
    canvas = _common_canvas(scans)
    images = _open_images(scans)
    wanted = [image[scan.check_index(index)] for scan, image, (_, index) in zip(scans, images, requests, strict=True)]
    out = np.empty((len(wanted), *canvas), np.uint16) if out is None else out
    try:
        _read_into(out, wanted)
    except (ValueError, OSError) as error:
        for scan, slice_ in zip(scans, wanted, strict=True):
            _check_readable(scan, slice_)
        raise _damaged(scans[0].path, error) from error
    return out


def canvas_of(requests: Sequence[tuple[Path | str, int]]) -> tuple[int, int]:
    """(H, W) of the slices of a batch; raises as `read_many` does."""
    return _common_canvas([open_scan(path) for path, _ in requests])


def _common_canvas(scans: Sequence[ScanSlices]) -> tuple[int, int]:
    if not scans:
        raise StoreError("No slice was asked for; a batch needs at least one.")
    canvases = {scan.shape[1:]: scan for scan in scans}
    if len(canvases) > 1:
        (one, scan), (other, beside) = list(canvases.items())[:2]
        raise StoreError(
            f"{scan.path} has slices of {one} and {beside.path} of {other}; read one plane of one recipe at a time."
        )
    return scans[0].shape[1:]


def _open_images(scans: Sequence[ScanSlices]) -> list[ts.TensorStore]:
    # All are opening before the first is awaited: on a slow disk a batch waits once and not for each of its scans.
    new = {scan.path: scan for scan in scans if "image" not in scan.stores}
    opening = {path: _opening(path, "image") for path in new}
    for path, scan in new.items():
        scan.stores["image"] = _opened(scan, "image", opening[path])
    return [scan.stores["image"] for scan in scans]


def _read_into(out: np.ndarray, slices: Sequence[ts.TensorStore]) -> None:
    # A stack costs a third less than as many single reads; several stacks, so that the first is decoded on every core
    # while the next is put together here.
    target = ts.array(out)
    reading = []
    for start in range(0, len(slices), _STACK):
        part = ts.stack(slices[start : start + _STACK])
        reading.append(target[start : start + part.shape[0]].translate_to[0, 0, 0].write(part))
    for future in reading:
        future.result()


def _check_readable(scan: ScanSlices, slice_: ts.TensorStore) -> None:
    try:
        slice_.read().result()
    except (ValueError, OSError) as error:
        raise _damaged(scan.path, error) from error


@lru_cache(maxsize=_MAX_HANDLES)
def _open_cached(path: str) -> ScanSlices:
    group = Path(path)
    try:
        attributes = json.loads((group / "zarr.json").read_text())["attributes"]
        shape = tuple(json.loads((group / "image" / "zarr.json").read_text())["shape"])
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(f"There are no complete slices at {group}; ingest the scan again.") from error
    version = attributes.get("slices_version")
    if version != SLICES_VERSION:
        raise StoreError(
            f"{group} has slice layout {version}, this is software for layout {SLICES_VERSION}; ingest again."
        )
    return ScanSlices(group, shape, attributes["plane"], Intensity(**attributes["intensity"]), attributes)


class _Process:
    """Whether TensorStore's threads run in this process, and whether it is a fork, in which they do not."""

    reads = False
    lost = False


def _after_fork() -> None:
    _Process.lost = _Process.reads
    _open_cached.cache_clear()


os.register_at_fork(after_in_child=_after_fork)


def _opening(path: Path, name: str) -> "ts.Future[ts.TensorStore]":
    if _Process.lost:  # TensorStore would abort the process
        raise StoreError(
            "Slices cannot be read in a process that was forked from one that has read some; "
            "start workers by forkserver or spawn, as `read_ahead` does."
        )
    _Process.reads = True
    spec = {
        "driver": "zarr3",
        "kvstore": {"driver": "file", "path": os.fspath(path / name)},
        # Every chunk is written; one that is missing is damage, and must not read as an empty slice.
        "fill_missing_data_reads": False,
        "recheck_cached_data": "open",
        "recheck_cached_metadata": "open",
    }
    return ts.open(spec, context=_CONTEXT, open=True, read=True)


def _opened(scan: ScanSlices, name: str, opening: "ts.Future[ts.TensorStore]") -> ts.TensorStore:
    try:
        array = opening.result()
    except (ValueError, OSError) as error:
        raise _damaged(scan.path, error) from error
    if tuple(array.shape) != scan.shape:
        raise StoreError(f"{scan.path}/{name} is {tuple(array.shape)}, not {scan.shape}; ingest it again.")
    return array


def _damaged(path: Path, error: Exception) -> StoreError:
    detail = str(error).splitlines()[0]
    return StoreError(
        f"The slices {path} are missing or damaged ({detail}); remove the folder and ingest the scan again."
    )
