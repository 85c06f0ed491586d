"""Columns, lists and the order in which a page is read."""

import numpy as np
import pytest
from drawn_pages import Text, on_aligned, scanned

from hwtranscribe.register.upright import upright
from hwtranscribe.segment.free import page_lines
from hwtranscribe.segment.layout import Blocks, reading_order

ONE = ["THE LIFT WILL BE", "CLOSED ON MONDAY", "FOR SOME REPAIRS", "AND PAINTING", "PLEASE USE STAIRS"]
TWO = ["IN WING B OR ASK", "THE PORTER WHO", "HAS A KEY FOR THE", "GOODS LIFT WHICH", "IS STILL RUNNING"]
THREE = ["EVERY HOUR UNTIL", "SIX IN THE EVENING", "WE ARE SORRY FOR", "THE TROUBLE IT MAKES"]
SCANS = [{"angle_deg": 3.0}, {"angle_deg": -7.0, "scale": 0.6}]


def column(lines: list[str], left: float, top: float, pitch: float = 90) -> list[Text]:
    return [(left, top + pitch * number, text) for number, text in enumerate(lines)]


def order(texts: list[Text], **scan: float) -> list[int]:
    """Numbers of the texts in the order that their lines are found."""
    page, page_from_sheet = scanned(texts, **scan)
    aligned = upright(page)
    begins = on_aligned(aligned, page_from_sheet, [(left, baseline) for left, baseline, _ in texts])
    return [int(np.argmin(np.abs(begins - (line.box[0], line.box[3])).sum(axis=1))) for line in page_lines(aligned)]


@pytest.mark.parametrize("scan", SCANS, ids=str)
@pytest.mark.parametrize("lower", [0, 37], ids=["on one line", "between lines"])
def test_two_columns_are_read_one_after_the_other(scan, lower):
    texts = column(ONE, 120, 300) + column(TWO, 900, 300 + lower)
    assert order(texts, **scan) == list(range(10))


def test_a_heading_over_both_columns_comes_first_and_a_footer_last():
    texts = [
        (300, 200, "NEWS FOR ALL WHO LIVE IN THIS HOUSE"),
        *column(ONE, 120, 400),
        *column(TWO, 900, 400),
        (200, 1000, "AND THANK YOU ALL FOR YOUR PATIENCE"),
    ]
    assert order(texts) == list(range(12))


def test_three_columns():
    texts = column(ONE[:4], 60, 300) + column(TWO[:4], 610, 300) + column(THREE, 1160, 300)
    page_texts = [(left, baseline, text[:10]) for left, baseline, text in texts]
    assert order(page_texts) == list(range(12))


@pytest.mark.parametrize("scan", SCANS, ids=str)
def test_rows_of_a_list_stay_together(scan):
    items, prices = ["APPLES", "BREAD", "MILK", "EGGS", "CHEESE", "HONEY"], ["12", "350", "99", "180", "1250", "725"]
    texts = [
        text
        for number, (item, price) in enumerate(zip(items, prices, strict=True))
        for text in ((150, 300 + 90 * number, item), (900, 300 + 90 * number, price))
    ]
    assert order(texts, **scan) == list(range(12))


def test_a_date_at_the_right_comes_before_the_columns():
    texts = [(1150, 200, "14 MAY"), *column(ONE, 120, 400), *column(TWO, 900, 400)]
    assert order(texts) == list(range(11))


def test_one_column_of_writing_is_one_part():
    boxes = np.array([[100, 100 + 60 * row, 900 - 90 * (row % 3), 140 + 60 * row] for row in range(12)], float)
    (part,) = reading_order(Blocks(boxes, np.ones(12, np.int64), 40.0))
    assert len(part) == 12


def test_an_empty_page_has_no_parts():
    assert reading_order(Blocks(np.zeros((0, 4)), np.zeros(0, np.int64), 40.0)) == []


def test_what_only_stands_higher_at_the_right_is_no_column():
    boxes = np.array([[900, 100, 1200, 140], [100, 300, 600, 340], [100, 400, 600, 440], [100, 500, 600, 540]], float)
    (part,) = reading_order(Blocks(boxes, np.ones(4, np.int64), 40.0))
    assert len(part) == 4
