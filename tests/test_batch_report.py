import base64
import re

import cv2
import numpy as np
from results import PROVENANCE, failed_result, form_result, page_result, reading

from hwtranscribe.batch.pool import SerialExecutor
from hwtranscribe.batch.report import MAX_FIELDS, write_report
from hwtranscribe.batch.run import Stop
from hwtranscribe.journal import Fingerprint, Journal
from hwtranscribe.types import DocumentJob, DocumentResult, Status

PRINT = Fingerprint(1, 1, "")


def written(folder, *records, form=None, stop: Stop | None = None) -> str:
    with Journal(folder) as journal:
        journal.put({"form": form})
        for path, result in records:
            journal.record(path, PRINT, result)
        if not write_report(folder, journal, SerialExecutor(), DocumentJob("", ""), stop or Stop()):
            return ""
    return (folder / "report.html").read_text()


def test_nothing_to_look_at_is_no_report(tmp_path):
    assert written(tmp_path, ("/a", page_result("a", (1, "A")))) == ""
    assert not (tmp_path / "report.html").exists()


def test_a_run_that_ends_soon_has_a_report_and_one_that_ends_at_once_no_old_one(tmp_path):
    stop = Stop()
    stop.request()
    assert "x.png" in written(tmp_path, ("/x", failed_result("x.png")), stop=stop)
    stop.request()
    assert written(tmp_path, ("/y", failed_result("y.png")), stop=stop) == ""
    assert not (tmp_path / "report.html").exists()


def test_doubtful_fields_are_shown_with_pictures(tmp_path, drawing):
    drawing.save(tmp_path / "scan.png")
    doubtful = reading("line001", "AB", confidence=0.4, status=Status.REVIEW, box=(40, 20, 120, 60))
    result = DocumentResult("scan.png", 1, (), (doubtful,), (), PROVENANCE)
    text = written(tmp_path, (str(tmp_path / "scan.png"), result))
    (data,) = re.findall(r"base64,([^\"]+)", text)
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture.shape == (60, 100) and picture[30, 50] < 30 and picture[2, 50] > 225
    assert "40%" in text and "OTHER 1%" in text


def test_a_file_that_is_gone_has_no_picture(tmp_path):
    result = form_result("gone.png", {"no": "1?", "name": "A"})
    text = written(tmp_path, ("/gone.png", result), form={"name": "card", "fields": ["name", "no"]})
    assert "gone.png (form 1)" in text and "<img" not in text
    assert text.index("<td>name") < text.index("<td>no")
    assert "100.0%" in text and "0.0%" in text


def test_names_and_texts_are_only_text(tmp_path):
    text = written(
        tmp_path,
        ("/x", failed_result("<script>alert(1)</script>\x1b.png", detail="<b>")),
        ("/y", form_result("y", {"no": "<i>?"})),
    )
    assert "<script>" not in text and "&lt;script&gt;" in text and "\x1b" not in text
    assert "<b>" not in text and "&lt;i&gt;" in text


def test_a_long_list_is_cut(tmp_path):
    lines = tuple(reading(f"line{i:04d}", "A", status=Status.REVIEW) for i in range(MAX_FIELDS + 10))
    text = written(tmp_path, ("/x", DocumentResult("x", 1, (), lines, (), PROVENANCE)))
    assert f"The first {MAX_FIELDS} of {MAX_FIELDS + 10}" in text
    assert text.count("<td>line0") == MAX_FIELDS
