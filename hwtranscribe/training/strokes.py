"""Characters drawn from strokes.

A shape is a few strokes; a stroke is a list of points in a unit square, x to the right, y down, through which a
Catmull-Rom spline goes. Every point, the slant, the aspect and the pen vary from drawing to drawing.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

_SIZE_PX = 28
_SCALE = 4
_INK_PX = 20
"""The longer side of the ink, as in MNIST."""
_STEPS = 12

Stroke = Sequence[tuple[float, float]] | Float64[np.ndarray, "n 2"]
Shape = Callable[[np.random.Generator], list[Stroke]]


def draw_shape(shapes: Sequence[Shape], rng: np.random.Generator) -> UInt8[np.ndarray, "28 28"]:
    """Return white ink on black of one of the shapes of a character."""
    strokes = shapes[int(rng.integers(len(shapes)))](rng)
    curves = [_spline(np.array(stroke) + rng.normal(0, 0.025, (len(stroke), 2))) for stroke in strokes]
    slant, aspect = rng.normal(0.12, 0.15), rng.uniform(0.5, 0.85)
    matrix = np.array([[aspect, 0.0], [-slant, 1.0]])
    curves = [curve @ matrix for curve in curves]
    points = np.concatenate(curves)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = _INK_PX / max(float((high - low).max()), 1e-6)
    offset = (_SIZE_PX - 1) / 2 - scale * (low + high) / 2
    canvas = np.zeros((_SIZE_PX * _SCALE, _SIZE_PX * _SCALE), np.uint8)
    thickness = int(rng.integers(6, 15))
    for curve in curves:
        pixels = np.round((curve * scale + offset) * _SCALE).astype(np.int32)
        cv2.polylines(canvas, [pixels], False, 255, thickness, cv2.LINE_AA)
    return cv2.resize(canvas, (_SIZE_PX, _SIZE_PX), interpolation=cv2.INTER_AREA)


def _spline(points: Float64[np.ndarray, "n 2"]) -> Float64[np.ndarray, "m 2"]:
    """A Catmull-Rom spline through the points."""
    if len(points) == 2:
        return points
    padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    t = np.linspace(0, 1, _STEPS, endpoint=False)[:, None]
    parts = []
    for a, b, c, d in zip(padded[:-3], padded[1:-2], padded[2:-1], padded[3:], strict=True):
        parts.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.concatenate([*parts, points[-1:]])
