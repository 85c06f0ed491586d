"""Glyphs to scores: the trained network, loaded once, compiled once, always run on batches of one size."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

from hwtranscribe.checkpoint import Checkpoint, default_checkpoint_path, load_checkpoint
from hwtranscribe.class_scores import lean_on_case, symbol_log_probs
from hwtranscribe.crop import ink_from_crop
from hwtranscribe.errors import CheckpointError
from hwtranscribe.glyph import GLYPH_SIZE_PX, normalize_inks, turned
from hwtranscribe.model import LABELS, folded, keep_compiled_programs
from hwtranscribe.types import CharScores

BATCH_SIZE = 32
"""One size: a glyph's scores can't depend on how many others there are, and only one program is compiled."""

_IMPOSSIBLE = np.float32(-1e4)

_DOUBTFUL = 0.9
"""Characters less likely than this are looked at from more sides; more than this share changes hardly any answer."""

_VIEWS_DEG = (-6.0, 6.0)
"""By how much they are turned; chosen on the letter grids, confirmed on characters of two other sources."""


class Classifier:
    """A trained network that scores glyphs.

    Attributes:
        labels: One per class; "" is the class of things that are no character.
        checkpoint: What was loaded.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.labels = LABELS
        self._apply = _compile(checkpoint)

    @classmethod
    def load(cls, checkpoint: Path | None = None) -> "Classifier":
        """Load a checkpoint folder, by default the shipped one.

        Raises:
            CheckpointError: It is missing, damaged or of another version.
        """
        keep_compiled_programs()
        folder = Path(checkpoint) if checkpoint else default_checkpoint_path()
        loaded = load_checkpoint(folder)
        if loaded.network.preset == "linenet":
            raise CheckpointError(f"{folder}: holds a linenet, which reads lines; needed is a network for characters")
        return cls(loaded)

    @property
    def checkpoint_hash(self) -> str:
        """Short hash of everything that changes scores."""
        return self.checkpoint.hash

    def score(self, glyphs: Float32[np.ndarray, "n 28 28 1"]) -> CharScores:
        """Return calibrated log-probabilities of the classes in `labels`.

        Args:
            glyphs: From `normalize_inks`; those without ink, such as empty cells, are no character for certain.
        """
        scores = np.full((len(glyphs), len(self.labels)), _IMPOSSIBLE)
        scores[:, -1] = 0.0
        inked = np.flatnonzero(glyphs.any(axis=(1, 2, 3)))
        for start in range(0, len(inked), BATCH_SIZE):
            chosen = inked[start : start + BATCH_SIZE]
            padded = np.zeros((BATCH_SIZE, GLYPH_SIZE_PX, GLYPH_SIZE_PX, 1), np.float32)
            padded[: len(chosen)] = glyphs[chosen]
            scores[chosen] = np.asarray(self._apply(padded))[: len(chosen)]
        return CharScores(scores, self.labels)

    def score_inks(self, inks: Sequence[Float32[np.ndarray, "_h _w"]]) -> Float32[np.ndarray, "n 63"]:
        """Return log-probabilities over `labels` of ink maps; what holds no ink is no character.

        Args:
            inks: 0 to 1, ink = 1, any size.
        """
        return self.score(normalize_inks(inks)).log_probs

    def read_crops(
        self, crops: Sequence[UInt8[np.ndarray, "h w"]], kind: str, case: str = "any"
    ) -> tuple[list[str], Float32[np.ndarray, " n"]]:
        """Read one character from each crop.

        Args:
            crops: Grey, dark ink on light paper, any size, one character each. Those of one call are taken to be of one
                page: under `any` a bare bar is an I where the others are capitals, and an l where they are small.
            kind: `digits`, `letters` or `alphanumeric`.
            case: `upper`, `lower` or `any`; `any` answers in capitals.

        Returns:
            The best label of each crop ("" where there is no ink), and the probability that it is right.
        """
        inks = [ink_from_crop(crop) for crop in crops]
        scores = self.score_inks(inks)
        doubtful = doubtful_ones(scores, np.ones(len(inks), bool))
        scores = averaged(scores, doubtful, self.score_inks(turned_views([inks[at] for at in doubtful])))
        symbols, log_probs = symbol_log_probs(lean_on_case(scores) if case == "any" else scores, kind, case)
        best = log_probs[:, :-1].argmax(axis=1)
        probabilities = np.exp(log_probs[np.arange(len(best)), best])
        labels = [symbols[index] if likely > 0 else "" for index, likely in zip(best, probabilities, strict=True)]
        return labels, probabilities


def doubtful_ones(log_probs: Float32[np.ndarray, "n 63"], whole: Bool[np.ndarray, " n"]) -> Int64[np.ndarray, " m"]:
    """Return which characters are to be looked at from more sides.

    Args:
        log_probs: Of ink maps, some of which may be empty.
        whole: Which are one character each. Wrong cuts are doubtful however they are turned.
    """
    likeliest = log_probs[:, :-1].max(axis=1)
    return np.flatnonzero(whole & (likeliest < np.log(_DOUBTFUL)) & (likeliest > _IMPOSSIBLE))


def turned_views(inks: Sequence[Float32[np.ndarray, "_h _w"]]) -> list[Float32[np.ndarray, "_h _w"]]:
    """Return ink maps turned to either side: all of them to the one, then all to the other."""
    return [turned(ink, angle_deg) for angle_deg in _VIEWS_DEG for ink in inks]


def averaged(
    log_probs: Float32[np.ndarray, "n 63"], doubtful: Int64[np.ndarray, " m"], of_views: Float32[np.ndarray, "m2 63"]
) -> Float32[np.ndarray, "n 63"]:
    """Return scores with the probabilities of some averaged over how they were seen.

    A wrong answer changes with the view more often than the right one does.

    Args:
        log_probs: Of all, as they are.
        doubtful: From `doubtful_ones`.
        of_views: Scores of their `turned_views`.
    """
    shape = (1 + len(_VIEWS_DEG), len(doubtful), log_probs.shape[1])
    views = np.concatenate([log_probs[doubtful], of_views]).reshape(shape)
    result = log_probs.copy()
    result[doubtful] = np.logaddexp.reduce(views) - np.float32(np.log(len(views)))
    return result


def _compile(checkpoint: Checkpoint) -> Callable[[np.ndarray], Any]:
    module, variables = folded(checkpoint.network.build(), checkpoint.variables)
    temperature = checkpoint.temperature
    try:
        columns = np.array([LABELS.index(label) for label in checkpoint.labels])
    except ValueError as error:
        raise CheckpointError(f"checkpoint labels: {error}; allowed are 0-9, A-Z, a-z and the empty one") from error

    def scores(variables: Any, glyphs: jax.Array) -> jax.Array:
        log_probs = jax.nn.log_softmax(module.apply(variables, glyphs) / temperature)
        # A network of fewer classes (digits or capitals only) answers over the same 63.
        return jnp.full((len(glyphs), len(LABELS)), _IMPOSSIBLE).at[:, columns].set(log_probs)

    run = jax.jit(scores)
    placed = jax.device_put(variables)
    return lambda glyphs: run(placed, glyphs)
