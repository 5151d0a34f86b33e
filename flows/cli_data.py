"""The verbs that bring data in and say what there is: demo, datasets, phantom, ingest, coverage."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli_base import Form, Home, Recipe, app
from flows.display import Format, print_rows, stderr
from flows.environment import resolve_home, start_server


@app.command()
def demo(
    home: Annotated[
        Path | None, typer.Option(help="The demo's own home; default: demo inside BRAINDINO_HOME or ./data.")
    ] = None,
) -> None:
    """Run everything on a small synthetic cohort, from raw files to SQL and results."""
    from flows.demo import demo as run

    start_server()
    run(str(home.resolve() if home else resolve_home(None) / "demo"))


@app.command()
def datasets(home: Home = None, form: Form = Format.TABLE) -> None:
    """List the datasets that can be ingested, and what this home holds of each.

    CSV and JSON also hold title, use restrictions and homepage.
    """
    import warehouse
    from flows.datasets_list import IN_FULL, SHORT, dataset_rows

    where = resolve_home(home)
    if not warehouse.is_home(where):
        told = f"There is no home at {where} yet; `braindino ingest DATASET ROOT` makes one."
        stderr.print(told, markup=False, soft_wrap=True)
    print_rows(SHORT if form is Format.TABLE else IN_FULL, dataset_rows(where), form)


@app.command()
def phantom(
    dataset: Annotated[str, typer.Argument(help="Whose layout: ixi, adni, hcp_ya, ...")],
    dest: Annotated[Path, typer.Argument(help="A folder that is new or empty.")],
    subjects: Annotated[int, typer.Option(min=1, help="How many people.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Other people for every seed.")] = 0,
    spacing: Annotated[float, typer.Option(min=0.5, max=10.0, help="Voxel size, mm.")] = 2.0,
) -> None:
    """Write a SYNTHETIC cohort in the native layout of a dataset, as its download looks."""
    from flows.phantom import write_phantom

    for line in write_phantom(dataset, dest.expanduser().resolve(), subjects, seed, spacing):
        print(line)


@app.command()
def ingest(
    dataset: Annotated[str | None, typer.Argument(help="An adapter: ixi, bids, manifest, ...")] = None,
    root: Annotated[Path | None, typer.Argument(help="The dataset's folder, or a manifest's CSV.")] = None,
    name: Annotated[str | None, typer.Option(help="What to call it in this home.")] = None,
    recipe: Annotated[
        str | None, typer.Option(help="How volumes become slices; default: as last time, isotropic for a new dataset.")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", help="How its adapter reads it, as key=value; repeatable. Kept for the next run."),
    ] = None,
    partial: Annotated[
        bool | None,
        typer.Option("--partial/--no-partial", help="Go on though images are missing. Kept for the next run."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be read, refused and stored.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="All datasets of the home's datasets.toml.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes of one thread each.")] = None,
    home: Home = None,
) -> None:
    """Read a dataset as it was downloaded; run again, it reads only what is new or changed."""
    from flows import ingest_report
    from flows.datasets_file import parse_options

    where = resolve_home(home)
    if everything:
        if dataset or name or recipe or option or dry_run or partial is not None:
            raise typer.BadParameter(
                "--all reads what datasets.toml says; it takes no DATASET, --name, --recipe, --option, --partial or "
                "--dry-run."
            )
        from flows.ingest import ingest_all

        start_server()
        summaries = ingest_all(str(where), workers)
        for summary in summaries:
            ingest_report.say_summary(summary)
        if not summaries:
            print(f"{where} has no dataset yet; `braindino ingest DATASET ROOT` adds one.")
        return
    if dataset is None or root is None:
        raise typer.BadParameter("name a DATASET and its ROOT, or give --all.")
    options = parse_options(option) if option else None
    if dry_run:
        from flows.dry_run import dry_run as forecast

        found = forecast(where, dataset, root.expanduser().resolve(), name, recipe, options, partial)
        ingest_report.say_forecast(found)
        return
    from flows.survey import check_request

    check_request(where, dataset, root.expanduser().resolve(), name, recipe, options)
    from flows.ingest import ingest as run

    start_server()
    ingest_report.say_summary(run(dataset, str(root), name, recipe, str(where), workers, options, partial))


@app.command()
def coverage(
    by: Annotated[
        list[str] | None,
        typer.Option("--by", help="age_band, sex, vendor, ...: every dataset's strata; dataset: one row for each."),
    ] = None,
    recipe: Recipe = "isotropic",
    form: Form = Format.TABLE,
    home: Home = None,
) -> None:
    """Say whose scans there are, how much is unknown, and whose are refused; without --by over all datasets.

    CSV and JSON have more columns, the marts coverage and coverage_table all.
    """
    from flows.coverage import at_a_glance
    from flows.coverage import coverage as run

    columns, rows = run(resolve_home(home), by or [], recipe)
    if form is Format.TABLE:
        columns, rows = at_a_glance(columns, rows)
    print_rows(columns, rows, form)
