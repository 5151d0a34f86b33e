"""BraTS 2021 (adult glioma): training and validation cases, and the tables that say who they are in other datasets."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from braindino.datasets.base import Acquisition, DatasetInfo, Discovery
from braindino.datasets.bids_labels import without_conflicts
from braindino.datasets.brats_mapping import case_of, links_of, read_mappings, segmented_cases, sites_of
from braindino.datasets.brats_tree import CODES_2021, TOKENS_2021, BratsRules, read_cases
from braindino.datasets.label_columns import LabelColumn, coded, fill_in, read_labels
from braindino.datasets.required import Missing
from braindino.datasets.search import read_table
from braindino.datasets.tables import Row, SourceTable

_HOME = "https://www.cancerimagingarchive.net/analysis-result/rsna-asnr-miccai-brats-2021/"
_GET = f"unpack the training and validation data of BraTS 2021 from {_HOME} or from Synapse"
_GET_TABLE = (
    f"get BraTS2021_MappingToTCIA.xlsx from {_HOME} (or BraTS2023_2017_GLI_Mapping.xlsx from Synapse): it says which "
    "cases are people of UPENN-GBM and UCSF-PDGM"
)
_GET_KAGGLE = "get train_labels.csv from the Kaggle competition rsna-miccai-brain-tumor-radiogenomic-classification"
_RULES = BratsRules(re.compile(r"(BraTS2021_\d{5})"), "BraTS2021_00000", _GET, "_", TOKENS_2021, CODES_2021)

_MGMT = coded({"1": "methylated", "0": "unmethylated"})
_LABELS = (
    LabelColumn("mgmt", ("mgmt",), _MGMT, optional=True),
    LabelColumn("split", ("split",), coded({word: word for word in ("training", "validation", "test")}), optional=True),
)
_KAGGLE = (LabelColumn("mgmt", ("MGMT_value",), _MGMT),)


@dataclass(frozen=True)
class Brats2021Adapter:
    """Reads the unpacked archives of Synapse or TCIA, whatever folders they lie in.

    A copy without a mapping table is refused unless `mapping_required` is False: then nothing keeps a person who is in
    UPENN-GBM or UCSF-PDGM as well on one side of a split. Numbers that only the second task uses are left alone, as are
    its DICOM files. Vendor, field strength, age and sex are not published.
    """

    mapping_required: bool = True
    info = DatasetInfo(
        name="brats2021",
        title="RSNA-ASNR-MICCAI BraTS 2021",
        licence="CC BY 4.0 (the release on TCIA)",
        restrictions="The copy on Synapse needs a registration and is under the terms of the challenge.",
        homepage=_HOME,
    )

    def discover(self, root: Path, name: str) -> Discovery:
        """All cases, their MGMT status and split, and the same people in UPENN-GBM and UCSF-PDGM.

        Raises:
            DatasetError: no case, no mapping table, or no column of a table that is needed.
        """
        missing = Missing()
        tree = read_cases(root.absolute(), name, _RULES, missing)
        said = len(missing.problems)
        mappings = read_mappings(tree.found.tables, missing, _GET_TABLE)
        if not mappings and self.mapping_required and len(missing.problems) == said:
            missing.say(f"No table BraTS2021_MappingToTCIA.xlsx is under {root}: {_GET_TABLE}.")
        kaggle = _kaggle(tree.found.table("train_labels.csv"), missing)
        missing.raise_if_any(name)
        labels, notes = list(tree.splits), list(tree.notes)
        cases = {scan.subject for scan in tree.scans} | segmented_cases(mappings)
        for table, columns in [*((table, _LABELS) for table in mappings), *((table, _KAGGLE) for table in kaggle)]:
            stated, oddities = read_labels(table, name, case_of if columns is _LABELS else _kaggle_case, columns)
            agreed, disputed = without_conflicts(stated)
            labels = fill_in(labels, (label for label in agreed if label.subject in cases))
            notes += [*table.notes, *oddities, *disputed]
        sites = sites_of(mappings)
        scans = [replace(s, acquisition=Acquisition.of("table", site=sites.get(s.subject))) for s in tree.scans]
        links = dict.fromkeys(link for table in mappings for link in links_of(table, name))
        return Discovery(tuple(scans), tuple(labels), tuple(notes), tuple(links))


def _kaggle(path: Path | None, missing: Missing) -> list[SourceTable]:
    """The table of the challenge's second task, if it lies there: MGMT status by bare number."""
    table = read_table(path, ("BraTS21ID", "MGMT_value"), missing, _GET_KAGGLE) if path else None
    return [] if table is None else [table]


def _kaggle_case(row: Row) -> str | None:
    return case_of(Row(row.line, {"case": row.cells.get("BraTS21ID", "")}))
