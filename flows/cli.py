"""The command line `braindino`. Results go to stdout, progress and errors to stderr.

Exit codes: 0 done, 1 a stated error (one sentence on stderr), 2 wrong usage. Every verb imports what it needs when it
is called, so that `braindino sql` starts neither Prefect nor torch.
"""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from flows.display import Format, distinct, print_rows, stderr
from flows.environment import quiet_prefect, resolve_home, silence_exit

app = typer.Typer(
    help="Brain MRI in, a SQL feature store of foundation-model features and honest results out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Home = Annotated[Path | None, typer.Option("--home", help="Home folder; default: BRAINDINO_HOME, else ./data.")]
Recipe = Annotated[str, typer.Option(help="How volumes become slices: isotropic, isotropic_2mm, paper_pretrain, ...")]
Form = Annotated[Format, typer.Option("--format", help="How rows are printed.")]


def main() -> None:
    """Entry point: turns the project's own errors into one sentence and exit code 1."""
    quiet_prefect()
    silence_exit()
    try:
        app()
    except Exception as error:
        if not _is_ours(error):
            raise
        stderr.print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        stderr.print("interrupted; what was committed stays, and the same command goes on from there.")
        sys.exit(130)


def _is_ours(error: Exception) -> bool:
    from braindino.errors import BrainDINOError
    from warehouse.errors import WarehouseError

    return isinstance(error, (BrainDINOError, WarehouseError))


@app.command()
def demo(
    home: Annotated[
        Path | None, typer.Option(help="The demo's own home; default: demo inside BRAINDINO_HOME or ./data.")
    ] = None,
) -> None:
    """Run everything on a small synthetic cohort, from raw files to SQL and results."""
    from flows.demo import demo as run

    run(str(home.resolve() if home else resolve_home(None) / "demo"))


@app.command()
def datasets(home: Home = None, form: Form = Format.TABLE) -> None:
    """List the datasets that can be ingested, and what this home holds of each."""
    import warehouse
    from braindino.datasets import ADAPTERS

    here = warehouse.open(resolve_home(home)).query("select * from datasets order by dataset").to_pylist()
    rows = [
        {
            "dataset": row["dataset"], "adapter": row["adapter"], "stored": row["n_stored"],
            "refused": row["n_refused"], "absent": row["n_absent"], "subjects": row["n_subjects"],
            "synthetic": row["synthetic"], "licence": row["licence"],
        }
        for row in here
    ]  # fmt: skip
    used = {row["adapter"] for row in here}
    rows += [
        {
            **dict.fromkeys(rows[0] if rows else ()),
            "dataset": None,
            "adapter": name,
            "licence": adapter.info.licence,
        }
        for name, adapter in sorted(ADAPTERS.items())
        if name not in used
    ]
    columns = ["dataset", "adapter", "stored", "refused", "absent", "subjects", "synthetic", "licence"]
    print_rows(columns, [{c: row.get(c) for c in columns} for row in rows], form)


@app.command()
def ingest(
    dataset: Annotated[str | None, typer.Argument(help="An adapter: ixi, bids, manifest, ...")] = None,
    root: Annotated[Path | None, typer.Argument(help="The dataset's folder, or a manifest's CSV.")] = None,
    name: Annotated[str | None, typer.Option(help="What to call it in this home.")] = None,
    recipe: Recipe = "isotropic",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be read, refused and stored.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="All datasets of the home's datasets.toml.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes of one thread each.")] = None,
    home: Home = None,
) -> None:
    """Read a dataset as it was downloaded; run again, it reads only what is new or changed."""
    from flows import ingest_report

    where = resolve_home(home)
    if everything:
        from flows.ingest import ingest_all

        for summary in ingest_all(str(where), workers):
            ingest_report.say_summary(summary)
        return
    if dataset is None or root is None:
        raise typer.BadParameter("name a DATASET and its ROOT, or give --all.")
    if dry_run:
        from flows.dry_run import dry_run as forecast

        ingest_report.say_forecast(forecast(where, dataset, root.expanduser().resolve(), name, recipe))
        return
    from flows.ingest import ingest as run

    ingest_report.say_summary(run(dataset, str(root), name, recipe, str(where), workers))


@app.command()
def pretrain(
    config: Annotated[
        str, typer.Argument(help="A preset (demo_cpu, vit_small, vit_base) or a TOML file.")
    ] = "demo_cpu",
    override: Annotated[list[str] | None, typer.Option("--set", help="One value, as key=value; repeatable.")] = None,
    recipe: Recipe = "isotropic",
    home: Home = None,
) -> None:
    """Pretrain an encoder on the stored slices, without any task's test subjects; run again, it resumes."""
    from flows.pretrain import pretrain as run

    summary = run(config, override or [], recipe, str(resolve_home(home)))
    verb = "had been trained before" if summary.already_done else "trained"
    print(
        f"{summary.training_id} {verb}: {summary.images_seen:,} images of {summary.n_scans} scans and "
        f"{summary.n_subjects} subjects in {summary.seconds:.0f} s; {summary.n_held_out} scans of frozen test subjects "
        f"were left out.\nencoder {summary.encoder_id}"
    )
    print_rows(["metric", "last"], [{"metric": k, "last": v} for k, v in sorted(summary.metrics.items())])


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
    from flows.embed import embed as run

    s = run(encoder, recipe, str(resolve_home(home)), device)
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
    from flows.fit_heads import fit_heads as run
    from flows.results import print_results

    where = resolve_home(home)
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

    table = warehouse.open(resolve_home(home)).query(query, snapshot=snapshot)
    table = table.rename_columns(distinct(table.column_names))
    print_rows(table.column_names, table.to_pylist(), form)


@app.command()
def status(form: Form = Format.TABLE, home: Home = None) -> None:
    """Say what this home holds."""
    import warehouse

    where = resolve_home(home)
    store = warehouse.open(where)
    counts: list[dict[str, Any]] = store.query(
        "select 'scans ' || status as what, count(*) as n from scans group by all "
        "union all select 'refused: ' || reason, count(*) from scans where status = 'refused' group by all "
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
