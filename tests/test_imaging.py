import cv2
import numpy as np
import pytest

from hwtranscribe.imaging.geometry import project, scaling
from hwtranscribe.imaging.paper import darkness, normalise_ink, paper_level, softened, without_surroundings
from hwtranscribe.imaging.rules import erase_rules, find_rules


def paper(height=400, width=600):
    return np.full((height, width), 230, np.uint8)


def test_shadows_are_no_ink():
    page = paper()
    cv2.putText(page, "HELLO", (150, 220), cv2.FONT_HERSHEY_SIMPLEX, 3, 40, 8)
    shadow = np.linspace(1.0, 0.5, page.shape[1])
    ink = normalise_ink(darkness((page * shadow).astype(np.uint8)), max(page.shape))
    assert ink[page == 230].mean() < 2
    core = cv2.erode((page == 40).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert ink[core].min() > 200


def test_faint_writing_becomes_full_ink():
    page = paper()
    cv2.putText(page, "HELLO", (150, 220), cv2.FONT_HERSHEY_SIMPLEX, 3, 195, 8)
    assert np.percentile(normalise_ink(darkness(page), max(page.shape))[page == 195], 20) > 200


def test_faint_writing_is_ink_beside_black_print():
    page = paper(400, 1200)
    cv2.putText(page, "NAME", (30, 220), cv2.FONT_HERSHEY_SIMPLEX, 3, 0, 10)
    cv2.putText(page, "HELLO", (750, 220), cv2.FONT_HERSHEY_SIMPLEX, 3, 195, 8)
    assert np.percentile(normalise_ink(darkness(page), max(page.shape))[page == 195], 20) > 80


def test_a_page_of_one_shade_has_no_ink():
    for shade in (0, 128, 255):
        assert not normalise_ink(darkness(np.full((50, 70), shade, np.uint8)), 70).any()


def test_level_follows_the_paper_not_the_pen():
    page = paper()
    cv2.line(page, (100, 200), (500, 200), 0, 10)
    assert paper_level(page).min() > 200


def test_scan_borders_go_and_strokes_at_the_rim_stay():
    page = paper()
    page[:, :40] = 5
    page[360:] = 20
    cv2.line(page, (599, 100), (500, 150), 30, 6)
    cleaned = without_surroundings(page)
    assert cleaned[:, :40].min() > 200
    assert cleaned[365:].min() > 200
    assert cleaned[120, 560] < 60


def test_a_deep_shadow_on_writing_is_no_table_top():
    page = paper()
    for row in range(40, 400, 40):
        cv2.putText(page, "SOME PRINT IN LINES", (20, row), cv2.FONT_HERSHEY_SIMPLEX, 1, 20, 3)
    light = np.where(np.arange(page.shape[1]) > 250, 0.3, 1.0)
    shaded = (page * light).astype(np.uint8)
    assert (without_surroundings(shaded) == shaded).all()
    table = shaded.copy()
    grain = np.random.default_rng(0).normal(70, 8, (page.shape[0], page.shape[1] - 251))
    table[:, 251:] = np.clip(grain, 0, 255)
    assert without_surroundings(table)[:, 260:].min() > 200


def test_bilevel_scans_are_softened_and_grey_ones_are_not():
    page = np.full((1600, 1200), 255, np.uint8)
    cv2.putText(page, "HELLO", (150, 820), cv2.FONT_HERSHEY_SIMPLEX, 5, 0, 12)
    assert len(np.unique(softened(page))) > 10
    noisy = np.clip(page - np.random.default_rng(0).normal(40, 10, page.shape), 0, 255).astype(np.uint8)
    assert softened(noisy) is noisy


def test_resizing_keeps_px_centres():
    assert np.allclose(project(scaling(0.5), np.array([[0.5, 0.5]])), [[0, 0]])
    assert np.allclose(project(scaling(2), np.array([[0.0, 0.0]])), [[0.5, 0.5]])


def ruled(stroke=True):
    """A thin rule with a slanted stroke across."""
    page = np.zeros((300, 700), np.uint8)
    cv2.line(page, (20, 150), (680, 152), 200, 3)
    if stroke:
        cv2.line(page, (300, 80), (340, 230), 255, 7)
    return page


def erased(page):
    binary = (page > 100).astype(np.uint8)
    left, zone = erase_rules(page, binary, find_rules(binary, 60, 5))
    assert left.shape == zone.shape
    return left


def test_a_rule_goes():
    assert not erased(ruled(stroke=False)).any()


def test_rules_along_the_rim_of_the_picture_are_as_thick_as_others():
    binary = np.zeros((60, 200), np.uint8)
    binary[:3] = binary[-2:] = binary[:, -3:] = 1
    horizontal, upright = find_rules(binary, 50, 3)
    assert (len(horizontal), len(upright)) == (2, 1)


def test_a_stroke_across_a_rule_stays_one_piece():
    left = erased(ruled())
    count, _, stats, _ = cv2.connectedComponentsWithStats((left > 100).astype(np.uint8))
    assert count == 2
    assert stats[1, cv2.CC_STAT_HEIGHT] >= 148
    assert stats[1, cv2.CC_STAT_WIDTH] < 70


def test_a_stroke_along_a_rule_stays_where_it_is_darker():
    page = np.zeros((300, 700), np.uint8)
    cv2.line(page, (20, 150), (680, 150), 90, 3)
    cv2.line(page, (20, 250), (680, 250), 220, 3)
    # The bar of a 7 upon the rule, and the same upon one that is as dark as the pen.
    for y in (150, 250):
        cv2.line(page, (289, y), (297, y), 220, 3)
    binary = (page > 60).astype(np.uint8)
    rules = find_rules(binary, 60, 5)
    left, _ = erase_rules(page, binary, rules, tones=(10.0, 220.0))
    assert (left[149:152, 290:297] > 150).all()
    assert not left[149:152, 25:280].any() and not left[149:152, 305:675].any()
    assert not left[249:252, 25:675].any()
    assert not erase_rules(page, binary, rules)[0].any()


def combed(strokes):
    """A line with strokes of some heights standing on it."""
    page = np.zeros((300, 700), np.uint8)
    cv2.line(page, (50, 200), (650, 200), 255, 3)
    for x, tall in strokes:
        cv2.line(page, (x, 200 - tall), (x, 200), 255, 3)
    return page


def test_ticks_go_with_their_line_and_writing_between_them_stays():
    page = combed([(x, 20) for x in range(100, 600, 40)])
    cv2.putText(page, "7", (112, 192), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 3)
    left = erased(page)
    assert left[160:195, 108:135].any()
    left[:, 108:135] = 0
    assert not left[:197].any()


@pytest.mark.parametrize(
    "strokes",
    [
        pytest.param([(x, 20) for x in (100, 140, 180)], id="few"),
        pytest.param([(x, 20) for x in (100, 131, 190, 214, 270, 333, 365, 420)], id="unevenly set"),
        pytest.param([(x, 18 + 7 * (x // 40 % 3)) for x in range(100, 600, 40)], id="unevenly high"),
    ],
)
def test_other_strokes_on_a_line_are_writing(strokes):
    left = erased(combed(strokes))
    assert all(left[188:195, x].any() for x, _ in strokes)


def box_with_digits(sides=("top", "bottom", "left", "right")):
    """A small box whose lower side digits stand upon, so that most of it is thicker than the others."""
    page = np.zeros((300, 700), np.uint8)
    corners = {"left": ((100, 100), (100, 145)), "right": ((156, 100), (156, 145))}
    corners |= {"top": ((100, 100), (156, 100)), "bottom": ((100, 145), (156, 145))}
    for side in sides:
        cv2.line(page, *corners[side], 255, 3)
    for left, digit in ((106, "8"), (129, "2")):
        cv2.putText(page, digit, (left, 145), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 255, 4)
    return page


def test_a_box_is_closed_where_digits_stand_on_a_side():
    left = erased(box_with_digits())
    assert not left[:, :103].any() and not left[:, 154:].any() and not left[:103].any()
    count, _, stats, _ = cv2.connectedComponentsWithStats((left > 100).astype(np.uint8))
    assert count == 3 and min(stats[1:, cv2.CC_STAT_HEIGHT]) >= 20


def test_a_box_is_closed_where_writing_stands_on_sides_that_face_each_other():
    page = box_with_digits()
    # Type that touches the upper side.
    cv2.putText(page, "80", (108, 99), cv2.FONT_HERSHEY_SIMPLEX, 1, 255, 4)
    left = erased(page)
    assert not left[104:143, :103].any() and not left[104:143, 154:].any()
    _, _, stats, _ = cv2.connectedComponentsWithStats((left > 100).astype(np.uint8))
    characters = stats[1:][stats[1:, cv2.CC_STAT_AREA] > 20]
    assert len(characters) == 4 and characters[:, cv2.CC_STAT_WIDTH].max() < 30


def test_two_sides_alone_are_no_box():
    page = box_with_digits(("left", "top"))
    assert (erased(page) == page).all()


def test_boxes_go_with_their_short_sides():
    page = np.zeros((300, 700), np.uint8)
    cv2.rectangle(page, (100, 100), (150, 140), 255, 2)
    cv2.putText(page, "7", (112, 132), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 255, 3)
    before = page[106:136, 106:146].copy()
    left = erased(page)
    assert not left[:98].any() and not left[144:].any()
    assert left[98:104, 98:154].sum() == 0
    assert (left[106:136, 106:146] == before).mean() > 0.98


def test_letters_are_no_rules():
    page = np.zeros((200, 900), np.uint8)
    cv2.putText(page, "THE LETTER H", (20, 130), cv2.FONT_HERSHEY_SIMPLEX, 2.2, 255, 5)
    assert (erased(page) == page).mean() > 0.9995
