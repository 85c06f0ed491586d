"""Boxes drawn by eye below the rule that a field is written on."""

import cv2
import numpy as np
from drawn_forms import FONT, as_page

from hwtranscribe.register import align, blank_page, prepare_reference
from hwtranscribe.segment.ruled import above_its_rule
from hwtranscribe.types import AlignedPage

RULE_PX = 300


def blank(print_below: str = "hereby certify that all that is stated is true", heading: str = "") -> AlignedPage:
    """A blank form with a rule to write on, and print under it or above it."""
    page = np.full((900, 900), 255, np.uint8)
    for row in range(8):
        cv2.putText(page, "Please write in block capitals with a black pen", (60, 480 + 45 * row), FONT, 0.7, 0, 1)
    cv2.line(page, (200, RULE_PX), (700, RULE_PX), 0, 2)
    cv2.putText(page, print_below, (200, RULE_PX + 22), FONT, 0.65, 0, 1, cv2.LINE_AA)
    cv2.putText(page, heading, (200, RULE_PX - 8), FONT, 0.65, 0, 1, cv2.LINE_AA)
    reference = prepare_reference(page, (900, 900), [(200, 250, 700, 320)])
    return blank_page(align(as_page(page), [reference]), reference)


def test_a_box_on_print_is_moved_above_its_rule():
    left, top, right, bottom = above_its_rule(blank(), (200, 294, 700, 328))
    assert (left, right, bottom - top) == (200, 700, 34)
    assert RULE_PX <= bottom <= RULE_PX + 6


def test_a_box_that_ends_on_its_rule_stays():
    box = (200, 268, 700, 304)
    assert above_its_rule(blank(), box) == box


def test_a_box_under_the_rule_of_a_heading_stays():
    box = (200, 302, 700, 336)
    assert above_its_rule(blank("", "What the applicant asks for"), box) == box
    # Print on both sides: nothing says where the writing is.
    assert above_its_rule(blank(heading="What the applicant asks for"), box) == box


def test_a_box_far_from_any_rule_stays():
    box = (200, 360, 700, 394)
    assert above_its_rule(blank(), box) == box
