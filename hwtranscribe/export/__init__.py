"""Results -> the bytes of the output files.

Pure functions of the results: the same results give the same bytes. They take iterables and yield pieces, so that a
run of a million documents passes through without being held. Tables for other programs are in `export.tables`, which
needs the extra `tables`.
"""

from hwtranscribe.export.plain import (
    ERROR_COLUMNS,
    FIELD_COLUMNS,
    Row,
    TableKey,
    csv_bytes,
    doubtful_fields,
    error_rows,
    field_rows,
    form_columns,
    form_rows,
    harmless,
    jsonl_bytes,
    output_path,
    overlay_path,
    table_paths,
    table_rows,
    text_bytes,
    text_paths,
)

__all__ = [
    "ERROR_COLUMNS",
    "FIELD_COLUMNS",
    "Row",
    "TableKey",
    "csv_bytes",
    "doubtful_fields",
    "error_rows",
    "field_rows",
    "form_columns",
    "form_rows",
    "harmless",
    "jsonl_bytes",
    "output_path",
    "overlay_path",
    "table_paths",
    "table_rows",
    "text_bytes",
    "text_paths",
]
