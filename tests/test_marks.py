import cv2
import numpy as np
import pytest
from drawn_forms import TICK, as_aligned, as_page, blank_form

from hwtranscribe.marks import read_mark
from hwtranscribe.register import align, prepare_reference

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
    assert read_mark(align(as_page(page), [reference]), TICK) > 0.9


@pytest.mark.parametrize("blank_known", [True, False])
def test_empty_boxes_are_empty(blank_known):
    page = blank_form()
    cv2.circle(page, (118, 655), 1, 60, -1)
    reference = prepare_reference(blank_form() if blank_known else None, SIZE)
    aligned = align(as_page(page), [reference])
    for dx, dy in ((0, 0), (3, -2), (-3, 3)):
        box = (TICK[0] + dx, TICK[1] + dy, TICK[2] + dx, TICK[3] + dy)
        assert read_mark(aligned, box) < 0.05


def test_a_stroke_of_the_neighbour_is_no_mark():
    ink = np.zeros((200, 200), np.uint8)
    cv2.line(ink, (20, 104), (118, 98), 255, 3)
    assert read_mark(as_aligned(255 - ink, ink), (112, 95, 142, 125)) < 0.1


def test_a_scribble_that_takes_a_mark_back_is_doubtful():
    ink = np.zeros((200, 200), np.uint8)
    for x in range(84, 140, 4):
        cv2.line(ink, (x, 76), (x + 3, 136), 255, 4)
    assert 0.3 < read_mark(as_aligned(255 - ink, ink), (95, 90, 125, 120)) < 0.8


def test_a_box_off_the_page_is_no_mark():
    ink = np.zeros((50, 50), np.uint8)
    assert read_mark(as_aligned(255 - ink, ink), (60, 60, 80, 80)) == 0.0
