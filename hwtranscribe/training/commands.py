"""What `hwtranscribe train` and `hwtranscribe evaluate` do; the command line only parses and calls these."""

from pathlib import Path
from typing import Any

from hwtranscribe.checkpoint import save_checkpoint
from hwtranscribe.training.data import (
    VALIDATION_PER_DIGIT,
    VALIDATION_PER_LETTER,
    Characters,
    concatenate,
    load_digits,
    load_letters,
    split_validation,
)
from hwtranscribe.training.recipes import make_recipe
from hwtranscribe.training.train import run_training

CHECKPOINT_FOLDER = "checkpoint"


def train(
    *,
    data_dir: Path,
    out: Path,
    preset: str = "glyphnet",
    epochs: int | None = None,
    samples_per_epoch: int | None = None,
    seed: int = 1,
) -> Path:
    """Train a network; started again with the same options it goes on where it was.

    Args:
        data_dir: TFDS data folder.
        out: Folder of the run: state, log and, at the end, `checkpoint/`.
        preset: `glyphnet`, `mnist-433k` or `mnist-2m`.
        epochs: Length of the schedule.
        samples_per_epoch: Characters an epoch.
        seed: Of everything random.

    Returns:
        The folder of the checkpoint.
    """
    recipe = make_recipe(preset, epochs, samples_per_epoch, seed)
    train_set, validation = load_train_and_validation(data_dir, preset)
    out.mkdir(parents=True, exist_ok=True)
    data_note = {"train": len(train_set), "validation": len(validation)}
    trained = run_training(recipe, train_set, validation, out, data_note)
    about: dict[str, Any] = {
        "command": (
            f"hwtranscribe train --data-dir DATA --out OUT --preset {preset} --epochs {recipe.epochs} "
            f"--samples-per-epoch {recipe.samples_per_epoch} --seed {seed}"
        ),
        "recipe": recipe.as_json(),
        "data": data_note,
        "validation": trained.log[-1],
    }
    folder = out / CHECKPOINT_FOLDER
    save_checkpoint(folder, recipe.network(), trained.variables, recipe.labels, trained.temperature, about)
    return folder


def load_train_and_validation(data_dir: Path, preset: str) -> tuple[Characters, Characters]:
    """Load what a preset is trained on, with the validation part held out."""
    parts = []
    if preset != "mnist-433k":
        parts.append(split_validation(load_digits(data_dir, "train"), VALIDATION_PER_DIGIT))
    if preset != "mnist-2m":
        parts.append(split_validation(load_letters(data_dir, "train"), VALIDATION_PER_LETTER))
    return concatenate([part[0] for part in parts]), concatenate([part[1] for part in parts])
