"""The command line `braindino`. Results go to stdout, progress and errors to stderr.

Exit codes: 0 done, 1 a stated error (one sentence on stderr), 2 wrong usage, 130 and 143 stopped by Ctrl-C or SIGTERM.
Every verb imports what it needs when it is called, so that `braindino sql` starts neither Prefect nor torch.
"""

import signal
import sys
from typing import Annotated, Any, NoReturn

import typer
from rich.markup import escape

import flows.cli_data  # its verbs register themselves
import flows.cli_quality  # noqa: F401 - likewise
from flows.cli_base import Form, Home, Recipe, app
from flows.display import Format, distinct, print_rows, stderr
from flows.environment import existing_home, quiet_prefect, resolve_home, silence_exit, start_server

INTERRUPTED = 130
TERMINATED = 143


def main() -> None:
    """Entry point: turns the project's own errors into one sentence and exit code 1."""
    stopped_by = INTERRUPTED

    def terminate(*_: object) -> NoReturn:
        nonlocal stopped_by
        stopped_by = TERMINATED
        raise KeyboardInterrupt

    quiet_prefect()
    silence_exit()
    signal.signal(signal.SIGTERM, terminate)
    try:
        app()
    except SystemExit as end:
        if end.code != INTERRUPTED:  # which Typer makes of a KeyboardInterrupt
            raise
        stderr.print("interrupted; what was done so far is kept, and the same command goes on from there.")
        sys.exit(stopped_by)
    except Exception as error:
        if not _is_ours(error):
            raise
        stderr.print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)
        sys.exit(1)


def _is_ours(error: Exception) -> bool:
    from braindino.errors import BrainDINOError
    from warehouse.errors import WarehouseError

    return isinstance(error, (BrainDINOError, WarehouseError))


@app.command()
def holdout(
    external: Annotated[
        list[str] | None,
        typer.Option("--external", help="A dataset to keep whole for external testing, for good; repeatable."),
    ] = None,
    form: Form = Format.TABLE,
    home: Home = None,
) -> None:
    """Freeze the test subjects of every task, before anything is trained; what is frozen stays frozen."""
    import warehouse
    from flows.environment import job_id
    from flows.holdout import freeze_holdouts, keep_external

    store, job = warehouse.open(resolve_home(home), create=False), job_id()
    if external:
        keep_external(store, external, job)
    freeze_holdouts(store, job)
    stderr.print(f"snapshot {store.publish_snapshot('holdout')}; pretraining leaves these people out.")
    rows = store.query(
        "select task, count(distinct subject_uid) as people, count(distinct scan_id) as stored_scans "
        "from holdouts left join (select * from scans where status = 'stored') using (dataset, subject, subject_uid) "
        "group by task order by task"
    )
    print_rows(rows.column_names, rows.to_pylist(), form)


@app.command()
def leaks(form: Form = Format.TABLE, home: Home = None) -> None:
    """List what pretraining and the test subjects share, copies of scans, and overlaps between datasets."""
    where = existing_home(home)
    from flows.leaks import leaks as run

    start_server()
    report = run(str(where))
    n = {finding: report.count(finding) for finding in ("leak", "copy", "same_person", "overlap")}
    stderr.print(
        f"{report.compared} brains compared for the first time, {report.unreadable} could not be read. "
        f"{n['leak']} test subjects were seen by a training; {n['copy']} pairs of subjects share a copied scan and "
        f"count as one person; {n['same_person']} pairs look alike and were not linked; {n['overlap']} pairs of "
        f"datasets are said to overlap. Snapshot {report.snapshot_id}."
    )
    columns = ["finding", "dataset", "subject", "other_dataset", "other_subject", "detail"]
    print_rows(columns, report.rows, form)


@app.command()
def pretrain(
    config: Annotated[
        str, typer.Argument(help="A preset (vit_tiny_cpu, vit_small, vit_base) or a TOML file.")
    ] = "vit_tiny_cpu",
    override: Annotated[list[str] | None, typer.Option("--set", help="One value, as key=value; repeatable.")] = None,
    recipe: Recipe = "isotropic",
    workers: Annotated[
        int | None, typer.Option(min=0, help="Processes that read slices; default: some beside a GPU, else a thread.")
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Processes that share every batch (torchrun); default: one per GPU.")
    ] = None,
    home: Home = None,
) -> None:
    """Pretrain an encoder on the stored slices, without any task's test subjects; run again, it resumes."""
    where = existing_home(home)
    from flows.pretrain import pretrain as run

    start_server()
    summary = run(config, override or [], recipe, str(where), workers, processes)
    verb = "had been trained before" if summary.already_done else "trained"
    print(
        f"{summary.training_id} {verb}: {summary.images_seen:,} images of {summary.n_scans} scans and "
        f"{summary.n_subjects} subjects in {summary.seconds:.0f} s; {summary.n_held_out} scans of frozen test subjects "
        f"were left out.\nencoder {summary.encoder_id}"
    )
    print_rows(["metric", "last"], [{"metric": k, "last": v} for k, v in sorted(summary.metrics.items())])


