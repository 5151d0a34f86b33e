"""NKI Rockland Sample (enhanced): a community sample from children to old age, in several sessions each."""

from dataclasses import dataclass, replace
from pathlib import Path

from braindino.datasets.base import Acquisition, DatasetInfo, Discovery
from braindino.datasets.bids_cohort import Cohort, discover_cohort
from braindino.datasets.bids_files import entries, subject_folders
from braindino.datasets.bids_tree import TreeRules
from braindino.datasets.label_columns import LabelColumn, age_column, handedness_column, sex_column

_HOME = "https://fcon_1000.projects.nitrc.org/indi/enhanced/"
_TREE = "RawDataBIDSLatest"
_S3 = "s3://fcp-indi/data/Projects/RocklandSample"


@dataclass(frozen=True)
class NkiRocklandAdapter:
    """Reads `sub-*/ses-*/anat` and participants.tsv of `RawDataBIDSLatest`, or of the folder that holds it.

    The header of participants.tsv is not documented: the fields are the spellings that are looked for. An age belongs
    to the session of its row; where the table has no column of sessions, it is taken for all of a subject's sessions.
    Names of sessions are study arms, not an order in time. The pilot sample (`MR_*` folders, with ids of its own) is
    another dataset and is not read; nor are the questionnaires under agreement. `subject_form` is what ids look like,
    without `sub-`: a tree in which none does is another dataset.
    """

    id_names: tuple[str, ...] = ("participant_id", "Subject", "Anonymized ID")
    session_names: tuple[str, ...] = ("session", "session_id", "ses", "visit")
    age_names: tuple[str, ...] = ("age", "age_years", "age_at_scan", "Calculated Age")
    sex_names: tuple[str, ...] = ("sex", "gender")
    handedness_names: tuple[str, ...] = ("handedness", "Dominant Hand", "dominant_hand")
    subject_form: str = r"A\d{8}"

    info = DatasetInfo(
        name="nki_rockland",
        title="NKI-RS: enhanced Nathan Kline Institute Rockland Sample",
        licence="open for research (images); data use agreement (deep phenotypes)",
        restrictions="Research use; the questionnaires need a signed data use agreement and are not read here.",
        homepage=_HOME,
    )

    def discover(self, root: Path, name: str) -> Discovery:
        """T1w, T2w and FLAIR of every session; age, sex and handedness.

        Raises:
            DatasetError: no subject, no participants.tsv, or no column of it that is needed; all at once.
        """
        if not subject_folders(root) and any(entry.name == _TREE for entry in entries(root)):
            root = root / _TREE
        found = discover_cohort(root, name, self._cohort())
        pilot = [entry.name for entry in entries(root) if entry.name.startswith("MR_")]
        if not pilot:
            return found
        return replace(found, notes=(*found.notes, f"{len(pilot)} folder(s) of the pilot sample are not read."))

    def _cohort(self) -> Cohort:
        hand = handedness_column(*self.handedness_names)
        age: LabelColumn = replace(age_column(*self.age_names), of_row_session=True)
        return Cohort(
            columns=(age, sex_column(*self.sex_names), replace(hand, optional=True)),
            rules=TreeRules(
                contrasts=frozenset({"T1w", "T2w", "FLAIR"}),
                facts=Acquisition.of("documentation", "Siemens", "TrioTim", field_strength=3.0),
                get=f"get it with `aws s3 sync --no-sign-request {_S3}/{_TREE} {_TREE}`",
            ),
            id_names=self.id_names,
            session_names=self.session_names,
            subject_form=self.subject_form,
            subject_example="A00008326",
        )
