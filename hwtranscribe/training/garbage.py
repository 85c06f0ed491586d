"""Things that are no character, as a wrong segmentation makes them: the last class of the network."""

from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Float32

from hwtranscribe.training.augment import CANVAS_PX, Augmenter
from hwtranscribe.training.draw import draw_crossing, draw_line, draw_scribble, draw_specks, draw_stem
from hwtranscribe.training.wrong_cuts import BAR_ASPECT, draw_wrong_cut, is_no_bar

_MAX_TRIES = 5
_MAX_SHARED = 0.65
"""Of the ink of two characters on top of each other, what one of them alone may be: an I on an L is an L."""
_MAX_CROSSING = 0.55
"""Of the ink of what is crossed out, what the crossing alone may be."""


def draw_garbage(augmenter: Augmenter, rng: np.random.Generator) -> Float32[np.ndarray, "h w"]:
    """Return an ink map of one of `GARBAGE_KINDS`, by their shares."""
    names = list(GARBAGE_KINDS)
    kind = names[int(rng.choice(len(names), p=[share for share, _ in GARBAGE_KINDS.values()]))]
    return draw_garbage_of(kind, augmenter, rng)


def draw_garbage_of(kind: str, augmenter: Augmenter, rng: np.random.Generator) -> Float32[np.ndarray, "h w"]:
    """Return an ink map of one kind of thing that is no character, as a scan would show it."""
    return augmenter.scanner(GARBAGE_KINDS[kind][1](augmenter, rng), rng)


def _wrong_cut(augmenter: Augmenter, rng: np.random.Generator) -> Float32[np.ndarray, "h w"]:
    cut = draw_wrong_cut(augmenter, rng)
    return _merged(augmenter, rng) if cut is None else cut


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


def _scribbled_over(augmenter: Augmenter, rng: np.random.Generator) -> Float32[np.ndarray, "56 56"]:
    ink = _draw_character(augmenter, rng)
    draw_scribble(ink, rng, strokes=int(rng.integers(5, 10)), thickness=int(rng.integers(1, 5)))
    return ink


def _crossed_out(augmenter: Augmenter, rng: np.random.Generator) -> Float32[np.ndarray, "56 56"]:
    """A cross, or lines that go well beyond the character on both sides: a bar that does not may belong to a 7 or Z."""
    for _ in range(_MAX_TRIES):
        ink = _draw_character(augmenter, rng)
        crossed = ink.copy()
        draw_crossing(crossed, rng)
        # A line through a bare stem makes a t or a plus, and a V goes under in a cross.
        if _is_broad(ink) and np.clip(crossed - ink, 0, 1).sum() < _MAX_CROSSING * crossed.sum():
            return crossed
    return _scribbled_over(augmenter, rng)


def _overwritten(augmenter: Augmenter, rng: np.random.Generator) -> Float32[np.ndarray, "56 56"]:
    """One character corrected by writing another over it, so that neither is plain."""
    for _ in range(_MAX_TRIES):
        one, other = _draw_character(augmenter, rng), _draw_character(augmenter, rng)
        # A stem makes a B of a 3, a crossed 0 of a 0.
        if not (_is_broad(one) and _is_broad(other)):
            continue
        shift = np.array([[1, 0, rng.normal(0, 2.0)], [0, 1, rng.normal(0, 2.0)]], np.float32)
        other = cv2.warpAffine(other, shift, (CANVAS_PX, CANVAS_PX))
        both = np.maximum(one, other)
        if max(one.sum(), other.sum()) < _MAX_SHARED * both.sum():
            return both
    return _scribbled_over(augmenter, rng)


def _marks(augmenter: Augmenter, rng: np.random.Generator) -> Float32[np.ndarray, "56 56"]:
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


def _equals(augmenter: Augmenter, rng: np.random.Generator) -> Float32[np.ndarray, "56 56"]:
    """Two level strokes, as people end an amount."""
    ink = np.zeros((CANVAS_PX, CANVAS_PX), np.float32)
    length, gap, tilt = rng.uniform(18, 40), rng.uniform(8, 18), rng.normal(0, 0.12)
    thickness = int(rng.integers(2, 7))
    for at in (-gap / 2, gap / 2):
        left = CANVAS_PX / 2 - length / 2 + rng.normal(0, 2.0)
        y = CANVAS_PX / 2 + at + rng.normal(0, 1.0)
        start = round(left), round(y + tilt * length / 2)
        end = round(left + length), round(y - tilt * length / 2)
        cv2.line(ink, start, end, 1.0, thickness, cv2.LINE_AA)
    return ink


def _is_broad(ink: Float32[np.ndarray, "h w"]) -> bool:
    return is_no_bar(np.round(ink * 255).astype(np.uint8))


def _tight(ink: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h _w"]:
    columns = np.flatnonzero(ink.max(axis=0) > 0.3)
    return ink[:, columns[0] : columns[-1] + 1] if len(columns) else ink


GARBAGE_KINDS: dict[str, tuple[float, Callable[[Augmenter, np.random.Generator], Float32[np.ndarray, "h w"]]]] = {
    "wrong cut": (0.36, _wrong_cut),
    "merged": (0.24, _merged),
    "piece": (0.03, _piece),
    "scribbled over": (0.08, _scribbled_over),
    "crossed out": (0.09, _crossed_out),
    "overwritten": (0.11, _overwritten),
    "marks": (0.06, _marks),
    "equals sign": (0.03, _equals),
}
"""Share among the things that are no character, and what draws them."""
