"""Pages without a template that lie sideways, upside down or obliquely, from the scan to what is read."""

import sys
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest
from drawn_pages import SHEET_PX, Sheet, Text, scanned
from PIL import Image
from results import reading

from hwtranscribe import Transcriber
from hwtranscribe.imaging.paper import darkness
from hwtranscribe.pipeline.orientation import HARDLY_LEGIBLE, read_upright
from hwtranscribe.register.directions import line_directions_deg
from hwtranscribe.register.upright import Ways, turned_by, upright, ways_upright
from hwtranscribe.types import Case, FieldReading, Kind, Page, ReadOptions, Status

LETTERS = [
    (150, 200, "MEETING ON TUESDAY AT NOON"),
    (150, 320, "ASK VICTOR ABOUT THE KEYS"),
    (150, 440, "GREETINGS FROM HANNA"),
]
NUMBERS = [
    (400, 150 + 90 * row, number) for row, number in enumerate(["4735", "2743", "725", "3457", "5234", "742", "7435"])
]
SAME_UPSIDE_DOWN = [(150, 200, "8018 8108 0801"), (150, 320, "1081 8801 1018")]


@pytest.fixture(scope="module")
def transcriber() -> Transcriber:
    return Transcriber(options=ReadOptions(case=Case.UPPER))


def drawn(texts: Sequence[Text], angle_deg: float = 0.0) -> np.ndarray:
    """A square sheet with room to be turned, scanned counter-clockwise by an angle."""
    side_px = SHEET_PX[0] + 300
    texts = [(left + 150, baseline + 550, text) for left, baseline, text in texts]
    return scanned(texts, Sheet((side_px, side_px)), angle_deg=angle_deg)[0].pixels


def read(transcriber: Transcriber, pixels: np.ndarray, folder):
    Image.fromarray(np.ascontiguousarray(pixels)).save(folder / "page.png")
    return transcriber.read(folder / "page.png")


def ink_in(pixels: np.ndarray, box: tuple[int, int, int, int]) -> float:
    """Share of a box that is dark."""
    left, top, right, bottom = box
    return float((pixels[top:bottom, left:right] < 128).mean())


@pytest.mark.parametrize(("texts", "quarters"), [(LETTERS, 1), (LETTERS, 2), (NUMBERS, 2), (NUMBERS, 3)])
def test_a_page_that_lies_wrongly_is_read_as_if_it_lay_upright(transcriber, tmp_path, texts, quarters):
    pixels = scanned(texts)[0].pixels
    upright_one = read(transcriber, pixels, tmp_path)
    lying = np.rot90(pixels, quarters)
    result = read(transcriber, lying, tmp_path)
    assert [line.text for line in result.lines] == [line.text for line in upright_one.lines]
    assert upright_one.warnings == () and result.warnings == (f"page 1: {turned_by(90 * quarters)}",)
    for line, as_upright in zip(result.lines, upright_one.lines, strict=True):
        left, top, right, bottom = line.box
        size_px = (right - left, bottom - top) if quarters == 2 else (bottom - top, right - left)
        left, top, right, bottom = as_upright.box
        assert size_px == pytest.approx((right - left, bottom - top), abs=3)
        # Of an upright box around each character, strokes take a good part.
        assert all(ink_in(lying, character.box) > 0.1 for character in line.characters)


@pytest.mark.parametrize(("angle_deg", "way_deg"), [(-20, 340), (35, 35), (140, 140)])
def test_oblique_pages_are_read(transcriber, tmp_path, angle_deg, way_deg):
    result = read(transcriber, drawn(LETTERS, angle_deg), tmp_path)
    # Spaces are another matter.
    written = [text for _, _, text in LETTERS]
    assert [line.text.replace(" ", "") for line in result.lines] == [text.replace(" ", "") for text in written]
    assert result.warnings == (f"page 1: {turned_by(way_deg)}",)


def test_numbers_that_read_the_same_upside_down_are_not_turned(transcriber, tmp_path):
    result = read(transcriber, scanned(SAME_UPSIDE_DOWN)[0].pixels, tmp_path)
    assert result.warnings == () and len(result.lines) == len(SAME_UPSIDE_DOWN)


def test_a_word_is_not_turned(transcriber, tmp_path):
    assert read(transcriber, np.rot90(scanned([(400, 300, "HANNA")])[0].pixels), tmp_path).warnings == ()


