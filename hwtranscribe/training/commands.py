"""What `hwtranscribe train` and `hwtranscribe evaluate` do; the command line only parses and calls these."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from hwtranscribe.checkpoint import METADATA_NAME, Checkpoint, default_checkpoint_path, load_checkpoint, save_checkpoint
from hwtranscribe.classify import Classifier
from hwtranscribe.errors import CheckpointError, UsageError
from hwtranscribe.files import write_atomically
from hwtranscribe.training.batches import balancing_weights
from hwtranscribe.training.data import (
    VALIDATION_PER_DIGIT,
    VALIDATION_PER_LETTER,
    Characters,
    concatenate,
    load_crops,
    load_digits,
    load_letters,
    load_mat,
    split_share,
    split_validation,
)
from hwtranscribe.training.evaluate import evaluate_classifier, load_test_sets
from hwtranscribe.training.fine_tune import HELD_OUT_SHARE, accuracy_on, fine_tune, load_start
from hwtranscribe.training.fonts import FONT_SHARE, load_fonts
from hwtranscribe.training.lesson import character_lesson, line_lesson
from hwtranscribe.training.plots import write_learning_curves
from hwtranscribe.training.recipes import Recipe, make_recipe
from hwtranscribe.training.report import FIGURES_NAME, summary_lines, write_report
from hwtranscribe.training.train import TrainedNetwork, run_training

CHECKPOINT_FOLDER = "checkpoint"


def train(
    *,
    out: Path,
    data_dir: Path | None = None,
    preset: str = "glyphnet",
    epochs: int | None = None,
    samples_per_epoch: int | None = None,
    learning_rate: float | None = None,
    seed: int = 1,
    mat: Path | None = None,
    from_checkpoint: Path | None = None,
    crops: Path | None = None,
    fonts: Path | None = None,
) -> Path:
    """Train a network; started again with the same options it goes on where it was, to the same result.

    Args:
        out: Folder of the run: `state.safetensors`, `log.csv`, pictures and, at the end, `checkpoint/`.
        data_dir: TFDS data folder; with `crops` it may be left out, and mixes those sets in.
        preset: `glyphnet`, `linenet`, `mnist-433k` or `mnist-2m`.
        epochs: Length of the schedule; may be changed on a started run until its learning rate falls.
        samples_per_epoch: Characters an epoch, garbage included, or lines.
        learning_rate: Peak of the schedule; by default the preset's, with `crops` a tenth of it.
        seed: Of everything random.
        mat: `mnist-original.mat` to take the digits from instead of TFDS.
        from_checkpoint: Checkpoint folder whose weights to start from; needed to fine-tune on `crops`.
        crops: Folder of a person's own crops, `LABEL/*.png`.
        fonts: Folder of fonts that imitate handwriting; some of the characters are drawn from them.

    Returns:
        The folder of the checkpoint.

    Raises:
        UsageError: Options that don't go together, or data that can't be read.
        OutputError: `out` holds another run.
        CheckpointError: The checkpoint to start from is wrong, or the result is worse than it.
    """
    recipe = make_recipe(preset, epochs, samples_per_epoch, seed, learning_rate)
    if preset == "linenet" and crops is not None:
        raise UsageError("--crops goes with --preset glyphnet only: lines are composed of the data sets' characters")
    if fonts is not None and preset not in ("glyphnet", "linenet"):
        raise UsageError(f"--fonts goes with --preset glyphnet and linenet only, not with {preset}")
    if crops is not None:
        if fonts is not None:
            raise UsageError("--fonts does not go with --crops")
        if from_checkpoint is None:
            raise UsageError("--crops needs --from: the checkpoint to start from")
        return _fine_tune(recipe, out, from_checkpoint, crops, epochs, learning_rate, data_dir)
    if data_dir is None:
        raise UsageError("--data-dir is missing: a folder of tensorflow-datasets, or where to download to")
    train_set, validation = load_train_and_validation(data_dir, preset, mat)
    out.mkdir(parents=True, exist_ok=True)
    data_note: dict[str, Any] = {"train": len(train_set), "validation": len(validation)}
    drawn = None if fonts is None else load_fonts(fonts)
    if drawn is not None:
        data_note["fonts"] = hashlib.sha256(drawn.images.tobytes()).hexdigest()[:16]
    weights = None
    if drawn is not None and preset == "glyphnet":
        parts = ((1 - FONT_SHARE, train_set), (FONT_SHARE, drawn))
        weights = np.concatenate([share * balancing_weights(characters) for share, characters in parts])
        train_set = concatenate([train_set, drawn])
    start = None if from_checkpoint is None else load_start(from_checkpoint, recipe)
    if start is not None:
        data_note["from"] = start.hash
    if preset == "linenet":
        lesson = line_lesson(recipe, train_set, validation, drawn)
    else:
        lesson = character_lesson(recipe, train_set, validation, weights)
    trained = run_training(recipe, lesson, out, data_note, None if start is None else start.variables)
    write_learning_curves(out, trained.log, train_set)
    command = (
        f"hwtranscribe train --data-dir DATA --out OUT --preset {preset} --epochs {recipe.epochs} "
        f"--samples-per-epoch {recipe.samples_per_epoch} --seed {seed}"
        + ("" if learning_rate is None else f" --learning-rate {learning_rate:g}")
        + ("" if start is None else " --from START")
        + ("" if fonts is None else " --fonts FONTS")
    )
    about = {"command": command, "recipe": recipe.as_json(), "data": data_note, "log": trained.log}
    return _save(out, recipe, trained, about)


def evaluate(
    *, data_dir: Path, checkpoint: Path | None = None, out: Path | None = None, record: bool = False
) -> dict[str, Any]:
    """Measure a checkpoint on validation and the test sets.

    Args:
        data_dir: TFDS data folder.
        checkpoint: Folder, by default the shipped one.
        out: Folder for `figures.json`, reports, pictures and `report.html`; nothing is written without it.
        record: Whether the figures are written into the checkpoint's metadata.

    Returns:
        The figures, plain JSON values.
    """
    folder = checkpoint or default_checkpoint_path()
    checkpoint_there = load_checkpoint(folder)
    if checkpoint_there.network.preset == "linenet":
        return _evaluate_lines(data_dir, folder, checkpoint_there, out, record)
    classifier = Classifier.load(folder)
    preset = classifier.checkpoint.network.preset
    validation = load_train_and_validation(data_dir, preset)[1]
    evaluation = evaluate_classifier(classifier, load_test_sets(data_dir, validation, classifier.checkpoint.labels))
    Console(stderr=True).print("\n".join(summary_lines(evaluation.figures)), highlight=False)
    if out is not None:
        write_report(out, evaluation, classifier.checkpoint.metadata.get("log"), f"{preset}, {folder}")
    if record:
        _record(folder, classifier.checkpoint.metadata, evaluation.figures)
    return evaluation.figures


def _evaluate_lines(
    data_dir: Path, folder: Path, checkpoint: Checkpoint, out: Path | None, record: bool
) -> dict[str, Any]:
    """Measure a network for lines on lines composed of validation characters."""
    lesson = line_lesson(make_recipe("linenet", None, None, 1), *load_train_and_validation(data_dir, "linenet"))
    figures: dict[str, Any] = {"composed lines read whole": lesson.measure(checkpoint.variables)}
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_atomically(out / FIGURES_NAME, (json.dumps(figures, indent=2) + "\n").encode())
    if record:
        _record(folder, checkpoint.metadata, figures)
    return figures


def _record(folder: Path, metadata: dict[str, Any], figures: dict[str, Any]) -> None:
    content = {**metadata, "figures": figures}
    write_atomically(folder / METADATA_NAME, (json.dumps(content, indent=2) + "\n").encode())


def load_train_and_validation(data_dir: Path, preset: str, mat: Path | None = None) -> tuple[Characters, Characters]:
    """Load what a preset is trained on, with the validation part held out."""
    parts = []
    if preset != "mnist-433k":
        digits = load_digits(data_dir, "train") if mat is None else load_mat(mat, "train")
        parts.append(split_validation(digits, VALIDATION_PER_DIGIT))
    if preset != "mnist-2m":
        parts.append(split_validation(load_letters(data_dir, "train"), VALIDATION_PER_LETTER))
    return concatenate([part[0] for part in parts]), concatenate([part[1] for part in parts])


def _fine_tune(
    recipe: Recipe,
    out: Path,
    start: Path,
    crops: Path,
    epochs: int | None,
    learning_rate: float | None,
    data_dir: Path | None,
) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    other = None if data_dir is None else load_train_and_validation(data_dir, recipe.preset)
    tuned = fine_tune(start, crops, out, recipe, epochs, learning_rate, other)
    console = Console(stderr=True)
    console.print(f"{tuned.held_out} held-out crops: {tuned.before:.2%} right before, {tuned.after:.2%} after")
    standing = out / CHECKPOINT_FOLDER
    best = tuned.before
    if (standing / METADATA_NAME).exists():
        best = max(best, accuracy_on(standing, split_share(load_crops(crops), HELD_OUT_SHARE)[1]))
    if tuned.after < best:
        raise CheckpointError(
            f"{standing}: not written, the result reads {tuned.after:.2%} of the held-out crops, "
            f"the checkpoint it would replace {best:.2%}; more crops or fewer --epochs may help"
        )
    about = {
        "command": f"hwtranscribe train --from {start} --crops {crops} --out {out}",
        "recipe": tuned.recipe.as_json(),
        "data": {"held_out_crops": tuned.held_out, "before": tuned.before, "after": tuned.after},
        "log": tuned.network.log,
    }
    return _save(out, tuned.recipe, tuned.network, about)


def _save(out: Path, recipe: Recipe, trained: TrainedNetwork, about: dict[str, Any]) -> Path:
    folder = out / CHECKPOINT_FOLDER
    save_checkpoint(folder, recipe.network(), trained.variables, recipe.labels, trained.temperature, about)
    return folder
