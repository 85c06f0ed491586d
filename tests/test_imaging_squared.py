"""Squared paper: lines that writing hides are known from the others."""

import cv2
import numpy as np
import pytest

from hwtranscribe.imaging.masks import above
from hwtranscribe.imaging.rules import find_rules, with_squares

HEIGHT, WIDTH, PITCH = 1200, 900, 39
LENGTH_PX, THICKNESS_PX = 48, 4
SHADE = 120
"""Darkness of the lines."""


def squared(pitch: tuple[float, float] = (PITCH, PITCH), lean: float = 0.0) -> np.ndarray:
    """Darkness of a page of squares that lean to one side by a share of their height."""
    dark = np.zeros((HEIGHT, WIDTH), np.uint8)
    for x in np.arange(11, WIDTH + lean * HEIGHT, pitch[0]):
        cv2.line(dark, (round(x), 0), (round(x - lean * HEIGHT), HEIGHT), SHADE, 2)
    for y in np.arange(7, HEIGHT, pitch[1]):
        cv2.line(dark, (0, round(y)), (WIDTH, round(y + lean * WIDTH)), SHADE, 2)
    return dark


def hidden(dark: np.ndarray, x: int) -> np.ndarray:
    """A page on which a pen goes to and fro over an upright line all the way."""
    for y in range(0, HEIGHT, 8):
        cv2.line(dark, (x - 6, y), (x + 6, y + 4), 255, 3)
    return dark


def found(dark: np.ndarray) -> list[np.ndarray] | None:
    """Where level and upright lines are found."""
    lines = with_squares(find_rules(above(dark, 40), LENGTH_PX, THICKNESS_PX), dark)
    return lines and [own.mask(dark.shape) for own in lines]


def covered(mask: np.ndarray, x: int) -> float:
    """Share of an upright line that is found, a px aside or not."""
    return float(mask[:, x - 1 : x + 3].any(axis=1).mean())


def test_a_line_that_writing_hides_is_known_from_those_beside_it():
    x = 11 + 9 * PITCH
    dark = hidden(squared(), x)
    plain = find_rules(above(dark, 40), LENGTH_PX, THICKNESS_PX)
    assert covered(plain[1].mask(dark.shape), x) < 0.2
    masks = found(dark)
    assert masks is not None and covered(masks[1], x) > 0.95


def test_nothing_is_added_where_no_line_is_seen():
    dark = squared()
    dark[:400] = 0
    dark[:, : 11 + 5 * PITCH + 20] = 0
    masks = found(dark)
    assert masks is not None
    assert not any(mask[:330].any() or mask[:, : 11 + 5 * PITCH].any() for mask in masks)


def test_lines_that_lean_and_part_from_one_another_are_followed():
    dark = squared(lean=0.01)
    narrowed = np.array([[0, 0], [WIDTH, 0], [0.97 * WIDTH, HEIGHT], [0.03 * WIDTH, HEIGHT]], np.float32)
    corners = np.array([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]], np.float32)
    dark = cv2.warpPerspective(dark, cv2.getPerspectiveTransform(corners, narrowed), (WIDTH, HEIGHT))
    written = dark.copy()
    for x in range(300, 600, 14):
        cv2.line(written, (x, 300), (x - 60, 500), 255, 4)
        cv2.line(written, (x, 500), (x - 60, 300), 255, 4)
    masks, clean = found(written), found(dark)
    assert masks is not None and clean is not None
    inside = np.s_[320:480, 320:580]
    for mask, whole in zip(masks, clean, strict=True):
        near = cv2.dilate(mask, np.ones((3, 3), np.uint8))[inside]
        assert near[whole[inside] > 0].mean() > 0.85


@pytest.mark.parametrize("pitch", [(PITCH, 110), (120, 40)])
def test_a_table_of_even_cells_is_not_squared_paper(pitch):
    assert found(squared(pitch)) is None


@pytest.mark.parametrize("size", [(7, 40), (20, 7), (12, 12), (12, 30)])
def test_a_part_of_the_page_with_squares_is_a_table(size):
    dark = squared()
    right, bottom = (7 + PITCH * count for count in size)
    dark[:, right + 8 :] = 0
    dark[bottom + 6 :] = 0
    assert found(dark) is None


def test_large_squares_are_cells_of_a_table():
    assert found(squared((72, 72))) is None


def test_a_table_with_wide_columns_is_not_squared_paper():
    dark = squared()
    for wide in (1, 3, 4, 8):
        x = 11 + wide * PITCH
        dark[:, x - 2 : x + 3] = np.where(dark[:, x - 7 : x - 6] > 0, SHADE, 0)
    assert found(dark) is None


def test_a_1_where_a_line_would_be_stays():
    dark = squared()
    # The paper ends within the page; beyond, only a stroke stands where a line would go on.
    dark[900:] = 0
    cv2.rectangle(dark, (2 * PITCH, 7 + 25 * PITCH), (WIDTH - 60, 7 + 27 * PITCH), SHADE, 2)
    cv2.line(dark, (11 + 9 * PITCH, 990), (11 + 9 * PITCH, 1035), 255, 4)
    masks = found(dark)
    assert masks is not None and not masks[1][987:1040, 11 + 9 * PITCH - 4 : 11 + 9 * PITCH + 5].any()


def test_ruled_paper_and_uneven_tables_are_not():
    ruled = squared((2 * WIDTH, PITCH))
    assert found(ruled) is None
    uneven = np.zeros((HEIGHT, WIDTH), np.uint8)
    places = np.cumsum(np.tile([40, 90, 60, 120, 75], 3))
    for place in places:
        cv2.line(uneven, (0, int(place)), (WIDTH, int(place)), SHADE, 2)
        cv2.line(uneven, (int(place), 0), (int(place), HEIGHT), SHADE, 2)
    assert found(uneven) is None


def test_a_page_without_lines_is_not():
    assert found(np.zeros((HEIGHT, WIDTH), np.uint8)) is None