@app.command()
def trainings(form: Form = Format.TABLE, home: Home = None) -> None:
    """List the trainings of this home beside each other, with the last figures of each."""
    import warehouse

    rows = warehouse.open(resolve_home(home), create=False).query(
        "select t.training_id, t.status, t.started_at, t.images_seen, t.seconds, t.n_subjects, t.n_scans, "
        "max_by(m.value, m.step) filter (m.metric = 'loss') as loss, "
        "max_by(m.value, m.step) filter (m.metric = 'effective_rank') as effective_rank, "
        "max_by(m.value, m.step) filter (m.metric = 'target_entropy') as target_entropy, "
        "max_by(m.value, m.step) filter (m.metric = 'images_per_second') as images_per_second, "
        "t.synthetic, t.encoder_id, t.message "
        "from trainings t left join training_metrics m using (training_id) group by all order by t.started_at"
    )
    print_rows(rows.column_names, rows.to_pylist(), form)


@app.command()
def embed(
    encoder: Annotated[
        list[str] | None,
        typer.Option("--encoder", help="trained, random, timm:<model>:<file> or an id; repeatable."),
    ] = None,
    recipe: Recipe = "isotropic",
    device: Annotated[str | None, typer.Option(help="cpu or cuda; default: a GPU if there is one.")] = None,
    home: Home = None,
) -> None:
    """Embed every stored scan; only what is missing is computed."""
    where = existing_home(home)
    from flows.embed import embed as run

    start_server()
    s = run(encoder, recipe, str(where), device)
    print(
        f"{s.computed} embeddings computed from {s.slices:,} slices in {s.seconds:.0f} s, "
        f"{s.up_to_date} were up to date; "
        f"encoders {', '.join(s.encoder_ids)}; snapshot {s.snapshot_id}."
    )


@app.command()
def fit(
    task: Annotated[
        list[str] | None, typer.Option("--task", help="A task; default: all with labels; repeatable.")
    ] = None,
    encoder: Annotated[
        list[str] | None, typer.Option("--encoder", help="An encoder id; default: all embedded.")
    ] = None,
    recipe: Recipe = "isotropic",
    fraction: Annotated[list[float] | None, typer.Option("--fraction", help="Share of training subjects.")] = None,
    seed: Annotated[list[int] | None, typer.Option("--seed", help="Seed of subset and folds; repeatable.")] = None,
    form: Form = Format.TABLE,
    home: Home = None,
) -> None:
    """Fit heads on frozen features for every task, floors beside them; what is fitted already stays."""
    where = existing_home(home)
    from flows.fit_heads import fit_heads as run
    from flows.results import print_results

    start_server()
    s = run(task, encoder, recipe, fraction, seed, str(where))
    stderr.print(
        f"{s.fitted} heads fitted in {s.seconds:.0f} s, {s.up_to_date} were up to date; snapshot {s.snapshot_id}."
    )
    for line in s.skipped:
        stderr.print(f"skipped {line}")
    print_results(where, form)


@app.command()
def results(form: Form = Format.TABLE, home: Home = None) -> None:
    """Print the results over seeds, each beside its floors."""
    from flows.results import print_results

    print_results(resolve_home(home), form)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One SELECT statement.")],
    snapshot: Annotated[str | None, typer.Option(help="Read as of this snapshot.")] = None,
    form: Form = Format.TABLE,
    home: Home = None,
) -> None:
    """Ask the feature store in SQL (DuckDB's dialect); `select * from tables` lists what there is."""
    import warehouse

    table = warehouse.open(resolve_home(home), create=False).query(query, snapshot=snapshot)
    table = table.rename_columns(distinct(table.column_names))
    print_rows(table.column_names, table.to_pylist(), form)


@app.command()
def status(form: Form = Format.TABLE, home: Home = None) -> None:
    """Say what this home holds."""
    import warehouse

    where = resolve_home(home)
    store = warehouse.open(where, create=False)
    counts: list[dict[str, Any]] = store.query(
        "select 'scans ' || status as what, count(*) as n from scans group by all "
        "union all select 'refused: ' || reason, count(*) from scans where status = 'refused' group by all "
        "union all select 'scans stored, file since unusable: ' || reason, count(*) from scans "
        "where status = 'stored' and reason is not null group by all "
        "union all select 'subjects', count(distinct subject_uid) from scans "
        "union all select 'slices', count(*) from slices "
        "union all select 'encoders', count(*) from encoders "
        "union all select 'embeddings', count(*) from embeddings "
        "union all select 'fits', count(*) from fits "
        "union all select 'fits that are stale', count(distinct fit_id) from stale_fits order by what"
    ).to_pylist()
    latest = store.snapshots()
    stderr.print(f"{where}: latest snapshot {latest[-1].id if latest else 'none yet'}")
    print_rows(["what", "n"], counts, form)
