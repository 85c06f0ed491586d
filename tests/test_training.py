import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import jax
import numpy as np
import pytest

from hwtranscribe.errors import CheckpointError, OutputError, UsageError
from hwtranscribe.model import LABELS
from hwtranscribe.training.batches import DIGIT_WEIGHT, BatchMaker, balancing_weights
from hwtranscribe.training.data import Characters
from hwtranscribe.training.lesson import character_lesson
from hwtranscribe.training.measure import fit_temperature
from hwtranscribe.training.recipes import Recipe, fine_tuning_recipe, make_recipe
from hwtranscribe.training.resume import STATE_NAME, restore_state, save_state
from hwtranscribe.training.step import TrainState, set_loss
from hwtranscribe.training.train import LOG_NAME, run_training

TINY = replace(
    make_recipe("glyphnet", epochs=4, samples_per_epoch=64, seed=3),
    network_options={"features": [4, 4, 8], "hidden": 8},
    batch_size=16,
    warmup_epochs=1.0,
    decay_epochs=2,
)


def drawn_characters(per_class: int) -> Characters:
    """Digits and capitals set in a stroke font: enough to run every line, small enough to be quick."""
    images, classes = [], []
    rng = np.random.default_rng(0)
    for index in range(36):
        for _ in range(per_class):
            image = np.zeros((28, 28), np.uint8)
            thickness = int(rng.integers(1, 3))
            cv2.putText(image, LABELS[index], (5, 23), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255,), thickness)
            images.append(image)
            classes.append(index)
    labels = np.array(classes, np.int32)
    return Characters(np.stack(images), labels, labels)


def run_tiny(folder: Path, recipe: Recipe = TINY) -> list[np.ndarray]:
    folder.mkdir(exist_ok=True)
    lesson = character_lesson(recipe, drawn_characters(3), drawn_characters(1))
    trained = run_training(recipe, lesson, folder, {"data": "drawn"})
    return jax.tree.leaves(trained.variables)


KILLED_RUN = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import test_training
from hwtranscribe.training import train
save = train.save_state
def save_and_die(*arguments):
    save(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
train.save_state = save_and_die
test_training.run_tiny(Path(sys.argv[1]))
"""


@pytest.fixture(scope="module", autouse=True)
def compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Compiling takes most of the time of these tests; runs of the same network share it."""
    names = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")
    before = [getattr(jax.config, name) for name in names]
    folder = str(tmp_path_factory.mktemp("xla"))
    for name, value in zip(names, (folder, 0), strict=True):
        jax.config.update(name, value)
    yield folder
    for name, value in zip(names, before, strict=True):
        jax.config.update(name, value)


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[np.ndarray]]:
    folder = tmp_path_factory.mktemp("runs") / "whole"
    return folder, run_tiny(folder)


def test_killed_and_started_again_ends_the_same(
    tmp_path: Path, whole_run: tuple[Path, list[np.ndarray]], compiled_once: str
) -> None:
    folder, leaves = whole_run
    killed = tmp_path / "killed"
    command = [sys.executable, "-c", KILLED_RUN, str(killed), str(Path(__file__).parent)]
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "JAX_COMPILATION_CACHE_DIR": compiled_once,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    assert subprocess.run(command, env=env, capture_output=True).returncode == -9
    assert (killed / STATE_NAME).exists()
    for one, other in zip(leaves, run_tiny(killed), strict=True):
        np.testing.assert_array_equal(one, other)
    columns = ("epoch,loss,val_digits", "val_36")
    assert (killed / LOG_NAME).read_text().startswith(columns[0])
    losses = [
        [line.split(",")[1] for line in (where / LOG_NAME).read_text().splitlines()] for where in (folder, killed)
    ]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 1 + TINY.epochs


def test_length_may_change_until_the_rate_falls(tmp_path: Path) -> None:
    state = TrainState(*(np.zeros(2, np.float32) for _ in range(5)))
    save_state(tmp_path, state, TINY.as_json(), log=[{"epoch": 1}, {"epoch": 2}])
    _, log = restore_state(tmp_path, state, replace(TINY, epochs=9).as_json())
    assert len(log) == 2
    with pytest.raises(OutputError, match="epochs 4 there, 3 now"):
        restore_state(tmp_path, state, replace(TINY, epochs=3).as_json())


def test_another_run_in_the_folder_is_refused(whole_run: tuple[Path, list[np.ndarray]]) -> None:
    with pytest.raises(OutputError, match=r"seed 3 there, 4 now.*--out"):
        run_tiny(whole_run[0], replace(TINY, seed=4))


