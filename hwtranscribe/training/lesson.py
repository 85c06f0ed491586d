"""What a network is taught: batches, their loss, and how good it has become; of characters, or of whole lines."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Float64, Int

from hwtranscribe.model import GARBAGE, LABELS
from hwtranscribe.training.batches import BatchMaker, balancing_weights
from hwtranscribe.training.data import Characters
from hwtranscribe.training.line_batches import WIDTHS_PX, LineBatchMaker
from hwtranscribe.training.measure import fit_temperature, label_table, validation_figures
from hwtranscribe.training.recipes import Recipe
from hwtranscribe.training.step import set_loss

_EVAL_BATCH = 128
_EVAL_LINES, _EVAL_SEED = 960, 0


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What a run teaches.

    Attributes:
        batch_count: Batches in an epoch.
        batches: The batches of an epoch: what the network is shown, then what the loss needs besides.
        example: An input, to make the network for.
        loss: Of logits and what came with their batch.
        measure: Figures of variables on validation; `val` is the one that choices are made by.
        fit_temperature: Of variables, on validation.
    """

    batch_count: int
    batches: Callable[[int], Iterator[tuple[np.ndarray, ...]]]
    example: np.ndarray
    loss: Callable[..., Array]
    measure: Callable[[Any], dict[str, float]]
    fit_temperature: Callable[[Any], float]


def character_lesson(
    recipe: Recipe, train: Characters, validation: Characters, weights: Float64[np.ndarray, " n"] | None = None
) -> Lesson:
    """Single characters, by class.

    Args:
        recipe: What to do.
        train: To draw from.
        validation: Held out of train.
        weights: How often each is drawn; by default so that all symbols are equally frequent.
    """
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
    logits_of, glyphs = make_logits(recipe.network().build()), validation.glyphs()

    def batches(epoch: int) -> Iterator[tuple[np.ndarray, ...]]:
        for batch in maker.batches(epoch):
            yield batch.glyphs, class_of[batch.classes], class_of[batch.other_case]

    return Lesson(
        batch_count=maker.batch_count,
        batches=batches,
        example=np.zeros((1, *glyphs.shape[1:]), np.float32),
        loss=lambda logits, classes, other_case: set_loss(logits, classes, other_case, recipe.label_smoothing),
        measure=lambda variables: validation_figures(logits_of(variables, glyphs), recipe.labels, validation),
        fit_temperature=lambda variables: fit_temperature(logits_of(variables, glyphs), recipe.labels, validation),
    )


def line_lesson(recipe: Recipe, train: Characters, validation: Characters, fonts: Characters | None = None) -> Lesson:
    """Whole lines, by their texts; the characters of validation lines are held out of train.

    Args:
        recipe: What to do.
        train: To draw from.
        validation: Held out of train.
        fonts: Characters of fonts, to draw some from.
    """
    maker = LineBatchMaker(train, recipe.batch_size, recipe.samples_per_epoch, recipe.seed, fonts)
    held_out = list(LineBatchMaker(validation, recipe.batch_size, _EVAL_LINES, _EVAL_SEED).batches(0))
    module = recipe.network().build()
    apply = jax.jit(lambda variables, strips: module.apply(variables, strips))

    def batches(epoch: int) -> Iterator[tuple[np.ndarray, ...]]:
        for batch in maker.batches(epoch):
            yield batch.strips, batch.columns, batch.classes, batch.lengths

    def measure(variables: Any) -> dict[str, float]:
        right: dict[str, list[bool]] = {"val_digits": [], "val_letters": []}
        for batch in held_out:
            best = np.asarray(apply(variables, batch.strips)).argmax(axis=2)
            for path, columns, classes, length in zip(best, batch.columns, batch.classes, batch.lengths, strict=True):
                truth = "".join(LABELS[c] for c in classes[:length])
                kind = "val_digits" if truth.isdigit() else "val_letters"
                right[kind].append(best_path_text(path[:columns]).upper() == truth.upper())
        figures = {kind: float(np.mean(answers)) for kind, answers in right.items() if answers}
        return {**figures, "val": float(np.mean(list(figures.values())))}

    return Lesson(
        batch_count=maker.batch_count,
        batches=batches,
        example=np.zeros((1, *held_out[0].strips.shape[1:2], WIDTHS_PX[0], 1), np.float32),
        loss=line_loss,
        measure=measure,
        # The weight of a line's scores among others is fitted where they meet, on fields of pages.
        fit_temperature=lambda variables: 1.0,
    )


def line_loss(
    logits: Float[Array, "n t classes"],
    columns: Int[Array, " n"],
    classes: Int[Array, "n max_length"],
    lengths: Int[Array, " n"],
) -> Float[Array, ""]:
    """Connectionist temporal classification (Graves et al. 2006), per character; the last class is the blank."""
    beyond_columns = jnp.arange(logits.shape[1])[None] >= columns[:, None]
    beyond_text = jnp.arange(classes.shape[1])[None] >= lengths[:, None]
    paddings = beyond_columns.astype(jnp.float32), beyond_text.astype(jnp.float32)
    loss = optax.ctc_loss(logits, paddings[0], classes, paddings[1], blank_id=LABELS.index(GARBAGE))
    return jnp.mean(loss / jnp.maximum(lengths, 1))


def best_path_text(path: np.ndarray) -> str:
    """The text of a way through the columns: what repeats is one character, blanks are none."""
    first = np.diff(path, prepend=-1) != 0
    return "".join(LABELS[c] for c in path[first])


def make_logits(module: nn.Module) -> Callable[[Any, np.ndarray], np.ndarray]:
    """Return a function from variables and glyphs to logits, batched, with the last batch padded."""
    apply = jax.jit(lambda variables, glyphs: module.apply(variables, glyphs))

    def logits(variables: Any, glyphs: np.ndarray) -> np.ndarray:
        padding = -len(glyphs) % _EVAL_BATCH
        padded = np.concatenate([glyphs, np.zeros((padding, *glyphs.shape[1:]), np.float32)])
        parts = [apply(variables, padded[at : at + _EVAL_BATCH]) for at in range(0, len(padded), _EVAL_BATCH)]
        return np.concatenate([np.asarray(part) for part in parts])[: len(glyphs)]

    return logits
