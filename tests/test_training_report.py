import csv
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import jax
import numpy as np
import pytest

from hwtranscribe.checkpoint import Checkpoint, default_checkpoint_path, load_checkpoint, save_checkpoint
from hwtranscribe.classify import Classifier
from hwtranscribe.errors import CheckpointError, UsageError
from hwtranscribe.model import DIGITS, LABELS, NetworkSpec
from hwtranscribe.training import commands
from hwtranscribe.training.data import Characters
from hwtranscribe.training.evaluate import MaskedSet, evaluate_classifier
from hwtranscribe.training.fine_tune import load_start
from hwtranscribe.training.measure import (
    Answers,
    accuracy_with_merged,
    classification_report,
    confusion_matrix,
    expected_calibration_error,
    false_positive_rate,
    label_table,
    reject_curve,
)
from hwtranscribe.training.recipes import make_recipe
from hwtranscribe.training.report import summary_lines, write_report

TFDS = Path(__file__).parents[2] / "shared" / "tfds"
SCRIPT = Path(__file__).parents[1] / "scripts" / "average_checkpoints"


def make_answers(truth: str, read: str, confidence: list[float]) -> Answers:
    symbols = tuple("ILO")
    where = {symbol: index for index, symbol in enumerate(symbols)}
    return Answers(
        symbols,
        np.array([where[c] for c in truth], np.int32),
        np.array([where[c] for c in read], np.int32),
        np.array(confidence, np.float32),
    )


ANSWERS = make_answers("IIIILLOO", "IILLLIOO", [0.9, 0.9, 0.6, 0.55, 0.8, 0.5, 0.99, 0.99])


def test_figures_of_a_known_case() -> None:
    assert ANSWERS.accuracy == 5 / 8
    assert accuracy_with_merged(ANSWERS, "I", "L") == 1
    assert confusion_matrix(ANSWERS).tolist() == [[2, 2, 0], [1, 1, 0], [0, 0, 2]]
    rows = {row["symbol"]: row for row in classification_report(ANSWERS)}
    assert rows["L"]["precision"] == pytest.approx(1 / 3)
    assert rows["L"]["recall"] == 0.5
    assert rows["O"]["f1"] == 1
    assert rows["mean"]["count"] == 8


def test_calibration_error_is_zero_when_confidence_is_accuracy() -> None:
    sure = make_answers("IIII", "IILL", [0.5] * 4)
    assert expected_calibration_error(sure) == pytest.approx(0, abs=1e-6)
    assert expected_calibration_error(make_answers("IL", "LI", [0.95, 0.95])) == pytest.approx(0.95)


def test_rejecting_the_doubtful_lowers_the_error() -> None:
    answers = make_answers("I" * 100, "L" * 2 + "I" * 98, [0.3, 0.4] + [0.9] * 98)
    expected = {"0%": 0.02, "1%": 1 / 99, "2%": 0.0, "5%": 0.0, "10%": 0.0}
    assert reject_curve(answers) == pytest.approx(expected)


def test_false_positives_at_kept_characters() -> None:
    characters = np.linspace(0, 0.2, 100, dtype=np.float32)
    assert false_positive_rate(characters, np.array([0.01, 0.5, 0.9, 0.99], np.float32)) == 0.25


