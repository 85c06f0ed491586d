"""The app that the commands are added to, and the options that several of them have."""

from typing import Annotated

import typer

from hwtranscribe import __version__

app = typer.Typer(
    name="hwtranscribe",
    help="Read hand-printed letters and digits off scanned forms and pages.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
form_app = typer.Typer(help="Work on form templates.", no_args_is_help=True)
app.add_typer(form_app, name="form")

Debug = Annotated[bool, typer.Option("--debug", help="Show where in the program errors come from.")]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hwtranscribe {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass
