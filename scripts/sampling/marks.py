"""Marks in check boxes: how people tick one, what gets into one by accident, and how one is taken back."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sampling.hand import Hand
from sampling.scan import Scan
from sampling.sheet import A4_PX, Sheet

Box = tuple[int, int, int, int]

EMPTY, TICKED, CROSSED_OUT = 0, 1, 2
"""States of a box."""

KINDS = {
    "nothing": (EMPTY, 0.26),
    "dot": (EMPTY, 0.06),
    "passing": (EMPTY, 0.03),
    "neighbour": (EMPTY, 0.06),
    "letter": (EMPTY, 0.06),
    "tick": (TICKED, 0.1),
    "cross": (TICKED, 0.1),
    "stroke": (TICKED, 0.05),
    "scribble": (TICKED, 0.05),
    "filled": (TICKED, 0.05),
    "beyond": (TICKED, 0.06),
    "faint": (TICKED, 0.05),
    "blackened": (CROSSED_OUT, 0.04),
    "struck": (CROSSED_OUT, 0.03),
}
"""Kinds of marks: the state that they mean, and how often they are drawn."""

_PEN_PX = 42.0
_SHAPES = {
    "cross": ["-5,-5 105,105", "105,-8 -5,102"],
    "tick": ["5,45 35,90 120,-40"],
    "scribble": ["5,15 90,10 10,35 92,38 8,60 90,66 10,88 95,92"],
    "stroke": ["8,92 96,4"],
    "beyond": ["10,40 40,105 175,-75"],
}


def draw_mark(ink: np.ndarray, box: Box, kind: str, hand: Hand) -> None:
    """Draws a mark into or beside a check box, in place on an ink map; `kind` is one of KINDS."""
    left, top, right, bottom = box
    size, corner = np.array([right - left, bottom - top]), np.array([left, top])
    if kind == "faint":
        layer = np.zeros_like(ink)
        draw_mark(layer, box, str(hand.rng.choice(["tick", "cross", "stroke"])), hand)
        np.maximum(ink, (layer * hand.rng.uniform(0.35, 0.6)).astype(np.uint8), out=ink)
        return
    if kind in ("blackened", "struck"):
        draw_mark(ink, box, str(hand.rng.choice(["tick", "cross"])), hand)
    for points in _shape(kind, size / _PEN_PX, hand):
        hand.draw(ink, [points * size + corner], _PEN_PX)


def _shape(kind: str, size: np.ndarray, hand: Hand) -> Iterator[np.ndarray]:
    """Strokes of a mark ("n 2", unit: sides of the box); `size` is that of the box in heights of a capital."""
    rng = hand.rng
    pen = hand.style.pen / size
    if kind in _SHAPES:
        for stroke in _SHAPES[kind]:
            points = np.array([[float(v) / 100 for v in point.split(",")] for point in stroke.split()])
            yield _even(points + rng.normal(0, 0.06, points.shape))
    elif kind == "dot":
        yield rng.uniform(0.15, 0.85, 2) + rng.normal(0, 0.02, (3, 2))
    elif kind == "passing":
        yield _even(rng.uniform(0.1, 0.9, 2) + np.outer([-rng.uniform(1, 2), rng.uniform(1, 2)], _direction(rng)))
    elif kind == "neighbour":
        # The end of a mark that belongs to a box beside this one.
        yield _even(0.5 + np.outer([rng.uniform(0.25, 0.5), 1.6], _direction(rng)) + rng.normal(0, 0.04, (2, 2)))
    elif kind == "letter":
        strokes = hand.character(str(rng.choice(list("ABDEHKMNRSTUVW"))), 1.0)
        before = -max(path[:, 0].max() for path in strokes) + rng.uniform(-0.25, 0.12)
        x = before if rng.random() < 0.5 else 1 + rng.uniform(-0.12, 0.25)
        yield from (path + (x, rng.uniform(0.8, 1.2)) for path in strokes)
    elif kind == "filled":
        margin = rng.uniform(0.02, 0.15)
        yield _even(_zigzag(rng, margin, 1 - margin, rng.uniform(0.4, 1.3) * pen[1]))
    elif kind in ("blackened", "struck"):
        # Taken back in a hurry: densely or in a tangle, a little beside the box or beyond it, at any slant.
        for _ in range(1 if kind == "blackened" else 2):
            over, step = rng.uniform(-0.05, 0.3), rng.uniform(0.7, 1.6) if kind == "blackened" else rng.uniform(1.3, 3)
            points = _zigzag(rng, -over, 1 + over, step * pen[1]) - 0.5
            angle = rng.normal(0, 0.5) + np.pi / 2 * (rng.random() < 0.3)
            turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
            yield _even((points * (1, rng.uniform(0.7, 1))) @ turn + 0.5 + rng.normal(0, 0.13, 2))


def _direction(rng: np.random.Generator) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi)
    return np.array([np.cos(angle), np.sin(angle)])


def _zigzag(rng: np.random.Generator, low: float, high: float, step: float) -> np.ndarray:
    """To and fro over a square, down by `step` at each turn."""
    rows = np.arange(low, high, max(step, 0.04))
    points = np.stack([np.where(np.arange(len(rows)) % 2, high, low), rows], 1)
    return points + rng.normal(0, 0.05, points.shape)


def _even(points: np.ndarray) -> np.ndarray:
    """A path with as many points between corners as a pen's pressure needs."""
    steps = np.linspace(0, len(points) - 1, 20 * len(points))
    return np.stack([np.interp(steps, range(len(points)), points[:, axis]) for axis in (0, 1)], 1)


