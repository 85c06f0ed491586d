import os
import subprocess
import sys
from pathlib import Path

import pytest
from results import form_result, page_result

from hwtranscribe import __version__
from hwtranscribe.cli import app, run
from hwtranscribe.journal import Fingerprint, Journal


def test_help_and_version(capsys):
    assert run(["--help"]) == 0
    assert "transcribe" in capsys.readouterr().out
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"hwtranscribe {__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["transcribe", "--help"], ["transcribe", "x"], ["train", "--help"]])
def test_help_and_usage_errors_load_nothing_heavy(arguments):
    script = (
        "import sys\n"
        "from hwtranscribe.cli import run\n"
        "run(sys.argv[1:])\n"
        "heavy = {'jax', 'cv2', 'tensorflow', 'flax', 'optax', 'PIL', 'tensorflow_datasets', 'distributed'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["transcribe", "x"], "--out"),
        (["transcribe", "--out", "o"], "INPUT"),
        (["transcribe", "x", "--out", "o", "--jobs", "0"], "--jobs"),
        (["transcribe", "x", "--out", "o", "--kind", "words"], "words"),
        (["transcribe", "x", "--out", "o", "--review-below", "2"], "--review-below"),
        (["transcribe", "x", "--out", "o", "--review-below", "nan"], "--review-below"),
        *((["transcribe", "x", "--out", "o", "--timeout", text], "--timeout") for text in ("inf", "nan", "1e300")),
        (["watch", ".", "--out", "o", "--settle", "nan"], "--settle"),
        (["score", "t", "o", "--wrong-per-thousand", "nan"], "--wrong-per-thousand"),
        (["train", "--out", "o", "--learning-rate", "nan"], "--learning-rate"),
        *(
            (command.split() + ["--out", ""], "--out")
            for command in ("transcribe x", "watch .", "form check x", "train")
        ),
        (["transcribe", "", "--out", "o"], "INPUT ''"),
        (["watch", "", "--out", "o"], "INPUT ''"),
        (["export", "x", "--format", "pdf"], "pdf"),
        (["nonsense"], "nonsense"),
        (["transcribe", "x", "--out", "o", "--nonsense"], "--nonsense"),
    ],
)
def test_usage_errors_are_2_and_say_what(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert said in captured.err and not captured.out
    assert list(tmp_path.iterdir()) == []


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run `$H`, the command line, from a shell."""
    environment = os.environ | {"H": f"{sys.executable} -m hwtranscribe", "PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True)


@pytest.mark.parametrize("stream", ["2>/dev/full", "2>&-", "2> >(true)"])
def test_messages_that_cannot_be_written_change_nothing(tmp_path, drawing, stream):
    drawing.save(tmp_path / "a.png")
    (tmp_path / "b.png").write_text("no picture")
    ended = shell(f"$H transcribe *.png --out out --jobs 1 --log-json {stream}", tmp_path)
    assert (ended.returncode, ended.stderr) == (4, b"")
    assert (tmp_path / "out/fields.csv").is_file()


@pytest.mark.parametrize(
    ("stream", "why"), [(">/dev/full", "No space left"), (">&-", "stdout is closed"), ("> >(true)", "Broken pipe")]
)
def test_data_that_cannot_be_written_is_one_message_and_7(tmp_path, stream, why):
    (tmp_path / "truth.csv").write_text("document,page,field,text\nx,1,f,A\n")
    (tmp_path / "fields.csv").write_text("document,page,field,text,confidence\nx,1,f,A,0.9\n")
    ended = shell(f"sleep 1; $H score truth.csv fields.csv {stream}", tmp_path)
    assert ended.returncode == 7 and why in ended.stderr.decode() and ended.stderr.count(b"\n") == 1


def test_names_that_are_not_utf8_are_printed_as_escapes(tmp_path, drawing):
    (tmp_path / "form.toml").write_text(
        'schema = 1\nname = "x"\n[[page]]\nsize = [400, 200]\nreference = "blank.png"\n'
        '[[page.field]]\nname = "f"\nkind = "digits"\nbox = [40, 100, 200, 140]\n'
    )
    drawing.save(tmp_path / "blank.png")
    (tmp_path / os.fsdecode(b"scan\xff.png")).write_bytes((tmp_path / "blank.png").read_bytes())
    ended = shell("$H form check form.toml scan*.png --out checked", tmp_path)
    assert b"bug" not in ended.stderr and rb"scan\udcff.png" in ended.stderr, ended.stderr
    assert rb"checked/scan\udcff.png" in ended.stdout


def test_input_and_output_may_not_be_the_same_folder(tmp_path, capsys):
    assert run(["transcribe", str(tmp_path), "--out", str(tmp_path)]) == 2
    assert "is the input folder" in capsys.readouterr().err


def test_nothing_to_read_is_3(tmp_path, capsys):
    assert run(["transcribe", str(tmp_path / "missing.pdf"), "--out", str(tmp_path / "out")]) == 3
    assert "missing.pdf: no such file or folder" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert run(["transcribe", str(tmp_path / "empty"), "--out", str(tmp_path / "out")]) == 3
    assert "no PDF or image" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_wrong_form_is_6(tmp_path, capsys):
    (tmp_path / "scan.png").touch()
    (tmp_path / "form.toml").write_text('schema = 1\nname = "x"\nsise = 3\n')
    arguments = ["transcribe", str(tmp_path / "scan.png"), "--out", str(tmp_path / "out")]
    assert run([*arguments, "--form", str(tmp_path / "form.toml")]) == 6
    assert "sise" in capsys.readouterr().err
    assert run([*arguments, "--form", str(tmp_path / "none.toml")]) == 6
    assert "none.toml" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_7(tmp_path, capsys):
    (tmp_path / "scan.png").touch()
    (tmp_path / "file").touch()
    assert run(["transcribe", str(tmp_path / "scan.png"), "--out", str(tmp_path / "file/out")]) == 7
    assert "can't be written" in capsys.readouterr().err


def test_export_of_no_run_is_7(tmp_path, capsys):
    assert run(["export", str(tmp_path)]) == 7
    assert "no journal.sqlite" in capsys.readouterr().err


def test_paths_that_cannot_be_looked_at_are_no_bugs(tmp_path, drawing, capsys):
    (tmp_path / "truth.csv").write_text("document,page,field,text\nx,1,f,A\n")
    long = str(tmp_path / ("x" * 300))
    for arguments, code in (
        (["export", long], 7),
        (["score", str(tmp_path / "truth.csv"), long], 2),
        (["watch", long, "--out", str(tmp_path / "out")], 3),
        (["transcribe", long, "--out", str(tmp_path / "out")], 3),
        (["transcribe", f"{long}/*", "--out", str(tmp_path / "out")], 3),
    ):
        assert run(arguments) == code
        assert long in capsys.readouterr().err


def test_a_bug_is_1_and_asks_for_a_report(tmp_path, capsys, monkeypatch):
    from hwtranscribe.batch import folder

    monkeypatch.setattr(folder, "open_folder", None)
    assert run(["export", str(tmp_path)]) == 1
    captured = capsys.readouterr().err
    assert "this is a bug: TypeError" in captured and "please report" in captured and "Traceback" not in captured
    assert run(["export", str(tmp_path), "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.fixture
def finished(tmp_path) -> Path:
    """The output folder of a run, without its exports."""
    with Journal(tmp_path) as journal:
        journal.put({"identity": {}, "form": {"name": "card", "fields": ["no", "name"]}})
        journal.record("/b", Fingerprint(1, 1, ""), form_result("=b.pdf", {"no": "007", "name": "=1+1?"}))
        journal.record("/a", Fingerprint(1, 1, ""), page_result("a10.png", (1, "X")))
        journal.record("/a", Fingerprint(1, 1, ""), page_result("a9.png", (1, "X")))
    return tmp_path


def test_export_csv_and_text(finished):
    assert run(["export", str(finished)]) == 0
    rows = (finished / "fields.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["document", "'=b.pdf", "'=b.pdf", "a9.png", "a10.png"]
    assert (finished / "forms.csv").read_text().splitlines()[1] == "'=b.pdf,1,1,007,'=1+1,name"
    assert run(["export", str(finished), "--format", "text"]) == 0
    assert (finished / "text/=b.pdf.txt").read_text() == "no: 007\nname: =1+1\n"
    assert run(["export", str(finished), "--format", "jsonl"]) == 0
    assert len((finished / "results.jsonl").read_text().splitlines()) == 3


def test_export_parquet(finished):
    pq = pytest.importorskip("pyarrow.parquet")
    assert run(["export", str(finished), "--format", "parquet"]) == 0
    fields = pq.read_table(finished / "fields.parquet").to_pylist()
    assert fields[0]["text"] == "007" and fields[0]["page"] == 1 and fields[0]["document"] == "=b.pdf"
    assert pq.read_table(finished / "forms.parquet").to_pylist()[0]["no"] == "007"
    assert pq.read_table(finished / "errors.parquet").num_rows == 0
    first = (finished / "fields.parquet").read_bytes()
    assert run(["export", str(finished), "--format", "parquet"]) == 0
    assert (finished / "fields.parquet").read_bytes() == first


def test_export_xlsx(finished):
    pytest.importorskip("xlsxwriter")
    openpyxl = pytest.importorskip("openpyxl")
    assert run(["export", str(finished), "--format", "xlsx"]) == 0
    book = openpyxl.load_workbook(finished / "results.xlsx")
    assert book.sheetnames == ["fields", "forms", "errors"]
    header, row = book["forms"].iter_rows()
    assert [cell.value for cell in header] == ["document", "form", "pages", "no", "name", "review"]
    assert [cell.value for cell in row] == ["=b.pdf", 1, "1", "007", "=1+1", "name"]
    assert all(cell.data_type in "sn" for cell in row)
    book.close()
    first = (finished / "results.xlsx").read_bytes()
    assert run(["export", str(finished), "--format", "xlsx"]) == 0
    assert (finished / "results.xlsx").read_bytes() == first


def test_every_command_says_what_it_does():
    assert all(command.callback.__doc__ for command in app.registered_commands)


def test_training_without_its_extra_is_5(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "optax", None)
    for name in [name for name in sys.modules if name.startswith("hwtranscribe.training")]:
        monkeypatch.delitem(sys.modules, name)
    assert run(["train", "--data-dir", str(tmp_path), "--out", str(tmp_path / "out")]) == 5
    assert "hwtranscribe[train]" in capsys.readouterr().err
