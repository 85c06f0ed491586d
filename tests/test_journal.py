import dataclasses
import sqlite3

import pytest
from results import PROVENANCE, failed_result, form_result, page_result, reading, table_result

from hwtranscribe.errors import OutputError
from hwtranscribe.journal import JOURNAL_NAME, Fingerprint, Journal
from hwtranscribe.types import PageError, Status

PRINT = Fingerprint(10, 20, "ab" * 32)


@pytest.fixture
def journal(tmp_path):
    with Journal(tmp_path) as opened:
        yield opened


def one(journal, document):
    (result,) = journal.results([document])
    return result


@pytest.mark.parametrize(
    "result",
    [
        form_result("a/b.pdf", {"no": "007", "name": "DOE?"}, {"no": "", "name": "ROE"}),
        page_result("p.png", (1, "HELLO WORLD"), (2, "AGAIN")),
        failed_result("x.pdf"),
        dataclasses.replace(
            page_result("new\nline '\" \U0001f58a.png", (1, "A")),
            errors=(PageError(2, "corrupt", "damaged"), PageError(None, "b", "c")),
            warnings=("page 1: faint",),
            page_count=2,
        ),
    ],
)
def test_a_result_comes_back_as_it_was(journal, result):
    journal.record("/scans/x", PRINT, result)
    assert one(journal, result.document) == result


def test_without_characters(journal):
    result = form_result("x", {"no": "007"})
    journal.record("/x", PRINT, result)
    (light,) = journal.results(["x"], characters=False)
    bare = dataclasses.replace(result.forms[0].fields[0], characters=(), alternatives=())
    assert light.forms[0].fields == (bare,)


def test_floats_come_back_exactly(journal):
    result = dataclasses.replace(page_result("x", (1, "A")), lines=(reading("line001", "A", confidence=1 / 3),))
    journal.record("/x", PRINT, result)
    assert one(journal, "x").lines[0].confidence == 1 / 3


def test_a_new_result_replaces_the_old(journal):
    journal.record("/x", PRINT, form_result("x", {"no": "1"}, {"no": "2"}))
    journal.record("/x", PRINT, page_result("x", (1, "A")))
    assert one(journal, "x") == page_result("x", (1, "A"))
    assert journal.counts() == {"documents": 1, "failed": 0, "partial": 0, "pages": 1, "fields": 1, "review": 0}


def test_cells_of_tables(journal):
    result = table_result("x", ("A", None), ("", "B"))
    journal.record("/x", PRINT, result)
    assert one(journal, "x") == result
    assert journal.drawn_tables() == [("x", 1, 1)]


def test_counts(journal):
    journal.record("/a", PRINT, form_result("a", {"no": "1?"}, {"no": "2"}))
    journal.record("/b", PRINT, failed_result("b"))
    journal.record("/c", PRINT, dataclasses.replace(page_result("c", (1, "A")), errors=(PageError(2, "e", "d"),)))
    assert journal.counts() == {"documents": 3, "failed": 1, "partial": 1, "pages": 3, "fields": 3, "review": 1}


def test_entries_know_the_file(journal):
    path = "/scans/not utf-8 \udcff.pdf"
    journal.record(path, PRINT, failed_result("x"))
    (entry,) = journal.entries()
    assert (entry.document, entry.path, entry.fingerprint, entry.state) == ("x", path, PRINT, "failed")
    journal.touch("x", "/elsewhere", Fingerprint(10, 30, None))
    (entry,) = journal.entries()
    assert (entry.path, entry.fingerprint) == ("/elsewhere", Fingerprint(10, 30, "ab" * 32))


def test_it_is_there_when_opened_again(tmp_path):
    with Journal(tmp_path) as journal:
        journal.put({"identity": {"dpi": 300}})
        journal.record("/x", PRINT, form_result("x", {"no": "1"}))
    with Journal(tmp_path) as journal:
        assert journal.get("identity") == {"dpi": 300}
        assert journal.get("nothing") is None
        assert one(journal, "x") == form_result("x", {"no": "1"})


def test_provenance_is_stored_once(journal, tmp_path):
    for i in range(3):
        journal.record("/x", PRINT, page_result(f"{i}", (1, "A")))
    other = dataclasses.replace(PROVENANCE, form_hash=None)
    journal.record("/x", PRINT, dataclasses.replace(page_result("9", (1, "A")), provenance=other))
    journal.record("/x", PRINT, dataclasses.replace(page_result("8", (1, "A")), provenance=other))
    assert one(journal, "8").provenance == other and one(journal, "1").provenance == PROVENANCE
    with sqlite3.connect(tmp_path / JOURNAL_NAME) as db:
        assert db.execute("SELECT count(*) FROM provenance").fetchone() == (2,)
    db.close()


def test_a_full_disk_leaves_what_was_there(journal):
    journal.record("/x", PRINT, page_result("x", (1, "A")))
    (pages,) = journal._db.execute("PRAGMA page_count").fetchone()
    journal._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OutputError, match="full"):
        journal.record("/x", PRINT, page_result("x", *((1, "B" * 100) for _ in range(100))))
    assert one(journal, "x") == page_result("x", (1, "A"))
    journal._db.execute("PRAGMA max_page_count = 1000000")
    journal.record("/x", PRINT, page_result("x", (1, "C")))
    assert one(journal, "x").lines[0].text == "C"


def test_names_that_are_no_utf8_can_be_in_a_message(journal):
    journal.record("/x", PRINT, failed_result("x", detail="can't open \udcff"))
    assert one(journal, "x").errors[0].detail == "can't open \\udcff"


def test_damaged_and_foreign_journals_are_refused(tmp_path):
    (tmp_path / JOURNAL_NAME).write_bytes(b"no database" * 1000)
    with pytest.raises(OutputError, match="not a database"):
        Journal(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    with Journal(other) as journal:
        journal.put({"schema": 99})
    with pytest.raises(OutputError, match="schema 99"):
        Journal(other)


def test_any_sqlite_tool_can_read_it(journal, tmp_path):
    journal.record("/x", PRINT, form_result("x.pdf", {"no": "007?"}))
    db = sqlite3.connect(f"file:{tmp_path / JOURNAL_NAME}?mode=ro", uri=True)
    rows = db.execute(
        "SELECT document, field, text FROM fields JOIN documents ON documents.id = document_id WHERE status = ?",
        (Status.REVIEW,),
    ).fetchall()
    db.close()
    assert rows == [("x.pdf", "no", "007")]
