"""What hands add to characters or make of several: accents, and zeros written in one stroke."""

import cv2
import numpy as np
from jaxtyping import Float32

ACCENTS = {
    **dict.fromkeys("Ee", "´`^¨"),
    **dict.fromkeys("Aa", "´`^¨~"),
    **dict.fromkeys("OoUu", "´^¨~"),
    **dict.fromkeys("Ii", "´^¨"),
    **dict.fromkeys("Nn", "~"),
    **dict.fromkeys("Cc", "¸"),
}
"""What may be written above a character, or below it; the text does not say it."""


def with_accent(
    ink: Float32[np.ndarray, "h w"], accent: str, stroke_px: int, rng: np.random.Generator
) -> tuple[Float32[np.ndarray, "h2 w2"], int]:
    """Return a character with an accent, and how far that hangs below its foot, px.

    Args:
        ink: The character, about 36 px high.
        accent: One of those in `ACCENTS`.
        stroke_px: Width of the pen.
        rng: What to draw from.
    """
    width = ink.shape[1]
    half, rise = int(rng.integers(3, 9)), int(rng.integers(2, 8))
    gap = int(rng.integers(-2, 6))
    side = max(0, half + 3 - width // 2)
    middle = width // 2 + side + int(rng.integers(-3, 4))
    if accent == "¸":
        tail = int(rng.integers(6, 11))
        canvas = np.pad(ink, ((0, tail), (side, side)))
        foot = len(ink) - 2
        points = [(middle, foot), (middle + 2, foot + tail // 2), (middle - 3, foot + tail - 1)]
        cv2.polylines(canvas, [np.array(points, np.int32)], False, 1.0, stroke_px, cv2.LINE_AA)
        return canvas, tail
    above = rise + 2 * stroke_px + gap + 2
    canvas = np.pad(ink, ((max(above, rise + stroke_px + 2), 0), (side, side)))
    top, bottom = stroke_px, stroke_px + rise
    if accent == "¨":
        for x in (middle - half, middle + half):
            cv2.circle(canvas, (x, top + 1), max(1, stroke_px // 2), 1.0, -1, cv2.LINE_AA)
        return canvas, 0
    points = {
        "´": [(middle - half // 2, bottom), (middle + half // 2, top)],
        "`": [(middle - half // 2, top), (middle + half // 2, bottom)],
        "^": [(middle - half, bottom), (middle, top), (middle + half, bottom)],
        "~": [(middle - half, bottom), (middle - half // 2, top), (middle + half // 2, bottom), (middle + half, top)],
    }[accent]
    cv2.polylines(canvas, [np.array(points, np.int32)], False, 1.0, stroke_px, cv2.LINE_AA)
    return canvas, 0


def joined_zeros(count: int, height_px: float, stroke_px: int, rng: np.random.Generator) -> Float32[np.ndarray, "h w"]:
    """Return zeros in one stroke, each begun and ended at its top, as in the round amounts of a quick hand.

    Args:
        count: Of zeros.
        height_px: Of the first.
        stroke_px: Width of the pen.
        rng: What to draw from.
    """
    half_height = height_px / 2
    half_width = half_height * rng.uniform(0.6, 1.4)
    advance = 2 * half_width * rng.uniform(0.9, 1.5)
    # From the top to the left and round; some are not quite closed, some go on over their beginning.
    start, turn = rng.uniform(-0.7, 0.5), rng.uniform(0.85, 1.1)
    shrink, sag = rng.uniform(0.88, 1.04), rng.normal(0, 0.06) * height_px
    points = []
    for number in range(count):
        size = shrink**number * np.exp(rng.normal(0, 0.06))
        own_turn = turn + rng.normal(0, 0.05)
        angle = start + rng.normal(0, 0.15) + 2 * np.pi * own_turn * np.linspace(0, 1, 24)
        middle = number * advance * (1 + rng.normal(0, 0.05)), number * sag + (1 - size) * half_height
        points.append(
            np.stack(
                [
                    middle[0] - size * half_width * np.sin(angle),
                    middle[1] - size * half_height * np.cos(angle),
                ],
                axis=1,
            )
        )
    if rng.random() < 0.4:
        # The last goes out in a stroke.
        reach = np.array([[rng.uniform(0.4, 1.2), rng.uniform(-0.4, 0.3)]]) * height_px
        points.append(points[-1][-1:] + reach)
    path = np.concatenate(points)
    path -= path.min(axis=0) - stroke_px - 1
    width, height = np.ceil(path.max(axis=0)).astype(int) + stroke_px + 2
    canvas = np.zeros((height, width), np.float32)
    cv2.polylines(canvas, [np.round(path * 8).astype(np.int32)], False, 1.0, stroke_px, cv2.LINE_AA, shift=3)
    return canvas
