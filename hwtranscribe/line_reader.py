"""Strips to scores: the network that reads a line without cutting it, always run on windows of two sizes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Float32

from hwtranscribe.checkpoint import Checkpoint, line_checkpoint_path, load_checkpoint
from hwtranscribe.errors import CheckpointError
from hwtranscribe.model import COLUMN_PX, LABELS, folded, keep_compiled_programs
from hwtranscribe.strip import STRIP_HEIGHT_PX

WINDOWS_PX = (128, 256)
"""Two sizes: a line's scores can't depend on other lines, and few programs are compiled."""
_REACH_PX = 40
"""How far the network sees to either side: where a long line is divided, its windows overlap by twice as much."""


class LineReader:
    """A trained `LineNet` that scores the columns of strips.

    Attributes:
        checkpoint: What was loaded.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self._apply = _compile(checkpoint)

    @classmethod
    def load(cls, checkpoint: Path | None = None) -> "LineReader":
        """Load the network for lines that belongs to a checkpoint folder: its own, or the shipped one.

        Raises:
            CheckpointError: It is missing, damaged or of another version.
        """
        keep_compiled_programs()
        folder = line_checkpoint_path(checkpoint)
        loaded = load_checkpoint(folder)
        if loaded.network.preset != "linenet" or loaded.labels != LABELS:
            raise CheckpointError(
                f"{folder}: holds {loaded.network.preset} with {len(loaded.labels)} classes; lines are read by a "
                f"linenet with {len(LABELS)}, from hwtranscribe train --preset linenet"
            )
        return cls(loaded)

    def score(self, strip: Float32[np.ndarray, "32 w"]) -> Float32[np.ndarray, "t 63"]:
        """Return log-probabilities over `LABELS` for every 4 px of a strip; the last is that nothing is read there.

        Args:
            strip: Of one line, from `normalize_line`.
        """
        width, largest = strip.shape[1], WINDOWS_PX[-1]
        count = -(-width // COLUMN_PX)
        if width <= largest:
            return self._window(strip)[:count]
        parts, reach, step = [], _REACH_PX // COLUMN_PX, largest - 2 * _REACH_PX
        for left in range(0, width - 2 * _REACH_PX, step):
            scores = self._window(strip[:, left : left + largest])
            first = 0 if left == 0 else reach
            last = left + largest >= width
            parts.append(scores[first:] if last else scores[first : len(scores) - reach])
        return np.concatenate(parts)[:count]

    def _window(self, strip: Float32[np.ndarray, "32 w"]) -> Float32[np.ndarray, "t 63"]:
        width = next(size for size in WINDOWS_PX if strip.shape[1] <= size)
        window = np.zeros((1, STRIP_HEIGHT_PX, width, 1), np.float32)
        window[0, :, : strip.shape[1], 0] = strip
        return np.asarray(self._apply(window))[0]


def _compile(checkpoint: Checkpoint) -> Callable[[np.ndarray], Any]:
    module, variables = folded(checkpoint.network.build(), checkpoint.variables)
    temperature = checkpoint.temperature
    run = jax.jit(lambda variables, strips: jax.nn.log_softmax(module.apply(variables, strips) / temperature))
    placed = jax.device_put(variables)
    return lambda strips: run(placed, strips)
