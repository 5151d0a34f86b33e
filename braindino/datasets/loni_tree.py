"""The trees of LONI's Image and Data Archive (IDA): `<subject>/<description>/<date_time>/<image>/<files>`."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from braindino.datasets.bids_files import content_present, entries
from braindino.datasets.bids_names import strip_extension
from braindino.datasets.required import Missing
from braindino.datasets.search import Unpacked, look_under

# `ADNI_002_S_0295_MR_MPR__GradWarp_Br_20070219173850420_S21856_I40966.nii`; some sites of ICBM write MRI for MR.
_NAME = re.compile(r"_(?P<modality>MRI?|PT|PET|CT|NM|US)_.*_(?P<image>I\d+)\.(?:nii|nii\.gz|dcm|xml)$", re.IGNORECASE)
_IMAGE = re.compile(r"_(I\d+)\.[a-z.]+$", re.IGNORECASE)
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:_.*)?")
_LEAF = re.compile(r"I\d+", re.IGNORECASE)


@dataclass(frozen=True)
class IdaImage:
    """One image of a wanted contrast: a NIfTI file, or the folder of a DICOM series.

    `day` is the ISO date of acquisition, `image` the archive's id ("I40966"; None where a file was renamed). `hint` is
    None if the files are on disk, else it says how to get them.
    """

    subject: str
    description: str
    day: str
    image: str | None
    contrast: str
    path: Path
    hint: str | None = None


@dataclass(frozen=True)
class IdaTree:
    """The images of wanted contrasts, XML sidecars by image id, and how many of each other description there are."""

    found: Unpacked
    images: tuple[IdaImage, ...]
    sidecars: dict[str, Path]
    unused: Counter[str]


def read_tree(
    root: Path, subject: re.Pattern[str], contrast_of: Callable[[str], str | None], missing: Missing, get: str
) -> IdaTree:
    """The images of all subjects below `root`, whose folders are called as `subject`; none at all is a problem.

    `contrast_of` tells the contrast of a description, None for those that are not wanted: their folders are not
    opened. `get` says which download provides the images. Of a DICOM series no file is opened, whatever its length.
    """
    found = look_under(root, subject)
    images: list[IdaImage] = []
    sidecars: dict[str, Path] = {}
    unused: Counter[str] = Counter()
    for folder in found.folders:
        for series in _folders(folder):
            contrast = contrast_of(series.name)
            if contrast is None:
                unused[series.name] += 1
                continue
            for time in _folders(series.path):
                if _TIME.fullmatch(time.name):
                    for leaf in _folders(time.path):
                        about = (folder.name, series.name, time.name[:10], contrast)
                        images += _images(leaf, about, sidecars, unused)
    for parent in dict.fromkeys(folder.parent for folder in found.folders):
        sidecars |= _sidecars(entries(parent))
    if not images:
        missing.say(f"No image in folders <subject>/<description>/<date>/<id> is under {root}{found.packed()}: {get}.")
    return IdaTree(found, tuple(images), sidecars, unused)


def _folders(path: Path | str) -> Iterator[os.DirEntry[str]]:
    return (entry for entry in entries(Path(path)) if entry.is_dir())


def _images(
    leaf: os.DirEntry[str], about: tuple[str, str, str, str], sidecars: dict[str, Path], unused: Counter[str]
) -> Iterator[IdaImage]:
    """The images of one innermost folder: each NIfTI file, else all its DICOM files as one."""
    subject, description, day, contrast = about
    first_slice: str | None = None
    volumes, others = [], []
    with os.scandir(leaf.path) as inside:
        for entry in inside:
            if entry.name.endswith(".dcm"):
                first_slice = entry.name if first_slice is None else min(first_slice, entry.name)
            elif strip_extension(entry.name) is not None:
                volumes.append(entry)
            else:
                others.append(entry)
    sidecars |= _sidecars(others)
    for entry in sorted(volumes, key=lambda entry: entry.name):
        if _is_mr(entry.name):
            hint = None if content_present(entry) else f"The link {entry.name} leads nowhere; fetch its content."
            image = _image_id(entry.name, leaf.name)
            yield IdaImage(subject, description, day, image, contrast, Path(entry.path), hint)
        else:
            unused[description] += 1
    if first_slice is not None and not volumes:
        if _is_mr(first_slice):
            yield IdaImage(subject, description, day, _image_id(first_slice, leaf.name), contrast, Path(leaf.path))
        else:
            unused[description] += 1


def _is_mr(file_name: str) -> bool:
    """Whether it is a magnetic resonance image by its name; one that was renamed counts as one."""
    match = _NAME.search(file_name)
    return match is None or match["modality"].upper() in ("MR", "MRI")


def _image_id(file_name: str, leaf: str) -> str | None:
    """The archive's id of an image: the last token of its file's name, else its folder's; `S14231` is a series' id."""
    match = _IMAGE.search(file_name)
    if match:
        return match.group(1).upper()
    return leaf.upper() if _LEAF.fullmatch(leaf) else None


def _sidecars(files: list[os.DirEntry[str]]) -> dict[str, Path]:
    named = ((entry, _IMAGE.search(entry.name)) for entry in files if entry.name.endswith(".xml"))
    return {match.group(1).upper(): Path(entry.path) for entry, match in named if match}
