"""Writing one scan's slices: a Zarr v3 group, complete or not there at all, and never changed afterwards."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from braindino.errors import StoreError

if TYPE_CHECKING:  # at run time nothing here needs the imaging room, and readers must not pay for it
    from braindino.imaging import Preprocessed

SLICES_VERSION = 1
"""Version of the layout below; raised by hand when a reader of the old one would misread the new one."""

# Level 1 is 2 % larger than level 3 on brain slices and decodes as fast; writing is what it saves.
_ZSTD_LEVEL = 1


def write_scan(path: Path, preprocessed: "Preprocessed", attributes: Mapping[str, Any]) -> int:
    """Writes the slices of one scan as the Zarr v3 group `path`.

    Arrays: `image` uint16, `brain` uint8 (0 or 1) and, where there is one, `segmentation` uint8, all [S, H,
        W]. A chunk is one slice, so that a random slice costs one small read; a shard is the whole array, so
        that one writer owns it (two processes writing one shard silently lose chunks). The group is written
        beside its place under a ".partial" name and renamed once complete: a group that exists under `path`
        is complete, is kept as it is, and is never overwritten. Whatever an earlier, killed writer left
        behind is removed.

    Args:
        path: the group's folder, named by content, such as `<scan_id>-<content_hash>.zarr`.
        preprocessed: what the imaging room made of the scan.
        attributes: further JSON attributes, such as its keys.

    Returns:
        The group's size on disk, in bytes.

    Raises:
        StoreError: the folder cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        if not path.exists():
            partial.parent.mkdir(parents=True, exist_ok=True)
            _write_group(partial, preprocessed, attributes)
            _publish(partial, path)
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    except OSError as error:
        raise StoreError(
            f"The slices {path} cannot be written ({error}); check the disk and its permissions."
        ) from error


def _publish(partial: Path, path: Path) -> None:
    try:
        partial.rename(path)
    except OSError:
        # Another worker finished the same content first; names carry the content's hash, so its group is as
        # good.
        if not path.exists():
            raise
        shutil.rmtree(partial, ignore_errors=True)


def _write_group(folder: Path, preprocessed: "Preprocessed", attributes: Mapping[str, Any]) -> None:
    import zarr  # here and not above: reading slices works, and must work, where zarr-python is not installed

    arrays: dict[str, np.ndarray] = {"image": preprocessed.image, "brain": preprocessed.brain}
    if preprocessed.segmentation is not None:
        arrays["segmentation"] = preprocessed.segmentation
    described = {
        **attributes,
        "slices_version": SLICES_VERSION,
        "plane": preprocessed.plane,
        "affine": np.asarray(preprocessed.affine, float).tolist(),
        "intensity": asdict(preprocessed.intensity),
        "facts": asdict(preprocessed.facts),
    }
    group = zarr.create_group(str(folder), zarr_format=3, attributes=described)
    for name, voxels in arrays.items():
        stored = group.create_array(
            name, shape=voxels.shape, dtype=voxels.dtype, chunks=(1, *voxels.shape[1:]), shards=voxels.shape,
            compressors=zarr.codecs.ZstdCodec(level=_ZSTD_LEVEL), fill_value=0,
            # Every chunk is written, empty or not, so that a reader can tell an empty slice from a lost one.
            config={"write_empty_chunks": True},
        )  # fmt: skip
        stored[:] = voxels
