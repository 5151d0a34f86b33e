"""The flow `leaks`: what pretraining and the test subjects share, copies of scans, and overlaps nobody has mapped."""

from dataclasses import dataclass
from typing import Any

from prefect import flow

import warehouse
from braindino.datasets import OVERLAPS
from flows.copies import update_copies
from flows.environment import job_id, resolve_home

Row = dict[str, Any]

_COPIES = """
with pairs as (
    -- Two people are one pair, whichever of their scans was compared with which.
    select
        grade, likeness,
        least(row(dataset, subject), row(other_dataset, other_subject)) as one,
        greatest(row(dataset, subject), row(other_dataset, other_subject)) as other
    from scan_copies
    where (dataset, subject) <> (other_dataset, other_subject)
)
select grade as finding, one[1] as dataset, one[2] as subject, other[1] as other_dataset, other[2] as other_subject,
    count(*) || ' pair(s) of scans, anatomy alike up to ' || round(max(likeness), 3) as detail
from pairs
group by all order by all
"""
_LEAKS = """
select 'leak' as finding, dataset, subject, seen_dataset as other_dataset, seen_subject as other_subject,
    task || ': seen by ' || training_id || ' as ' || relation as detail
from leaks order by all
"""
_LINKED = """
select count(distinct a.subject_uid) as n
from subjects a join subjects b using (subject_uid)
join datasets da on da.dataset = a.dataset join datasets db on db.dataset = b.dataset
where da.adapter = ? and db.adapter = ? and a.dataset <> b.dataset
"""


@dataclass(frozen=True)
class LeakReport:
    """What was found; `rows` are findings of the kinds leak, copy, same_person and overlap."""

    snapshot_id: str
    compared: int
    unreadable: int
    rows: list[Row]

    def count(self, finding: str) -> int:
        """How many findings are of a kind."""
        return sum(row["finding"] == finding for row in self.rows)


def _overlaps(store: warehouse.Warehouse) -> list[Row]:
    """Pairs of datasets in this home that are said to share people, with how many people are known to be shared."""
    held = store.query("select adapter, dataset from datasets order by all").to_pylist()
    names: dict[str, list[str]] = {}
    for row in held:
        names.setdefault(row["adapter"], []).append(row["dataset"])
    found = []
    for overlap in OVERLAPS:
        if overlap.a in names and overlap.b in names:
            (linked,) = store.query(_LINKED, [overlap.a, overlap.b]).to_pylist()
            detail = f"{linked['n']} people known in both; {overlap.known}: {overlap.note}"
            found.append({
                "finding": "overlap", "dataset": ", ".join(names[overlap.a]), "subject": None,
                "other_dataset": ", ".join(names[overlap.b]), "other_subject": None, "detail": detail,
            })  # fmt: skip
    return found


@flow(name="leaks", persist_result=False)
def leaks(home: str | None = None) -> LeakReport:
    """Compares every stored brain with every other, and lists what pretraining shares with the test subjects.

    Args:
        home: the home folder; by default BRAINDINO_HOME or ./data.
    """
    home_path, job = resolve_home(home), job_id()
    store = warehouse.open(home_path, create=False)
    looked = update_copies(store, job)
    snapshot = store.publish_snapshot("leaks")
    rows = [row for query in (_LEAKS, _COPIES) for row in store.query(query).to_pylist()]
    return LeakReport(snapshot, looked.new, looked.unreadable, rows + _overlaps(store))
