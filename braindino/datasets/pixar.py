"""Pixar (OpenNeuro ds000228): children and adults who watched a short film; one T1w each."""

from dataclasses import dataclass
from pathlib import Path

from braindino.datasets.base import Acquisition, DatasetInfo, Discovery
from braindino.datasets.bids_cohort import Cohort, discover_cohort
from braindino.datasets.bids_missing import one_t1w
from braindino.datasets.bids_tree import TreeRules
from braindino.datasets.label_columns import LabelColumn, age_column, handedness_column, sex_column

_COHORT = Cohort(
    columns=(
        age_column("Age"),
        LabelColumn("age_group", ("AgeGroup",), str),
        sex_column("Gender"),
        handedness_column("Handedness"),
    ),
    rules=TreeRules(
        contrasts=frozenset({"T1w"}),
        facts=Acquisition.of("documentation", "Siemens", "TrioTim", field_strength=3.0),
        due=one_t1w,
        get="get it with `datalad install https://github.com/OpenNeuroDatasets/ds000228.git`",
    ),
    # One laboratory with two scanners of one model: the scanner is what a site is elsewhere.
    site_names=("Scanlog: Scanner",),
)


@dataclass(frozen=True)
class PixarAdapter:
    """Reads `sub-pixar*/anat` and participants.tsv.

    Ages of adults are whole years, of children exact ones. The T1-like images of derivatives/ are left out. The other
    `Scanlog:` columns describe the functional scans.
    """

    info = DatasetInfo(
        name="pixar",
        title="Pixar: MRI data of 3-12 year old children and adults during viewing of a short animated film",
        licence="PDDL (dataset_description.json; OpenNeuro lists CC0)",
        restrictions=None,
        homepage="https://openneuro.org/datasets/ds000228",
    )

    def discover(self, root: Path, name: str) -> Discovery:
        """One T1w per subject; age, age group, sex and handedness.

        Raises:
            DatasetError: no subject, no participants.tsv, or no column of it that is needed; all at once.
        """
        return discover_cohort(root, name, _COHORT)
