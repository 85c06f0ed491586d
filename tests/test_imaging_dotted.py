"""Dotted and dashed rules."""

import cv2
import numpy as np
import pytest

from hwtranscribe.imaging.rules import erase_rules, find_dotted

HEIGHT, WIDTH, THICKNESS_PX = 400, 900, 5
ROW = 200


def dotted(size: tuple[int, int] = (3, 3), pitch: float = 12, lean: float = 0.0, row: int = ROW) -> np.ndarray:
    """A rule of dots or dashes across a picture, 1 where dark."""
    picture = np.zeros((HEIGHT, WIDTH), np.uint8)
    for x in np.arange(40, WIDTH - 60, pitch):
        top, left = round(row + lean * (x - 40)), round(x)
        picture[top : top + size[1], left : left + size[0]] = 1
    return picture


def written(picture: np.ndarray) -> np.ndarray:
    """A row of upright strokes that end upon the rule, and of loops that cross it."""
    for x in range(60, 500, 28):
        cv2.line(picture, (x, ROW - 50), (x + 6, ROW + 1), 1, 4)
        cv2.ellipse(picture, (x + 14, ROW - 8), (9, 20), 0, 0, 360, 1, 4)
    return picture


@pytest.mark.parametrize("size, pitch", [((3, 3), 12), ((2, 2), 8), ((12, 3), 20), ((4, 4), 18)])
@pytest.mark.parametrize("lean", [0.0, 0.004])
def test_a_dotted_rule_is_found_from_end_to_end(size, pitch, lean):
    level, upright = find_dotted(dotted(size, pitch, lean), THICKNESS_PX)
    assert len(level) == 1 and not len(upright)
    assert level.thickness_px.tolist() == [size[1]]
    assert level.xs.min() == 40 and level.xs.max() >= WIDTH - 60 - pitch
    upright_one = find_dotted(np.ascontiguousarray(dotted(size, pitch, lean).T), THICKNESS_PX)[1]
    assert len(upright_one) == 1 and upright_one.ys.min() == 40


def test_dots_under_writing_go_and_strokes_stay():
    plain, picture = written(np.zeros((HEIGHT, WIDTH), np.uint8)), written(dotted())
    left, _ = erase_rules(picture * 255, picture, find_dotted(picture, THICKNESS_PX))
    left = (left > 0).astype(np.uint8)
    more = left & ~cv2.dilate(plain, np.ones((3, 3), np.uint8))
    assert more.sum() < 0.1 * (picture & ~plain).sum()
    assert (left & plain).sum() > 0.97 * plain.sum()


def test_print_in_line_with_a_rule_is_no_part_of_it():
    """As that of a label before a dotted rule at the foot of its letters, or behind it."""
    picture = dotted()
    picture[:, :300] = 0
    picture[:, 640:] = 0
    label = np.zeros_like(picture)
    for x in (*range(30, 300, 11), *range(648, WIDTH, 11)):
        cv2.ellipse(label, (x, ROW - 12), (4, 13), 0, 0, 360, 1, 2)
    label[ROW : ROW + 3, 150:153] = 1
    rules, _ = find_dotted(picture | label, THICKNESS_PX)
    assert len(rules) == 1 and not label[rules.ys, rules.xs].any()


def test_strokes_on_paper_with_dots_all_over_stay_whole():
    picture, plain = np.zeros((HEIGHT, WIDTH), np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)
    for x in range(40, WIDTH - 20, 28):
        for y in range(16, HEIGHT - 10, 28):
            picture[y : y + 4, x : x + 4] = 1
    for x in range(90, 800, 45):
        cv2.line(plain, (x, 120), (x + 6, 170), 1, 4)
        cv2.line(plain, (x, 130), (x + 30, 128), 1, 4)
    rules = find_dotted(picture | plain, THICKNESS_PX)
    assert len(rules[0]) > 8 and not len(rules[1])
    left, _ = erase_rules((picture | plain) * 255, picture | plain, rules)
    assert (left[plain > 0] > 0).mean() > 0.99
    assert (left[(picture > 0) & (plain == 0)] > 0).mean() < 0.1


def test_what_keeps_no_pitch_is_no_rule():
    picture = np.zeros((HEIGHT, WIDTH), np.uint8)
    rng = np.random.default_rng(0)
    for x in np.cumsum(rng.uniform(6, 30, 40)).astype(int):
        picture[ROW : ROW + 3, x : x + 3] = 1
    for x in range(40, 40 + 7 * 12, 12):
        picture[60:63, x : x + 3] = 1
    for x, y in rng.integers(0, [WIDTH, ROW - 20], (60, 2)):
        picture[y : y + 2, x : x + 2] = 1
    assert not any(len(own) for own in find_dotted(picture, THICKNESS_PX))


def test_an_empty_picture_has_none():
    assert not any(len(own) for own in find_dotted(np.zeros((HEIGHT, WIDTH), np.uint8), THICKNESS_PX))
