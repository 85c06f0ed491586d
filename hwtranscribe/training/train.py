"""The training loop: epochs, validation, the log, progress, and the checkpoint at the end."""

import csv
import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import numpy as np
from jaxtyping import Float64
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hwtranscribe.files import write_atomically
from hwtranscribe.glyph import GLYPH_VERSION
from hwtranscribe.training.batches import BatchMaker, balancing_weights
from hwtranscribe.training.data import Characters
from hwtranscribe.training.measure import fit_temperature, label_table, validation_figures
from hwtranscribe.training.recipes import Recipe
from hwtranscribe.training.resume import restore_state, save_state
from hwtranscribe.training.step import TrainState, make_optimizer, make_step, start_state

LOG_NAME = "log.csv"
_REFRESH_STEPS = 20
_EVAL_BATCH = 128


@dataclass(frozen=True, slots=True, eq=False)
class TrainedNetwork:
    """What a run ends with.

    Attributes:
        variables: The moving average where the recipe keeps one.
        temperature: Fitted on validation.
        log: A row per epoch.
    """

    variables: dict[str, Any]
    temperature: float
    log: list[dict[str, Any]]


def run_training(
    recipe: Recipe,
    train: Characters,
    validation: Characters,
    folder: Path,
    data_note: dict[str, Any],
    start_variables: dict[str, Any] | None = None,
    weights: Float64[np.ndarray, " n"] | None = None,
) -> TrainedNetwork:
    """Train, or go on with the run that `folder` holds, to the same result.

    Args:
        recipe: What to do.
        train: To draw from.
        validation: Held out of train; every epoch is measured on it.
        folder: For `state.safetensors` and `log.csv`.
        data_note: What data this is; a run is only continued with the same.
        start_variables: Weights to start from, for fine-tuning.
        weights: How often each is drawn; by default so that all symbols are equally frequent.
    """
    console = Console(stderr=True)
    class_of = label_table(recipe.labels)
    maker = BatchMaker(
        train,
        balancing_weights(train) if weights is None else weights,
        recipe.batch_size,
        recipe.samples_per_epoch or len(train),
        recipe.seed,
        recipe.augment,
        recipe.garbage_share,
        len(recipe.labels) - 1,
    )
    module = recipe.network().build()
    optimizer = make_optimizer(recipe, maker.batch_count)
    run = {**recipe.as_json(), "data": data_note, "glyph_version": GLYPH_VERSION}
    fresh = start_state(module, optimizer, recipe.seed, start_variables)
    state, log = restore_state(folder, fresh, run)
    if log:
        console.print(f"going on after epoch {len(log)} of {recipe.epochs} in {folder}")
    step = make_step(module, optimizer, recipe)
    logits_of = make_logits(module)
    glyphs = validation.glyphs()
    for epoch in range(len(log), recipe.epochs):
        started = time.perf_counter()
        state, loss, waited_s = _run_epoch(epoch, recipe, maker, step, state, class_of, log, console)
        elapsed_s = time.perf_counter() - started
        accuracies = validation_figures(logits_of(kept_variables(recipe, state), glyphs), recipe.labels, validation)
        row = {
            "epoch": epoch + 1,
            "loss": round(loss, 5),
            **{name: round(value, 5) for name, value in accuracies.items()},
            "seconds": round(elapsed_s, 1),
            "glyphs_per_s": round(maker.batch_count * recipe.batch_size / elapsed_s, 1),
            "step_share": round(1 - waited_s / elapsed_s, 4),
        }
        log.append(row)
        save_state(folder, state, run, log)
        write_atomically(folder / LOG_NAME, _log_csv(log).encode())
        console.print(" ".join(f"{key} {value}" for key, value in row.items()))
    variables = kept_variables(recipe, state)
    temperature = fit_temperature(logits_of(variables, glyphs), recipe.labels, validation)
    return TrainedNetwork(jax.tree.map(np.asarray, variables), temperature, log)


def kept_variables(recipe: Recipe, state: TrainState) -> dict[str, Any]:
    """Return the variables that a checkpoint keeps."""
    kept = state.average if recipe.ema_decay else {"params": state.params, "batch_stats": state.batch_stats}
    return {name: tree for name, tree in kept.items() if tree}


def make_logits(module: nn.Module) -> Callable[[Any, np.ndarray], np.ndarray]:
    """Return a function from variables and glyphs to logits, batched, with the last batch padded."""
    apply = jax.jit(lambda variables, glyphs: module.apply(variables, glyphs))

    def logits(variables: Any, glyphs: np.ndarray) -> np.ndarray:
        padding = -len(glyphs) % _EVAL_BATCH
        padded = np.concatenate([glyphs, np.zeros((padding, *glyphs.shape[1:]), np.float32)])
        parts = [apply(variables, padded[at : at + _EVAL_BATCH]) for at in range(0, len(padded), _EVAL_BATCH)]
        return np.concatenate([np.asarray(part) for part in parts])[: len(glyphs)]

    return logits


def _run_epoch(
    epoch: int,
    recipe: Recipe,
    maker: BatchMaker,
    step: Any,
    state: TrainState,
    class_of: np.ndarray,
    log: list[dict[str, Any]],
    console: Console,
) -> tuple[TrainState, float, float]:
    """Return the state after the epoch, its mean loss, and the seconds spent waiting for batches."""
    losses, waited_s = [], 0.0
    done = epoch * maker.batch_count
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("training", total=recipe.epochs * maker.batch_count, completed=done)
        batches = maker.batches(epoch)
        started = time.perf_counter()
        for number in range(maker.batch_count):
            asked = time.perf_counter()
            batch = next(batches)
            waited_s += time.perf_counter() - asked
            state, loss = step(state, batch.glyphs, class_of[batch.classes], class_of[batch.other_case])
            losses.append(loss)
            if number % _REFRESH_STEPS == 0:
                rate = (number + 1) * recipe.batch_size / (time.perf_counter() - started)
                accuracy = f", val {log[-1]['val']:.4f}" if log else ""
                text = f"epoch {epoch + 1}/{recipe.epochs} loss {float(loss):.3f}{accuracy} {rate:.0f}/s"
                progress.update(task, completed=done + number, description=text)
    return state, float(np.mean([float(loss) for loss in losses])), waited_s


def _log_csv(log: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(log[0]))
    writer.writeheader()
    writer.writerows(log)
    return text.getvalue()
