import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_batch_transcribe import rows

from hwtranscribe.batch.discover import Found
from hwtranscribe.batch.watch import Arrivals
from hwtranscribe.cli import run


@pytest.fixture
def item(tmp_path) -> Found:
    (tmp_path / "scan.png").write_text("half")
    return Found(str(tmp_path / "scan.png"), "scan.png")


def test_a_file_is_complete_when_it_has_settled(item):
    arrivals = Arrivals(settle_s=5)
    assert arrivals.complete([item], 100) == []
    assert arrivals.complete([item], 104) == []
    assert arrivals.complete([item], 105) == [item]
    assert arrivals.complete([item], 200) == []


def test_a_file_that_grows_is_waited_for(item):
    arrivals = Arrivals(settle_s=5)
    assert arrivals.complete([item], 100) == []
    Path(item.path).write_text("the whole")
    assert arrivals.complete([item], 105) == []
    assert arrivals.complete([item], 109) == []
    assert arrivals.complete([item], 110) == [item]


def test_a_file_that_changes_later_comes_again(item):
    arrivals = Arrivals(settle_s=0)
    assert arrivals.complete([item], 1) == [item]
    assert arrivals.complete([item], 2) == []
    Path(item.path).write_text("another")
    assert arrivals.complete([item], 3) == [item]


def test_a_watch_needs_a_folder(tmp_path, capsys):
    assert run(["watch", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 3
    assert "no such folder" in capsys.readouterr().err


def test_a_watch_of_its_own_output_is_refused_before_anything_is_written(tmp_path, capsys):
    assert run(["watch", str(tmp_path), "--out", f"{tmp_path}/../{tmp_path.name}"]) == 2
    assert "is the input folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_documents_are_read_as_they_come_and_after_a_restart(tmp_path, drawing):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    command = [sys.executable, "-m", "hwtranscribe", "watch", str(folder), "--out", str(out), "--settle", "0"]

    def read_until(names: set[str], away_s: float = 0) -> set[str]:
        """Watch until the documents are in the outputs, take the folder away for a while, then end the watch."""
        with subprocess.Popen([*command, "--jobs", "1"], env={**os.environ}, stderr=subprocess.PIPE) as process:
            deadline_s = time.monotonic() + 90
            found: set[str] = set()
            while not names <= found and time.monotonic() < deadline_s:
                time.sleep(0.3)
                if (out / "results.jsonl").exists():
                    found = {path.name.removesuffix(".txt") for path in (out / "text").glob("*")}
                    found |= {row["document"] for row in rows(out / "errors.csv")}
            folder.rename(tmp_path / "away")
            time.sleep(away_s)
            (tmp_path / "away").rename(folder)
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
        return found

    drawing.save(folder / "a.png")
    assert read_until({"a.png"}) == {"a.png"}
    drawing.save(folder / "b.png")
    (folder / "bad.png").write_text("no picture")
    assert read_until({"b.png", "bad.png"}, away_s=2.5) == {"a.png", "b.png", "bad.png"}
    assert [row["document"] for row in rows(out / "errors.csv")] == ["bad.png"]
    assert "bad.png" in (out / "report.html").read_text()
    assert sorted(path.name for path in folder.iterdir()) == ["a.png", "b.png", "bad.png"]