def test_small_letters_fold_where_a_network_knows_capitals_only() -> None:
    table = label_table(tuple("ABC"))
    assert table[LABELS.index("b")] == table[LABELS.index("B")] == 1
    assert table[LABELS.index("0")] == -1


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A network of all classes that answers 0 to everything."""
    network = NetworkSpec("glyphnet", len(LABELS), {"features": [4, 4, 8], "hidden": 8})
    shapes = jax.eval_shape(network.build().init, jax.random.key(0), np.zeros((1, 28, 28, 1), np.float32))
    variables = jax.tree.map(lambda leaf: np.zeros(leaf.shape, np.float32), shapes)
    save_checkpoint(tmp_path / "start", network, variables, LABELS, 1.0, {})
    return tmp_path / "start"


def draw(folder: Path, label: str, count: int) -> None:
    (folder / label).mkdir(parents=True)
    rng = np.random.default_rng(ord(label))
    for number in range(count):
        crop = np.full((48, 40), 235, np.uint8)
        at = (6 + int(rng.integers(3)), 40 + int(rng.integers(3)))
        cv2.putText(crop, label, at, cv2.FONT_HERSHEY_SIMPLEX, 1.2, (30,), int(rng.integers(1, 4)))
        cv2.imwrite(str(folder / label / f"{number}.png"), crop)


def test_evaluation_leaves_a_report(tmp_path: Path, tiny: Path) -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(10), 4).astype(np.int32)
    digits = Characters(rng.integers(0, 255, (40, 28, 28)).astype(np.uint8), labels, labels)
    evaluation = evaluate_classifier(Classifier.load(tiny), [MaskedSet("digits", digits, "digits")])
    figures = json.loads(json.dumps(evaluation.figures))
    assert figures["digits"]["count"] == 40
    assert set(figures["digits"]["per_class"]) == set(DIGITS)
    assert 0 <= figures["non-characters"]["false_positive_rate_at_95_kept"] <= 1
    assert 0 <= figures["non-characters"]["overwritten"] <= 1
    assert figures["cost"]["multiply_adds"] > 1000
    log = [{"epoch": 1, "loss": 2.0, "val_digits": 0.5, "val": 0.5}] * 2
    write_report(tmp_path / "report", evaluation, log, "a heading")
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert {"report.html", "figures.json", "classification.txt", "learning_curves.png"} <= names
    assert {"classification_digits.csv", "confusion_digits.csv", "worst_digits.png"} <= names
    page = (tmp_path / "report" / "report.html").read_text()
    assert "a heading" in page
    assert page.count("<img") == len([name for name in names if name.endswith(".png")])
    with (tmp_path / "report" / "confusion_digits.csv").open(newline="") as file:
        assert len(list(csv.reader(file))) == 11
    assert any(line.startswith("digits: ") for line in summary_lines(figures))


def test_fine_tuning_reports_and_does_not_replace_a_better_checkpoint(
    tmp_path: Path, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for label in "AX":
        draw(tmp_path / "crops", label, 10)
    options = {"from_checkpoint": tiny, "crops": tmp_path / "crops", "epochs": 1, "samples_per_epoch": 64}
    tuned = load_checkpoint(commands.train(out=tmp_path / "run", **options))
    assert "4 held-out crops" in capsys.readouterr().err
    assert [row["epoch"] for row in tuned.metadata["log"]] == [1]
    assert tuned.metadata["data"]["after"] >= tuned.metadata["data"]["before"]
    standing = tmp_path / "other" / commands.CHECKPOINT_FOLDER
    shutil.copytree(default_checkpoint_path(), standing)
    before = (standing / "weights.safetensors").read_bytes()
    with pytest.raises(CheckpointError, match="not written.*would replace 100.00%"):
        commands.train(out=tmp_path / "other", **options)
    assert (standing / "weights.safetensors").read_bytes() == before


@pytest.mark.skipif(not TFDS.is_dir(), reason="no ../shared/tfds: the temperature is fitted on validation")
def test_the_mean_of_two_checkpoints(tmp_path: Path, tiny: Path) -> None:
    one = load_checkpoint(tiny)
    other = jax.tree.map(lambda weights: np.asarray(weights) + 1, one.variables)
    about = {"command": "c", "recipe": {}, "data": {}, "log": [{"epoch": 1}]}
    for name, variables in (("one", one.variables), ("other", other)):
        save_checkpoint(tmp_path / name, one.network, variables, one.labels, 1.0, about)

    def average(share: str) -> subprocess.CompletedProcess[str]:
        folders = [str(tmp_path / name) for name in ("one", "other")]
        options = ["--share", share, "--data-dir", str(TFDS), "--out", str(tmp_path / "mean")]
        return subprocess.run([sys.executable, str(SCRIPT), *folders, *options], capture_output=True, text=True)

    refused = average("1")
    assert refused.returncode == 2
    assert "--share 1.0: must lie between 0 and 1" in refused.stderr
    assert average("0.25").returncode == 0
    mean = load_checkpoint(tmp_path / "mean")
    near = jax.tree.map(lambda a, b: np.allclose(b, np.asarray(a) + 0.75, atol=1e-5), one.variables, mean.variables)
    assert all(jax.tree.leaves(near))
    assert [row["epoch"] for row in mean.metadata["log"]] == [1, 2]


def test_options_that_do_not_go_together(tmp_path: Path, tiny: Path) -> None:
    with pytest.raises(UsageError, match="--data-dir is missing"):
        commands.train(out=tmp_path / "run")
    with pytest.raises(UsageError, match="--crops needs --from"):
        commands.train(out=tmp_path / "run", crops=tmp_path)
    with pytest.raises(UsageError, match="--fonts does not go with --crops"):
        commands.train(out=tmp_path / "run", from_checkpoint=tiny, crops=tmp_path, fonts=tmp_path)
    with pytest.raises(UsageError, match="--fonts goes with --preset glyphnet and linenet only, not with mnist-2m"):
        commands.train(out=tmp_path / "run", preset="mnist-2m", fonts=tmp_path)
    with pytest.raises(UsageError, match="start: holds glyphnet with 63 classes"):
        load_start(tiny, make_recipe("glyphnet", None, None, 1))
    draw(tmp_path / "few", "A", 2)
    with pytest.raises(UsageError, match="too few crops"):
        commands.train(out=tmp_path / "run", from_checkpoint=tiny, crops=tmp_path / "few")


def test_a_network_of_digits_answers_over_all_labels(tmp_path: Path, tiny: Path) -> None:
    loaded = load_checkpoint(tiny)
    network = replace(loaded.network, class_count=10)
    variables = dict(loaded.variables)
    last = variables["params"]["Dense_1"]
    variables["params"] = {
        **variables["params"],
        "Dense_1": {"kernel": last["kernel"][:, :10], "bias": last["bias"][:10]},
    }
    classifier = Classifier(Checkpoint(network, variables, DIGITS, 1.0, {}, "hash"))
    scores = classifier.score(np.ones((2, 28, 28, 1), np.float32))
    assert scores.labels == LABELS
    assert np.exp(scores.log_probs[:, :10]).sum() == pytest.approx(2, rel=1e-4)
    assert np.exp(scores.log_probs[:, 10:]).sum() == 0
