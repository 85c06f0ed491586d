"""Single drawn characters, to train a small network on where no data set is at hand."""

import cv2
import numpy as np

from sampling.hand import Hand

_CANVAS_PX = 96
_CAPITAL_PX = 60


def draw_characters(symbols: str, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draws characters by many writers.

    Args:
        symbols: What to draw.
        count: How many in all; symbols take turns, a writer writes each once.
        seed: Of writers and characters.

    Returns:
        Images, white ink on black (uint8, "n 28 28"), and the index of each in `symbols`.
    """
    images = np.zeros((count, 28, 28), np.uint8)
    labels = np.arange(count) % len(symbols)
    for index, label in enumerate(labels.tolist()):
        if label == 0:
            hand = Hand(seed * 1_000_003 + index)
        strokes = hand.character(symbols[label], _CAPITAL_PX)
        points = np.concatenate(strokes)
        middle = (points.min(0) + points.max(0)) / 2
        ink = np.zeros((_CANVAS_PX, _CANVAS_PX), np.uint8)
        hand.draw(ink, [path - middle + _CANVAS_PX / 2 for path in strokes], _CAPITAL_PX)
        images[index] = cv2.resize(ink, (28, 28), interpolation=cv2.INTER_AREA)
    return images, labels.astype(np.int32)
