"""Commands that read batches of documents and write what was read."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hwtranscribe.cli.app import Debug, app, finite, named_folder, put

if TYPE_CHECKING:
    from hwtranscribe.types import ReadOptions


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


Out = Annotated[
    Path, typer.Option(metavar="DIR", parser=named_folder, help="Output folder; the same command again goes on there.")
]
Form = Annotated[Path | None, typer.Option(metavar="FORM.toml", help="Template; without it pages are read.")]
KindOfLines = Annotated[PageKind, typer.Option("--kind", help="What lines hold, without a form.")]
CaseOfLines = Annotated[LetterCase, typer.Option("--case", help="Case of the letters, without a form.")]
Jobs = Annotated[int | None, typer.Option(min=1, metavar="N", help="Processes; one per core by default.")]
Scheduler = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Read on a Dask cluster, such as tcp://host:8786.")
]
Dpi = Annotated[int, typer.Option(min=72, max=1200, help="Resolution PDF pages are drawn at.")]
ReviewBelow = Annotated[
    float,
    typer.Option(min=0, max=1, callback=finite, metavar="P", help="Fields less certain than this are for review."),
]
Overlay = Annotated[bool, typer.Option("--overlay", help="Also write pictures of what was read.")]
Checkpoint = Annotated[Path | None, typer.Option(metavar="DIR", help="Weights; the shipped ones by default.")]
Password = Annotated[
    str | None, typer.Option(envvar="HWTRANSCRIBE_PASSWORD", help="For encrypted PDFs.", show_envvar=True)
]
MaxPixels = Annotated[int, typer.Option(min=1, help="Largest page that is decoded.")]
MaxPages = Annotated[int, typer.Option(min=1, help="Largest document that is read.")]
Timeout = Annotated[
    float,
    typer.Option(
        min=1,
        max=1_000_000,  # twice as much is more than the system can wait for
        callback=finite,
        metavar="SECONDS",
        help="Longest time for a document, or 16 pages of a long one.",
    ),
]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Try again what failed before.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")]
LogJson = Annotated[bool, typer.Option("--log-json", help="Progress as JSON lines.")]


@app.command()
def transcribe(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT...", help="Files, folders (searched for PDFs and images) or globs.")
    ],
    out: Out,
    form: Form = None,
    kind: KindOfLines = PageKind.ALPHANUMERIC,
    case: CaseOfLines = LetterCase.ANY,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    dpi: Dpi = 300,
    review_below: ReviewBelow = 0.9,
    overlay: Overlay = False,
    checkpoint: Checkpoint = None,
    password: Password = None,
    max_pixels: MaxPixels = 200_000_000,
    max_pages: MaxPages = 10_000,
    timeout: Timeout = 600,
    retry_failed: RetryFailed = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over: forget what DIR holds of earlier runs.")] = False,
    copy_to: Annotated[
        str | None, typer.Option(metavar="URL", help="Copy the files there at the end, such as s3://bucket/out.")
    ] = None,
    quiet: Quiet = False,
    log_json: LogJson = False,
    debug: Debug = False,
) -> None:
    """Read documents and write text and CSV."""
    from hwtranscribe.batch.session import RunSettings
    from hwtranscribe.batch.transcribe import transcribe as run_batch

    summary = run_batch(
        RunSettings(
            inputs=inputs,
            out=out,
            form=form,
            checkpoint=checkpoint,
            options=_read_options(kind, case, dpi, review_below, overlay, password, max_pixels, max_pages),
            jobs=jobs,
            scheduler=scheduler,
            timeout_s=timeout,
            fresh=fresh,
            copy_to=copy_to,
            retry_failed=retry_failed,
            quiet=quiet,
            log_json=log_json,
            debug=debug,
        )
    )
    if not quiet:
        sys.stderr.write(f"{json.dumps(summary.record()) if log_json else summary}\n")
    raise typer.Exit(summary.exit_code)


@app.command()
def watch(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="Where documents come in; nothing in it is changed.")],
    out: Out,
    form: Form = None,
    kind: KindOfLines = PageKind.ALPHANUMERIC,
    case: CaseOfLines = LetterCase.ANY,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    dpi: Dpi = 300,
    review_below: ReviewBelow = 0.9,
    overlay: Overlay = False,
    checkpoint: Checkpoint = None,
    password: Password = None,
    max_pixels: MaxPixels = 200_000_000,
    max_pages: MaxPages = 10_000,
    timeout: Timeout = 600,
    settle: Annotated[
        float,
        typer.Option(min=0, callback=finite, metavar="SECONDS", help="A file is complete when unchanged for so long."),
    ] = 5,
    retry_failed: RetryFailed = False,
    quiet: Quiet = False,
    log_json: LogJson = False,
    debug: Debug = False,
) -> None:
    """Read documents as they come into a folder, until Ctrl-C."""
    from hwtranscribe.batch.session import RunSettings
    from hwtranscribe.batch.watch import watch as run_watch

    run_watch(
        RunSettings(
            inputs=[folder],
            out=out,
            form=form,
            checkpoint=checkpoint,
            options=_read_options(kind, case, dpi, review_below, overlay, password, max_pixels, max_pages),
            jobs=jobs,
            scheduler=scheduler,
            timeout_s=timeout,
            retry_failed=retry_failed,
            quiet=quiet,
            log_json=log_json,
            debug=debug,
        ),
        settle_s=settle,
    )


def _read_options(
    kind: PageKind,
    case: LetterCase,
    dpi: int,
    review_below: float,
    overlay: bool,
    password: str | None,
    max_pixels: int,
    max_pages: int,
) -> "ReadOptions":
    from hwtranscribe.types import Case, Kind, ReadOptions

    return ReadOptions(
        dpi=dpi,
        kind=Kind(kind),
        case=Case(case),
        review_below=review_below,
        overlay=overlay,
        password=password,
        max_pixels=max_pixels,
        max_pages=max_pages,
    )


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
        float,
        typer.Option(
            min=0, callback=finite, metavar="X", help="Wrong fields per 1,000 accepted that you can live with."
        ),
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
        put(json.dumps(figures(scored, wrong_per_thousand), indent=2, allow_nan=False))
    else:
        put("\n".join(report_lines(scored, wrong_per_thousand, worst)))
