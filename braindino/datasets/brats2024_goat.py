"""BraTS 2024-GoAT (generalizability across tumours): cases drawn from the other BraTS tasks under new ids; no table."""

import re
from dataclasses import dataclass
from pathlib import Path

from braindino.datasets.base import DatasetInfo, Discovery
from braindino.datasets.brats_tree import BratsRules, read_cases
from braindino.datasets.required import Missing

_HOME = "https://www.synapse.org/Synapse:syn53708249"
_GET = (
    "unpack MICCAI2024-BraTS-GoAT-TrainingData-With-GroundTruth.zip (and ...WithOut-GroundTruth.zip, "
    f"...ValidationData.zip) from {_HOME}"
)
_RULES = BratsRules(re.compile(r"(BraTS-GoAT-\d{5})"), "BraTS-GoAT-00000", _GET)


@dataclass(frozen=True)
class Brats2024GoatAdapter:
    """Reads the unpacked archives, also where an archive repeats its own name inside.

    Which case is which case of BraTS 2021, MEN or MET is not published, so that no link can be given here: copies are
    found by the fingerprint of the brain alone. The training data without ground truth count as training.
    """

    info = DatasetInfo(
        name="brats2024_goat",
        title="MICCAI BraTS 2024, Generalizability Across Tumors",
        licence="Terms of the BraTS 2024 challenge (Synapse)",
        restrictions="Needs a Synapse account and the challenge's terms; shares people with the other BraTS datasets.",
        homepage=_HOME,
    )

    def discover(self, root: Path, name: str) -> Discovery:
        """All cases and their split.

        Raises:
            DatasetError: no case.
        """
        missing = Missing()
        tree = read_cases(root.absolute(), name, _RULES, missing)
        missing.raise_if_any(name)
        return Discovery(tree.scans, tree.splits, tree.notes)
