"""BraTS 2023-MET (brain metastases): cases with four contrasts and a mask; no table comes with the public images."""

import re
from dataclasses import dataclass
from pathlib import Path

from braindino.datasets.base import DatasetInfo, Discovery
from braindino.datasets.brats_tree import BratsRules, read_cases
from braindino.datasets.required import Missing

_HOME = "https://www.synapse.org/Synapse:syn51156910"
_GET = f"unpack ASNR-MICCAI-BraTS2023-MET-Challenge-TrainingData.zip (and ...ValidationData.zip) from {_HOME}"
_CASE = re.compile(r"(BraTS-MET-\d{5})-(\d{3})")


@dataclass(frozen=True)
class Brats2023MetAdapter:
    """Reads the unpacked archives; `-000`, `-001` in a case's name are time points of one person, and its sessions.

    The packs of 2024 and 2025 use the same ids with revised masks and a fourth code (resection cavity), and lack some
    T2w images: they belong into a root of their own, with those contrasts named in `optional`, so that the masks of two
    years are not mixed. Scanners, age and sex are not published.
    """

    optional: frozenset[str] = frozenset()
    info = DatasetInfo(
        name="brats2023_met",
        title="ASNR-MICCAI BraTS 2023, Brain Metastases",
        licence="Terms of the BraTS 2023 challenge (Synapse)",
        restrictions="Needs a Synapse account and the challenge's terms; parts may be under terms of their own.",
        homepage=_HOME,
    )

    def discover(self, root: Path, name: str) -> Discovery:
        """All cases and their split.

        Raises:
            DatasetError: no case.
        """
        missing = Missing()
        rules = BratsRules(_CASE, "BraTS-MET-00002-000", _GET, optional=self.optional)
        tree = read_cases(root.absolute(), name, rules, missing)
        missing.raise_if_any(name)
        return Discovery(tree.scans, tree.splits, tree.notes)