def test_nothing_is_sure_on_a_page_that_makes_no_sense(transcriber, tmp_path):
    rng = np.random.default_rng(5)
    pixels = np.full((1200, 1654), 255, np.uint8)
    for x, y in np.stack(np.meshgrid(np.arange(120, 1500, 90), np.arange(120, 700, 110)), -1).reshape(-1, 2):
        scribble = (x, y) + rng.uniform(0, 44, (9, 2))
        cv2.polylines(pixels, [scribble.round().astype(np.int32)], False, 30, 4, cv2.LINE_AA)
    result = read(transcriber, pixels, tmp_path)
    assert f"page 1: {HARDLY_LEGIBLE}" in result.warnings
    assert result.lines and not any(line.status is Status.OK for line in result.lines)


def test_directions_of_lines():
    for angle_deg in (-3, 30, -45, 70):
        lines = line_directions_deg(darkness(drawn(LETTERS, angle_deg)))
        assert lines[:2] == pytest.approx([angle_deg, angle_deg + 180], abs=0.5)
    assert line_directions_deg(np.zeros((1000, 800), np.uint8)) == []


def test_ways_in_which_a_page_may_lie():
    page, _ = scanned(LETTERS)
    ways = list(ways_upright(page).pages)
    assert (ways[0].pixels == upright(page).pixels).all() and ways[0].warnings == ()
    assert ways[1].warnings == (turned_by(180),)
    strip = replace(page, pixels=page.pixels[140:240])
    assert len(list(ways_upright(strip).pages)) == 1


def test_a_page_that_seems_oblique_is_not_turned_to_where_it_lies(monkeypatch):
    # The module has the name of a function that its package shows.
    module = sys.modules["hwtranscribe.register.upright"]
    monkeypatch.setattr(module, "line_directions_deg", lambda dark: [74.9, 254.9, -4e-16, 180.0])
    ways = ways_upright(scanned(LETTERS)[0])
    assert ways.oblique
    first, *others = ways.pages
    assert first.warnings == ()
    assert [way.warnings[0] for way in others] == [turned_by(74.9), turned_by(254.9), turned_by(180)]


def test_a_warning_names_the_shorter_way():
    assert turned_by(90).endswith("turned clockwise by 90 degrees")
    assert turned_by(270).endswith("turned counter-clockwise by 90 degrees")
    assert turned_by(-20).endswith("turned counter-clockwise by 20 degrees")


class Reads:
    """Reads ways of a page, given as how sure the characters are of each, and counts them."""

    def __init__(self, *sure: float, count: int = 40, oblique: bool = False) -> None:
        page, _ = scanned([])
        aligned = upright(page)
        self.ways = [replace(aligned, warnings=(f"{one}",)) for one in sure]
        self.count, self.oblique, self.read = count, oblique, 0

    def __call__(self, aligned) -> tuple[FieldReading, ...]:
        self.read += 1
        return (reading("line001", "7" * self.count, confidence=float(aligned.warnings[0])),)

    def chosen(self) -> float:
        aligned, readings = read_upright(Ways(iter(self.ways), self.oblique), self, self, Kind.ALPHANUMERIC)
        assert readings[0].characters[0].confidence == float(aligned.warnings[0])
        return float(aligned.warnings[0])


@pytest.mark.parametrize(
    ("sure", "count", "chosen", "times_read"),
    [
        ((0.85, 0.99), 40, 0.85, 1),  # well as it lies
        ((0.5, 0.99), 19, 0.5, 1),  # too little to tell
        ((0.5, 0.7, 0.95, 0.97), 40, 0.95, 4),  # well enough
        ((0.7, 0.79, 0.81), 40, 0.7, 3),  # not clearly better
        ((0.5, 0.74), 40, 0.5, 2),  # hardly any sense either way
        ((0.55, 0.76, 0.79, 0.7), 40, 0.79, 5),  # the best of them
    ],
)
def test_which_way_is_chosen(sure, count, chosen, times_read):
    reads = Reads(*sure, count=count)
    assert reads.chosen() == chosen
    assert reads.read == times_read


@pytest.mark.parametrize(("sure", "chosen"), [((0.85, 0.8, 0.78), 0.8), ((0.85, 0.5, 0.6), 0.85), ((0.7, 0.74), 0.7)])
def test_lines_that_seem_to_run_obliquely_are_read_both_ways(sure, chosen):
    assert Reads(*sure, oblique=True).chosen() == chosen


def test_a_drawing_that_runs_obliquely_turns_no_page(transcriber, tmp_path):
    pixels = scanned(LETTERS[:2])[0].pixels
    cv2.line(pixels, (200, 1100), (1500, 520), 40, 5, cv2.LINE_AA)
    cv2.line(pixels, (200, 520), (1500, 1100), 40, 5, cv2.LINE_AA)
    page = Page("page", 1, None, pixels)
    assert ways_upright(page).oblique and not any(
        warning.startswith("it does not") for warning in upright(page).warnings
    )
    result = read(transcriber, pixels, tmp_path)
    assert [line.text for line in result.lines] == [text for _, _, text in LETTERS[:2]]
