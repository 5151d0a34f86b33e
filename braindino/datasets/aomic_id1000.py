"""AOMIC ID1000 (OpenNeuro ds003097): young adults of Amsterdam, three T1w each in one session."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from braindino.datasets.base import Acquisition, DatasetInfo, Discovery
from braindino.datasets.bids_cohort import Cohort, discover_cohort
from braindino.datasets.bids_files import AnatFolder
from braindino.datasets.bids_missing import earlier_runs
from braindino.datasets.bids_tree import TreeRules
from braindino.datasets.label_columns import age_column, handedness_column, sex_column


def _due(folder: AnatFolder) -> Iterator[str]:
    """The repeats before one that is there, and of a folder that holds nothing the first, which everybody has."""
    yield from earlier_runs(folder)
    if folder.empty:
        yield f"sub-{folder.subject}_run-1_T1w"


_COHORT = Cohort(
    columns=(age_column("age"), sex_column("sex"), handedness_column("handedness")),
    rules=TreeRules(
        contrasts=frozenset({"T1w"}),
        facts=Acquisition.of("documentation", "Philips", "Intera", field_strength=3.0, site="Amsterdam"),
        due=_due,
        get="get it with `datalad install https://github.com/OpenNeuroDatasets/ds003097.git`",
    ),
)


@dataclass(frozen=True)
class AomicId1000Adapter:
    """Reads `sub-*/anat` and participants.tsv.

    The runs are repeats of one scan, which the owners average; all are kept, told apart by their run. Brain masks of
    derivatives/fmriprep lie on another grid than the runs and are not used.
    """

    info = DatasetInfo(
        name="aomic_id1000",
        title="AOMIC ID1000: Amsterdam Open MRI Collection, 928 young adults",
        licence="CC0",
        restrictions=None,
        homepage="https://openneuro.org/datasets/ds003097",
    )

    def discover(self, root: Path, name: str) -> Discovery:
        """Up to three T1w per subject; age (in quarters of a year), sex and handedness.

        Raises:
            DatasetError: no subject, no participants.tsv, or no column of it that is needed; all at once.
        """
        return discover_cohort(root, name, _COHORT)
