"""Which mask belongs to which scan of a BIDS dataset."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from braindino.datasets.bids_files import AnatFile
from braindino.datasets.bids_names import CONTRASTS, mask_contrast, mask_role

# These entities describe the mask, not the image that it was drawn on.
_OF_THE_MASK = frozenset({"desc", "label", "res", "den", "space", "hemi"})
# A mask that does not name its image was drawn on the reference image of its kind: pipelines extract the
# brain from the T1w, and lesions are outlined on the FLAIR.
_REFERENCE = {"brain": ("T1w",), "lesion": ("FLAIR", "T1w")}


def assign_masks(scans: Sequence[AnatFile], files: Iterable[AnatFile], role: str) -> dict[Path, Path]:
    """The `brain` masks or `lesion` segmentations of scans, as {image path: mask path}.

    A mask belongs to the one scan of its subject (and session) whose entities include the mask's own. Where
    several do, it belongs to the one of the contrast it names, else of the reference contrast; where that
    is not one scan either, the mask is used for none: a mask on the wrong image is worse than none. The
    first mask by path wins.
    """
    by_subject = defaultdict(list)
    for scan in scans:
        by_subject[scan.subject].append(scan)
    assigned: dict[Path, Path] = {}
    for mask in sorted(files, key=lambda file: file.path):
        if mask_role(mask.name) == role:
            target = _target(mask, [scan for scan in by_subject[mask.subject] if _fits(mask, scan)], role)
            if target is not None and (mask.present or not target.present):
                assigned.setdefault(target.path, mask.path)
    return assigned


def _target(mask: AnatFile, candidates: list[AnatFile], role: str) -> AnatFile | None:
    named = mask_contrast(mask.name)
    if named is not None:
        candidates = [scan for scan in candidates if scan.name.suffix == named]
    elif len(candidates) > 1:
        for contrast in _REFERENCE[role]:
            of_reference = [scan for scan in candidates if scan.name.suffix == contrast]
            if of_reference:
                candidates = of_reference
                break
    return candidates[0] if len(candidates) == 1 else None


def _fits(mask: AnatFile, scan: AnatFile) -> bool:
    if mask.session not in (None, scan.session):
        return False
    own = {key: value for key, value in mask.name.entities.items() if key not in _OF_THE_MASK}
    return own.items() <= scan.name.entities.items() and _space(mask) == _space(scan)


def _space(file: AnatFile) -> str | None:
    """The standard space a file is in; None for the scanner's own (`space-orig`, `space-T1w`, ...)."""
    space = file.name.entities.get("space")
    return None if space in CONTRASTS or space == "orig" else space
