"""DLBS, the Dallas Lifespan Brain Study (OpenNeuro ds004856): healthy adults in up to three waves, T1w and FLAIR."""

from dataclasses import dataclass
from pathlib import Path

from braindino.datasets.base import Acquisition, DatasetInfo, Discovery
from braindino.datasets.bids_cohort import Cohort, discover_cohort
from braindino.datasets.bids_tree import TreeRules
from braindino.datasets.label_columns import LabelColumn, age_column, sex_column
from braindino.datasets.values import parse_number

_WAVES = ("1", "2", "3")

_COHORT = Cohort(
    # One row per subject, the wave in the column's name. AgeCog_* and AgePETAmy_* are ages at other visits.
    columns=(
        *(age_column(f"AgeMRI_W{wave}", session=f"wave{wave}") for wave in _WAVES),
        *(LabelColumn("mmse", (f"MMSE_W{wave}",), parse_number, session=f"wave{wave}") for wave in _WAVES),
        LabelColumn("education_years", ("EduYrsEstCap",), parse_number, "years"),
        sex_column("Sex"),
    ),
    rules=TreeRules(
        contrasts=frozenset({"T1w", "FLAIR"}),
        facts=Acquisition.of("documentation", "Philips", field_strength=3.0),
        get="get it with `datalad install https://github.com/OpenNeuroDatasets/ds004856.git`",
    ),
)


@dataclass(frozen=True)
class DlbsAdapter:
    """Reads `sub-*/ses-wave*/anat` and participants.tsv.

    FLAIR images carry the suffix T2w and are known by `acq-FLAIR`. A `run-2` repeats a scan because of motion. The
    handedness score (0 to 4) gives no label: where it turns from one hand to the other is not documented.
    """

    info = DatasetInfo(
        name="dlbs",
        title="DLBS: Dallas Lifespan Brain Study",
        licence="CC0",
        restrictions="An older INDI release of the same cohort is CC BY-NC.",
        homepage="https://openneuro.org/datasets/ds004856",
    )

    def discover(self, root: Path, name: str) -> Discovery:
        """T1w and FLAIR per wave; age at MRI and MMSE per wave, education in years and sex.

        Raises:
            DatasetError: no subject, no participants.tsv, or no column of it that is needed; all at once.
        """
        return discover_cohort(root, name, _COHORT)
