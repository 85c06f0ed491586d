"""What the benchmarks compute from readings; the measurements themselves are not tests."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from benchmarks._reading import Comparison, cer, compare, exact, measure, review_needed  # noqa: E402
from benchmarks.accuracy import cause  # noqa: E402


def field(truth: str, read: str, confidence: float = 0.5, status: str = "ok") -> Comparison:
    return Comparison("a.png", "name", "letters", truth, read, confidence, status)


def test_readings_are_joined_with_the_truth_and_folded(tmp_path):
    (tmp_path / "truth.csv").write_text(
        "document,page,field,kind,text\na.png,1,name,letters,Élodie Noël\na.png,1,code,digits,012\n"
        "b.png,1,name,letters,AB C\nc.png,1,name,letters,X\n",
        encoding="utf-8",
    )
    (tmp_path / "fields.csv").write_text(
        "document,page,field,text,confidence,status\nin/a.png,1,name,ELODIE NOEL,0.9,ok\nin/a.png,1,code,'012,0.8,ok\n"
        "b.png,1,line001,NOM AB,0.7,ok\nb.png,1,line002,C,0.6,review\n",
        encoding="utf-8",
    )
    compared = compare(tmp_path / "truth.csv", tmp_path / "fields.csv")
    assert [(one.truth, one.read, one.confidence) for one in compared] == [
        ("ELODIENOEL", "ELODIENOEL", 0.9),
        ("012", "012", 0.8),
        ("ABC", "ABC", 0.6),
        ("X", "", 0.0),
    ]
    assert exact(compared) == 0.75
    assert cer(compared) == pytest.approx(1 / 17)
    assert len(compare(tmp_path / "truth.csv", tmp_path / "fields.csv", only="a.png")) == 2


def test_review_needed_is_the_smallest_share_that_keeps_errors_rare():
    right = [field("A", "A", confidence / 100) for confidence in range(50, 99)]
    wrong = [field("A", "B", 0.3), field("A", "B", 0.705)]
    assert review_needed(right, 0.01) == 0
    assert review_needed([*right, wrong[0]], 0.01) == pytest.approx(1 / 50)
    assert review_needed([*right, wrong[1]], 0.0) == pytest.approx(22 / 50)
    assert review_needed([field("A", "A", 0.9), field("A", "B", 0.9)], 0.01) == 1


@pytest.mark.parametrize(
    ("wrong", "title"),
    [
        (field("ABC", "", status=""), "nothing found"),
        (field("ABC", "", status="blank"), "left empty (blank)"),
        (field("ABC", "ABD"), "one character confused"),
        (field("ABC", "XBD"), "several characters confused"),
        (field("ABC", "AB"), "too few characters by one"),
        (field("ABC", "ABCDE"), "too many characters"),
    ],
)
def test_errors_have_a_cause(wrong, title):
    assert cause(wrong) == title


def test_a_command_is_measured_with_its_children():
    work = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'sum(range(3_000_000))'])"
    cost = measure([sys.executable, "-c", work])
    assert cost.cpu_s > 0.02 and cost.wall_s > 0.02 and cost.peak_mib > 5
    with pytest.raises(SystemExit, match="ended with 3"):
        measure([sys.executable, "-c", "raise SystemExit(3)"])
