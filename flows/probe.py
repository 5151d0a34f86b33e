"""What pretraining learned: the trained encoder against random weights of the same network on held-out subjects."""

from pathlib import Path
from typing import Any

import warehouse

QUERY = """
with one as (
    select r.task, r.metric, r.pooling, r.head, e.kind, r.mean, r.n
    from results r join encoders e using (encoder_id)
    where r.fraction = 1 and r.metric in ('auc', 'mae')
      and (e.kind = 'random' or e.encoder_id = (
          select encoder_id from trainings where status = 'finished' order by recorded_at desc limit 1))
),
heads as (select task, min(head) filter (where head in ('logistic', 'ridge')) as head from one group by task)
select o.task, o.metric, o.pooling,
    max(o.mean) filter (where o.kind = 'checkpoint') as trained,
    max(o.mean) filter (where o.kind = 'random') as random,
    max(o.n) as n
from one o join heads h using (task, head)
group by all
order by all
"""


def probe(home: Path) -> list[dict[str, Any]]:
    """Per task and pooling: the linear head's mean over seeds on the latest trained encoder and on random weights."""
    rows: list[dict[str, Any]] = warehouse.open(home).query(QUERY).to_pylist()
    return rows
