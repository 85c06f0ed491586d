"""Batches of characters: balanced sampling and augmentation.

Every batch is a function of (seed, epoch, number), so a run that was killed goes on exactly as it would have.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int32

from hwtranscribe.glyph import normalize_inks
from hwtranscribe.model import DIGITS, LABELS
from hwtranscribe.training.ahead import made_ahead
from hwtranscribe.training.augment import Augmenter
from hwtranscribe.training.data import Characters
from hwtranscribe.training.garbage import draw_garbage

DIGIT_WEIGHT = 2.0
"""Amounts and numbers forgive no error; letters have words around them."""

_NEIGHBOUR_COUNT = 8000


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What one step is given.

    Attributes:
        glyphs: Normalised characters.
        classes: Index of the right class.
        other_case: Second class that is as right; equal to `classes` where there is none.
    """

    glyphs: Float32[np.ndarray, "n 28 28 1"]
    classes: Int32[np.ndarray, " n"]
    other_case: Int32[np.ndarray, " n"]


def balancing_weights(characters: Characters, case_power: float = 0.5) -> Float64[np.ndarray, " n"]:
    """Weights that make every letter (case folded) equally frequent: forms do not follow a language's frequencies.

    A digit comes `DIGIT_WEIGHT` times as often. Within a letter, a case (or "case not known") that is rarer is drawn
    more often than its share, by `case_power`.

    Returns:
        One weight per row, summing to 1.
    """
    weights = np.zeros(len(characters))
    symbols = characters.symbols
    groups = characters.classes * 1000 + characters.other_case
    for symbol in np.unique(symbols):
        rows = symbols == symbol
        names, of_row, counts = np.unique(groups[rows], return_inverse=True, return_counts=True)
        per_row = (counts.astype(float) ** (case_power - 1))[of_row]
        share = DIGIT_WEIGHT if symbol < len(DIGITS) else 1.0
        weights[rows] = share * per_row / per_row.sum()
    return weights / weights.sum()


class BatchMaker:
    """Makes the batches of an epoch.

    Attributes:
        batch_count: Batches in an epoch.
    """

    def __init__(
        self,
        characters: Characters,
        weights: Float64[np.ndarray, " n"],
        batch_size: int,
        samples_per_epoch: int,
        seed: int,
        augment: bool,
        garbage_share: float,
        garbage_class: int,
    ) -> None:
        """Prepare.

        Args:
            characters: To draw from.
            weights: How often each is drawn; they sum to 1.
            batch_size: Glyphs a batch.
            samples_per_epoch: Glyphs an epoch, garbage included, rounded down to whole batches.
            seed: Of everything random.
            augment: Whether characters are varied; without it every epoch is the set itself, drawn by weight.
            garbage_share: Share of things that are no character.
            garbage_class: Their class.
        """
        self.batch_count = max(1, samples_per_epoch // batch_size)
        self._characters, self._batch_size, self._seed = characters, batch_size, seed
        self._augment, self._garbage_class = augment, garbage_class
        self._garbage_per_batch = round(batch_size * garbage_share)
        self._cumulative = np.cumsum(weights)
        picks = np.random.default_rng(seed).permutation(len(characters))[:_NEIGHBOUR_COUNT]
        self._augmenter = Augmenter(characters.images[picks])

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch, made ahead in a thread."""
        rows = self._rows_of_epoch(epoch)
        yield from made_ahead(self._make, [(epoch, number, mine) for number, mine in enumerate(rows)])

    def _rows_of_epoch(self, epoch: int) -> np.ndarray:
        """Systematic sampling: every row comes as often as its weight says, rounded up or down."""
        rng = np.random.default_rng((self._seed, epoch))
        per_batch = self._batch_size - self._garbage_per_batch
        count = self.batch_count * per_batch
        order = rng.permutation(len(self._characters))
        weights = np.diff(self._cumulative, prepend=0.0)[order]
        points = (np.arange(count) + rng.random()) / count * weights.sum()
        rows = order[np.minimum(np.searchsorted(np.cumsum(weights), points), len(order) - 1)]
        return rng.permutation(rows).reshape(self.batch_count, per_batch)

    def _make(self, epoch: int, number: int, rows: np.ndarray) -> Batch:
        rng = np.random.default_rng((self._seed, epoch, number))
        images = self._characters.images[rows]
        if self._augment:
            names = [LABELS[c] for c in self._characters.classes[rows]]
            varied = [self._augmenter.variant(i, name, rng) for i, name in zip(images, names, strict=True)]
            inks = [self._augmenter.character(image, rng) for image in varied]
        else:
            inks = list(images.astype(np.float32) / 255)
        inks += [draw_garbage(self._augmenter, rng) for _ in range(self._garbage_per_batch)]
        garbage = np.full(self._garbage_per_batch, self._garbage_class, np.int32)
        return Batch(
            normalize_inks(inks),
            np.concatenate([self._characters.classes[rows], garbage]),
            np.concatenate([self._characters.other_case[rows], garbage]),
        )
