"""What the BraTS trees have in common: four contrasts and a segmentation on one grid, in the space of an atlas."""

from collections.abc import Mapping

import numpy as np

from braindino.phantom.cohort import CONTROL, FEMALE, MALE, Subject
from braindino.phantom.plan import AtlasSpace, Reencoding, ScanFile, Told, ToldLabel

# 240 x 240 x 155 voxels of 1 mm, stored towards left, posterior and superior, with the origin (0, 239, 0).
SRI24 = AtlasSpace(field_mm=((-120.0, -137.0, -74.0), (120.0, 103.0, 81.0)), shift=(-119.0, 137.0, 74.0))
NAMES_2021 = {"T1w": "_t1", "T1c": "_t1ce", "T2w": "_t2", "FLAIR": "_flair"}
NAMES_2023 = {"T1w": "-t1n", "T1c": "-t1c", "T2w": "-t2w", "FLAIR": "-t2f"}
CODES_2021 = (1, 4, 2)  # core, enhancing tumour, oedema
CODES_2023 = (1, 3, 2)


def case_scans(
    subject: Subject,
    stem: str,
    names: Mapping[str, str],
    codes: tuple[int, ...],
    told: Told,
    *,
    segmentation: str | None,
    axes: str = "LPS",
    reencoding: Reencoding | None = None,
    brain_mask: str | None = None,
    lesion_copies: tuple[str, ...] = (),
) -> list[ScanFile]:
    """The contrasts of one exam, stripped; images are `stem` and the contrast's part of `names` (with `.nii.gz`).

    `segmentation` is the path of the tumour's mask with `codes` (core, enhancing, oedema); None where it is held back.
    """
    return [
        ScanFile(
            subject, contrast, f"{stem}{name}.nii.gz", axes=axes, brain_mask=brain_mask, lesion_mask=segmentation,
            lesion_codes=codes, atlas=SRI24, reencoding=reencoding, lesion_copies=lesion_copies, told=told,
        )
        for contrast, name in names.items()
    ]  # fmt: skip


def tumour_person(seed: tuple[int, ...], tumour: str, number: int) -> Subject:
    """Person `number` (from 1) of those with this tumour: the same in every layout with this seed."""
    rng = np.random.default_rng((*seed, number))
    age, sex = round(float(rng.uniform(24, 86)), 2), MALE if rng.random() < 0.4 else FEMALE
    return Subject(number, seed, age, sex, CONTROL, lesion=False, tumour=tumour)


def split_label(subject: str, cohort: str) -> ToldLabel:
    """The part of the challenge that a case is in, from `Training` or `Validation`."""
    return ToldLabel(subject, "split", cohort.lower())
