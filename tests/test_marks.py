import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_forms import TICK, as_aligned, as_page, blank_form

from hwtranscribe.marks import read_mark
from hwtranscribe.register import align, prepare_reference

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from benchmarks.marks import measured, probabilities  # noqa: E402
from sampling.marks import CROSSED_OUT, KINDS, TICKED  # noqa: E402

SIZE = (1000, 1400)


def tick(page):
    cv2.line(page, (105, 655), (113, 664), 60, 3)
    cv2.line(page, (113, 664), (128, 642), 60, 3)


def cross(page):
    cv2.line(page, (104, 644), (127, 667), 60, 3)
    cv2.line(page, (127, 644), (104, 667), 60, 3)


def stroke(page):
    cv2.line(page, (102, 664), (128, 646), 60, 3)


def filled(page):
    cv2.rectangle(page, (104, 644), (126, 666), 60, -1)


def faint(page):
    cv2.line(page, (105, 655), (113, 664), 190, 3)
    cv2.line(page, (113, 664), (128, 642), 190, 3)


def beyond(page):
    cv2.line(page, (108, 655), (116, 666), 60, 3)
    cv2.line(page, (116, 666), (150, 625), 60, 3)


@pytest.mark.parametrize("mark", [tick, cross, stroke, filled, faint, beyond])
@pytest.mark.parametrize("blank_known", [True, False])
def test_marks_are_seen(mark, blank_known):
    page = blank_form()
    mark(page)
    reference = prepare_reference(blank_form() if blank_known else None, SIZE)
    # A box that is filled to the last px may be one taken back, a stroke from far away another's: less sure.
    least = 0.8 if mark in (filled, beyond) else 0.95
    assert read_mark(align(as_page(page), [reference]), TICK).ticked > least


@pytest.mark.parametrize("blank_known", [True, False])
def test_empty_boxes_are_empty(blank_known):
    page = blank_form()
    cv2.circle(page, (118, 655), 1, 60, -1)
    reference = prepare_reference(blank_form() if blank_known else None, SIZE)
    aligned = align(as_page(page), [reference])
    for dx, dy in ((0, 0), (3, -2), (-3, 3)):
        box = (TICK[0] + dx, TICK[1] + dy, TICK[2] + dx, TICK[3] + dy)
        assert read_mark(aligned, box).ticked < 0.05


def test_a_stroke_of_the_neighbour_is_no_mark():
    ink = np.zeros((200, 200), np.uint8)
    cv2.line(ink, (20, 104), (118, 98), 255, 3)
    assert read_mark(as_aligned(255 - ink, ink), (112, 95, 142, 125)).ticked < 0.1


def test_a_line_that_passes_through_is_no_sure_mark():
    ink = np.zeros((200, 200), np.uint8)
    cv2.line(ink, (40, 128), (180, 82), 255, 3)
    assert read_mark(as_aligned(255 - ink, ink), (95, 90, 125, 120)).ticked < 0.5


def test_a_scribble_takes_a_mark_back():
    ink = np.zeros((200, 200), np.uint8)
    for x in range(84, 140, 4):
        cv2.line(ink, (x, 76), (x + 3, 136), 255, 4)
    mark = read_mark(as_aligned(255 - ink, ink), (95, 90, 125, 120))
    assert mark.crossed_out > 0.8 and mark.ticked < 0.2


def test_thick_and_crooked_frames_without_a_blank_form_are_no_marks_and_hide_none():
    for thickness, mark in ((2, tick), (4, tick), (2, cross), (4, cross)):
        page = np.full((1400, 1000), 255, np.uint8)
        cv2.line(page, (100, 640), (129, 641), 0, thickness)
        cv2.line(page, (129, 641), (130, 670), 0, thickness)
        cv2.line(page, (130, 670), (101, 669), 0, thickness)
        cv2.line(page, (101, 669), (100, 640), 0, thickness)
        assert read_mark(as_aligned(page, 255 - page), TICK).ticked < 0.1
        mark(page)
        assert read_mark(as_aligned(page, 255 - page), TICK).ticked > 0.9


def test_a_box_off_the_page_is_no_mark():
    ink = np.zeros((50, 50), np.uint8)
    assert read_mark(as_aligned(255 - ink, ink), (60, 60, 80, 80)).ticked < 0.01


def test_probabilities_mean_what_they_say():
    """On drawn sheets that the weights were not fitted on; `scripts/bench marks` does this at length."""
    features, kinds, _ = measured(range(901, 903))
    states = np.array([KINDS[kind][0] for kind in kinds])
    shares = probabilities(features)
    ticked = shares[:, TICKED]
    assert abs(ticked.mean() - (states == TICKED).mean()) < 0.03
    accepted = (np.maximum(ticked, 1 - ticked) > 0.9) & (shares[:, CROSSED_OUT] < 0.5)
    assert accepted.mean() > 0.75
    assert ((ticked > 0.5) != (states == TICKED))[accepted].mean() < 0.03
