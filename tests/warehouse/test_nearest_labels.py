"""Which of several dated statements holds for a scan: the nearest in time, with the gap in days beside it."""

from typing import Any

import pytest

import warehouse
from tests.warehouse.conftest import Ask, Row, label, scan


def taken(when: str, kind: str | None = "date", **more: Any) -> Row:
    return scan("a", when=when, when_kind=kind, **more)


def stated(value: str, when: str, kind: str | None = "date", session: str = "") -> Row:
    return label("1", "diagnosis", session, value=value, when=when, when_kind=kind)


def chosen(ask: Ask) -> tuple[str, float | None]:
    (row,) = ask("select value, gap_days from labelled_scans where label = 'diagnosis'")
    return row["value"], row["gap_days"]


def test_the_nearest_visit_wins_and_its_gap_is_signed(store: warehouse.Warehouse, ask: Ask) -> None:
    """The scan lies 41 days after the first visit and 140 days before the second."""
    store.append("scans", [taken("2006-11-02")], "job")
    store.append("labels", [stated("CN", "2006-09-22"), stated("MCI", "2007-03-22")], "job")
    assert chosen(ask) == ("CN", -41.0)


def test_each_scan_of_a_person_has_its_own_nearest_visit(store: warehouse.Warehouse, ask: Ask) -> None:
    scans = [scan(f"scan {day}", when=day, when_kind="date", session=day) for day in ("2006-11-02", "2009-01-05")]
    store.append("scans", scans, "job")
    store.append("labels", [stated("CN", "2006-11-01"), stated("MCI", "2009-02-04")], "job")
    assert ask("select scan_id, value, gap_days from labelled_scans where label = 'diagnosis' order by all") == [
        {"scan_id": "scan 2006-11-02", "value": "CN", "gap_days": -1.0},
        {"scan_id": "scan 2009-01-05", "value": "MCI", "gap_days": 30.0},
    ]


def test_of_two_visits_equally_near_the_earlier_counts(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [taken("2006-11-02")], "job")
    store.append("labels", [stated("after", "2006-11-12"), stated("before", "2006-10-23")], "job")
    assert chosen(ask) == ("before", -10.0)


@pytest.mark.parametrize(
    ("kind", "scan_at", "label_at", "gap"),
    [
        ("date", "2004-02-28", "2004-03-01", 2.0),  # a leap year
        ("shifted_date", "1815-03-06", "1814-03-06", -365.0),
        ("offset_days", "757", "730", -27.0),
        ("offset_days", "0.5", "-3", -4.0),  # whole days
        ("age_years", "70.0", "70.5", 183.0),
        ("date", "2011-03-20", "2011-03", -5.0),  # a month is its middle
    ],
)
def test_gaps_of_every_kind_are_days(
    store: warehouse.Warehouse, ask: Ask, kind: str, scan_at: str, label_at: str, gap: float
) -> None:
    store.append("scans", [taken(scan_at, kind)], "job")
    store.append("labels", [stated("PD", label_at, kind)], "job")
    assert chosen(ask) == ("PD", gap)


@pytest.mark.parametrize(
    ("scan_kind", "label_kind", "label_at"),
    [
        ("date", "shifted_date", "2006-11-02"),
        ("shifted_date", "date", "2006-11-02"),
        ("date", "offset_days", "30"),
        ("date", "date", "unknown"),
        (None, "date", "2006-11-02"),
    ],
)
def test_moments_that_cannot_be_compared_have_no_gap(
    store: warehouse.Warehouse, ask: Ask, scan_kind: str | None, label_kind: str, label_at: str
) -> None:
    store.append("scans", [taken("2006-11-02", scan_kind)], "job")
    store.append("labels", [stated("CN", label_at, label_kind)], "job")
    assert chosen(ask) == ("CN", None)


def test_an_undated_statement_yields_to_one_whose_gap_is_known(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [taken("2006-11-02")], "job")
    store.append("labels", [label("1", "diagnosis", value="undated")], "job")
    assert chosen(ask) == ("undated", None)
    store.append("labels", [stated("other kind", "30", "offset_days")], "job")
    assert chosen(ask) == ("undated", None)
    store.append("labels", [stated("dated", "2016-11-02")], "job")
    assert chosen(ask) == ("dated", 3653.0)


def test_what_holds_for_the_session_beats_a_nearer_visit(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [taken("2006-11-02", session="m06")], "job")
    store.append("labels", [stated("of the session", "2006-01-01", session="m06"), stated("near", "2006-11-02")], "job")
    assert chosen(ask) == ("of the session", -305.0)


def test_an_age_of_the_session_places_a_scan_among_ages(store: warehouse.Warehouse, ask: Ask) -> None:
    """The scan's own moment is a date, the statements are at ages: its session's age compares them."""
    store.append("scans", [taken("2006-11-02", session="1")], "job")
    store.append("labels", [label("1", "age", "1", number=70.0), stated("MCI", "71", "age_years")], "job")
    store.append("labels", [stated("CN", "60", "age_years")], "job")
    assert chosen(ask) == ("MCI", 365.0)


def test_refused_scans_have_labels_in_staging_too(store: warehouse.Warehouse, ask: Ask) -> None:
    store.append("scans", [taken("2006-11-02", status="refused", reason="empty")], "job")
    store.append("labels", [stated("CN", "2006-11-01")], "job")
    assert ask("from labelled_scans") == []
    assert ask("select scan_id, value, gap_days from staging.scan_labels") == [
        {"scan_id": "a", "value": "CN", "gap_days": -1.0}
    ]
