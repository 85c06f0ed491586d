"""Slashes among digits, drawn in hands."""

import numpy as np
import pytest
from drawn_combs import BOX, comb_page, with_blank
from drawn_pages import Hand, write_line

from hwtranscribe.segment.cells import find_cells
from hwtranscribe.segment.components import find_components
from hwtranscribe.segment.field import field_lines
from hwtranscribe.segment.lattice import line_lattice
from hwtranscribe.segment.slashes import TALL_SKIPPED, end_in_slashes, slash_skips
from hwtranscribe.types import CROSSED_OUT

CAPITAL_PX = 44


def written(text: str, seed: int, lean: float = 0.4) -> np.ndarray:
    """A line of digits in a hand; `/` is a straight stroke a little taller than they are."""
    ink = np.zeros((140, 900), np.uint8)
    hand = Hand(seed)
    x = 40.0
    for part in text.replace("/", " / ").split():
        if part == "/":
            top, bottom = 92 - 1.08 * CAPITAL_PX, 92 + 0.08 * CAPITAL_PX
            stroke = np.linspace((x, bottom), (x + lean * (bottom - top), top), 20)
            hand.draw(ink, [stroke], CAPITAL_PX)
            x += lean * (bottom - top) + 10
        else:
            write_line(ink, part, round(x), 92, 500, CAPITAL_PX, hand)
            x = float(np.flatnonzero(ink.any(axis=0)).max()) + 10
    return ink


@pytest.mark.parametrize("seed", [5, 7, 12])
def test_what_may_be_a_slash_may_be_left_out(seed):
    ink = written("14/05/87", seed)
    assert list(slash_skips(find_components(ink)).values()) == [TALL_SKIPPED] * 2
    lattice = line_lattice(ink, "date", (0, 0, 900, 140))
    assert int((lattice.skip_log_prob == TALL_SKIPPED).sum()) == 2
    assert lattice.slashes


@pytest.mark.parametrize("seed", [5, 7, 12])
def test_upright_strokes_and_digits_are_no_slashes(seed):
    assert not slash_skips(find_components(written("14/05/87", seed, lean=0.05)))
    ink = written("2719 3548 06", seed)
    assert not slash_skips(find_components(ink))
    assert not line_lattice(ink, "number", (0, 0, 900, 140)).slashes


def comb_with(text: str, seed: int) -> np.ndarray:
    """A comb of eight cells of 40 px; `/` crosses a cell out."""
    blank = comb_page()
    ink = np.zeros_like(blank)
    hand = Hand(seed)
    for cell, character in enumerate(text):
        left = BOX[0] + 50 * cell
        if character == "/":
            hand.draw(ink, [np.linspace((left + 14, BOX[3] - 6), (left + 34, BOX[1] + 6), 20)], 34)
        elif character != " ":
            write_line(ink, character, left + 12, BOX[3] - 10, 30, 30, hand)
    return np.where(ink > 120, 30, blank).astype(np.uint8)


@pytest.mark.parametrize("seed", [5, 7, 12])
@pytest.mark.parametrize(("text", "crossed_out"), [("2748////", True), ("////3526", True), ("27483526", False)])
def test_cells_that_are_crossed_out_one_by_one_are_in_doubt(text, crossed_out, seed):
    aligned = with_blank(comb_page(), comb_with(text, seed))
    (boxes,) = field_lines(aligned, "number", BOX, find_cells(aligned, BOX, 8))
    assert (CROSSED_OUT in boxes.doubt) == crossed_out


def test_cells_in_which_there_is_next_to_no_ink_are_no_slashes():
    page = comb_page()
    for cell, tone in enumerate((165, 165, 20)):
        left = BOX[0] + 50 * cell + 18
        page[110:140, left : left + 5] = tone
    aligned = with_blank(comb_page(), page)
    (boxes,) = field_lines(aligned, "number", BOX, find_cells(aligned, BOX, 8))
    assert np.count_nonzero(~boxes.blank) == 3
    assert not end_in_slashes(boxes)
