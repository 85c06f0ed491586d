"""The files of the output folder, made from its journal."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePath

from hwtranscribe import export
from hwtranscribe.batch.discover import natural_key
from hwtranscribe.batch.folder import OUTPUT_NAMES
from hwtranscribe.batch.remote import copy_to
from hwtranscribe.errors import OutputError
from hwtranscribe.files import write_atomically
from hwtranscribe.journal import Journal
from hwtranscribe.types import DocumentResult

Table = tuple[Sequence[str], Iterable[export.Row]]
"""Columns and rows."""

Results = Callable[[], Iterator[DocumentResult]]
"""Goes through all results once more, in natural order of the documents."""


def results_of(journal: Journal, *, characters: bool = True, failed_only: bool = False) -> Results:
    """Results of a journal, in natural order, as often as wanted.

    Args:
        journal: Of a run.
        characters: See `Journal.results`.
        failed_only: Only documents of which something could not be read.
    """
    entries = (entry for entry in journal.entries() if not failed_only or entry.state != "read")
    documents = sorted((entry.document for entry in entries), key=natural_key)
    return lambda: journal.results(documents, characters=characters)


def field_names_of(journal: Journal) -> tuple[str, ...] | None:
    """Names of the form's fields in its order, or None in page mode."""
    form = journal.get("form")
    return None if form is None else tuple(form["fields"])


def tables_of(journal: Journal) -> dict[str, Table]:
    """Columns and rows of `fields`, `errors` and, with a form, `forms`."""
    results = results_of(journal, characters=False)
    failed = results_of(journal, characters=False, failed_only=True)
    tables: dict[str, Table] = {"fields": (export.FIELD_COLUMNS, export.field_rows(results()))}
    field_names = field_names_of(journal)
    if field_names is not None:
        tables["forms"] = export.form_columns(field_names), export.form_rows(results(), field_names)
    tables["errors"] = export.ERROR_COLUMNS, export.error_rows(failed())
    return tables


def write_csv(folder: Path, journal: Journal) -> None:
    """Write `fields.csv`, `errors.csv` and, with a form, `forms.csv`; without one, the tables drawn on the pages."""
    for name, (columns, rows) in tables_of(journal).items():
        write_file(folder / f"{name}.csv", export.csv_bytes(columns, rows))
    _write_drawn_tables(folder / "tables", journal)


def _write_drawn_tables(folder: Path, journal: Journal) -> None:
    """Write a CSV of every table that is drawn on a page; what is there of documents that have changed goes."""
    keys = sorted(journal.drawn_tables(), key=lambda key: (natural_key(key[0]), *key[1:]))
    paths = export.table_paths(keys)
    _keep_only(folder, paths.values())
    for result in journal.results(dict.fromkeys(document for document, _, _ in keys), characters=False):
        for key, (first, *rest) in export.table_rows(result):
            write_file(folder / paths[key], export.csv_bytes(first, rest))


def write_parquet(folder: Path, journal: Journal) -> None:
    """Write the tables as Parquet files.

    Raises:
        DependencyError: The extra `tables` is not installed.
    """
    from hwtranscribe.export.tables import parquet_bytes

    for name, (columns, rows) in tables_of(journal).items():
        write_file(folder / f"{name}.parquet", parquet_bytes(columns, rows))


def write_xlsx(folder: Path, journal: Journal) -> None:
    """Write the tables as one Excel workbook, `results.xlsx`.

    Raises:
        DependencyError: The extra `tables` is not installed.
    """
    from hwtranscribe.export.tables import xlsx_bytes

    write_file(folder / "results.xlsx", xlsx_bytes(tables_of(journal)))


def write_jsonl(folder: Path, journal: Journal) -> None:
    """Write `results.jsonl`."""
    write_file(folder / "results.jsonl", export.jsonl_bytes(results_of(journal)()))


def write_text(folder: Path, journal: Journal) -> None:
    """Write `text/<document>.txt` of every document that could be read; those of others go."""
    paths = export.text_paths(sorted(journal.page_counts(), key=natural_key))
    _keep_only(folder / "text", paths.values())
    for result in journal.results(paths, characters=False):
        write_file(folder / "text" / paths[result.document], export.text_bytes(result))


def write_outputs(folder: Path, journal: Journal) -> None:
    """Write everything that a run leaves besides its journal.

    Raises:
        OutputError: A file can't be written.
    """
    write_csv(folder, journal)
    write_text(folder, journal)
    write_jsonl(folder, journal)
    _remove_old_overlays(folder / "overlay", journal)


def _remove_old_overlays(folder: Path, journal: Journal) -> None:
    """Remove the pictures of pages that are not in the journal: workers write them before a document is done."""
    pages = ((document, page) for document, count in journal.page_counts().items() for page in range(1, count + 1))
    _keep_only(folder, (export.overlay_path(document, page) for document, page in pages))


def _keep_only(folder: Path, wanted: Iterable[PurePath]) -> None:
    """Remove what runs wrote into a folder before and would not write now, and the folders that this empties.

    Args:
        folder: May be missing.
        wanted: Paths of the files to keep, relative to the folder.
    """
    kept = {folder / path for path in wanted}
    try:
        for parent, _, names in os.walk(folder, topdown=False):
            here = Path(parent)
            for path in (here / name for name in names):
                if path not in kept:
                    path.unlink()
            if here != folder and not any(here.iterdir()):
                here.rmdir()  # a file may be to have its name now
    except OSError as error:
        raise OutputError(f"{error.filename}: can't be removed: {error.strerror}") from error


WRITERS = {
    "csv": write_csv,
    "jsonl": write_jsonl,
    "text": write_text,
    "parquet": write_parquet,
    "xlsx": write_xlsx,
}
"""What `hwtranscribe export --format` can write."""


def copy_outputs(folder: Path, url: str) -> None:
    """Copy everything that a run has written, but its journal, to a folder elsewhere.

    Raises:
        UsageError: It can't be written there.
    """
    names = [path.relative_to(folder) for name in OUTPUT_NAMES for path in _files(folder / name)]
    copy_to(folder, names, url)


def _files(path: Path) -> list[Path]:
    return sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path] * path.is_file()


def write_file(path: Path, pieces: bytes | Iterable[bytes]) -> None:
    """Write a file of the output folder aside and rename it into place.

    Raises:
        OutputError: It can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not waiting for the disk: the journal is the record, and these can be written again.
        write_atomically(path, pieces, sync=False)
    except OSError as error:
        raise OutputError(
            f"{path}: can't be written: {error.strerror}; the journal has all results, "
            "and `hwtranscribe export` writes the files again"
        ) from error
