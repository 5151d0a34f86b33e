"""The trees of LONI's Image and Data Archive (IDA): `<subject>/<description>/<date_time>/<image>/<files>`."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from braindino.datasets.base import Gap
from braindino.datasets.bids_files import entries, folder_notes, is_folder, may_read, volumes
from braindino.datasets.required import Missing
from braindino.datasets.search import Unpacked, look_under

# `ADNI_002_S_0295_MR_MPR__GradWarp_Br_20070219173850420_S21856_I40966.nii`; some sites of ICBM write MRI for MR.
_NAME = re.compile(r"_(?P<modality>MRI?|PT|PET|CT|NM|US)_.*_(?P<image>I\d+)\.(?:nii|nii\.gz|dcm|xml)$", re.IGNORECASE)
_IMAGE = re.compile(r"_(I\d+)\.[a-z.]+$", re.IGNORECASE)
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:_.*)?")
_LEAF = re.compile(r"I\d+", re.IGNORECASE)

_About = tuple[str, str, str, str]  # subject, description, day and contrast


@dataclass(frozen=True)
class IdaImage:
    """One image of a wanted contrast: a NIfTI file, or the folder of a DICOM series.

    `day` is the ISO date of acquisition, `image` the archive's id ("I40966"; None where a file was renamed). `present`
    tells whether the files are on disk, `expected` whether they should be, and `get` which download brings them.
    """

    subject: str
    description: str
    day: str
    image: str | None
    contrast: str
    path: Path
    get: str
    present: bool = True
    expected: bool = True


@dataclass(frozen=True)
class IdaTree:
    """The images of wanted contrasts, XML sidecars by image id, how many of each other description, and oddities.

    `gaps` are folders without an image, whose names are no id of one either.
    """

    found: Unpacked
    images: tuple[IdaImage, ...]
    sidecars: dict[str, Path]
    unused: Counter[str]
    notes: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()


def read_tree(
    root: Path, subject: re.Pattern[str], contrast_of: Callable[[str], str | None], missing: Missing, get: str
) -> IdaTree:
    """The images of all subjects below `root`, whose folders are called as `subject`; none at all is a problem.

    `contrast_of` tells the contrast of a description, None for those that are not wanted: their folders are not
    opened. `get` says which download provides the images. Of a DICOM series no file is opened, whatever its length.
    """
    found = look_under(root, subject)
    get = f"{get}{found.packed()}"
    images: list[IdaImage] = []
    gaps: list[Gap] = []
    sidecars: dict[str, Path] = {}
    unused: Counter[str] = Counter()
    unread = list(found.unreadable)
    for leaf, about in _leaves(found, contrast_of, unread, unused):
        inside = entries(leaf)
        sidecars |= _sidecars(inside)
        images += _images(inside, leaf, about, get, unused)
        lost = _lost(inside, leaf, about, get)
        images += [lost] if isinstance(lost, IdaImage) else []
        gaps += [lost] if isinstance(lost, Gap) else []
    for parent in dict.fromkeys(folder.parent for folder in found.folders):
        sidecars |= _sidecars(_inside(parent, []))
    notes = folder_notes(unread, ())
    if not images:
        missing.say(
            f"No image in folders <subject>/<description>/<date>/<id> is under {root}: {get}."
            + "".join(f" {note}" for note in notes)
        )
    return IdaTree(found, tuple(images), sidecars, unused, tuple(notes), tuple(gaps))


def _leaves(
    found: Unpacked, contrast_of: Callable[[str], str | None], unread: list[Path], unused: Counter[str]
) -> Iterator[tuple[Path, _About]]:
    """The innermost folders of wanted contrasts that may be read, and what the folders above tell of their images."""
    for folder in found.folders:
        for series in _folders(folder, unread):
            contrast = contrast_of(series.name)
            if contrast is None:
                unused[series.name] += 1
                continue
            for time in _folders(series.path, unread):
                for leaf in _folders(time.path, unread) if _TIME.fullmatch(time.name) else ():
                    if may_read(Path(leaf.path)):
                        yield Path(leaf.path), (folder.name, series.name, time.name[:10], contrast)
                    else:
                        unread.append(Path(leaf.path))


def _inside(path: Path | str, unread: list[Path]) -> list[os.DirEntry[str]]:
    """The entries of a folder; one that must not be read has none, and is added to `unread`."""
    folder = Path(path)
    if may_read(folder):
        return entries(folder)
    unread.append(folder)
    return []


def _folders(path: Path | str, unread: list[Path]) -> Iterator[os.DirEntry[str]]:
    return (entry for entry in _inside(path, unread) if is_folder(entry))


def _images(
    inside: list[os.DirEntry[str]], leaf: Path, about: _About, get: str, unused: Counter[str]
) -> Iterator[IdaImage]:
    """The images of one innermost folder: each NIfTI file, else all its DICOM files as one."""
    subject, description, day, contrast = about
    named = [(path.name, path, present) for path, present in volumes(inside).items()]
    if not named and (slices := [entry.name for entry in inside if entry.name.endswith(".dcm")]):
        named = [(min(slices), leaf, True)]
    for name, path, present in named:
        if _is_mr(name):
            yield IdaImage(subject, description, day, _image_id(name, leaf.name), contrast, path, get, present)
        else:
            unused[description] += 1


def _lost(inside: list[os.DirEntry[str]], leaf: Path, about: _About, get: str) -> IdaImage | Gap | None:
    """The image that an innermost folder holds no file of, or at most its sidecar; a gap, if nothing tells its id."""
    if any(not entry.name.endswith(".xml") for entry in inside):
        return None
    subject, description, day, contrast = about
    image = next(iter(_sidecars(inside)), _image_id("", leaf.name))
    if image is None:
        return Gap(leaf, get)
    return IdaImage(subject, description, day, image, contrast, leaf / f"{image}.nii", get, present=False)


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