def test_damaged_state_is_named(tmp_path: Path) -> None:
    (tmp_path / STATE_NAME).write_bytes(b"half a fi")
    state = TrainState(*(np.zeros(2, np.float32) for _ in range(5)))
    with pytest.raises(CheckpointError, match=STATE_NAME):
        restore_state(tmp_path, state, TINY.as_json())


def test_batches_depend_on_seed_epoch_and_number_only() -> None:
    characters = drawn_characters(2)

    def make(seed: int) -> BatchMaker:
        return BatchMaker(characters, balancing_weights(characters), 16, 64, seed, True, 0.125, 62)

    first, again, other = (list(make(seed).batches(2)) for seed in (1, 1, 2))
    assert len(first) == 4
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.glyphs, two.glyphs)
        np.testing.assert_array_equal(one.classes, two.classes)
    assert not np.array_equal(first[0].glyphs, other[0].glyphs)
    assert (first[0].classes == 62).sum() == 2
    assert first[0].glyphs.min() >= 0
    assert first[0].glyphs.max() <= 1


def test_weights_make_letters_equally_frequent_and_digits_more_so() -> None:
    few, many = drawn_characters(1), drawn_characters(5)
    rows = np.concatenate([np.flatnonzero(many.classes != 12), np.flatnonzero(many.classes == 12)[:1]])
    weights = balancing_weights(many.take(rows))
    symbols = many.take(rows).symbols
    totals = [weights[symbols == symbol].sum() for symbol in range(36)]
    expected = np.repeat([DIGIT_WEIGHT, 1.0], [10, 26]) / (10 * DIGIT_WEIGHT + 26)
    np.testing.assert_allclose(totals, expected)
    np.testing.assert_allclose(balancing_weights(few), expected)


def test_loss_of_unknown_case_asks_for_the_sum_of_both() -> None:
    logits = np.log(np.array([[0.3, 0.6, 0.1]], np.float32))
    known = set_loss(logits, np.array([0]), np.array([0]), 0.0)
    either = set_loss(logits, np.array([0]), np.array([1]), 0.0)
    np.testing.assert_allclose(known, -np.log(0.3), rtol=1e-5)
    np.testing.assert_allclose(either, -np.log(0.9), rtol=1e-5)


def test_temperature_is_found_again() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 4000).astype(np.int32)
    logits = rng.normal(size=(4000, len(LABELS))).astype(np.float32)
    logits[np.arange(4000), labels] += 1.5
    cool = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    drawn = (cool + rng.gumbel(size=cool.shape)).argmax(axis=1).astype(np.int32)
    truth = Characters(np.zeros((4000, 28, 28), np.uint8), drawn, drawn)
    assert fit_temperature(2 * logits, LABELS, truth) == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize(
    ("preset", "epochs", "message"), [("resnet", 1, "'resnet': allowed are glyphnet"), ("glyphnet", 0, "--epochs 0")]
)
def test_wrong_options_are_named(preset: str, epochs: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_recipe(preset, epochs, None, 1)


@pytest.mark.parametrize("preset", ["glyphnet", "linenet", "mnist-2m"])
def test_the_rate_may_be_chosen(preset: str) -> None:
    assert make_recipe(preset, None, None, 1, learning_rate=2e-4).learning_rate == 2e-4
    for wrong in (0.0, -1.0, 2.0, float("inf"), float("nan")):
        with pytest.raises(UsageError, match="--learning-rate .* must be above 0"):
            make_recipe(preset, None, None, 1, learning_rate=wrong)


def test_fine_tuning_is_gentle_unless_a_rate_is_chosen() -> None:
    network = TINY.network()
    assert fine_tuning_recipe(TINY, network, None).learning_rate == TINY.learning_rate / 10
    assert fine_tuning_recipe(TINY, network, None, 2e-3).learning_rate == 2e-3


def test_recipe_is_json() -> None:
    assert json.loads(json.dumps(TINY.as_json()))["labels"][-1] == ""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mallopt is glibc's")
def test_a_step_takes_the_memory_of_the_one_before() -> None:
    """Counts the pages that the system has to clear for a buffer that comes and goes, before and after."""
    program = """
import resource
import numpy as np
from hwtranscribe.training.heap import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(8):
        np.ones(1 << 24, np.float32)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print(faults(), keep_freed_memory(), faults())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    before, kept, after = done.stdout.split()
    if kept == "False":
        pytest.skip("this C library has no mallopt")
    assert int(after) < int(before) / 4
