"""Free fields with several lines of writing in them, and single lines that look like more."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_forms import FONT, as_aligned
from drawn_pages import Hand, Scan, Sheet, write_line
from PIL import Image

from hwtranscribe import FormTemplate, Transcriber
from hwtranscribe.segment.field import field_lines
from hwtranscribe.segment.stacked import JOINED_LINES
from hwtranscribe.types import FieldReading, Status

REMARKS = 100, 300, 1100, 540
LINES = "NO POST IN JUNE", "KEYS WITH KLEIN", "SECOND FLOOR", "MILL LANE 12"


def remarks(texts: list[str], seed: int, pitch_px: int = 58, capital_px: float = 36) -> np.ndarray:
    """Ink of the box for remarks, with lines of writing in it."""
    ink = np.zeros((900, 1200), np.uint8)
    hand = Hand(seed, gap=0.22, pen=0.09)
    for number, text in enumerate(texts):
        write_line(ink, text, REMARKS[0] + 20, REMARKS[1] + 50 + pitch_px * number, 900, capital_px, hand)
    return ink


def read(folder: Path, ink: np.ndarray, keys: str) -> FieldReading:
    """What is read in the box for remarks of a form with a blank."""
    sheet = Sheet((1200, 900))
    for row, text in enumerate(("Riverside Housing Office", "Request for a permit", "Please print in CAPITALS")):
        sheet.text(100, 100 + 60 * row, text, 40)
    sheet.text(100, 640, "Data is used for the administration of permits only.", 26)
    sheet.box(*REMARKS)
    Image.fromarray(sheet.render()).save(folder / "blank.png")
    form = folder / "form.toml"
    form.write_text(
        'schema = 1\nname = "permit"\n[[page]]\nsize = [1200, 900]\nreference = "blank.png"\n'
        f'[[page.field]]\nname = "remarks"\nbox = {list(REMARKS)}\n{keys}\n'
    )
    pixels, _ = Scan(noise=4, blur_px=0.6, paper=242, seed=1, angle_deg=0.4).take(sheet.render(), ink, 0.85)
    Image.fromarray(pixels).save(folder / "scan.png")
    (reading,) = Transcriber(form=FormTemplate.load(form)).read(folder / "scan.png").readings
    return reading


def line_count(ink: np.ndarray) -> int:
    """How many lines are found in the box for remarks; none may be in doubt."""
    lines = field_lines(as_aligned(255 - ink, ink), "remarks", REMARKS, None)
    assert lines[0].doubt == ""
    return len(lines)


@pytest.mark.parametrize("seed", [1, 7])
@pytest.mark.parametrize("count", [2, 3, 4])
def test_lines_of_a_field_are_read_one_by_one_and_joined(tmp_path, seed, count):
    texts = list(LINES[:count])
    reading = read(tmp_path, remarks(texts, seed, pitch_px=52), 'kind = "alphanumeric"\ncase = "upper"')
    assert reading.text == " ".join(texts)
    assert len(reading.characters) == len(reading.text.replace(" ", ""))
    assert not reading.detail or reading.detail == "confidence below 0.9"


@pytest.mark.parametrize(
    ("keys", "texts"),
    [
        ('kind = "digits"', ["481726", "390518"]),
        ('kind = "letters"\ncase = "upper"\npattern = \'[A-Z ]{4,40}\'', ["SECOND", "FLOOR"]),
    ],
    ids=["digits", "pattern"],
)
def test_several_lines_where_one_is_expected_are_for_review(tmp_path, keys, texts):
    reading = read(tmp_path, remarks(texts, 1), keys)
    assert reading.status is Status.REVIEW
    assert "several lines are written where one is expected" in reading.detail
    assert reading.text.replace(" ", "") == "".join(texts)


def test_a_line_that_is_not_legible_makes_the_field_one_for_review(tmp_path):
    ink = remarks(["SECOND FLOOR"], 1)
    rng = np.random.default_rng(0)
    for x in range(130, 500, 45):
        points = rng.integers((x, 375), (x + 32, 415), (14, 2))
        cv2.polylines(ink, [points.astype(np.int32)], False, 255, 3, cv2.LINE_AA)
    reading = read(tmp_path, ink, 'kind = "alphanumeric"\ncase = "upper"')
    assert reading.text.startswith("SECOND FLOOR")
    assert reading.status is Status.REVIEW


@pytest.mark.parametrize("seed", [1, 7])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_as_many_lines_are_found_as_are_written(seed, count):
    assert line_count(remarks(list(LINES[:count]), seed, pitch_px=50)) == count


@pytest.mark.parametrize("slope", [-0.12, 0.08])
def test_a_line_that_climbs_or_falls_stays_one_and_two_are_two(slope):
    level = np.array([[1, 0, 0], [slope, 1, -500 * slope]])
    for count in (1, 2):
        ink = remarks(list(LINES[:count]), 1)
        assert line_count(cv2.warpAffine(ink, level, ink.shape[::-1])) == count


def test_accents_dots_tails_and_underlines_make_no_second_line():
    ink = np.zeros((900, 1200), np.uint8)
    cv2.putText(ink, "Jiggly pug, quay 7; fijord", (130, 420), FONT, 1.6, 255, 3, cv2.LINE_AA)
    assert line_count(ink) == 1
    cv2.line(ink, (125, 440), (700, 446), 255, 3, cv2.LINE_AA)
    for x in (220, 380, 520):
        cv2.line(ink, (x, 372), (x + 10, 362), 255, 3, cv2.LINE_AA)
    assert line_count(ink) == 1


@pytest.mark.parametrize("seed", [1, 7])
def test_specks_make_no_lines(seed):
    ink = remarks(list(LINES[:2]), seed, pitch_px=50)
    rng = np.random.default_rng(seed)
    left, top, right, bottom = REMARKS
    for x, y in rng.integers((left + 6, top + 6), (right - 12, bottom - 12), (150, 2)).tolist():
        cv2.ellipse(ink, (x, y), (int(rng.integers(2, 5)), int(rng.integers(2, 5))), 0, 0, 360, 255, -1)
    lines = field_lines(as_aligned(255 - ink, ink), "remarks", REMARKS, None)
    assert len(lines) <= 2


def test_characters_of_different_heights_and_a_torn_off_tail_make_no_second_line():
    ink = np.zeros((900, 1200), np.uint8)
    cv2.putText(ink, "R", (130, 420), FONT, 2.6, 255, 4, cv2.LINE_AA)
    cv2.putText(ink, "iver", (190, 420), FONT, 1.2, 255, 3, cv2.LINE_AA)
    cv2.putText(ink, "Ely", (330, 420), FONT, 1.6, 255, 3, cv2.LINE_AA)
    ink[424:426] = 0
    assert line_count(ink) == 1


def test_lines_that_touch_are_in_doubt():
    ink = remarks(list(LINES[:2]), 1, pitch_px=50)
    assert len(field_lines(as_aligned(255 - ink, ink), "remarks", REMARKS, None)) == 2
    ink[320:395, 260:264] = 255
    assert JOINED_LINES in field_lines(as_aligned(255 - ink, ink), "remarks", REMARKS, None)[0].doubt


def test_lines_too_near_to_be_parted_are_in_doubt():
    ink = np.zeros((900, 1200), np.uint8)
    for y, text in ((380, "SECOND FLOOR"), (417, "MILL LANE")):
        cv2.putText(ink, text, (130, y), FONT, 1.5, 255, 3, cv2.LINE_AA)
    lines = field_lines(as_aligned(255 - ink, ink), "remarks", REMARKS, None)
    assert len(lines) == 2 or lines[0].doubt == JOINED_LINES
