"""What the project's own segmentation cuts out wrongly, from lines set of training characters."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from hwtranscribe.segment.lattice import line_lattice
from hwtranscribe.training.augment import CANVAS_PX, Augmenter

BAR_ASPECT = 0.45
"""Pieces narrower than this look like a bar: an I, l or 1, and are not taught as garbage."""

_MAX_OVERLAP = 0.6
"""Hypotheses that share more than this with a character (intersection over union) may be read as that character."""
_MIN_LOG_RATIO = 0.3
_PIECE_WEIGHT = 0.08
"""Pieces of one character are drawn less often: half an O is a C, a slanted stem a 1, and must stay that."""
_HEIGHT_PX = 2 * CANVAS_PX


def draw_wrong_cut(augmenter: Augmenter, rng: np.random.Generator) -> Float32[np.ndarray, "h w"] | None:
    """Set two or three characters in a line, cut it as a page is cut, and return one hypothesis that is no character.

    Likelier hypotheses by geometry come more often. None where every hypothesis may be a character.
    """
    ink, spans, amounts = _set_line(augmenter, rng)
    lattice = line_lattice(ink, "line", (0, 0, ink.shape[1], ink.shape[0]))
    boxes = lattice.boxes
    left = np.maximum(boxes[:, None, 0], spans[None, :, 0])
    right = np.minimum(boxes[:, None, 2], spans[None, :, 1])
    shared = np.maximum(right - left, 0)
    union = (boxes[:, 2] - boxes[:, 0])[:, None] + (spans[:, 1] - spans[:, 0])[None] - shared
    overlap = shared / np.maximum(union, 1)
    wrong = overlap.max(axis=1, initial=0.0) < _MAX_OVERLAP
    # A slanted character's box, set upright and back, is wider than its ink: the amount of ink tells.
    amount = np.array([float(piece.sum()) / 255 for piece in lattice.inks])
    ratio = amount / amounts[overlap.argmax(axis=1)] if len(boxes) else amount
    wrong &= np.abs(np.log(np.maximum(ratio, 1e-3))) > _MIN_LOG_RATIO
    wrong &= np.array([is_no_bar(piece) for piece in lattice.inks], bool)
    chosen = np.flatnonzero(wrong)
    if not len(chosen):
        return None
    likely = lattice.geometry_log_prob[chosen].astype(np.float64)
    is_piece = shared[chosen].max(axis=1) > 0.9 * (boxes[chosen, 2] - boxes[chosen, 0])
    weights = np.exp(0.5 * (likely - likely.max())) * np.where(is_piece, _PIECE_WEIGHT, 1.0)
    picked = int(rng.choice(chosen, p=weights / weights.sum()))
    return lattice.inks[picked].astype(np.float32) / 255


def _set_line(
    augmenter: Augmenter, rng: np.random.Generator
) -> tuple[UInt8[np.ndarray, "h w"], Float32[np.ndarray, "n 2"], Float32[np.ndarray, " n"]]:
    """Return the ink of a line and, per character, the columns from and to which it reaches, and its amount of ink."""
    inks = []
    for _ in range(int(rng.integers(2, 4))):
        image = augmenter.neighbours[rng.integers(len(augmenter.neighbours))]
        ink = augmenter.pen(augmenter.hand(image, rng), rng)
        columns, rows = np.flatnonzero(ink.max(axis=0) > 0.3), np.flatnonzero(ink.max(axis=1) > 0.3)
        if len(columns):
            inks.append(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    gaps = np.round(rng.normal(2.5, 3.5, size=len(inks))).astype(int)
    line = np.zeros((_HEIGHT_PX, 16 + sum(ink.shape[1] + 14 for ink in inks)), np.float32)
    at, spans = 4, []
    for ink, gap in zip(inks, gaps, strict=True):
        at = max(0, at + int(np.clip(gap, -8, 14)))
        bottom = _HEIGHT_PX - 20 + int(rng.integers(-3, 4))
        place = line[bottom - ink.shape[0] : bottom, at : at + ink.shape[1]]
        np.maximum(place, ink, out=place)
        spans.append((at, at + ink.shape[1]))
        at += ink.shape[1]
    amounts = np.array([ink.sum() for ink in inks], np.float32)
    return np.round(line * 255).astype(np.uint8), np.array(spans, np.float32).reshape(-1, 2), amounts


def is_no_bar(ink: UInt8[np.ndarray, "h w"]) -> bool:
    """Whether a piece is no bare stroke, at any slant."""
    points = cv2.findNonZero((ink > 128).astype(np.uint8))
    if points is None:
        return False
    sides = cv2.minAreaRect(points)[1]
    return min(sides) + 1 >= BAR_ASPECT * (max(sides) + 1)
