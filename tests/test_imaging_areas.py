"""Printed areas: bars behind headings, with light text on them."""

import cv2
import numpy as np
import pytest

from hwtranscribe.imaging.areas import without_areas

LONG_PX = 1400


def page_with(bar_tone: int = 230, angle_deg: float = 0) -> tuple[np.ndarray, np.ndarray]:
    """Darkness of a page with a bar that bears light text, and what of it is the bar."""
    dark = np.zeros((LONG_PX, 1000), np.uint8)
    cv2.rectangle(dark, (60, 600), (940, 630), bar_tone, -1)
    cv2.putText(dark, "ADDITIONAL DETAILS", (90, 624), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 10, 2)
    bar = np.zeros_like(dark)
    cv2.rectangle(bar, (60, 600), (940, 630), 1, -1)
    turn = cv2.getRotationMatrix2D((500, 700), angle_deg, 1)
    return (cv2.warpAffine(one, turn, (1000, LONG_PX)) for one in (dark, bar))


@pytest.mark.parametrize("angle_deg", [0, -0.6])
@pytest.mark.parametrize("tone", [130, 230])
def test_a_bar_goes_with_the_light_text_on_it(angle_deg, tone):
    dark, bar = page_with(tone, angle_deg)
    assert np.count_nonzero(dark[bar > 0] > 60) > 20_000
    left = without_areas(dark, LONG_PX)
    assert np.count_nonzero(left > 60) < 100


def test_writing_just_above_a_bar_stays():
    dark, bar = page_with()
    writing = np.zeros_like(dark)
    cv2.putText(writing, "ROSA 118", (300, 594), cv2.FONT_HERSHEY_SIMPLEX, 1, 160, 3)
    left = without_areas(np.maximum(dark, writing), LONG_PX)
    assert (left[writing > 0] > 0).mean() > 0.97


def test_strokes_rules_and_what_a_pen_has_blackened_are_no_areas():
    dark = np.zeros((LONG_PX, 1000), np.uint8)
    cv2.line(dark, (60, 200), (940, 200), 255, 4)
    cv2.putText(dark, "I", (200, 500), cv2.FONT_HERSHEY_SIMPLEX, 6, 255, 12)
    rng = np.random.default_rng(3)
    for x in range(300, 620, 6):
        cv2.line(dark, (x, 800 + rng.integers(-6, 6)), (x + rng.integers(0, 20), 840), int(rng.integers(120, 220)), 5)
    assert (without_areas(dark, LONG_PX) == dark).all()


def test_cut_outs_have_no_areas():
    strip = np.zeros((40, 300), np.uint8)
    strip[12:20, 20:280] = 220
    assert (without_areas(strip, 300) == strip).all()
