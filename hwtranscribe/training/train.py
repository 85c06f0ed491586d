"""The training loop: epochs, validation, the log, progress, and the checkpoint at the end."""

import csv
import io
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hwtranscribe.checkpoint import input_version
from hwtranscribe.files import write_atomically
from hwtranscribe.training.heap import keep_freed_memory
from hwtranscribe.training.lesson import Lesson
from hwtranscribe.training.recipes import Recipe
from hwtranscribe.training.resume import restore_state, save_state
from hwtranscribe.training.step import TrainState, make_optimizer, make_step, start_state

LOG_NAME = "log.csv"
_REFRESH_STEPS = 20


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
    lesson: Lesson,
    folder: Path,
    data_note: dict[str, Any],
    start_variables: dict[str, Any] | None = None,
) -> TrainedNetwork:
    """Train, or go on with the run that `folder` holds, to the same result.

    Args:
        recipe: What to do.
        lesson: What to teach, by this recipe.
        folder: For `state.safetensors` and `log.csv`.
        data_note: What data this is; a run is only continued with the same.
        start_variables: Weights to start from, for fine-tuning.
    """
    keep_freed_memory()
    console = Console(stderr=True)
    module = recipe.network().build()
    optimizer = make_optimizer(recipe, lesson.batch_count)
    run = {**recipe.as_json(), "data": data_note, **input_version(recipe.preset)}
    fresh = start_state(module, optimizer, recipe.seed, lesson.example, start_variables)
    state, log = restore_state(folder, fresh, run)
    if log:
        console.print(f"going on after epoch {len(log)} of {recipe.epochs} in {folder}")
    step = make_step(module, optimizer, recipe, lesson.loss)
    for epoch in range(len(log), recipe.epochs):
        started = time.perf_counter()
        state, loss, waited_s = _run_epoch(epoch, recipe, lesson, step, state, log, console)
        elapsed_s = time.perf_counter() - started
        accuracies = lesson.measure(kept_variables(recipe, state))
        row = {
            "epoch": epoch + 1,
            "loss": round(loss, 5),
            **{name: round(value, 5) for name, value in accuracies.items()},
            "seconds": round(elapsed_s, 1),
            "samples_per_s": round(lesson.batch_count * recipe.batch_size / elapsed_s, 1),
            "step_share": round(1 - waited_s / elapsed_s, 4),
        }
        log.append(row)
        save_state(folder, state, run, log)
        write_atomically(folder / LOG_NAME, _log_csv(log).encode())
        console.print(" ".join(f"{key} {value}" for key, value in row.items()))
    variables = kept_variables(recipe, state)
    return TrainedNetwork(jax.tree.map(np.asarray, variables), lesson.fit_temperature(variables), log)


def kept_variables(recipe: Recipe, state: TrainState) -> dict[str, Any]:
    """Return the variables that a checkpoint keeps."""
    kept = state.average if recipe.ema_decay else {"params": state.params, "batch_stats": state.batch_stats}
    return {name: tree for name, tree in kept.items() if tree}


def _run_epoch(
    epoch: int,
    recipe: Recipe,
    lesson: Lesson,
    step: Any,
    state: TrainState,
    log: list[dict[str, Any]],
    console: Console,
) -> tuple[TrainState, float, float]:
    """Return the state after the epoch, its mean loss, and the seconds spent waiting for batches."""
    losses, waited_s = [], 0.0
    done = epoch * lesson.batch_count
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("training", total=recipe.epochs * lesson.batch_count, completed=done)
        batches = lesson.batches(epoch)
        started = time.perf_counter()
        for number in range(lesson.batch_count):
            asked = time.perf_counter()
            batch = next(batches)
            waited_s += time.perf_counter() - asked
            state, loss = step(state, *batch)
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
