"""Commands on form templates."""

from pathlib import Path
from typing import Annotated

import typer

from hwtranscribe.cli.app import Debug, form_app, named_folder, put
from hwtranscribe.errors import ExitCode, OutputError


@form_app.command("check")
def check(
    form: Annotated[Path, typer.Argument(metavar="FORM.toml", help="The template.")],
    scan: Annotated[Path | None, typer.Argument(metavar="[SCAN]", help="Draw on this; the blank by default.")] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", parser=named_folder, help="Folder for the pictures.")] = Path(),
    dpi: Annotated[int, typer.Option(min=72, max=1200, help="Resolution PDF pages are drawn at.")] = 300,
    password: Annotated[
        str | None, typer.Option(envvar="HWTRANSCRIBE_PASSWORD", help="For encrypted PDFs.", show_envvar=True)
    ] = None,
    debug: Debug = False,
) -> None:
    """Check a template, and draw its boxes on the blank form or on a scan; prints the pictures' paths."""
    from hwtranscribe.files import write_atomically
    from hwtranscribe.form_check import check_form
    from hwtranscribe.types import ReadOptions

    fits = True
    for page in check_form(form, scan, ReadOptions(dpi=dpi, password=password)):
        typer.echo(page.message, err=True)
        path = out / page.name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, page.picture)
        except OSError as error:
            raise OutputError(f"{path}: can't be written: {error.strerror}; choose another --out") from error
        put(path)
        fits = fits and page.fits
    if not fits:
        raise typer.Exit(ExitCode.TEMPLATE_OR_CHECKPOINT)
