"""Points and minus signs in numbers: they are not read, and what they change is for review."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_pages import Hand, Scan, Sheet, write_line
from PIL import Image

from hwtranscribe import FormTemplate, Transcriber
from hwtranscribe.types import FieldReading, Status

CAPITAL_PX, PITCH_PX = 50, 110


def write_number(ink: np.ndarray, text: str, left: int, baseline: int, hand: Hand) -> None:
    """Write digits, points, commas, dashes and slashes."""
    pen_px = max(2, round(hand.style.pen * CAPITAL_PX))
    x = left
    for mark in text:
        if mark == ".":
            cv2.circle(ink, (x + 7, baseline - 2), max(2, pen_px * 2 // 3), 255, -1, cv2.LINE_AA)
            x += 24
        elif mark == ",":
            cv2.line(ink, (x + 11, baseline - 4), (x + 4, baseline + 10), 255, pen_px, cv2.LINE_AA)
            x += 26
        elif mark == "-":
            cv2.line(ink, (x, baseline - 21), (x + 26, baseline - 23), 255, pen_px, cv2.LINE_AA)
            x += 40
        elif mark == "/":
            cv2.line(ink, (x + 20, baseline - CAPITAL_PX - 2), (x, baseline + 4), 255, pen_px, cv2.LINE_AA)
            x += 30
        else:
            alone = np.zeros_like(ink)
            write_line(alone, mark, x, baseline, 100, CAPITAL_PX, hand)
            np.maximum(ink, alone, out=ink)
            x = int(np.flatnonzero(alone.any(axis=0)).max()) + 10


def read(folder: Path, texts: list[str], seed: int, keys: str) -> list[FieldReading]:
    """What is read on the lines of a form with a number on each."""
    sheet, ink, hand = Sheet((1200, 900)), np.zeros((900, 1200), np.uint8), Hand(seed, pen=0.1)
    sheet.text(100, 80, "Levels of the river, one number a line", 40)
    form = 'schema = 1\nname = "levels"\n[[page]]\nsize = [1200, 900]\nreference = "blank.png"\n'
    for row, text in enumerate(texts):
        y = 220 + PITCH_PX * row
        sheet.text(100, y, f"Gauge {row + 1}", 36)
        sheet.line(400, y, 900, y)
        write_number(ink, text, 430, y - 14, hand)
        form += f'[[page.field]]\nname = "g{row}"\nkind = "digits"\nbox = [390, {y - 80}, 910, {y + 8}]\n{keys}\n'
    Image.fromarray(sheet.render()).save(folder / "blank.png")
    (folder / "form.toml").write_text(form)
    pixels, _ = Scan(noise=4, blur_px=0.6, paper=242, seed=seed).take(sheet.render(), ink, 0.85)
    Image.fromarray(pixels).save(folder / "scan.png")
    return list(Transcriber(form=FormTemplate.load(folder / "form.toml")).read(folder / "scan.png").readings)


@pytest.mark.parametrize("seed", [4, 7])
def test_a_number_with_a_point_or_a_minus_is_for_review(tmp_path, seed):
    readings = read(tmp_path, ["62.5", "48.20", "93,6", "-35", "-8.2"], seed, "min = 0\nmax = 99999")
    assert [one.text for one in readings] == ["625", "4820", "936", "35", "82"]
    assert all(one.status is Status.REVIEW for one in readings)
    details = [one.detail for one in readings]
    assert details[:3] == ["a point or comma in the number is not read"] * 3
    assert details[3] == "a minus before the number is not read"


@pytest.mark.parametrize("seed", [4, 7])
def test_points_between_thousands_dashes_around_and_numbers_without_either_are_as_before(tmp_path, seed):
    readings = read(tmp_path, ["6.238", "48,206", "-352-", "4820", "936"], seed, "min = 0\nmax = 99999")
    assert [one.text for one in readings] == ["6238", "48206", "352", "4820", "936"]
    assert not any("not read" in one.detail for one in readings)


def test_without_limits_a_field_holds_no_value_but_digits(tmp_path):
    readings = read(tmp_path, ["62.5", "48.20", "-35"], 4, "")
    assert not any("not read" in one.detail for one in readings)


@pytest.mark.parametrize("seed", [4, 7])
def test_a_slash_before_the_last_dash_is_no_one(tmp_path, seed):
    readings = read(tmp_path, ["250/-", "8/-", "4936/-", "4936-"], seed, "")
    assert [one.text for one in readings] == ["250", "8", "4936", "4936"]
