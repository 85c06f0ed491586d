"""Marks that are no characters, drawn in place on an ink map."""

import cv2
import numpy as np
from jaxtyping import Float32


def draw_line(ink: Float32[np.ndarray, "h w"], rng: np.random.Generator, near_border: bool) -> None:
    """Draw a piece of a printed rule, roughly horizontal or vertical; a sub-pixel wide rule is grey."""
    height, width = ink.shape
    along = np.sort(rng.uniform(0, 1, size=2)) if rng.random() < 0.7 else np.array([0.0, 1.0])
    across = rng.choice([rng.uniform(0.02, 0.2), rng.uniform(0.8, 0.98)]) if near_border else rng.uniform(0.1, 0.9)
    tilt = rng.normal() * 0.02
    start, end = (along[0], across - tilt), (along[1], across + tilt)
    if rng.random() < 0.5:
        start, end = start[::-1], end[::-1]
    stroke = np.zeros_like(ink)
    points = [(round(x * (width - 1)), round(y * (height - 1))) for x, y in (start, end)]
    cv2.line(stroke, points[0], points[1], float(rng.uniform(0.4, 1)), int(rng.integers(1, 4)), cv2.LINE_AA)
    np.maximum(ink, stroke, out=ink)


def draw_specks(ink: Float32[np.ndarray, "h w"], rng: np.random.Generator, count: int) -> None:
    """Draw dust: small round blots."""
    height, width = ink.shape
    for _ in range(count):
        centre = (int(rng.integers(2, width - 2)), int(rng.integers(2, height - 2)))
        cv2.circle(ink, centre, int(rng.integers(0, 3)), float(rng.uniform(0.4, 1)), -1, cv2.LINE_AA)


def draw_scribble(ink: Float32[np.ndarray, "h w"], rng: np.random.Generator, strokes: int, thickness: int) -> None:
    """Draw a zigzag of straight strokes from side to side: what a crossing-out or a doodle looks like."""
    height, width = ink.shape
    side = np.arange(strokes + 1) % 2
    across = np.where(side, rng.uniform(0.6, 0.95, strokes + 1), rng.uniform(0.05, 0.4, strokes + 1))
    down = (
        np.linspace(rng.uniform(0.05, 0.4), rng.uniform(0.6, 0.95), strokes + 1) + rng.normal(size=strokes + 1) * 0.08
    )
    points = np.stack([across, down] if rng.random() < 0.6 else [down, across], axis=1)
    pixels = np.round(points * [width - 1, height - 1]).astype(np.int32)
    cv2.polylines(ink, [pixels], False, 1.0, thickness, cv2.LINE_AA)
