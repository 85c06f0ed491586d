"""Parquet files and Excel workbooks; needs the extra `tables`."""

import datetime
import io
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice

from hwtranscribe.errors import DependencyError, UsageError
from hwtranscribe.export.plain import Row

Table = tuple[Sequence[str], Iterable[Row]]
"""Columns and rows."""

_ROWS_AT_A_TIME = 50_000
_MAX_SHEET_ROWS = 1_048_576  # Excel's
_MAX_CELL_LENGTH = 32_767  # Excel's; longer text would be dropped as a whole
_WHOLE_NUMBERS = {"page", "form", "left", "top", "right", "bottom"}
_NUMBERS = {"confidence"}


def parquet_bytes(columns: Sequence[str], rows: Iterable[Row]) -> bytes:
    """A Parquet file; field values are text, an empty `page` is null.

    Raises:
        DependencyError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise DependencyError("Parquet needs pyarrow: pip install 'hwtranscribe[tables]'") from None

    # In `forms` what follows the number of the form is text, whatever the fields are called.
    typed = len(columns) if columns[-1] != "review" else 2
    types = {**dict.fromkeys(_WHOLE_NUMBERS, pa.int32()), **dict.fromkeys(_NUMBERS, pa.float64())}
    schema = pa.schema(
        [(name, types.get(name, pa.string()) if place < typed else pa.string()) for place, name in enumerate(columns)]
    )
    buffer, rows = io.BytesIO(), iter(rows)
    with pq.ParquetWriter(buffer, schema, compression="zstd") as writer:
        while block := list(islice(rows, _ROWS_AT_A_TIME)):
            arrays = [
                pa.array(values if pa.types.is_string(kind) else [None if v == "" else v for v in values], kind)
                for values, kind in zip(zip(*block, strict=True), schema.types, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    return buffer.getvalue()


def xlsx_bytes(tables: Mapping[str, Table]) -> bytes:
    """An Excel workbook with a sheet per table; text stays text: no formula runs and no leading zero is lost.

    Raises:
        DependencyError: XlsxWriter is not installed.
        UsageError: A table has more rows than a sheet can hold.
    """
    try:
        import xlsxwriter
    except ImportError:
        raise DependencyError("Excel workbooks need XlsxWriter: pip install 'hwtranscribe[tables]'") from None

    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer, {"constant_memory": True})
    # A fixed time: the same results give the same bytes.
    workbook.set_properties({"created": datetime.datetime(2000, 1, 1)})
    bold = workbook.add_format({"bold": True})
    for name, (columns, rows) in tables.items():
        sheet = workbook.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(chain([columns], rows)):
            if number >= _MAX_SHEET_ROWS:
                raise UsageError(f"{name} has more rows than an Excel sheet can hold; export csv or parquet")
            for column, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(number, column, value[:_MAX_CELL_LENGTH], bold if number == 0 else None)
                else:
                    sheet.write_number(number, column, value)
    workbook.close()
    return buffer.getvalue()
