"""Batches of composed lines; every batch is a function of (seed, epoch, number)."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Int32

from hwtranscribe.model import COLUMN_PX, LABELS
from hwtranscribe.strip import STRIP_HEIGHT_PX
from hwtranscribe.training.ahead import made_ahead
from hwtranscribe.training.compose import ComposedLine, LineComposer
from hwtranscribe.training.data import Characters
from hwtranscribe.training.hands import MAX_LENGTH

WIDTHS_PX = (128, 192, 272)
"""Batches have one of these widths: a program is compiled for each, and short lines need no wide strip."""
_MAX_SQUEEZE = 1.25
"""How much wider than the widest batch a line may be; what is wider than its own is made narrower to fit."""
_SHIFT_PX = COLUMN_PX
"""Strips begin so far from the left at most: where columns begin must not matter."""


@dataclass(frozen=True, slots=True, eq=False)
class LineBatch:
    """What one step is given.

    Attributes:
        strips: Lines with paper right of them.
        columns: How many columns of each count.
        classes: Index of the right class of each character, 0 beyond the last.
        lengths: Characters of each.
    """

    strips: Float32[np.ndarray, "n 32 w 1"]
    columns: Int32[np.ndarray, " n"]
    classes: Int32[np.ndarray, "n max_length"]
    lengths: Int32[np.ndarray, " n"]


class LineBatchMaker:
    """Makes the batches of an epoch.

    Attributes:
        batch_count: Batches in an epoch.
    """

    def __init__(
        self,
        characters: Characters,
        batch_size: int,
        samples_per_epoch: int,
        seed: int,
        fonts: Characters | None = None,
    ) -> None:
        """Prepare.

        Args:
            characters: To compose lines of.
            batch_size: Lines a batch.
            samples_per_epoch: Lines an epoch, rounded down to whole sets of batches, one of each width.
            seed: Of everything random.
            fonts: Characters of fonts, to draw some from.
        """
        self._sets = max(1, samples_per_epoch // (batch_size * len(WIDTHS_PX)))
        self.batch_count = self._sets * len(WIDTHS_PX)
        self._batch_size, self._seed = batch_size, seed
        self._composer = LineComposer(characters, seed, fonts)

    def batches(self, epoch: int) -> Iterator[LineBatch]:
        """Yield the batches of an epoch, made ahead in a thread."""
        for batches in made_ahead(self._make, [(epoch, number) for number in range(self._sets)]):
            yield from batches

    def _make(self, epoch: int, number: int) -> list[LineBatch]:
        """Return a batch of each width: the narrow ones of as many lines as all hold, and so on."""
        rng = np.random.default_rng((self._seed, epoch, number))
        count = self._batch_size * len(WIDTHS_PX)
        limit_px = int(WIDTHS_PX[-1] * _MAX_SQUEEZE)
        lines = sorted((self._composer.compose(limit_px, rng) for _ in range(count)), key=_width)
        batches = []
        for place, width_px in enumerate(WIDTHS_PX):
            mine = lines[place * self._batch_size : (place + 1) * self._batch_size]
            batches.append(_batch(mine, width_px, rng))
        return batches


def _width(line: ComposedLine) -> int:
    return line.strip.shape[1]


def _batch(lines: list[ComposedLine], width_px: int, rng: np.random.Generator) -> LineBatch:
    strips = np.zeros((len(lines), STRIP_HEIGHT_PX, width_px, 1), np.float32)
    classes = np.zeros((len(lines), MAX_LENGTH), np.int32)
    columns = np.zeros(len(lines), np.int32)
    for row, line in enumerate(lines):
        strip = line.strip
        if strip.shape[1] > width_px:
            strip = cv2.resize(strip, (width_px, STRIP_HEIGHT_PX), interpolation=cv2.INTER_AREA)
        left = int(rng.integers(0, min(_SHIFT_PX, width_px - strip.shape[1]) + 1))
        strips[row, :, left : left + strip.shape[1], 0] = strip
        classes[row, : len(line.text)] = [LABELS.index(character) for character in line.text]
        columns[row] = -(-(left + strip.shape[1]) // COLUMN_PX)
    lengths = np.array([len(line.text) for line in lines], np.int32)
    return LineBatch(strips, columns, classes, lengths)
