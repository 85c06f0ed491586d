"""Things that are no character, as a wrong segmentation makes them: the last class of the network."""

import numpy as np
from jaxtyping import Float32

from hwtranscribe.training.augment import CANVAS_PX, Augmenter
from hwtranscribe.training.draw import draw_line, draw_scribble, draw_specks, draw_stem
from hwtranscribe.training.wrong_cuts import BAR_ASPECT, draw_wrong_cut

_MAX_TRIES = 5


def draw_garbage(augmenter: Augmenter, rng: np.random.Generator) -> Float32[np.ndarray, "h w"]:
    """Return an ink map of a wrong cut, a remnant, a scribble or a crossed-out character."""
    choice = rng.random()
    if choice < 0.4:
        cut = draw_wrong_cut(augmenter, rng)
        ink = _merged(augmenter, rng) if cut is None else cut
    elif choice < 0.68:
        ink = _merged(augmenter, rng)
    elif choice < 0.74:
        ink = _piece(augmenter, rng)
    elif choice < 0.88:
        ink = _crossed_out(augmenter, rng)
    else:
        ink = _marks(rng)
    return augmenter.scanner(ink, rng)


def _draw_character(augmenter: Augmenter, rng: np.random.Generator) -> Float32[np.ndarray, "56 56"]:
    image = augmenter.neighbours[rng.integers(len(augmenter.neighbours))]
    return augmenter.pen(augmenter.hand(image, rng), rng)


def _merged(augmenter: Augmenter, rng: np.random.Generator) -> Float32[np.ndarray, "56 w"]:
    """Two or three characters side by side, or one and a good part of the next."""
    parts = [_tight(_draw_character(augmenter, rng)) for _ in range(3 if rng.random() < 0.15 else 2)]
    choice = rng.random()
    gaps = rng.integers(-3, 5, size=len(parts))
    if choice < 0.35:
        gaps = np.maximum(gaps, 1)  # a stem that touches makes a D, K or M of many a character
        # A stem is so narrow that a network overlooks it: "01" must not pass for a 0.
        parts[int(rng.integers(len(parts)))] = _tight(draw_stem(int(rng.integers(28, 40)), rng))
    elif choice < 0.65:
        keep = max(1, int(parts[-1].shape[1] * rng.uniform(0.35, 0.8)))
        if rng.random() < 0.5:
            parts[-1] = parts[-1][:, :keep]
        else:
            parts[0] = parts[0][:, -keep:]
    width = sum(part.shape[1] for part in parts) + int(np.maximum(gaps, 0).sum())
    ink = np.zeros((CANVAS_PX, width), np.float32)
    at = 0
    for part, gap in zip(parts, gaps, strict=True):
        at = min(max(0, at + int(gap)) if at else 0, width - part.shape[1])
        np.maximum(ink[:, at : at + part.shape[1]], part, out=ink[:, at : at + part.shape[1]])
        at += part.shape[1]
    return ink


def _piece(augmenter: Augmenter, rng: np.random.Generator) -> Float32[np.ndarray, "h w"]:
    """A third to two thirds of a character, cut down or across."""
    for _ in range(_MAX_TRIES):
        ink = _tight(_draw_character(augmenter, rng))
        share, side = rng.uniform(0.3, 0.65), rng.random()
        columns, rows = max(1, int(ink.shape[1] * share)), max(1, int(ink.shape[0] * share))
        if side < 0.35:
            ink = ink[:, :columns]
        elif side < 0.7:
            ink = ink[:, -columns:]
        else:
            ink = ink[8 : 8 + rows] if side < 0.85 else ink[-rows:]
        tight = _tight(_tight(ink).T).T
        if min(tight.shape) >= BAR_ASPECT * max(tight.shape):
            return ink
    return _merged(augmenter, rng)


def _crossed_out(augmenter: Augmenter, rng: np.random.Generator) -> Float32[np.ndarray, "56 56"]:
    ink = _draw_character(augmenter, rng)
    if rng.random() < 0.3:
        ink = np.maximum(ink, _draw_character(augmenter, rng))
    else:
        draw_scribble(ink, rng, strokes=int(rng.integers(3, 9)), thickness=int(rng.integers(1, 5)))
    return ink


def _marks(rng: np.random.Generator) -> Float32[np.ndarray, "56 56"]:
    """Crossing rules, a scatter of dust, or a doodle."""
    ink = np.zeros((CANVAS_PX, CANVAS_PX), np.float32)
    choice = rng.random()
    if choice < 0.4:
        for _ in range(int(rng.integers(2, 4))):
            draw_line(ink, rng, near_border=rng.random() < 0.6)
    elif choice < 0.6:
        draw_specks(ink, rng, count=int(rng.integers(2, 12)))
    else:
        # A zigzag of four strokes is an M or a W.
        draw_scribble(ink, rng, strokes=int(rng.integers(7, 16)), thickness=int(rng.integers(1, 5)))
    return ink


def _tight(ink: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h _w"]:
    columns = np.flatnonzero(ink.max(axis=0) > 0.3)
    return ink[:, columns[0] : columns[-1] + 1] if len(columns) else ink
