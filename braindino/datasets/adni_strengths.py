"""The field strength of ADNI's images, as its tables MPRAGEMETA and MRILIST state it."""

from collections.abc import Sequence
from pathlib import Path

from braindino.datasets.adni_study import GET, StudyTable, cells_of, read_study_table
from braindino.datasets.agreed import Agreed
from braindino.datasets.base import Acquisition
from braindino.datasets.required import Missing
from braindino.datasets.values import a_few, is_plausible, parse_number, parse_whole, shown

_STRENGTHS = ("MPRAGEMETA", "MRILIST")


def acquisition_facts(paths: Sequence[Path], missing: Missing) -> tuple[dict[str, Acquisition], list[str]]:
    """The field strength of images by id ("I40966"), in tesla, from MPRAGEMETA and MRILIST where they are there.

    Also notes on what is lost.
    """
    facts: Agreed[str, Acquisition] = Agreed()
    notes: list[str] = []
    unread: list[str] = []
    kinds = [StudyTable((stem,), "", ("ImageUID", "MagStrength")) for stem in _STRENGTHS]
    found = [read_study_table(paths, kind, missing) for kind in kinds]
    for table in (table for table in found if table is not None):
        notes += table.notes
        for row, said in zip(table.rows, map(cells_of(table), table.rows), strict=True):
            image, strength = parse_whole(said("ImageUID")), parse_number(said("MagStrength"))
            if image is not None and strength is not None and is_plausible("field_strength", strength):
                facts.add(f"I{image}", Acquisition.of("table", field_strength=strength))
            elif said("ImageUID") and said("MagStrength"):
                unread.append(shown(said("MagStrength"), f"{table.path.name} line {row.line}"))
    if not any(found):
        where = " or ".join(_STRENGTHS)
        notes.append(f"No {where} is there: field strengths are those of sidecars and headers alone; for it, {GET}.")
    if unread:
        notes.append(f"No field strength of an image: {a_few(unread)}.")
    return facts.facts(), [*notes, *facts.notes("The field strength")]
