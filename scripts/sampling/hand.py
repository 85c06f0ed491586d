"""A writer: one person's way of forming characters, with the small differences from one to the next."""

from dataclasses import dataclass

import cv2
import numpy as np

from sampling.strokes import GLYPHS

_SUPERSAMPLING = 3
_SAMPLES_PER_SEGMENT = 10


@dataclass(frozen=True)
class Style:
    """How a writer writes.

    Attributes:
        slant_deg: Lean to the right.
        aspect: Width of characters relative to the usual.
        pen: Pen width in heights of a capital.
        habit: How far this writer's characters are from the model's, in heights of a capital (standard deviation).
        wobble: How far one character is from the next of its kind.
        roundness: 0 keeps corners sharp, 1 makes them soft.
        gap: Space between characters in free writing, in heights of a capital; negative makes them touch.
        darkness: Of the ink, 0 to 1.
    """

    slant_deg: float
    aspect: float
    pen: float
    habit: float
    wobble: float
    roundness: float
    gap: float
    darkness: float


class Hand:
    """One writer, the same for the same seed."""

    def __init__(self, seed: int, **changes: float) -> None:
        """Draws a style from the seed; `changes` set parts of it (see `Style`)."""
        self.rng = np.random.default_rng(seed)
        rng = self.rng
        drawn = {
            "slant_deg": rng.normal(4, 6),
            "aspect": rng.uniform(0.82, 1.15),
            "pen": rng.uniform(0.06, 0.13),
            "habit": rng.uniform(0.02, 0.05),
            "wobble": rng.uniform(0.01, 0.026),
            "roundness": rng.uniform(0, 1),
            "gap": rng.uniform(0.14, 0.3),
            "darkness": rng.uniform(0.65, 0.95),
        }
        self.style = Style(**(drawn | changes))
        self._ways = {character: int(rng.integers(len(ways))) for character, ways in GLYPHS.items()}
        self._habits = {
            (character, way): [rng.normal(0, self.style.habit, points.shape) for points, _ in strokes]
            for character, ways in GLYPHS.items()
            for way, (_, strokes) in enumerate(ways)
        }

    def character(self, character: str, height_px: float) -> list[np.ndarray]:
        """Strokes as points ("n 2", px); the left end of the baseline is the origin, y goes down."""
        rng, style = self.rng, self.style
        ways = GLYPHS[character]
        way = self._ways[character] if rng.random() < 0.85 else int(rng.integers(len(ways)))
        width, strokes = ways[way]
        slant = np.tan(np.radians(style.slant_deg + rng.normal(0, 1.5)))
        stretch = np.array([style.aspect * rng.normal(1, 0.05), rng.normal(1, 0.03)])
        turn = rng.normal(0, 0.025)
        drawn = []
        for (points, corners), habit in zip(strokes, self._habits[character, way], strict=True):
            moved = points + habit + rng.normal(0, style.wobble, points.shape)
            moved[-1] += (moved[-1] - moved[-2]) * rng.normal(0, 0.06)
            path = self._soften(_through(moved, corners)) * stretch
            path[:, 1] -= stretch[1]
            path[:, 0] -= path[:, 1] * slant + path[:, 1] * turn
            path[:, 1] += (path[:, 0] - width / 2) * turn
            drawn.append(path * height_px)
        return drawn

    def width(self, strokes: list[np.ndarray]) -> float:
        """From the leftmost to the rightmost ink, px."""
        points = np.concatenate(strokes)
        return float(points[:, 0].max() - points[:, 0].min())

    def draw(self, ink: np.ndarray, strokes: list[np.ndarray], height_px: float) -> None:
        """Adds strokes to an ink map (uint8, 255 full ink) in place; the pen's pressure changes along them."""
        for path in strokes:
            pressure = 1 + 0.12 * np.sin(np.linspace(0, self.rng.uniform(2, 9), len(path)) + self.rng.uniform(0, 6))
            _draw_path(ink, path, np.maximum(1.0, self.style.pen * height_px * pressure))

    def _soften(self, path: np.ndarray) -> np.ndarray:
        """Rounds corners and adds a slow tremor."""
        reach = int(round(1 + 3 * self.style.roundness))
        kernel = np.hanning(2 * reach + 3)[1:-1]
        padded = np.concatenate([np.repeat(path[:1], reach, 0), path, np.repeat(path[-1:], reach, 0)])
        smooth = np.stack([np.convolve(padded[:, axis], kernel / kernel.sum(), "valid") for axis in (0, 1)], 1)
        steps = np.linspace(0, 1, len(path))
        for axis in (0, 1):
            frequency = self.rng.uniform(2, 9)
            smooth[:, axis] += self.rng.normal(0, 0.006) * np.sin(frequency * steps + self.rng.uniform(0, 6))
        return smooth


def _through(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """A path through the points: Catmull-Rom splines between corners (E. Catmull, R. Rom, 1974)."""
    path = []
    breaks = [0, *np.flatnonzero(corners[1:-1]) + 1, len(points) - 1]
    for begin, end in zip(breaks, breaks[1:], strict=False):
        knots = points[begin : end + 1]
        knots = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
        for a, b, c, d in zip(knots, knots[1:], knots[2:], knots[3:], strict=False):
            t = np.linspace(0, 1, _SAMPLES_PER_SEGMENT, endpoint=False)[:, None]
            path.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * (b - c) + d - a) * t**3))
    return np.concatenate([*path, points[-1:]])


def _draw_path(ink: np.ndarray, path: np.ndarray, widths: np.ndarray) -> None:
    margin = int(widths.max()) + 2
    left, top = np.maximum(np.floor(path.min(0)).astype(int) - margin, 0)
    right, bottom = np.minimum(np.ceil(path.max(0)).astype(int) + margin, ink.shape[::-1])
    if left >= right or top >= bottom:
        return
    patch = np.zeros(((bottom - top) * _SUPERSAMPLING, (right - left) * _SUPERSAMPLING), np.uint8)
    fine = np.round((path - (left, top)) * _SUPERSAMPLING * 16).astype(int)
    for start, end, width in zip(fine, fine[1:], widths, strict=False):
        thickness = max(1, round(width * _SUPERSAMPLING))
        cv2.line(patch, tuple(map(int, start)), tuple(map(int, end)), 255, thickness, cv2.LINE_8, 4)
    small = cv2.resize(patch, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
    region = ink[top:bottom, left:right]
    np.maximum(region, small, out=region)
