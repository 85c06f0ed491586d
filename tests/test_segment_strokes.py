"""Long strokes across a page without a template: beside, around and through lines of writing."""

from functools import cache

import cv2
import numpy as np
import pytest
from drawn_pages import SHEET_PX, Hand, Scan, Sheet, write_line

from hwtranscribe import Transcriber
from hwtranscribe.register.upright import upright
from hwtranscribe.segment.free import page_lines
from hwtranscribe.segment.strokes import TOUCHED
from hwtranscribe.types import FieldReading, Page, Status

TEXTS = [
    (150, 200, "MEETING ON TUESDAY AT NOON"),
    (150, 310, "BRING 14 CHAIRS AND 3 TABLES"),
    (150, 420, "ASK VICTOR ABOUT THE KEYS"),
    (150, 530, "PHONE 0817 362485"),
    (150, 640, "GREETINGS FROM HANNA"),
]
WHOLE = [text for _, _, text in TEXTS]
ALL = [0, 1, 2, 3, 4]

Points = list[tuple[float, float]]


def arc(centre: tuple[float, float], radii: tuple[float, float], ends_deg: tuple[float, float] = (0, 360)) -> Points:
    """Points of an ellipse, or of a part of it."""
    angles = np.radians(np.linspace(*ends_deg, 60))
    return [(centre[0] + radii[0] * np.cos(a), centre[1] + radii[1] * np.sin(a)) for a in angles]


TOUCHING = {
    "margin": ([(158, 120), (160, 400), (156, 700)], 5, ALL),
    "thick margin": ([(158, 120), (160, 400), (156, 700)], 9, ALL),
    "bent margin": (arc((-460, 410), (670, 470), (-38, 38)), 4, ALL),
    "arrow": ([(710, 480), (740, 400), (700, 240)], 5, [1, 2]),
    "ring": (arc((330, 390), (270, 190)), 4, [1, 2, 3]),
    "cross": ([(140, 150), (900, 660), (890, 655), (520, 400), (880, 150), (160, 660)], 4, ALL),
    "wave": ([(150 + 25 * np.sin(t / 20), t) for t in range(130, 670, 3)], 4, ALL),
}
"""Strokes through characters: their points, their width, px, and the lines that they run into."""

CLEAN = {
    "margin": ([(85, 120), (90, 700)], 5),
    "bent margin": (arc((-560, 410), (640, 470), (-38, 38)), 4),
    "arrow": ([(1530, 240), (1570, 400), (1530, 500), (1520, 470), (1530, 500), (1555, 480)], 5),
    "ring": (arc((1420, 480), (110, 150)), 4),
}
"""Strokes that touch nothing."""


def drawn(points: Points, width_px: int, seed: int = 3) -> np.ndarray:
    """A page of lines with a stroke across it, grey."""
    ink = np.zeros(SHEET_PX[::-1], np.uint8)
    hand = Hand(seed, gap=0.2, pen=0.09)
    for left, baseline, text in TEXTS:
        write_line(ink, text, left, baseline, 2000, 44, hand)
    cv2.polylines(ink, [np.round(points).astype(np.int32)], False, 255, width_px, cv2.LINE_AA)
    return Scan(noise=4, blur_px=0.6, paper=242, seed=seed).take(Sheet(SHEET_PX).render(), ink, 0.85)[0]


@cache
def transcriber() -> Transcriber:
    return Transcriber()


def read(pixels: np.ndarray, folder) -> tuple[FieldReading, ...]:
    cv2.imwrite(str(folder / "page.png"), pixels)
    return transcriber().read(folder / "page.png").readings


def letters(text: str) -> str:
    return text.replace(" ", "")


@pytest.mark.parametrize("seed", [3, 21])
@pytest.mark.parametrize("name", TOUCHING)
def test_lines_that_a_stroke_runs_into_are_in_doubt_and_no_others(name, seed):
    points, width_px, touched = TOUCHING[name]
    lines = page_lines(upright(Page("page.png", 1, None, drawn(points, width_px, seed))))
    assert len(lines) == len(TEXTS)
    assert {k for k, line in enumerate(lines) if line.doubt == TOUCHED} >= set(touched)
    assert lines[4].doubt == ("" if 4 not in touched else TOUCHED)


@pytest.mark.parametrize("seed", [3, 21])
@pytest.mark.parametrize("name", CLEAN)
def test_strokes_that_touch_nothing_make_no_doubt(name, seed):
    lines = page_lines(upright(Page("page.png", 1, None, drawn(*CLEAN[name], seed))))
    assert [line.doubt for line in lines] == [""] * len(TEXTS)


@pytest.mark.parametrize("name", ["margin", "bent margin", "arrow", "ring", "cross"])
def test_lines_that_a_stroke_touches_are_read_and_for_review(name, tmp_path):
    points, width_px, touched = TOUCHING[name]
    readings = read(drawn(points, width_px), tmp_path)
    right = [letters(one.text) == letters(text) for one, text in zip(readings, WHOLE, strict=True)]
    assert any(right[k] for k in touched)
    for k in touched:
        assert readings[k].status is Status.REVIEW and TOUCHED in readings[k].detail


def test_lines_beside_a_stroke_that_touches_nothing_stay_accepted(tmp_path):
    alone, beside = (read(drawn(*stroke), tmp_path) for stroke in (([(0, 0), (1, 1)], 1), CLEAN["bent margin"]))
    assert [one.text for one in beside] == [one.text for one in alone]
    assert [one.status for one in beside] == [one.status for one in alone]
    assert Status.OK in {one.status for one in beside}


def test_a_stroke_that_joins_two_lines_does_not_make_them_one(tmp_path):
    readings = read(drawn([(164, 240), (160, 330), (163, 450)], 5), tmp_path)
    assert [letters(one.text) for one in readings][2:] == [letters(text) for text in WHOLE][2:]
    assert [TOUCHED in one.detail for one in readings] == [False, True, True, False, False]


@pytest.mark.parametrize("digit", ["6", "2", "4"])
def test_a_large_digit_among_small_ones_is_no_stroke(digit):
    ink = np.zeros((400, 900), np.uint8)
    hand = Hand(3, gap=0.3, pen=0.1)
    for row in range(2):
        write_line(ink, "SMALL WRITING HERE", 60, 90 + 250 * row, 2000, 26, hand)
    write_line(ink, digit, 60, 260, 2000, 110, Hand(3, gap=0.2, pen=0.05))
    write_line(ink, "000", 140, 260, 2000, 30, hand)
    pixels = Scan(noise=4, blur_px=0.6, paper=242, seed=3).take(Sheet((900, 400)).render(), ink, 0.85)[0]
    lines = page_lines(upright(Page("page.png", 1, None, pixels)))
    assert all(line.doubt == "" for line in lines)
    assert any(line.box[0] < 80 and line.box[3] - line.box[1] > 90 for line in lines)
