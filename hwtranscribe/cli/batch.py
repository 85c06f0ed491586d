"""Commands that read batches of documents and write what was read."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hwtranscribe.cli.app import Debug, app


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


class TableFormat(StrEnum):
    """What an output folder can be exported to."""

    CSV = "csv"
    JSONL = "jsonl"
    TEXT = "text"
    PARQUET = "parquet"
    XLSX = "xlsx"


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
    timeout: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="Longest time for a document, or 16 pages of a long one.")
    ] = 600,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try again what failed before.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over: forget what DIR holds of earlier runs.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")] = False,
    log_json: Annotated[bool, typer.Option("--log-json", help="Progress as JSON lines.")] = False,
    debug: Debug = False,
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


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The --out folder of a run.")],
    table_format: Annotated[TableFormat, typer.Option("--format", help="What to write.")] = TableFormat.CSV,
    debug: Debug = False,
) -> None:
    """Write files from the journal of a run."""
    from hwtranscribe.batch.folder import open_folder
    from hwtranscribe.batch.outputs import WRITERS

    with open_folder(folder, create=False) as journal:
        WRITERS[table_format](folder, journal)


@app.command()
def score(
    truth: Annotated[Path, typer.Argument(metavar="TRUTH.csv", help="What is true: document,page,field,text.")],
    readings: Annotated[Path, typer.Argument(metavar="OUT", help="The --out folder of a run, or its fields.csv.")],
    kind: Annotated[str | None, typer.Option(help="Only fields that the truth says are of this kind.")] = None,
    wrong_per_thousand: Annotated[
        float, typer.Option(min=0, metavar="X", help="Wrong fields per 1,000 accepted that you can live with.")
    ] = 5.0,
    worst: Annotated[int, typer.Option(min=0, metavar="N", help="List wrong fields, most confident first.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Figures as JSON.")] = False,
    debug: Debug = False,
) -> None:
    """Compare what was read with the truth, and find the confidence from which on it can be trusted."""
    from hwtranscribe.score import figures, report_lines
    from hwtranscribe.score import score as compare

    scored = compare(truth, readings, kind)
    if as_json:
        typer.echo(json.dumps(figures(scored, wrong_per_thousand), indent=2))
    else:
        typer.echo("\n".join(report_lines(scored, wrong_per_thousand, worst)))
