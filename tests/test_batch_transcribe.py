"""Whole runs of the command line over real files."""

import csv
import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from test_batch import outputs
from test_render_pdf import encrypt

from hwtranscribe.cli import run
from hwtranscribe.journal import Journal

SAMPLES = Path(__file__).parents[1] / "samples" / "membership"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def transcribe(*arguments: object) -> int:
    return run(["transcribe", *map(str, arguments), "--quiet", "--debug"])


@pytest.fixture(scope="module")
def scans() -> list[Path]:
    return sorted((SAMPLES / "scans").iterdir())[:4]


@pytest.fixture(scope="module")
def finished(tmp_path_factory, scans) -> Path:
    """The output folder of an undisturbed run of one process."""
    out = tmp_path_factory.mktemp("finished")
    assert transcribe(*scans, "--form", SAMPLES / "form.toml", "--out", out, "--jobs", 1) == 0
    return out


def test_a_run_writes_everything(finished, scans):
    forms, fields = rows(finished / "forms.csv"), rows(finished / "fields.csv")
    names = {path.name for path in scans}
    assert {row["document"] for row in forms} == names == {row["document"] for row in fields}
    assert list(forms[0]) == ["document", "form", "pages", *dict.fromkeys(row["field"] for row in fields), "review"]
    assert rows(finished / "errors.csv") == []
    for line in (finished / "results.jsonl").read_text().splitlines():
        record = json.loads(line)
        assert (finished / "text" / f"{record['document']}.txt").read_text().count("\n") > 3
        assert record["provenance"]["checkpoint_hash"] and "password" not in record["provenance"]["options"]


def test_the_number_of_processes_does_not_matter(finished, scans, tmp_path):
    assert transcribe(*reversed(scans), "--form", SAMPLES / "form.toml", "--out", tmp_path / "out", "--jobs", 2) == 0
    assert outputs(tmp_path / "out") == outputs(finished)


def test_the_same_command_again_changes_nothing(finished, scans, capsys):
    before = outputs(finished)
    journal = sqlite3.connect(finished / "journal.sqlite")
    ids = journal.execute("SELECT id FROM documents ORDER BY id").fetchall()
    arguments = ["transcribe", *map(str, scans), "--form", str(SAMPLES / "form.toml"), "--out", str(finished)]
    assert run(arguments) == 0
    assert f"({len(scans)} as before)" in capsys.readouterr().err
    assert outputs(finished) == before
    assert journal.execute("SELECT id FROM documents ORDER BY id").fetchall() == ids
    journal.close()


def test_other_options_are_refused(finished, scans, capsys):
    before = outputs(finished)
    assert transcribe(*scans, "--out", finished) == 7
    form_hash = json.loads((finished / "results.jsonl").read_text().splitlines()[0])["provenance"]["form_hash"]
    assert f"form was {form_hash[:12]}, now none" in capsys.readouterr().err
    assert outputs(finished) == before


def test_another_pdf_renderer_is_refused(finished, scans, capsys, monkeypatch):
    before = json.loads((finished / "results.jsonl").read_text().splitlines()[0])["provenance"]["options"]["pdf"]
    if before != "poppler":
        pytest.skip("Poppler is not installed")
    monkeypatch.setenv("HWTRANSCRIBE_PDF", "pdfium")
    assert transcribe(*scans, "--form", SAMPLES / "form.toml", "--out", finished) == 7
    assert "pdf was poppler, now pdfium" in capsys.readouterr().err


def test_a_full_disk_under_the_overlays_ends_the_run_which_goes_on(tmp_path, drawing, capsys):
    for name in ("a.png", "b.png"):
        drawing.save(tmp_path / name)
    scans, out = [tmp_path / "a.png", tmp_path / "b.png"], tmp_path / "out"
    picture = out / "overlay/b.png.page0001.jpg"
    picture.parent.mkdir(parents=True)
    Journal(out).close()
    # Where the picture is written aside; writing to it fails as on a full disk.
    aside = hashlib.sha256(picture.name.encode()).hexdigest()[:16]
    (picture.parent / f".{aside}.tmp").symlink_to("/dev/full")
    assert transcribe(*scans, "--overlay", "--out", out, "--jobs", 1) == 7
    assert f"{picture}: can't be written: No space left" in capsys.readouterr().err
    assert transcribe(*scans, "--overlay", "--out", out, "--jobs", 1) == 0
    assert transcribe(*scans, "--overlay", "--out", tmp_path / "undisturbed", "--jobs", 1) == 0
    assert outputs(out) == outputs(tmp_path / "undisturbed") and rows(out / "errors.csv") == []


def test_a_wrong_checkpoint_is_6(scans, tmp_path, capsys):
    assert transcribe(scans[0], "--out", tmp_path / "out", "--checkpoint", tmp_path) == 6
    assert str(tmp_path) in capsys.readouterr().err


