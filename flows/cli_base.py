"""The application that all verbs belong to, and the options that several of them share."""

from pathlib import Path
from typing import Annotated

import typer

from flows.display import Format

app = typer.Typer(
    help="Brain MRI in, a SQL feature store of foundation-model features and honest results out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Home = Annotated[Path | None, typer.Option("--home", help="Home folder; default: BRAINDINO_HOME, else ./data.")]
Recipe = Annotated[str, typer.Option(help="How volumes become slices: isotropic, isotropic_2mm, paper_pretrain, ...")]
Form = Annotated[Format, typer.Option("--format", help="How rows are printed.")]
