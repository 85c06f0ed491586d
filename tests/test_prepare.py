"""What is done to every page first: negatives, streaks of dirty glass, and what is around the paper."""

import cv2
import numpy as np
import pytest
from drawn_forms import COMB, HEIGHT, WIDTH, as_page, blank_form, write_cells

from hwtranscribe.imaging.polarity import NEGATIVE, is_negative
from hwtranscribe.imaging.streaks import STREAKS, without_streaks
from hwtranscribe.register import align, prepare_reference, upright
from hwtranscribe.register.prepare import prepared


def written_page(width: int = 1200, height: int = 1600) -> np.ndarray:
    page = np.full((height, width), 245, np.uint8)
    for row in range(120, height - 80, 60):
        left = 100 + row % 47
        cv2.putText(page, "WRITTEN WITH A PEN", (left, row), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 40, 3, cv2.LINE_AA)
    return page


def with_lines(page: np.ndarray, *lines: tuple[int, int, int, int, int, int]) -> np.ndarray:
    page = page.copy()
    for x0, y0, x1, y1, tone, thickness in lines:
        cv2.line(page, (x0, y0), (x1, y1), tone, thickness)
    return page


@pytest.mark.parametrize("sideways", [False, True])
@pytest.mark.parametrize("lean", [0, 18])
def test_streaks_are_painted_over_and_the_writing_below_goes_on(lean, sideways):
    page = written_page()
    scan = with_lines(page, (333, 0, 333 + lean, 1599, 60, 1), (700, 0, 700 + lean, 1599, 150, 3))
    mended, dirty = without_streaks(scan.T if sideways else scan)
    assert dirty
    mended = mended.T if sideways else mended
    darkened, left, gone = page - 60.0 > scan, page - 60.0 > mended, page + 60.0 < mended
    assert left.sum() < 0.05 * darkened.sum() and gone.sum() < 0.01 * (page < 128).sum()


def test_a_bar_that_a_streak_crosses_stays_whole():
    page = written_page()
    cv2.rectangle(page, (80, 700), (1100, 712), 30, -1)
    mended, _ = without_streaks(with_lines(page, (517, 0, 517, 1599, 60, 2)))
    assert mended[704:709, 500:535].max() <= 60


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([(400, 100, 400, 1500, 40, 2)], id="a rule that keeps off the rim"),
        pytest.param([(400, 0, 400, 900, 40, 2)], id="a line down to the middle"),
        pytest.param([(0, y, 1199, y, 120, 2) for y in range(60, 1560, 60)], id="ruled paper"),
        pytest.param(
            [(x, 0, x, 1599, 60, 2) for x in (400, 800)] + [(0, y, 1199, y, 60, 2) for y in (500, 1000)], id="a grid"
        ),
    ],
)
def test_lines_that_are_no_streaks_stay(lines):
    scan = with_lines(written_page(), *lines)
    mended, dirty = without_streaks(scan)
    assert mended is scan and not dirty


def test_strokes_through_all_of_a_cut_out_stay():
    strip = with_lines(np.full((110, 500), 245, np.uint8), (250, 0, 250, 109, 40, 3))
    assert without_streaks(strip)[0] is strip
    assert prepared(strip, cut_out=True).pixels is strip


def test_the_edge_of_the_paper_is_no_dirt():
    mended, dirty = without_streaks(with_lines(written_page(), (12, 0, 12, 1599, 90, 2)))
    assert mended[:, 8:17].min() > 200 and not dirty


def test_a_form_with_streaks_is_cleaned_and_says_so():
    filled = blank_form()
    write_cells(filled, COMB, 8, "4711 802")
    streaky = with_lines(filled, *[(x, 0, x, HEIGHT - 1, 50, 2) for x in (COMB[0] + 30, COMB[0] + 250, WIDTH - 90)])
    reference = prepare_reference(blank_form(), (WIDTH, HEIGHT))
    clean, dirty = (align(as_page(scan), [reference]) for scan in (filled, streaky))
    assert dirty.registered and STREAKS in dirty.warnings and STREAKS not in clean.warnings
    box = slice(COMB[1], COMB[3]), slice(COMB[0], COMB[2])
    differ = np.abs(clean.ink[box].astype(int) - dirty.ink[box]) > 128
    assert differ.sum() < 0.1 * (clean.ink[box] > 128).sum()


def test_negatives_are_told_from_pages_on_a_dark_table_and_dark_pictures():
    page = written_page()
    table = np.full((2000, 2000), 40, np.uint8)
    table[200:1800, 300:1500] = page
    assert is_negative(255 - page)
    assert not any(is_negative(picture) for picture in (page, table, np.full((800, 600), 12, np.uint8)))
    strip = page[60:140]
    assert is_negative(255 - strip, cut_out=True) and not is_negative(strip, cut_out=True)


def test_negatives_are_turned_into_positives_with_a_warning():
    page = written_page()
    positive, negative = upright(as_page(page)), upright(as_page(255 - page))
    assert NEGATIVE in negative.warnings and NEGATIVE not in positive.warnings
    assert (positive.ink == negative.ink).all()
    form = blank_form()
    assert align(as_page(255 - form), [prepare_reference(form, (WIDTH, HEIGHT))]).registered
