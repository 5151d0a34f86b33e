"""Writing one scan's slices: a Zarr v3 group, complete or not there at all, and never changed afterwards."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorstore as ts

from braindino.errors import StoreError
from braindino.slices.verify import group_sha256

if TYPE_CHECKING:  # at run time nothing here needs the imaging room, and readers must not pay for it
    from braindino.imaging import Preprocessed

SLICES_VERSION = 1
"""Version of the layout below; raised by hand when a reader of the old one would misread the new one."""

# Level 1 is 2 % larger than level 3 on brain slices and decodes as fast; writing is what it saves.
_ZSTD_LEVEL = 1

# Parallelism comes from worker processes; threads inside would only fight with them.
_CONTEXT = ts.Context({"data_copy_concurrency": {"limit": 1}})


def write_scan(
    path: Path, preprocessed: "Preprocessed", attributes: Mapping[str, Any], sha256: str | None = None
) -> int:
    """Writes the slices of one scan as the Zarr v3 group `path`.

    Arrays: `image` uint16, `brain` uint8 (0 or 1) and, where there is one, `segmentation` uint8, all [S, H,
        W]. A chunk is one slice, so that a random slice costs one small read; a shard is the whole array, so
        that one writer owns it (two processes writing one shard silently lose chunks). The group is written
        beside its place under a ".partial" name and renamed once complete: a group that exists under `path`
        is complete, is kept as it is, and is never overwritten, unless it is known to be damaged. Whatever an
        earlier, killed writer left behind is removed.

    Args:
        path: the group's folder, named by content, such as `<scan_id>-<content_hash>.zarr`.
        preprocessed: what the imaging room made of the scan.
        attributes: further JSON attributes, such as its keys.
        sha256: what `group_sha256` gave when the group was written before; one that has another now is damaged and
            is replaced.

    Returns:
        The group's size on disk, in bytes.

    Raises:
        StoreError: the folder cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        damaged = sha256 is not None and path.exists() and not _is_intact(path, sha256)
        if damaged or not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_group(partial, preprocessed, attributes)
            if damaged:
                _set_aside(path)
            _publish(partial, path)
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    except (OSError, ValueError) as error:
        raise StoreError(
            f"The slices {path} cannot be written ({error}); check the disk and its permissions."
        ) from error


def _is_intact(path: Path, sha256: str) -> bool:
    try:
        return group_sha256(path) == sha256
    except OSError:
        return False


def _set_aside(path: Path) -> None:
    """Makes way for a new group; the name says that nobody needs the old one."""
    aside = path.with_name(path.name + ".damaged.partial")
    shutil.rmtree(aside, ignore_errors=True)
    path.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)


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
    folder.mkdir()
    group = {"zarr_format": 3, "node_type": "group", "attributes": described}
    (folder / "zarr.json").write_text(json.dumps(group, indent=1))
    # TensorStore flushes every file to the disk before a write is done; the arrays wait for it together.
    created = {
        name: ts.open(_array_spec(folder / name, voxels), context=_CONTEXT, create=True)
        for name, voxels in arrays.items()
    }
    for written in [created[name].result().write(voxels) for name, voxels in arrays.items()]:
        written.result()


def _array_spec(path: Path, voxels: np.ndarray) -> dict[str, Any]:
    shape, little = list(voxels.shape), {"name": "bytes", "configuration": {"endian": "little"}}
    packed = [little if voxels.itemsize > 1 else {"name": "bytes"}]
    packed.append({"name": "zstd", "configuration": {"level": _ZSTD_LEVEL, "checksum": False}})
    shard = {
        "chunk_shape": [1, *shape[1:]],
        "codecs": packed,
        "index_codecs": [little, {"name": "crc32c"}],
        "index_location": "end",
    }
    return {
        "driver": "zarr3",
        "kvstore": {"driver": "file", "path": os.fspath(path)},
        # Every chunk is written, empty or not, so that a reader can tell an empty slice from a lost one.
        "store_data_equal_to_fill_value": True,
        "metadata": {
            "shape": shape,
            "data_type": voxels.dtype.name,
            "fill_value": 0,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": shape}},
            "codecs": [{"name": "sharding_indexed", "configuration": shard}],
        },
    }
