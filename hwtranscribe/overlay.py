"""Pictures that show what the program saw: the boxes of a template, and what was read where."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from jaxtyping import UInt8

from hwtranscribe.types import Box, FieldReading, Kind, Status

LONG_SIDE_PX = 2400
"""Pictures are made no larger than this."""

Colour = tuple[int, int, int]
SURE: Colour = (60, 140, 20)
DOUBTFUL: Colour = (30, 30, 220)
EMPTY: Colour = (170, 150, 130)
FRAME: Colour = (190, 90, 20)
Picture = UInt8[np.ndarray, "height width 3"]


def draw_template(
    pixels: UInt8[np.ndarray, "height width"],
    boxes: Mapping[str, Box],
    cells: Mapping[str, Sequence[float]] | None = None,
    note: str = "",
) -> bytes:
    """Return a PNG of a blank form or an aligned scan with the boxes of its fields and their names.

    Args:
        pixels: Grey, 255 paper.
        boxes: Box of every field, px of the picture.
        cells: x of the cells' edges of the fields that are combs, px of the picture.
        note: Written across the top, such as why a scan does not match.
    """
    picture, scale = canvas(pixels)
    for name, box in boxes.items():
        frame(picture, box, scale, FRAME)
        left, top, _, bottom = (round(v * scale) for v in box)
        for x in (cells or {}).get(name, ()):
            cv2.line(picture, (round(x * scale), top), (round(x * scale), bottom), FRAME, 1)
        write(picture, name, (left, top - 3), 0.45, FRAME)
    if note:
        write(picture, note, (10, 24), 0.6, DOUBTFUL)
    return encoded(picture, ".png")


def draw_readings(pixels: UInt8[np.ndarray, "height width"], readings: Sequence[FieldReading]) -> bytes:
    """Return a JPEG of a rendered page with what was read; doubtful fields and characters in red.

    Args:
        pixels: Grey, 255 paper.
        readings: Of this page, boxes in its px.
    """
    picture, scale = canvas(pixels)
    for reading in readings:
        left, top, right, bottom = reading.box
        if right <= left or bottom <= top:
            continue
        doubtful = reading.status in (Status.REVIEW, Status.ILLEGIBLE)
        colour = DOUBTFUL if doubtful else EMPTY if reading.status is Status.BLANK else SURE
        frame(picture, reading.box, scale, colour)
        for character in reading.characters:
            frame(picture, character.box, scale, SURE if character.confidence >= 0.8 else DOUBTFUL, 1)
        text = reading.text
        if reading.kind is Kind.CHECKBOX:
            text = "x" if reading.text == "1" else "-"
        if doubtful:
            text = f"{text} ({reading.confidence:.0%})"
        write(picture, text, (round(left * scale), round(top * scale) - 4), 0.55, colour)
    return encoded(picture, ".jpg")


def canvas(pixels: UInt8[np.ndarray, "height width"]) -> tuple[Picture, float]:
    """Return a colour copy of a page, paler and not too large, and its scale."""
    scale = min(1.0, LONG_SIDE_PX / max(pixels.shape))
    if max(pixels.shape) < 500:
        # Strips of one line: room for what is written above the boxes.
        scale = 500 / max(pixels.shape)
    if scale != 1:
        size = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    pale = cv2.convertScaleAbs(pixels, alpha=0.7, beta=76)
    return cv2.cvtColor(pale, cv2.COLOR_GRAY2BGR), scale


def frame(picture: Picture, box: Box, scale: float, colour: Colour, thickness_px: int = 2) -> None:
    """Draw a box."""
    left, top, right, bottom = (round(v * scale) for v in box)
    cv2.rectangle(picture, (left, top), (right - 1, bottom - 1), colour, thickness_px)


def write(picture: Picture, text: str, at: tuple[int, int], size: float, colour: Colour) -> None:
    """Write a line, moved into the picture where it would stick out; what the font lacks becomes `?`."""
    text = text.encode("ascii", "replace").decode()
    (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
    x = int(np.clip(at[0], 0, max(0, picture.shape[1] - width - 1)))
    y = int(np.clip(at[1], height + 1, max(height + 1, picture.shape[0] - below)))
    cv2.putText(picture, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, (255, 255, 255), 4, cv2.LINE_AA)
    cv2.putText(picture, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)


def encoded(picture: Picture, suffix: str) -> bytes:
    """Return a picture as a file."""
    done, data = cv2.imencode(suffix, picture, [cv2.IMWRITE_JPEG_QUALITY, 85] if suffix == ".jpg" else [])
    assert done
    return data.tobytes()
