"""Pictures of data, training and results, as PNG bytes."""

import importlib
import io
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from hwtranscribe.errors import DependencyError
from hwtranscribe.training.data import Characters
from hwtranscribe.training.measure import SYMBOLS, Answers, confusion_matrix, reliability

_SAMPLE_COUNT = 80
_MISTAKE_COUNT = 60
_PER_ROW = 20


def plot_samples(glyphs: Float32[np.ndarray, "n 28 28 1"], titles: list[str], heading: str) -> bytes:
    """Show glyphs with a title each."""
    rows = max(1, -(-len(glyphs) // _PER_ROW))
    figure, axes = _figure(rows, _PER_ROW, (_PER_ROW * 0.6, rows * 0.85 + 0.4))
    for axis in axes.ravel():
        axis.axis("off")
    for axis, glyph, title in zip(axes.ravel(), glyphs, titles, strict=False):
        axis.imshow(1 - glyph[:, :, 0], cmap="gray", vmin=0, vmax=1)
        axis.set_title(title, fontsize=7)
    figure.suptitle(heading, fontsize=9)
    return _png(figure)


def plot_training_samples(characters: Characters, seed: int) -> bytes:
    """Show characters as the network is given them."""
    rows = np.random.default_rng(seed).choice(len(characters), min(_SAMPLE_COUNT, len(characters)), replace=False)
    chosen = characters.take(rows)
    return plot_samples(chosen.glyphs(), [SYMBOLS[s] for s in chosen.symbols], "samples, normalised")


def plot_learning_curves(log: list[dict[str, Any]]) -> bytes:
    """Show loss and validation accuracies by epoch."""
    figure, axes = _figure(1, 2, (9, 3))
    epochs = [row["epoch"] for row in log]
    axes[0, 0].plot(epochs, [row["loss"] for row in log])
    axes[0, 0].set(xlabel="epoch", ylabel="training loss")
    for name in (name for name in log[0] if name.startswith("val_")):
        axes[0, 1].plot(epochs, [1 - row[name] for row in log], label=name.removeprefix("val_"))
    axes[0, 1].set(xlabel="epoch", ylabel="validation error", yscale="log")
    axes[0, 1].legend()
    return _png(figure)


def plot_confusion(answers: Answers, heading: str) -> bytes:
    """Show what was read as what; the diagonal is left out, since it would outshine the rest."""
    matrix = confusion_matrix(answers).astype(float)
    present = matrix.sum(axis=1, keepdims=True)
    shares = matrix / np.maximum(present, 1)
    np.fill_diagonal(shares, 0)
    figure, axes = _figure(1, 1, (7, 6))
    image = axes[0, 0].imshow(shares, cmap="Reds")
    figure.colorbar(image, label="share of the row")
    ticks = range(len(answers.symbols))
    axes[0, 0].set(xlabel="read as", ylabel="was", xticks=ticks, yticks=ticks, title=heading)
    axes[0, 0].set_xticklabels(answers.symbols, fontsize=7)
    axes[0, 0].set_yticklabels(answers.symbols, fontsize=7)
    return _png(figure)


def plot_worst_mistakes(answers: Answers, characters: Characters, heading: str) -> bytes:
    """Show the wrong answers that were given with most confidence: actual > predicted."""
    wrong = np.flatnonzero(~answers.right)
    worst = wrong[np.argsort(-answers.confidence[wrong], kind="stable")][:_MISTAKE_COUNT]
    names = answers.symbols
    titles = [f"{names[answers.truth[i]]}>{names[answers.answer[i]]} {answers.confidence[i]:.2f}" for i in worst]
    return plot_samples(characters.take(worst).glyphs(), titles, heading)


def plot_predictions(answers: Answers, characters: Characters, heading: str) -> bytes:
    """Show the first answers of a random order: actual > predicted."""
    rows = np.random.default_rng(0).permutation(len(characters))[:_SAMPLE_COUNT]
    titles = [f"{answers.symbols[answers.truth[i]]}>{answers.symbols[answers.answer[i]]}" for i in rows]
    return plot_samples(characters.take(rows).glyphs(), titles, heading)


def plot_reliability(answers: dict[str, Answers]) -> bytes:
    """Show accuracy against confidence; the diagonal is perfect calibration."""
    figure, axes = _figure(1, 1, (5, 4.5))
    axes[0, 0].plot([0, 1], [0, 1], color="gray", linewidth=0.7)
    for name, found in answers.items():
        confidence, accuracy, _ = reliability(found)
        axes[0, 0].plot(confidence, accuracy, marker="o", markersize=3, label=name)
    axes[0, 0].set(xlabel="confidence", ylabel="accuracy")
    axes[0, 0].legend(fontsize=6)
    return _png(figure)


def plot_reject_curves(answers: dict[str, Answers]) -> bytes:
    """Show the error among what is kept against the share left to a person."""
    figure, axes = _figure(1, 1, (5, 4.5))
    for name, found in answers.items():
        wrong = ~found.right[np.argsort(-found.confidence, kind="stable")]
        kept = np.arange(1, len(wrong) + 1)
        error = np.cumsum(wrong) / kept
        rejected = 1 - kept / len(wrong)
        shown = rejected <= 0.2
        axes[0, 0].plot(100 * rejected[shown], 100 * error[shown], label=name)
    axes[0, 0].set(xlabel="rejected, %", ylabel="error among the rest, %")
    axes[0, 0].legend(fontsize=6)
    return _png(figure)


def write_learning_curves(folder: Path, log: list[dict[str, Any]], characters: Characters) -> None:
    """Write what `train` leaves to look at."""
    (folder / "learning_curves.png").write_bytes(plot_learning_curves(log))
    (folder / "samples.png").write_bytes(plot_training_samples(characters, seed=0))


def _figure(rows: int, columns: int, size_inch: tuple[float, float]) -> tuple[Any, Any]:
    try:
        module = importlib.import_module("matplotlib.figure")
    except ImportError as error:
        raise DependencyError("matplotlib is missing; install it with: pip install 'hwtranscribe[train]'") from error
    figure = module.Figure(figsize=size_inch, layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()
