"""What an ingest says when it is done, and what a dry run says beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.display import stderr

if TYPE_CHECKING:  # a dry run must not start Prefect
    from flows.dry_run import Forecast
    from flows.ingest import IngestSummary


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size < 1e9 else f"{size / 1e9:,.2f} GB"


def _reasons(refused: dict[str, int]) -> str:
    return ", ".join(f"{reason} {n}" for reason, n in sorted(refused.items())) or "none"


def _kept(kept: dict[str, int]) -> str:
    return f"{sum(kept.values())} stored earlier whose files are unusable now ({_reasons(kept)}); " if kept else ""


def say_summary(summary: IngestSummary) -> None:
    """Prints one ingest in a few lines."""
    for note in summary.notes:
        stderr.print(f"note: {note}", markup=False, soft_wrap=True)
    if summary.read == 0:
        print(
            f"{summary.dataset} under {summary.recipe_id}: nothing new, no voxel was read; "
            f"{summary.unchanged} scans unchanged, {summary.described} described anew, "
            f"{summary.absent} newly absent, {summary.labels} labels changed ({summary.seconds:.1f} s)."
        )
        return
    print(
        f"{summary.dataset} under {summary.recipe_id}: {summary.read} scans read in {summary.seconds:.1f} s "
        f"({summary.seconds / summary.read:.2f} s each): {summary.stored} stored ({_megabytes(summary.bytes_stored)}), "
        f"refused: {_reasons(dict(summary.refused))}; {_kept(dict(summary.kept))}"
        f"{summary.unchanged} unchanged, {summary.absent} absent, "
        f"{summary.labels} labels written; snapshot {summary.snapshot_id}."
    )
    if summary.refused:
        print('  why: braindino sql "select source_path, reason, message from refusals"')


def say_forecast(forecast: Forecast) -> None:
    """Prints what an ingest would do."""
    for note in forecast.notes:
        stderr.print(f"note: {note}", markup=False, soft_wrap=True)
    for path, reason, message in forecast.refusals:
        print(f"would refuse {path} ({reason}): {message}")
    stored = "unknown" if forecast.bytes_to_store is None else f"about {_megabytes(forecast.bytes_to_store)}"
    time = "unknown" if forecast.seconds is None else f"about {forecast.seconds:,.0f} s with one worker"
    print(
        f"{forecast.dataset} under {forecast.recipe_id}: would read {forecast.to_read} scans "
        f"({_megabytes(forecast.bytes_to_read)}), refuse by their headers: {_reasons(forecast.refused)}, "
        f"store {stored} in {time} (estimated from {forecast.basis}); {forecast.unchanged} unchanged, "
        f"{forecast.to_describe} to describe anew, {forecast.absent} absent. Nothing was stored."
    )
