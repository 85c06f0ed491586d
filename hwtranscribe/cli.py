"""The command line: parse, call, map exceptions to exit codes; nothing else.

Heavy modules are imported inside the commands: `--help` and usage errors load no JAX and no OpenCV.
"""

import sys
import traceback
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hwtranscribe import __version__
from hwtranscribe.errors import ExitCode, HwtranscribeError

app = typer.Typer(
    name="hwtranscribe",
    help="Read hand-printed letters and digits off scanned forms and pages.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
form_app = typer.Typer(help="Work on form templates.", no_args_is_help=True)
app.add_typer(form_app, name="form")


class PageKind(StrEnum):
    """What a line may hold in page mode."""

    DIGITS = "digits"
    LETTERS = "letters"
    ALPHANUMERIC = "alphanumeric"


class LetterCase(StrEnum):
    """Case of the letters in page mode."""

    UPPER = "upper"
    LOWER = "lower"
    ANY = "any"


def main() -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command and return its exit code; everything that goes wrong becomes one message on stderr."""
    debug = "--debug" in arguments
    try:
        app(arguments, prog_name="hwtranscribe")
    except SystemExit as ended:  # how typer reports everything that it handles: help, usage, Ctrl-C
        return ended.code if isinstance(ended.code, int) else ExitCode.DONE
    except HwtranscribeError as error:
        if debug:
            traceback.print_exc()
        _say(str(error))
        return error.exit_code
    except Exception as error:
        if debug:
            traceback.print_exc()
        _say(f"this is a bug: {type(error).__name__}: {error}")
        _say("please report it with the command and what it prints with --debug added")
        return ExitCode.BUG
    return ExitCode.DONE


def _say(message: str) -> None:
    sys.stderr.write(f"hwtranscribe: {message}\n".encode("utf-8", "backslashreplace").decode())


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


@app.command()
def transcribe(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT...", help="Files, folders (searched for PDFs and images) or globs.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Output folder; the same command again goes on there.")],
    form: Annotated[Path | None, typer.Option(metavar="FORM.toml", help="Template; without it pages are read.")] = None,
    kind: Annotated[PageKind, typer.Option(help="What lines hold, without a form.")] = PageKind.ALPHANUMERIC,
    case: Annotated[LetterCase, typer.Option(help="Case of the letters, without a form.")] = LetterCase.ANY,
    jobs: Annotated[int | None, typer.Option(min=1, metavar="N", help="Processes; one per core by default.")] = None,
    dpi: Annotated[int, typer.Option(min=72, max=1200, help="Resolution PDF pages are drawn at.")] = 300,
    review_below: Annotated[
        float, typer.Option(min=0, max=1, metavar="P", help="Fields less certain than this are for review.")
    ] = 0.9,
    overlay: Annotated[bool, typer.Option("--overlay", help="Also write pictures of what was read.")] = False,
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Weights; the shipped ones by default.")
    ] = None,
    password: Annotated[
        str | None, typer.Option(envvar="HWTRANSCRIBE_PASSWORD", help="For encrypted PDFs.", show_envvar=True)
    ] = None,
    max_pixels: Annotated[int, typer.Option(min=1, help="Largest page that is decoded.")] = 200_000_000,
    max_pages: Annotated[int, typer.Option(min=1, help="Largest document that is read.")] = 10_000,
    timeout: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="Longest time for a document.")] = 1800,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try again what failed before.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over: forget what DIR holds of earlier runs.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")] = False,
    log_json: Annotated[bool, typer.Option("--log-json", help="Progress as JSON lines.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where in the program errors come from.")] = False,
) -> None:
    """Read documents and write text and CSV."""
    from hwtranscribe.batch.transcribe import RunSettings
    from hwtranscribe.batch.transcribe import transcribe as run_batch
    from hwtranscribe.types import Case, Kind, ReadOptions

    options = ReadOptions(
        dpi=dpi,
        kind=Kind(kind),
        case=Case(case),
        review_below=review_below,
        overlay=overlay,
        password=password,
        max_pixels=max_pixels,
        max_pages=max_pages,
    )
    summary = run_batch(
        RunSettings(
            inputs=inputs,
            out=out,
            form=form,
            checkpoint=checkpoint,
            options=options,
            jobs=jobs,
            timeout_s=timeout,
            fresh=fresh,
            retry_failed=retry_failed,
            quiet=quiet,
            log_json=log_json,
            debug=debug,
        )
    )
    if not quiet:
        sys.stderr.write(f"{summary}\n")
    raise typer.Exit(summary.exit_code)


if __name__ == "__main__":
    main()
