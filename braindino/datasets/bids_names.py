"""BIDS file names: entities, suffix, and the contrast they tell (bids-specification.readthedocs.io, MRI)."""

import re
from dataclasses import dataclass

NIFTI = (".nii.gz", ".nii")

CONTRASTS = {
    "T1w": "T1w",
    "T2w": "T2w",
    "FLAIR": "FLAIR",
    "PDw": "PD",
    "PD": "PD",
    "T2starw": "T2starw",
    "T2star": "T2starw",
    "UNIT1": "UNIT1",
    "inplaneT1": "inplaneT1",
    "inplaneT2": "inplaneT2",
    "PDT2": "PDT2",
}
BRAIN_MASK_SUFFIXES = frozenset({"brainmask"})
LESION_SUFFIXES = frozenset({"roi"})
# Files that belong in anat/ without being scans of a brain's contrast; they are passed over in silence.
NOT_SCANS = frozenset({"mask", "defacemask", "dseg", "probseg"}) | BRAIN_MASK_SUFFIXES | LESION_SUFFIXES


@dataclass(frozen=True)
class BidsName:
    """The parts of `sub-01_ses-02_acq-iso_FLAIR_roi.nii.gz`.

    `entities` are the key-value parts in order, `suffix` the last part (`roi`), and `about` a bare part
    before it (`FLAIR`): BIDS knows no such part, but published masks name the image they were drawn on this
    way.
    """

    stem: str
    entities: dict[str, str]
    suffix: str
    about: str | None = None


def strip_extension(file_name: str) -> str | None:
    """The file name without its NIfTI extension; None if it is no NIfTI file."""
    for extension in NIFTI:
        if file_name.endswith(extension):
            return file_name.removesuffix(extension)
    return None


def parse_name(stem: str) -> BidsName:
    """Splits a file name without extension; never fails: what is not `key-value` is a bare part."""
    parts = stem.split("_")
    entities = dict(part.split("-", 1) for part in parts if "-" in part)
    bare = [part for part in parts if "-" not in part]
    suffix = bare[-1] if bare and bare[-1] == parts[-1] else ""
    about = next((part for part in bare if part in CONTRASTS and part != suffix), None)
    return BidsName(stem, entities, suffix, about)


def is_scan(name: BidsName) -> bool:
    """Whether the file is a magnitude image of a known contrast, not a mask, a phase image or another map."""
    return name.suffix in CONTRASTS and name.entities.get("part", "mag") == "mag"


def contrast_of(name: BidsName) -> str:
    """The contrast of a scan.

    A contrast agent (`ce-`) makes a T1w a T1c. Some datasets file a FLAIR under T2w and say so in `acq-` only
    (OpenNeuro ds004856: `acq-FLAIR_run-1_T2w`).
    """
    contrast = CONTRASTS[name.suffix]
    if contrast == "T1w" and "ce" in name.entities:
        return "T1c"
    if contrast == "T2w" and "flair" in name.entities.get("acq", "").lower():
        return "FLAIR"
    return contrast


def applies(sidecar: BidsName, image: BidsName) -> bool:
    """Whether a sidecar describes an image: it has its suffix, and each of its entities has the image's value.

    (BIDS specification, "The inheritance principle".)
    """
    return sidecar.suffix == image.suffix and sidecar.entities.items() <= image.entities.items()


def mask_role(name: BidsName) -> str | None:
    """`brain`, `lesion` or None for a file of anat/ that may mask a scan.

    Read as brain masks: `_desc-brain_mask`, `_brainmask`, `_label-brain_mask`. Read as lesion
    segmentations: `_roi`, and masks whose `label` or `desc` holds "lesion" or "tumor" (ATLAS:
    `_label-L_desc-T1lesion_mask`).
    """
    if name.suffix in BRAIN_MASK_SUFFIXES:
        return "brain"
    if name.suffix in LESION_SUFFIXES:
        return "lesion"
    if name.suffix != "mask":
        return None
    says = f"{name.entities.get('label', '')} {name.entities.get('desc', '')}".lower()
    if re.search(r"lesion|tumou?r", says):
        return "lesion"
    return "brain" if "brain" in says.split() else None


def mask_contrast(name: BidsName) -> str | None:
    """The suffix of the image a mask says it was drawn on, or None.

    It may stand bare (`_FLAIR_roi`), as the reference space (`space-FLAIR`), or inside the description
    (`desc-T1lesion`).
    """
    if name.about:
        return name.about
    space = name.entities.get("space", "")
    if space in CONTRASTS:
        return space
    match = re.match(r"(T1|T2|FLAIR)", name.entities.get("desc", ""))
    return {"T1": "T1w", "T2": "T2w", "FLAIR": "FLAIR"}[match.group(1)] if match else None