def test_hostile_files_cost_only_themselves(tmp_path, drawing, pdf, scans):
    folder = tmp_path / "scans"
    folder.mkdir()
    drawing.save(folder / "good.png")
    whole = (folder / "good.png").read_bytes()
    (folder / "empty.pdf").touch()
    (folder / "half.png").write_bytes(whole[: len(whole) // 2])
    (folder / "note.pdf").write_text("no picture")
    (folder / "wrong ending.pdf").write_bytes(whole)
    os.mkfifo(folder / "pipe.png")
    (folder / "loop.png").symlink_to(folder / "loop.png")
    (folder / "up").symlink_to(folder)
    (folder / "skipped.txt").touch()
    Image.new("L", (1, 1)).save(folder / "dot.png")
    Image.new("1", (30_000, 3)).save(folder / "long.png")
    Image.new("L", (400, 300)).save(folder / "black.png")
    pdf(2, "scan.pdf").rename(folder / "=cmd|' C calc'!A0.pdf")
    for name in (
        b"new\nline.png",
        b"quo\"te'.png",
        b"not utf-8 \xff.png",
        "\U0001f58a.png".encode(),
        b"x" * 251 + b".png",
    ):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(whole)
    before = {path for path in tmp_path.rglob("*") if "out" not in path.parts}
    assert transcribe(folder, "--out", tmp_path / "out", "--overlay", "--jobs", 2, "--timeout", 60) == 4
    errors = {row["document"]: row["error"] for row in rows(tmp_path / "out/errors.csv")}
    assert errors == {
        "empty.pdf": "empty_file",
        "half.png": "truncated",
        "note.pdf": "corrupt",
        "pipe.png": "not_a_file",
        "loop.png": "unreadable",
    }
    documents = {json.loads(line)["document"] for line in (tmp_path / "out/results.jsonl").read_text().splitlines()}
    assert {"new\nline.png", "quo\"te'.png", "not utf-8 \\udcff.png", "\U0001f58a.png", "x" * 251 + ".png"} < documents
    assert len(documents) == 16
    assert {path for path in tmp_path.rglob("*") if "out" not in path.parts} == before
    assert (tmp_path / "out/fields.csv").read_text(encoding="utf-8")


def test_a_missing_input_among_others_is_a_row(tmp_path, drawing, capsys):
    drawing.save(tmp_path / "scan.png")
    arguments = ["transcribe", str(tmp_path / "scan.png"), str(tmp_path / "none.png"), "--out", str(tmp_path / "out")]
    assert run(arguments) == 4
    assert "2 documents" in capsys.readouterr().err
    (row,) = rows(tmp_path / "out/errors.csv")
    assert (row["document"], row["error"]) == ("none.png", "not_found")
    drawing.save(tmp_path / "none.png")
    assert run(arguments) == 0
    assert rows(tmp_path / "out/errors.csv") == []


def test_a_password_is_used_and_written_nowhere(tmp_path, capsys):
    encrypt(tmp_path / "locked.pdf", b"open sesame")
    arguments = [tmp_path / "locked.pdf", "--out", tmp_path / "out"]
    assert transcribe(*arguments) == 3
    assert rows(tmp_path / "out/errors.csv")[0]["error"] == "encrypted"
    assert transcribe(*arguments, "--password", "open sesame") == 3
    assert transcribe(*arguments, "--password", "open sesame", "--retry-failed") == 0
    assert rows(tmp_path / "out/errors.csv") == []
    assert not any(b"sesame" in path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())


def test_ctrl_c_keeps_what_was_read_and_the_same_command_goes_on(tmp_path, drawing):
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(60):
        drawing.rotate(number / 10, fillcolor=255).save(folder / f"{number}.png")
    (folder / "00.png").write_text("no picture")
    command = [sys.executable, "-m", "hwtranscribe", "transcribe", str(folder), "--jobs", "2", "--out"]
    with subprocess.Popen(
        [*command, str(tmp_path / "out"), "--log-json"], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert json.loads(process.stderr.readline())["event"] == "document"
        assert run(["transcribe", str(folder), "--out", str(tmp_path / "out"), "--quiet"]) == 7
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
        code = process.wait(60)
    documents = len((tmp_path / "out/results.jsonl").read_text().splitlines())
    assert code == 130 and 1 <= documents < 60
    *_, summary = map(json.loads, said.splitlines())
    assert summary["event"] == "summary" and summary["interrupted"] and summary["documents"] == documents
    assert "00.png" in (tmp_path / "out/report.html").read_text()
    assert subprocess.run([*command, str(tmp_path / "out")], capture_output=True).returncode == 4
    assert subprocess.run([*command, str(tmp_path / "undisturbed")], capture_output=True).returncode == 4
    assert outputs(tmp_path / "out") == outputs(tmp_path / "undisturbed")
