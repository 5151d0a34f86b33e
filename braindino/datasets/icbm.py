"""ICBM (LONI IDA): healthy volunteers of several sites; the archive's tree, and its list of images as only table."""

import re
from dataclasses import dataclass
from pathlib import Path

from braindino.datasets.base import Acquisition, DatasetInfo, Discovery
from braindino.datasets.bids_labels import without_conflicts
from braindino.datasets.loni_descriptions import CONTRAST_RULES, ContrastRules, contrast_reader, require_patterns
from braindino.datasets.loni_scans import (
    IdaChoice,
    IdaFacts,
    imaged,
    make_scans,
    not_downloaded,
    raise_if_any,
    unlisted_gaps,
)
from braindino.datasets.loni_tables import read_ida_lists
from braindino.datasets.loni_tree import read_tree
from braindino.datasets.required import Missing, require_folder

_HOME = "https://ida.loni.usc.edu"
_GET = f"download the collection of the project ICBM from {_HOME} (images, and its list as CSV)"
_SUBJECT = re.compile(r"[A-Z]+_\d{4}")  # MNI_0103: the site and a number


@dataclass(frozen=True)
class IcbmAdapter:
    """Reads `<site>_<number>/<description>/<time>/<id>` and the CSV of the collection.

    The levels of the tree are those of the archive's other projects, which is an assumption, as is what the
    descriptions mean; `contrast_rules` states the latter. A subject's site stands in its id. All people are volunteers,
    and no table states a diagnosis. Of several images of one session and contrast, a
    three-dimensional one is preferred.
    """

    contrast_rules: ContrastRules = CONTRAST_RULES
    preference: tuple[str, ...] = (r"mp ?rage|ffe|spgr|\b3d\b", "")
    one_per_session: bool = True
    dicom_headers: bool = True

    info = DatasetInfo(
        name="icbm",
        title="ICBM: International Consortium for Brain Mapping",
        licence="by application at LONI IDA",
        restrictions="Access on application; the terms are those of the agreement that was signed.",
        homepage=_HOME,
    )

    def __post_init__(self) -> None:
        require_patterns(self.contrast_rules, self.preference)

    def discover(self, root: Path, name: str) -> Discovery:
        """T1w, T2w and PD scans, one per session and contrast; sex, and age at each session.

        Raises:
            DatasetError: no image, no list of images, or no column of it that is needed; all at once.
        """
        root, missing = root.absolute(), Missing()
        require_folder(root, name)
        contrast_of = contrast_reader(self.contrast_rules)
        tree = read_tree(root, _SUBJECT, contrast_of, missing, _GET)
        listed = read_ida_lists(tree.found.tables, _SUBJECT, missing, _GET, root)
        choice = IdaChoice(self.preference, self.one_per_session, self.dicom_headers)
        absent = not_downloaded(root, tree, listed, contrast_of, "ICBM")
        raise_if_any(missing, name, tree, listed, choice, absent)
        facts = IdaFacts(site_of=lambda subject: Acquisition.of("path", site=subject.split("_")[0]))
        scans, notes = make_scans(tree, listed, name, choice, absent, facts)
        labels, disputed = without_conflicts([*listed.sexes(name), *imaged(listed.ages(name), scans)])
        notes = [*listed.notes, *notes, *disputed]
        return Discovery(tuple(scans), tuple(labels), tuple(notes), gaps=unlisted_gaps(tree, absent))
