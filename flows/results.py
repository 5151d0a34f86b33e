"""The results table: every encoder beside its floors."""

from pathlib import Path

import warehouse
from flows.display import Format, print_rows

COLUMNS = ("task", "features", "head", "fraction", "metric", "mean", "sd", "ci_low", "ci_high", "n", "note")


def print_results(
    home: Path, form: Format = Format.TABLE, fraction: float | None = None, metrics: tuple[str, ...] = ()
) -> None:
    """Prints the mart `results`, one line per task, features, head, fraction and metric.

    Args:
        home: the home folder.
        form: table, CSV or JSON.
        fraction: only this share of the training subjects; all if None.
        metrics: only these metrics; all if empty.
    """
    rows = warehouse.open(home, create=False).query(
        "select *, case when pooling = '' then encoder_id else encoder_id || ' ' || pooling end as features, "
        "concat_ws(', ', case when synthetic then 'synthetic' end, case when smoke_test then 'smoke test' end, "
        "case when seen_test_subjects > 0 then 'encoder has seen test subjects' end) as note from results "
        "where (? is null or fraction = ?) and (? or list_contains(?, metric)) "
        "order by task, metric, fraction, head, is_floor, features",
        [fraction, fraction, not metrics, list(metrics)],
    )
    print_rows(COLUMNS, rows.to_pylist(), form)
