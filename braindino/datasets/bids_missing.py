"""Which images are missing from the folders of a BIDS tree, as far as the tree itself tells."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from braindino.datasets.bids_files import AnatFile, AnatFolder
from braindino.datasets.bids_names import applies, is_scan, parse_name

Due = Callable[[AnatFolder], Iterable[str]]  # the names, less the extension, of images that a folder must hold


def nothing_due(folder: AnatFolder) -> Iterable[str]:
    """For datasets whose folders differ, so that nothing is known of one but what it tells itself."""
    return ()


def earlier_runs(folder: AnatFolder) -> Iterator[str]:
    """The runs before one that is there, for datasets that number the repeats of a scan from 1."""
    for file in folder.images:
        number = file.name.entities.get("run", "")
        for earlier in range(1, int(number)) if re.fullmatch(r"\d{1,2}", number, re.ASCII) else ():  # or no count
            yield file.name.stem.replace(f"_run-{number}_", f"_run-{earlier:0{len(number)}d}_")


def one_t1w(folder: AnatFolder) -> Iterator[str]:
    """The T1w of a person whose folder holds nothing, for datasets that have one of everybody."""
    if folder.empty:
        yield f"sub-{folder.subject}_T1w"


def with_missing(folder: AnatFolder, due: Due = nothing_due) -> AnatFolder:
    """The folder with the images that it should hold and does not, as files that are not present.

    They are those that a sidecar in the folder names, if it applies to no other image there, and those that are `due`
    in a folder of this dataset. Of a closed folder nothing is known.
    """
    if folder.closed:
        return folder
    here = {file.name.stem for file in folder.images}
    stems = dict.fromkeys(stem for stem in due(folder) if stem not in here)
    known = [*(file.name for file in folder.images), *map(parse_name, stems)]
    for path in folder.sidecars:
        name = parse_name(path.stem)
        own = path.parent == folder.path and is_scan(name) and name.entities.get("sub") == folder.subject
        if own and not any(applies(name, image) for image in known):
            stems[name.stem] = None
    missing = tuple(
        AnatFile(folder.path / f"{stem}.nii.gz", folder.subject, folder.session, parse_name(stem), present=False)
        for stem in stems
    )
    return replace(folder, images=(*folder.images, *missing))
