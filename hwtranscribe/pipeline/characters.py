"""The characters of a page through the network for characters, in two rounds.

Most characters stand apart. What touches nothing and surely is one character is not cut: of free writing on forms, half
of the hypotheses need not be read.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float32

from hwtranscribe.class_scores import largest_share
from hwtranscribe.classify import Classifier, averaged, doubtful_ones, turned_views
from hwtranscribe.types import CharBoxes, Kind

SURE = 0.98
"""Probability of a character from which on its parts are not tried."""
WIDEST = 1.0
"""Width, in heights of the line, above which it may be two that look like another one together, and is cut all the
same."""


def score_characters(
    classifier: Classifier, lattices: Sequence[CharBoxes], kinds: Sequence[Kind]
) -> tuple[list[CharBoxes], list[Float32[np.ndarray, "_n 63"]]]:
    """Return lattices without the parts of what surely is one character, and the scores of what is left.

    All hypotheses of a round go through the network together: first what is not cut, then what may be a part of it, or
    more than it, with a second look at doubtful characters in cells.

    Args:
        classifier: Reads single characters.
        lattices: Of all that is to be read on a page.
        kinds: What each may hold.
    """
    inks = [ink for boxes in lattices for ink in boxes.inks]
    ends = np.cumsum([0, *(len(boxes.inks) for boxes in lattices)])
    mine = [slice(*both) for both in pairwise(ends.tolist())]
    in_cells, uncut, kept = np.zeros((3, len(inks)), bool)
    for boxes, own in zip(lattices, mine, strict=True):
        in_cells[own], uncut[own] = boxes.cells, boxes.uncut
    scores = np.zeros((len(inks), len(classifier.labels)), np.float32)

    def soft(edges: Iterable[int]) -> list[Float32[np.ndarray, "_h _w"]]:
        return [inks[at].astype(np.float32) / 255.0 for at in edges]

    first = np.flatnonzero(in_cells | uncut)
    scores[first] = classifier.score_inks(soft(first))
    for boxes, own, kind in zip(lattices, mine, kinds, strict=True):
        sure = boxes.uncut & (np.diff(boxes.extent)[:, 0] <= WIDEST) & (largest_share(scores[own], kind) >= SURE)
        kept[own] = _leaving_whole(boxes, sure)
    rest = np.flatnonzero(kept & ~in_cells & ~uncut)
    doubtful = doubtful_ones(scores, in_cells)
    more = classifier.score_inks(soft(rest) + turned_views(soft(doubtful)))
    scores[rest] = more[: len(rest)]
    scores = averaged(scores, doubtful, more[len(rest) :])
    return (
        [boxes.only(kept[own]) for boxes, own in zip(lattices, mine, strict=True)],
        [scores[own][kept[own]] for own in mine],
    )


def _leaving_whole(boxes: CharBoxes, sure: Bool[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Edges that cut none of the sure ones; all, where there would be no way left through the line."""
    start, end = boxes.start, boxes.end
    kept = np.ones(len(start), bool)
    for first, last in zip(start[sure], end[sure], strict=True):
        kept &= (end <= first) | (start >= last) | ((start <= first) & (end >= last))
    reached = {0}
    for at, to in zip(start[kept].tolist(), end[kept].tolist(), strict=True):
        if at in reached:
            reached.add(to)
    return kept if boxes.node_count - 1 in reached else np.ones(len(start), bool)
