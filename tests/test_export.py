import csv
import io
import json

import pytest
from results import failed_result, form_result, page_result, reading, table_result

from hwtranscribe import export
from hwtranscribe.types import DocumentResult, Status


def parsed(pieces) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(pieces).decode(), newline="")))


def test_fields_csv():
    results = [form_result("a/x.pdf", {"no": "007", "name": "DOE?"}), page_result("y.png", (1, "HELLO WORLD"))]
    header, *rows = parsed(export.csv_bytes(export.FIELD_COLUMNS, export.field_rows(results)))
    assert ",".join(header) == "document,page,field,text,confidence,status,left,top,right,bottom"
    assert rows == [
        ["a/x.pdf", "1", "no", "007", "0.9877", "ok", "1", "2", "30", "40"],
        ["a/x.pdf", "1", "name", "DOE", "0.9877", "review", "1", "2", "30", "40"],
        ["y.png", "1", "line001", "HELLO WORLD", "0.9877", "ok", "1", "2", "30", "40"],
    ]


def test_forms_csv_has_a_row_per_filled_form():
    result = form_result("stack.pdf", {"no": "1", "name": "A"}, {"no": "2?", "name": "?"})
    header, *rows = parsed(
        export.csv_bytes(export.form_columns(["no", "name"]), export.form_rows([result], ["no", "name"]))
    )
    assert header == ["document", "form", "pages", "no", "name", "review"]
    assert rows == [["stack.pdf", "1", "1", "1", "A", ""], ["stack.pdf", "2", "2", "2", "", "no; name"]]


def test_errors_csv():
    header, *rows = parsed(export.csv_bytes(export.ERROR_COLUMNS, export.error_rows([failed_result("x.pdf")])))
    assert header == ["document", "page", "error", "detail"]
    assert rows == [["x.pdf", "", "corrupt", "damaged"]]


@pytest.mark.parametrize(
    "value", ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", " =1", "\n=1", "\uff1d1+1", "\uff0b1", "\x00=1"]
)
def test_formulas_are_harmless(value):
    (_, (document, *_)) = parsed(
        export.csv_bytes(export.FIELD_COLUMNS, export.field_rows([page_result(value, (1, "A"))]))
    )
    assert document == "'" + value


def test_formulas_stay_raw_in_json_lines():
    (line,) = export.jsonl_bytes([page_result("=1+1", (1, "=2"))])
    record = json.loads(line)
    assert record["document"] == "=1+1" and record["lines"][0]["text"] == "=2"


@pytest.mark.parametrize("value", ["0012", "A=B", "1-2", "", "a'b", "12+"])
def test_other_values_are_left_alone(value):
    assert export.harmless(value) == value


@pytest.mark.parametrize(
    "name",
    [
        'quo"te.pdf',
        "new\nline.pdf",
        "comma,.pdf",
        "\U0001f58a.pdf",
        "a;b\tc.pdf",
        "\udcff".encode("utf-8", "backslashreplace").decode(),
    ],
)
def test_odd_names_survive(name):
    (_, (document, *_)) = parsed(
        export.csv_bytes(export.FIELD_COLUMNS, export.field_rows([page_result(name, (1, "A"))]))
    )
    assert document == name


def test_json_lines_hold_everything():
    (line,) = export.jsonl_bytes([form_result("x.pdf", {"no": "42"})])
    record = json.loads(line)
    assert set(record) == set(DocumentResult.__dataclass_fields__)
    (field,) = record["forms"][0]["fields"]
    assert [c["text"] for c in field["characters"]] == ["4", "2"]
    assert field["confidence"] == 0.987654321
    assert field["alternatives"] == [{"text": "OTHER", "confidence": 0.01}]
    assert record["provenance"]["checkpoint_hash"] == "c0ffee"


def test_text_of_pages_and_forms():
    assert export.text_bytes(page_result("x", (1, "A B"), (1, "C"), (2, "D"))) == b"A B\nC\n\fD\n"
    assert export.text_bytes(form_result("x", {"no": "1"}, {"no": "2"})) == b"no: 1\n\nno: 2\n"


def test_a_table_is_rows_of_cells_in_the_text_and_in_its_csv():
    result = table_result("x", ("A B", None, ""), ("", "=1", ""))
    assert export.text_bytes(result) == b"LINE\nA B\t\t\n\t=1\t\n"
    ((key, (first, *rest)),) = export.table_rows(result)
    assert key == ("x", 1, 1)
    assert parsed(export.csv_bytes(first, rest)) == [["A B", "", ""], ["", "'=1", ""]]


def test_paths_of_tables():
    keys = [("a.pdf", 1, 1), ("b/c.png", 12, 2), ("../d", 1, 1), ("../d", 1, 2)]
    paths = [str(path) for path in export.table_paths(keys).values()]
    assert paths[:2] == ["a.pdf.page0001.table1.csv", "b/c.png.page0012.table2.csv"]
    assert len(set(paths)) == 4 and all(path.endswith(".csv") and ".." not in path.split("/") for path in paths)


def test_text_paths_are_the_names():
    paths = export.text_paths(["a.pdf", "b/c.png", "b/c.pdf"])
    assert [str(path) for path in paths.values()] == ["a.pdf.txt", "b/c.png.txt", "b/c.pdf.txt"]


@pytest.mark.parametrize("name", ["../x.pdf", "/etc/passwd", "a/../../x", "..", ".", "", "a//b", "./a", "a/\0b"])
def test_text_never_leaves_the_folder(name):
    path = export.text_paths([name])[name]
    assert not path.is_absolute() and ".." not in path.parts and "\0" not in str(path)
    assert path.name.endswith(".txt") and "~" in path.name or "\0" in name


def test_longest_names_are_cut(tmp_path):
    names = ["x" * 251 + ".pdf", "x" * 250 + "y.pdf", "\u00e9" * 125 + ".pdf"]
    paths = export.text_paths(names)
    assert len(set(paths.values())) == 3
    for path in paths.values():
        assert len(path.name.encode()) <= 255
        (tmp_path / path).write_bytes(b"")


def test_a_text_is_never_where_a_folder_has_to_be():
    paths = export.text_paths(["a", "a.txt/b"])
    assert str(paths["a.txt/b"]) == "a.txt/b.txt"
    assert str(paths["a"]) != "a.txt" and str(paths["a"]).endswith(".txt")


def test_doubtful_fields():
    form = form_result("x", {"a": "1", "b": "2?", "c": ""}).forms[0]
    assert export.doubtful_fields(form) == ["b"]
    illegible = reading("d", "", status=Status.ILLEGIBLE)
    assert export.doubtful_fields(type(form)(1, "card", (1,), (*form.fields, illegible))) == ["b", "d"]


def test_large_tables_come_in_pieces():
    results = [page_result(f"{i}.png", (1, "X" * 100)) for i in range(2000)]
    pieces = list(export.csv_bytes(export.FIELD_COLUMNS, export.field_rows(results)))
    assert len(pieces) > 2
    assert len(parsed(pieces)) == 2001
