"""Where texts are divided into words."""

import numpy as np
import pytest

from hwtranscribe.decode.search import Text
from hwtranscribe.decode.spaces import spacing_of
from hwtranscribe.language import word_log_odds
from hwtranscribe.types import CharBoxes


def line(widths: list[float], gaps: list[float]) -> CharBoxes:
    """Characters of these widths with these gaps between them, in line heights; one way to cut them apart."""
    left = np.cumsum([0.0, *(width + gap for width, gap in zip(widths, gaps, strict=False))])
    extent = np.stack([left, left + widths], axis=1).astype(np.float32)
    n = len(widths)
    return CharBoxes(
        field="f",
        box=(0, 0, 30 * n, 30),
        node_count=n + 1,
        start=np.arange(n, dtype=np.int32),
        end=np.arange(1, n + 1, dtype=np.int32),
        boxes=np.concatenate([extent[:, :1], 0 * extent[:, :1], extent[:, 1:], 0 * extent[:, :1] + 1], axis=1) * 30,
        inks=tuple(np.zeros((30, 20), np.uint8) for _ in range(n)),
        geometry_log_prob=np.zeros(n, np.float32),
        blank=np.zeros(n, bool),
        skip_log_prob=np.full(n, -np.inf, np.float32),
        extent=extent,
        cells=False,
        uncut=np.zeros(n, bool),
        marks=np.zeros(n, bool),
    )


def divided(text: str, boxes: CharBoxes, words_known: bool = False) -> str:
    whole = Text(text, 0.0, tuple(range(len(text))))
    return spacing_of(boxes, whole, word_log_odds if words_known else None).divide(whole).text


@pytest.mark.parametrize(
    ("usual", "wide", "spaces"),
    [(0.0, 0.5, True), (0.1, 0.6, True), (0.1, 0.25, False), (0.5, 1.5, True), (0.9, 1.3, False), (0.9, 2.4, True)],
)
def test_a_space_is_clearly_wider_than_what_is_usual_on_its_line(usual, wide, spaces):
    text = "PARKAVENUE"
    uneven = [usual + 0.1 * usual * (-1) ** k for k in range(9)]
    uneven[3] = wide
    assert divided(text, line([0.6] * 10, uneven)) == ("PARK AVENUE" if spaces else text)


def test_a_bar_has_more_paper_around_it():
    gaps = [0.1, 0.1, 0.54, 0.1, 0.1]
    assert divided("MAMBOX", line([0.6] * 6, gaps)) == "MAM BOX"
    assert divided("MAMIOX", line([0.6, 0.6, 0.6, 0.1, 0.6, 0.6], gaps)) == "MAMIOX"


def test_words_decide_where_the_paper_leaves_it_open():
    gaps = [0.1, 0.12, 0.1, 0.43, 0.1, 0.12, 0.1]
    boxes = line([0.6] * 8, gaps)
    assert divided("PARKROAD", boxes, words_known=True) == "PARK ROAD"
    assert divided("MARTINEZ", boxes, words_known=True) == "MARTINEZ"


def test_a_number_beside_a_word_needs_less_paper():
    gaps = [0.05, 0.34, 0.05, 0.06, 0.05]
    boxes = line([0.6] * 6, gaps)
    assert (divided("82KING", boxes), divided("ASKING", boxes)) == ("82 KING", "ASKING")


def test_one_character_and_none_have_no_spaces():
    assert divided("A", line([0.6], [])) == "A"
    assert divided("", line([0.6], [])) == ""
    assert divided("AB", line([0.6, 0.6], [0.4])) == "AB"
