"""The app that the commands are added to, and what several of them have in common."""

import math
import sys
from pathlib import Path
from typing import Annotated

import typer

from hwtranscribe import __version__
from hwtranscribe.errors import OutputError

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


def named_folder(value: str | Path) -> Path:
    """The value of an option that names a folder; an empty one would mean the current folder."""
    if value == "":
        raise typer.BadParameter("is empty; give a folder, or . for the current one")
    return Path(value)


def finite(value: float | None) -> float | None:
    """The value of an option, which the limits of a range do not keep from being `nan`."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is no number that can be used")
    return value


def put(data: object) -> None:
    """Write data that was asked for to stdout.

    Raises:
        OutputError: It can't be written.
    """
    try:
        if sys.stdout is None:
            raise OutputError("stdout is closed; what was asked for can't be written")
        typer.echo(data)
    except OSError as error:
        # What is left in it would be tried, and complained of, once more at the end.
        sys.stdout = None  # type: ignore[assignment]
        raise OutputError(f"stdout can't be written: {error.strerror}") from error


def _show_version(wanted: bool) -> None:
    if wanted:
        put(f"hwtranscribe {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass
