"""What the benchmarks compute from readings; the measurements themselves are not tests."""

import sys
from pathlib import Path

import pytest

from hwtranscribe.constraint import fold
from hwtranscribe.score import ScoredField, align

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from benchmarks._reading import cer, edits, exact, measure  # noqa: E402
from benchmarks.accuracy import cause, review_needed  # noqa: E402
from benchmarks.batch import profile  # noqa: E402


def field(truth: str, text: str, confidence: float = 0.5, missing: bool = False) -> ScoredField:
    pairs = tuple(align(truth, fold(text)))
    return ScoredField("a.png", 1, "name", "letters", truth, text, confidence, missing, pairs, False, True)


def test_shares():
    fields = [field("ABC", "abc"), field("ABCD", "AXC")]
    assert (exact(fields), edits(fields), cer(fields)) == (0.5, 2, 2 / 7)


def test_review_needed_is_the_smallest_share_that_keeps_errors_rare():
    right = [field("A", "A", confidence / 100) for confidence in range(50, 99)]
    wrong = [field("A", "B", 0.3), field("A", "B", 0.705)]
    assert review_needed(right, 10) == 0
    assert review_needed([*right, wrong[0]], 10) == pytest.approx(1 / 50)
    assert review_needed([*right, wrong[1]], 0) == pytest.approx(22 / 50)
    assert review_needed([field("A", "A", 0.9), field("A", "B", 0.9)], 10) == 1


@pytest.mark.parametrize(
    ("wrong", "title"),
    [
        (field("ABC", "", missing=True), "nothing found"),
        (field("ABC", ""), "left empty"),
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


def test_the_profile_finds_its_stages(capsys):
    samples = Path(__file__).parents[1] / "samples" / "membership"
    profile(sorted((samples / "scans").glob("*.jpg"))[:1], samples / "form.toml")
    printed = capsys.readouterr().out
    for stage in ("registration and cleaning", "segmentation", "network, characters", "decoding", "the rest"):
        assert stage in printed