@dataclass(frozen=True)
class MarkSheet:
    """A sheet of check boxes, marked by one hand and scanned.

    Attributes:
        printing: The empty sheet, grey, 255 paper.
        scan: What the scanner saw of the marked one, grey.
        boxes: Of the check boxes, px of the sheet.
        kinds: Of their marks.
    """

    printing: np.ndarray
    scan: np.ndarray
    boxes: list[Box]
    kinds: list[str]


def draw_sheet(seed: int, straight: bool) -> MarkSheet:
    """Draws a sheet of check boxes of many sizes, marked at random.

    Args:
        seed: Of everything on it.
        straight: Whether the scan is neither turned nor moved, as it must be where no blank form is known.
    """
    rng = np.random.default_rng(seed)
    hand = Hand(seed, darkness=rng.uniform(0.55, 0.95))
    sheet, boxes = Sheet(), []
    sheet.text(120, 140, f"Questionnaire {seed}: mark what applies to you", 40, bold=True)
    sheet.box(60, 60, A4_PX[0] - 60, A4_PX[1] - 60)
    for row in range(24):
        y = 200 + 86 * row
        for column in range(6):
            x, side = 120 + 240 * column + int(rng.integers(-10, 10)), int(rng.integers(20, 47))
            boxes.append((x, y, x + side, y + side))
            sheet.box(*boxes[-1], width=rng.uniform(1.5, 3))
            label = "".join(rng.choice(list("abcdefghiklmnoprstuvw"), int(rng.integers(4, 9))))
            sheet.text(x + side + int(rng.integers(10, 22)), y + side / 2 + 8, label, 24)
    printing = sheet.render()
    ink = np.zeros_like(printing)
    kinds = [str(kind) for kind in rng.choice(list(KINDS), len(boxes), p=[share for _, share in KINDS.values()])]
    for box, kind in zip(boxes, kinds, strict=True):
        draw_mark(ink, box, kind, hand)
    scan = Scan(
        angle_deg=0 if straight else rng.uniform(-1.5, 1.5),
        scale=rng.uniform(0.75, 1.5),
        shift_px=(0, 0) if straight else (rng.uniform(-9, 9), rng.uniform(-9, 9)),
        blur_px=rng.uniform(0.3, 1.1),
        noise=rng.uniform(0, 10),
        specks=rng.choice([0, 0, 20, 60]),
        paper=int(rng.integers(215, 256)),
        shadow=rng.choice([0, 0, 0.3]),
        bilevel=bool(rng.random() < 0.15),
        jpeg_quality=int(rng.integers(35, 92)),
        seed=seed,
    )
    return MarkSheet(printing, scan.take(printing, ink, hand.style.darkness)[0], boxes, kinds)
