"""The verbs with which a person looks at scans and what is stored of them: inspect, exclude, accept, verify."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli_base import Form, Home, app
from flows.display import Format, print_rows, stderr
from flows.environment import resolve_home

Scans = Annotated[list[str], typer.Argument(help="Scan ids, the beginnings of them, or source paths.")]
Why = Annotated[str, typer.Option("--why", help="Why: kept beside the decision, with who and when.")]


@app.command()
def inspect(
    scan: Annotated[str, typer.Argument(help="A scan_id, the beginning of one, a source path, or a file or folder.")],
    out: Annotated[
        Path | None, typer.Option(help="The PNG; default: among the home's reports, or beside you for a file.")
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="Under which recipe; default: the scan's last, isotropic for a file.")
    ] = None,
    home: Home = None,
) -> None:
    """Write one page on a scan: three planes with the mask's outline, figures with their limits, and the verdict.

    A file or DICOM folder is looked at as an ingest would, and nothing is stored.
    """
    from flows import inspect as flow

    if Path(scan).exists():
        found = flow.inspect_path(Path(scan), recipe or "isotropic", out)
    else:
        import warehouse

        found = flow.inspect_scan(warehouse.open(resolve_home(home), create=False), scan, recipe, out)
    print(f"{found.verdict}{': ' if found.message else ''}{found.message}")
    print(found.path)


@app.command()
def exclude(scan: Scans, why: Why, form: Form = Format.TABLE, home: Home = None) -> None:
    """Leave scans out of everything made from now on, whatever is read of them later; `accept` takes it back."""
    import warehouse
    from flows import overrule

    rows = overrule.exclude(warehouse.open(resolve_home(home), create=False), scan, why)
    print_rows(overrule.COLUMNS, rows, form)


@app.command()
def accept(scan: Scans, why: Why, form: Form = Format.TABLE, home: Home = None) -> None:
    """Take back an exclusion, or store a scan in spite of a refusal that a person may overrule."""
    import warehouse
    from flows import overrule

    rows = overrule.accept(warehouse.open(resolve_home(home), create=False), scan, why)
    print_rows(overrule.COLUMNS, rows, form)


@app.command()
def verify(
    deep: Annotated[bool, typer.Option("--deep", help="Read and hash every byte instead of comparing sizes.")] = False,
    mend: Annotated[
        bool, typer.Option("--mend", help="Let the next ingest read damaged scans again; remove what is no scan's.")
    ] = False,
    form: Form = Format.TABLE,
    home: Home = None,
) -> None:
    """Find stored slices that are missing, short or altered, and folders that belong to no scan; 1 if there are any."""
    import warehouse
    from flows import verify as flow

    store = warehouse.open(resolve_home(home), create=False)
    found = flow.verify(store, deep)
    print_rows(flow.COLUMNS, found.rows, form)
    how = "byte by byte" if deep else "by size (--deep reads every byte)"
    stderr.print(
        f"{found.n_scans} stored scans looked at {how} in {found.seconds:.1f} s: {len(found.damaged)} damaged, "
        f"{len(found.stray)} folders of no scan, {len(found.waiting)} scans marked before and not read since.",
        soft_wrap=True,
    )
    if mend:
        flow.mend(store, found)
        stderr.print(f"{len(found.damaged)} scans marked, {len(found.stray)} folders removed.")
    elif found.rows:
        stderr.print("to mend: braindino verify --mend" + (" --deep" if deep else ""), soft_wrap=True)
    for command in flow.ingests(store, [*found.damaged, *found.waiting]):
        stderr.print(f"{'then' if found.damaged and not mend else 'now'}: {command}", soft_wrap=True, markup=False)
    if found.rows and not mend:
        raise typer.Exit(1)
