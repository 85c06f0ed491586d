"""Reads pages without a template that drawn hands wrote on all kinds of paper, and prints how many lines are right.

Every hand writes the same lines, so that what paper, layout and scan cost is seen beside plain paper. A line is right
when the same text was read, spaces left aside; lines read that nobody wrote count as wrong.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from sampling.fields import write_line
from sampling.hand import Hand
from sampling.scan import Scan

from hwtranscribe import Transcriber
from hwtranscribe.types import Status

SIZE_PX = 1654, 1200
"""Half a sheet of A4 at 200 dpi."""
DPI = 200
CAPITAL_PX = 44
TEXTS = (
    ("MEETING ON TUESDAY AT NOON", "BRING 14 CHAIRS AND 3 TABLES", "ASK VICTOR ABOUT THE KEYS", "PHONE 0817 362485"),
    ("DEAR SIR PLEASE SEND", "60 BOXES OF SIZE 42", "TO THE HARBOUR QUICKLY", "FLIGHT AF 1276 LEAVES"),
    ("GREETINGS FROM HANNA", "AT 0945 FROM GATE 38", "JOHN AND WILMA", "MUNICH 81375"),
)
LEFT_PX, FIRST_PX, PITCH_PX = 150, 200, 110

_FINER = 4
"""Paper is drawn so many times as large."""

Paper = Callable[[np.ndarray], None]
"""Draws on a white sheet, `_FINER` times as large."""


@dataclass(frozen=True)
class Kind:
    """A kind of page.

    Attributes:
        name: Of the row.
        paper: What is printed on it.
        scan: How it is scanned, see `Scan`.
        bilevel: Whether the scan is black and white only.
        pen: Breadth of the pen, in heights of capitals.
        turned_deg: By how much the page lies turned, counter-clockwise; in quarters of a turn.
        strokes: What else the hand drew, px, each from point to point.
    """

    name: str
    paper: Paper = lambda sheet: None
    scan: dict[str, float] = field(default_factory=dict)
    bilevel: bool = False
    pen: float = 0.09
    turned_deg: int = 0
    strokes: tuple[tuple[tuple[int, int], ...], ...] = ()


def lines(
    across_px: float,
    down_px: float = 0.0,
    width_px: float = 1.5,
    grey: int = 110,
    dash_px: tuple[float, float] | None = None,
    margin: bool = False,
) -> Paper:
    """Paper with lines.

    Args:
        across_px: From one level line to the next.
        down_px: From one upright line to the next; 0 for none.
        width_px: Of the lines.
        grey: Of them.
        dash_px: Length of dashes and of what is between them.
        margin: Whether there is an upright line at the left.
    """

    def draw(sheet: np.ndarray) -> None:
        height, width = sheet.shape
        thick = round(width_px * _FINER)
        marks = np.full((1, width), True)
        if dash_px is not None:
            marks = (np.arange(width) % round(sum(dash_px) * _FINER) < round(dash_px[0] * _FINER))[None]
        # The first line that is written on stands a little below its base line.
        for k in range(-40, 200):
            y = round((FIRST_PX + 4 + k * across_px) * _FINER)
            if 0 <= y < height:
                sheet[y : y + thick][np.broadcast_to(marks, sheet[y : y + thick].shape)] = grey
        for k in range(200 if down_px else 0):
            x = round((17 + k * down_px) * _FINER)
            sheet[:, x : x + thick] = grey
        if margin:
            sheet[:, 120 * _FINER : 123 * _FINER] = 60

    return draw


def _ring() -> Iterator[tuple[float, float]]:
    for angle in np.linspace(0, 2 * np.pi, 40):
        yield float(np.cos(angle)), float(np.sin(angle))


MM = DPI / 25.4
KINDS = (
    Kind("plain"),
    Kind("plain, turned by 7 degrees", scan={"angle_deg": 7}),
    Kind("plain, broad pen", pen=0.16),
    Kind("ruled", lines(PITCH_PX, width_px=2, grey=90)),
    Kind(
        "ruled, with a margin, turned by 4 degrees", lines(PITCH_PX, width_px=2, grey=90, margin=True), {"angle_deg": 4}
    ),
    Kind("dotted rules", lines(PITCH_PX, width_px=3, grey=40, dash_px=(3, 9)), {"angle_deg": 1.5}),
    Kind("dashed rules, black and white", lines(PITCH_PX, width_px=2.5, grey=0, dash_px=(12, 8)), bilevel=True),
    Kind("squares of 5 mm, pale", lines(5 * MM, 5 * MM, grey=190)),
    Kind("squares of 5 mm", lines(5 * MM, 5 * MM), {"angle_deg": 0.7}),
    Kind("squares of 5 mm, dark", lines(5 * MM, 5 * MM, 2, 80), {"angle_deg": 2.5}),
    Kind("squares of 5 mm, turned by 6 degrees", lines(5 * MM, 5 * MM), {"angle_deg": -6}),
    Kind("squares of 5 mm, black and white", lines(5 * MM, 5 * MM), {"angle_deg": 0.4}, bilevel=True),
    Kind("squares of 5 mm, broad pen", lines(5 * MM, 5 * MM), {"angle_deg": 0.4}, pen=0.16),
    Kind("squares of 5 mm, photographed", lines(5 * MM, 5 * MM), {"perspective": 0.03, "shadow": 0.3}),
    Kind("squares of 10 mm", lines(10 * MM, 10 * MM, 2), {"angle_deg": 0.5}),
    Kind("French ruling", lines(2 * MM, 8 * MM, grey=140, margin=True), {"angle_deg": 0.3}),
    Kind("a stroke through the first letters", strokes=(((158, 120), (160, 400), (156, 640)),)),
    Kind(
        "an arrow into the lines", strokes=(((600, 150), (640, 320), (600, 430)), ((590, 400), (600, 430), (625, 402)))
    ),
    Kind("a ring around words", strokes=(tuple((round(330 + 270 * c), round(285 + 80 * s)) for c, s in _ring()),)),
    Kind("turned by 30 degrees", scan={"angle_deg": 30}),
    Kind("upside down", turned_deg=180),
    Kind("sideways", turned_deg=90),
)


def main(arguments: list[str]) -> None:
    """Parses, draws, reads and prints."""
    parser = argparse.ArgumentParser(prog="bench pages", description=__doc__)
    parser.add_argument("--hands", type=int, default=8, help="hands that write each kind of page")
    options = parser.parse_args(arguments)
    transcriber = Transcriber()
    print("| Page | Lines | Right | Wrong, not for review |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            written, right, accepted = 0, 0, 0
            for seed in range(options.hands):
                texts = TEXTS[seed % len(TEXTS)]
                path = Path(folder) / "page.png"
                Image.fromarray(drawn(kind, texts, seed)).save(path, dpi=(DPI, DPI))
                found = [(r.text.replace(" ", ""), r.status) for r in transcriber.read(path).readings]
                wanted = [text.replace(" ", "") for text in texts]
                written += len(wanted)
                right += len({text for text, _ in found} & set(wanted))
                accepted += sum(status is Status.OK and text not in wanted for text, status in found)
            print(f"| {kind.name} | {written} | {right} | {accepted} |", flush=True)


def drawn(kind: Kind, texts: tuple[str, ...], seed: int) -> np.ndarray:
    """A page as a scanner sees it, grey.

    Args:
        kind: Of page.
        texts: Its lines.
        seed: Of the hand.
    """
    width, height = SIZE_PX
    sheet = np.full((height * _FINER, width * _FINER), 255, np.uint8)
    kind.paper(sheet)
    sheet = cv2.resize(sheet, SIZE_PX, interpolation=cv2.INTER_AREA)
    hand, ink = Hand(seed, gap=0.2, pen=kind.pen), np.zeros((height, width), np.uint8)
    for number, text in enumerate(texts):
        write_line(ink, text, LEFT_PX, FIRST_PX + number * PITCH_PX, width, CAPITAL_PX, hand)
    for stroke in kind.strokes:
        cv2.polylines(ink, [np.array(stroke, np.int32)], False, 255, round(kind.pen * CAPITAL_PX), cv2.LINE_AA)
    page, _ = Scan(**{"noise": 4, "blur_px": 0.6, "paper": 242, "seed": seed} | kind.scan).take(sheet, ink, 0.85)
    page = np.rot90(page, kind.turned_deg // 90)
    return np.where(page < 170, 0, 255).astype(np.uint8) if kind.bilevel else np.ascontiguousarray(page)
