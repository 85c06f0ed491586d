"""Going on from a checkpoint with a person's own labelled crops."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import numpy as np

from hwtranscribe.checkpoint import Checkpoint, load_checkpoint
from hwtranscribe.errors import UsageError
from hwtranscribe.model import LABELS
from hwtranscribe.strip import STRIP_HEIGHT_PX
from hwtranscribe.training.batches import balancing_weights
from hwtranscribe.training.data import Characters, concatenate, load_crops, split_share
from hwtranscribe.training.lesson import character_lesson, make_logits
from hwtranscribe.training.measure import answers_under, over_all_labels
from hwtranscribe.training.recipes import Recipe, fine_tuning_recipe
from hwtranscribe.training.train import TrainedNetwork, run_training

HELD_OUT_SHARE = 0.2
CROP_SHARE = 0.5
"""Share of the crops among the characters drawn when there is other data, which keeps the rest from being forgotten."""


@dataclass(frozen=True, slots=True, eq=False)
class FineTuned:
    """What came of it.

    Attributes:
        recipe: What was done.
        network: The result.
        before: Accuracy of the starting checkpoint on the held-out crops, over all 36 symbols.
        after: The same of the result.
        held_out: Number of held-out crops.
    """

    recipe: Recipe
    network: TrainedNetwork
    before: float
    after: float
    held_out: int


def fine_tune(
    start: Path,
    crops: Path,
    folder: Path,
    base: Recipe,
    epochs: int | None,
    learning_rate: float | None,
    other: tuple[Characters, Characters] | None,
) -> FineTuned:
    """Train a checkpoint further on crops.

    Args:
        start: Checkpoint folder.
        crops: Folder of `LABEL/*.png`.
        folder: Of the run.
        base: Recipe to derive from.
        epochs: Length, or None for the usual.
        learning_rate: Peak, or None for the usual.
        other: Train and validation part of the sets it was trained on, mixed in half and half.

    Raises:
        UsageError: Too few crops, or a checkpoint that does not know all classes.
    """
    checkpoint = load_checkpoint(start)
    if checkpoint.labels != LABELS:
        raise UsageError(f"{start}: knows {len(checkpoint.labels)} classes; only the 63 class network is fine-tuned")
    kept, held_out = split_share(load_crops(crops), HELD_OUT_SHARE)
    if len(held_out) == 0:
        raise UsageError(f"{crops}: too few crops; at least {round(1 / HELD_OUT_SHARE)} of one label are needed")
    train, weights, validation = kept, balancing_weights(kept), held_out
    if other is not None:
        train = concatenate([kept, other[0]])
        weights = np.concatenate([CROP_SHARE * weights, (1 - CROP_SHARE) * balancing_weights(other[0])])
        validation = concatenate([held_out, other[1]])
    recipe = fine_tuning_recipe(base, checkpoint.network, epochs, learning_rate)
    note: dict[str, Any] = {"crops": len(kept), "held_out": len(held_out), "from": checkpoint.hash}
    lesson = character_lesson(recipe, train, validation, weights)
    trained = run_training(recipe, lesson, folder, note, checkpoint.variables)
    return FineTuned(
        recipe,
        trained,
        accuracy_on(start, held_out, checkpoint.variables),
        accuracy_on(start, held_out, trained.variables),
        len(held_out),
    )


def load_start(folder: Path, recipe: Recipe) -> Checkpoint:
    """Load the checkpoint whose weights a run begins with; a network for lines may begin with one for glyphs.

    Raises:
        CheckpointError: It can't be read.
        UsageError: It is of another network.
    """
    checkpoint = load_checkpoint(folder)
    options = {key: checkpoint.network.options.get(key) for key in ("features", "hidden")}
    fits = options == {key: recipe.network_options.get(key) for key in options} and checkpoint.labels == recipe.labels
    if recipe.preset == "linenet" and checkpoint.network.preset == "glyphnet" and fits:
        return replace(checkpoint, variables=_moved_along_lines(checkpoint.variables, recipe))
    if checkpoint.labels != recipe.labels or checkpoint.network != recipe.network():
        raise UsageError(
            f"{folder}: holds {checkpoint.network.preset} with {len(checkpoint.labels)} classes and options "
            f"{checkpoint.network.options}; to start {recipe.preset} from it, they must be {recipe.network_options}"
        )
    return checkpoint


def _moved_along_lines(glyphs: dict[str, Any], recipe: Recipe) -> dict[str, Any]:
    """Variables of `LineNet` that begin as `GlyphNet` moved along the line."""
    example = np.zeros((1, STRIP_HEIGHT_PX, STRIP_HEIGHT_PX, 1), np.float32)
    fresh = jax.jit(recipe.network().build().init)(jax.random.key(recipe.seed), example)
    params, statistics = dict(fresh["params"]), dict(fresh["batch_stats"])
    for name in params.keys() & glyphs["params"].keys() - {"Dense_0"}:
        params[name] = glyphs["params"][name]
    for name in statistics.keys() & glyphs["batch_stats"].keys():
        statistics[name] = glyphs["batch_stats"][name]
    params["Dense_0"] = glyphs["params"]["Dense_1"]
    # A glyph has seven rows, a strip eight: each weight is shared by two of them.
    channels, hidden = recipe.network_options["features"][-1], recipe.network_options["hidden"]
    kernel = np.asarray(glyphs["params"]["Dense_0"]["kernel"]).reshape(7, 7, channels, hidden)
    taller = (np.pad(kernel, ((0, 1), (0, 0), (0, 0), (0, 0))) + np.pad(kernel, ((1, 0), (0, 0), (0, 0), (0, 0)))) / 2
    params["_Along_0"] = {"kernel": taller.transpose(1, 0, 2, 3).reshape(7, -1, hidden)}
    return {"params": params, "batch_stats": statistics}


def accuracy_on(checkpoint: Path, characters: Characters, variables: dict[str, Any] | None = None) -> float:
    """Accuracy over all 36 symbols of a checkpoint's network, with other variables if given."""
    loaded = load_checkpoint(checkpoint)
    logits = make_logits(loaded.network.build())(variables or loaded.variables, characters.glyphs())
    return answers_under(over_all_labels(logits, loaded.labels), characters, "alphanumeric").accuracy
