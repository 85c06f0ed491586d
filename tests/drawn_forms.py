"""Forms that the tests draw for themselves: a blank with print, combs and boxes, and writing upon it."""

import cv2
import numpy as np

from hwtranscribe.imaging.geometry import project
from hwtranscribe.segment.field import field_lines
from hwtranscribe.segment.free import free_lines
from hwtranscribe.types import AlignedPage, Box, CharBoxes, Page

WIDTH, HEIGHT = 1000, 1400
COMB: Box = (300, 400, 620, 440)
"""Eight cells of 40 px with full separators."""
LINE: Box = (300, 500, 700, 540)
"""A line to write on."""
TICK: Box = (100, 640, 130, 670)
WORDS = (
    "Application for membership of the society",
    "Please write in block capitals with a black pen",
    "Member number",
    "Name of the applicant in full",
    "I accept the rules and agree to pay",
    "Date and signature of the person who applies",
)
FONT = cv2.FONT_HERSHEY_SIMPLEX


def blank_form(seed: int = 0) -> np.ndarray:
    """A blank form, grey; other seeds give forms with other print."""
    rng = np.random.default_rng(seed)
    page = np.full((HEIGHT, WIDTH), 255, np.uint8)
    order = rng.permutation(len(WORDS))
    for row in range(24):
        y = 60 + 55 * row
        if 380 < y < 700:
            continue
        text = f"{row}. {WORDS[order[row % len(WORDS)]]} {rng.integers(1000, 9999)}"
        cv2.putText(page, text, (60 + int(rng.integers(0, 60)), y), FONT, 0.7, 0, 1, cv2.LINE_AA)
    cv2.putText(page, "Number", (100, 430), FONT, 0.7, 0, 1, cv2.LINE_AA)
    draw_comb(page, COMB, 8)
    cv2.putText(page, "Place", (100, 535), FONT, 0.7, 0, 1, cv2.LINE_AA)
    cv2.line(page, (LINE[0], LINE[3] - 6), (LINE[2], LINE[3] - 6), 0, 2)
    cv2.rectangle(page, TICK[:2], (TICK[2] - 1, TICK[3] - 1), 0, 2)
    cv2.putText(page, "I agree", (150, 665), FONT, 0.7, 0, 1, cv2.LINE_AA)
    cv2.rectangle(page, (20, 20), (WIDTH - 20, HEIGHT - 20), 0, 2)
    return page


def filled_form() -> np.ndarray:
    """The blank form with a number in its comb and a word on its line."""
    page = blank_form()
    write_cells(page, COMB, 8, "4711 802")
    cv2.putText(page, "LEIPZIG", (330, LINE[3] - 8), cv2.FONT_HERSHEY_SIMPLEX, 1, 40, 3, cv2.LINE_AA)
    return page


def draw_comb(page: np.ndarray, box: Box, cells: int, style: str = "full", shade: int = 0) -> None:
    """Draw a comb: `full` separators, `ticks` on the lower border, `dotted` ones, or `open` ends."""
    left, top, right, bottom = box
    if style == "ticks":
        cv2.line(page, (left, bottom), (right, bottom), shade, 2)
    else:
        cv2.line(page, (left, top), (right, top), shade, 2)
        cv2.line(page, (left, bottom), (right, bottom), shade, 2)
    for k in range(cells + 1):
        x = round(left + (right - left) * k / cells)
        if style in ("ticks", "open") and k in (0, cells):
            continue
        if style == "ticks":
            cv2.line(page, (x, bottom - (bottom - top) // 2), (x, bottom), shade, 2)
        elif style == "dotted":
            for y in range(top, bottom, 6):
                cv2.line(page, (x, y), (x, min(bottom, y + 2)), shade, 2)
        else:
            cv2.line(page, (x, top), (x, bottom), shade, 2)


def write_cells(page: np.ndarray, box: Box, cells: int, text: str, shift: tuple[int, int] = (0, 0)) -> None:
    """Write one character per cell with a broad pen; a space leaves its cell empty."""
    left, top, right, bottom = box
    for k, character in enumerate(text):
        if character != " ":
            x = round(left + (right - left) * (k + 0.5) / cells) - 8 + shift[0]
            cv2.putText(page, character, (x, bottom - 9 + shift[1]), FONT, 0.8, 40, 3, cv2.LINE_AA)


def moved(
    page: np.ndarray, angle_deg: float = 0, scale: float = 1, perspective: float = 0, ground: int = 255
) -> tuple[np.ndarray, np.ndarray]:
    """A page turned, scaled and tilted onto a ground that holds all of it, and where its px went."""
    height, width = page.shape
    angle = np.deg2rad(angle_deg)
    centre = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    tilt = np.array([[1, 0, 0], [0, 1, 0], [perspective / width, 0.7 * perspective / height, 1]])
    transform = tilt @ turn @ np.diag([scale, scale, 1.0]) @ centre
    corners = project(transform, np.array([[0, 0], [width, 0], [width, height], [0, height]], float))
    low = corners.min(axis=0) - 25
    transform = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]]) @ transform
    size = np.ceil(corners.max(axis=0) + 25 - low).astype(int)
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.warpPerspective(page, transform, size.tolist(), flags=flags, borderValue=ground), transform


def as_page(pixels: np.ndarray, number: int = 1) -> Page:
    """Pixels as a page of a document."""
    return Page("drawn.png", number, None, pixels)


def as_aligned(pixels: np.ndarray, ink: np.ndarray, printing: np.ndarray | None = None) -> AlignedPage:
    """Pixels as a page that is registered already."""
    return AlignedPage(1, 0, 1.0, pixels, ink, printing, np.eye(3), 0.0)


def field_boxes(*args: object) -> CharBoxes:
    """The lattice of a field that holds no more than one line; arguments are those of `field_lines`."""
    (only,) = field_lines(*args)
    return only


def free_boxes(*args: object) -> CharBoxes:
    """The lattice of free writing of no more than one line; arguments are those of `free_lines`."""
    (only,) = free_lines(*args)
    return only
