"""Marks that are no characters, drawn in place on an ink map."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8


def draw_rule_beside(ink: Float32[np.ndarray, "h w"], rng: np.random.Generator) -> None:
    """Draw a piece of a printed rule beside the writing, clear of it: one along its foot would make an E of an F.

    Mostly a horizontal one: upright rules are taken off before a cell is read, and an upright bar is an I or a 1.
    """
    upright = rng.random() < 0.1
    gap_px, tilt_px = rng.uniform(4, 9), rng.normal() * 0.8
    begin, end = np.sort(rng.uniform(0, 1, size=2)) if rng.random() < 0.7 else np.array([0.0, 1.0])
    lines = ink.T if upright else ink
    inked = np.flatnonzero(lines.max(axis=1) > 0.3)
    if len(inked) == 0:
        return
    at = inked[0] - gap_px if rng.random() < 0.5 else inked[-1] + gap_px
    if not 1 <= at <= len(lines) - 2:
        return
    along = lines.shape[1] - 1
    points = [(round(begin * along), round(at - tilt_px)), (round(end * along), round(at + tilt_px))]
    if upright:
        points = [point[::-1] for point in points]
    stroke = np.zeros_like(ink)
    thickness = 1 if upright else int(rng.integers(1, 4))
    cv2.line(stroke, points[0], points[1], float(rng.uniform(0.4, 1)), thickness, cv2.LINE_AA)
    np.maximum(ink, stroke, out=ink)


def draw_line(ink: Float32[np.ndarray, "h w"], rng: np.random.Generator, near_border: bool) -> None:
    """Draw a piece of a printed rule, roughly horizontal or upright."""
    height, width = ink.shape
    along = np.sort(rng.uniform(0, 1, size=2)) if rng.random() < 0.7 else np.array([0.0, 1.0])
    across = rng.choice([rng.uniform(0.02, 0.2), rng.uniform(0.8, 0.98)]) if near_border else rng.uniform(0.1, 0.9)
    tilt = rng.normal() * 0.02
    start, end = (along[0], across - tilt), (along[1], across + tilt)
    if rng.random() < 0.5:
        start, end = start[::-1], end[::-1]
    points = [(round(x * (width - 1)), round(y * (height - 1))) for x, y in (start, end)]
    cv2.line(ink, points[0], points[1], float(rng.uniform(0.4, 1)), int(rng.integers(1, 4)), cv2.LINE_AA)


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


def draw_crossing(ink: Float32[np.ndarray, "h w"], rng: np.random.Generator) -> None:
    """Cross a character out: two slanted strokes, or one or two level ones that go beyond it on both sides."""
    columns, rows = np.flatnonzero(ink.max(axis=0) > 0.3), np.flatnonzero(ink.max(axis=1) > 0.3)
    if not len(columns):
        return
    left, top, width, height = columns[0], rows[0], len(columns), len(rows)
    right, bottom = left + width, top + height
    thickness = int(rng.integers(2, 5))
    lines = []
    if rng.random() < 0.55:
        for falls in (True, False):
            reach = rng.uniform(-0.05, 0.25, size=4) * np.array([width, height, width, height])
            ends = (top - reach[1], bottom + reach[3])
            start, end = ends if falls else ends[::-1]
            lines.append(((left - reach[0], start), (right + reach[2], end)))
    else:
        for _ in range(1 if rng.random() < 0.6 else 2):
            reach = rng.uniform(0.25, 0.5, size=2) * height
            at, tilt = top + rng.uniform(0.3, 0.7) * height, rng.normal(0, 0.12) * width
            lines.append(((left - reach[0], at + tilt), (right + reach[1], at - tilt)))
    for (x1, y1), (x2, y2) in lines:
        cv2.line(ink, (round(x1), round(y1)), (round(x2), round(y2)), 1.0, thickness, cv2.LINE_AA)


def draw_stem(height_px: int, rng: np.random.Generator) -> Float32[np.ndarray, "56 w"]:
    """Return a bare upright stroke, an I, l or 1, in the middle of 56 rows."""
    lean = rng.normal() * 0.15 * height_px
    thickness = int(rng.integers(2, 7))
    width = int(abs(lean)) + thickness + 4
    ink = np.zeros((56, width), np.float32)
    top, middle = (56 - height_px) // 2, (width - 1) / 2
    start, end = (round(middle + lean / 2), top), (round(middle - lean / 2), top + height_px)
    cv2.line(ink, start, end, 1.0, thickness, cv2.LINE_AA)
    return ink


def draw_flag(image: UInt8[np.ndarray, "28 28"], rows: tuple[int, int], rng: np.random.Generator) -> None:
    """Draw the upstroke of a 1: from the top of its bar down to the left; sometimes a foot as well."""
    top, bottom = rows
    height = bottom - top + 1
    ends = np.flatnonzero(image[min(top + 1, bottom)] > 90)
    if len(ends) == 0 or height < 8:
        return
    thickness = max(1, round(min(len(ends), 4) * 0.8))
    length, angle = rng.uniform(0.18, 0.6) * height, rng.uniform(0.45, 1.2)
    start = (int(ends[len(ends) // 2]), top + 1)
    end = (round(start[0] - length * np.cos(angle)), round(start[1] + length * np.sin(angle)))
    cv2.line(image, start, end, 255, thickness, cv2.LINE_AA)
    if rng.random() < 0.2:
        foot = int(np.flatnonzero(image[bottom - 1] > 90).mean()) if image[bottom - 1].max() > 90 else start[0]
        half = round(rng.uniform(0.12, 0.25) * height)
        cv2.line(image, (foot - half, bottom - 1), (foot + half, bottom - 1), 255, thickness, cv2.LINE_AA)


def draw_bar(image: UInt8[np.ndarray, "28 28"], rows: tuple[int, int], rng: np.random.Generator) -> None:
    """Draw the bar through the stem of a 7."""
    top, bottom = rows
    middle = round(top + (bottom - top) * rng.uniform(0.4, 0.6))
    ends = np.flatnonzero(image[middle] > 90)
    if len(ends) == 0:
        return
    half, tilt = rng.uniform(0.15, 0.32) * (bottom - top), rng.normal() * 0.06 * (bottom - top)
    centre = ends.mean()
    start = (round(centre - half), round(middle + tilt))
    end = (round(centre + half), round(middle - tilt))
    cv2.line(image, start, end, 255, max(1, min(len(ends), 3) - 1), cv2.LINE_AA)


def draw_rule_under(image: UInt8[np.ndarray, "28 28"], rng: np.random.Generator) -> UInt8[np.ndarray, "28 28"]:
    """Return a character with a piece of the rule that it stands on."""
    columns, rows = np.flatnonzero(image.max(axis=0) > 90), np.flatnonzero(image.max(axis=1) > 90)
    if len(rows) == 0:
        return image
    image = image.copy()
    left, right = columns[0] - int(rng.integers(-3, 5)), columns[-1] + int(rng.integers(-3, 5))
    at, tilt = int(rows[-1]) + int(rng.integers(-1, 2)), int(rng.integers(-1, 2))
    cv2.line(image, (int(left), at), (int(right), at + tilt), 255, int(rng.integers(1, 3)), cv2.LINE_AA)
    return image


def draw_mark(name: str, stroke_px: int, rng: np.random.Generator) -> tuple[Float32[np.ndarray, "h w"], float]:
    """Return a punctuation mark, and how far its foot stands above the line, in heights of a character.

    Args:
        name: `.`, `,`, `:`, `-`, `=` or `/`; a character is 36 px high.
        stroke_px: Width of the pen.
        rng: What to draw from.
    """
    if name in ".:":
        radius = int(rng.integers(1, 5 if name == "." else 4))
        apart = int(rng.integers(8, 20)) if name == ":" else 0
        ink = np.zeros((2 * radius + 3 + apart, 2 * radius + 3), np.float32)
        for y in {radius + 1, radius + 1 + apart}:
            cv2.circle(ink, (radius + 1, y), radius, 1.0, -1, cv2.LINE_AA)
        raised = name == "." and rng.random() < 0.2
        return ink, rng.uniform(0.3, 0.6) if raised else rng.uniform(-0.05, 0.12 if name == "." else 0.3)
    if name == ",":
        height = int(rng.integers(8, 18))
        ink = np.zeros((height + 6, 12), np.float32)
        cv2.line(ink, (8, 3), (int(rng.integers(2, 8)), height + 2), 1.0, stroke_px, cv2.LINE_AA)
        return ink, -rng.uniform(0.1, 0.35)
    if name == "/":
        height = int(rng.integers(36, 56))
        ink = np.zeros((height + 6, 30), np.float32)
        cv2.line(ink, (26, 3), (int(rng.integers(3, 12)), height + 2), 1.0, stroke_px, cv2.LINE_AA)
        return ink, -rng.uniform(0, 0.25)
    width, tilt_px = int(rng.integers(8, 34)), int(rng.integers(-3, 4))
    ink = np.zeros((24, width + 6), np.float32)
    for y in [12] if name == "-" else [8, 8 + int(rng.integers(5, 10))]:
        cv2.line(ink, (3, y + tilt_px), (width + 2, y - tilt_px), 1.0, stroke_px, cv2.LINE_AA)
    return ink, rng.uniform(0.1, 0.45)
