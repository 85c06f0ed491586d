"""Free writing: lines, components, cuts and lattices."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from drawn_forms import field_boxes, free_boxes

from hwtranscribe.segment.components import find_components, slant_shear
from hwtranscribe.segment.free import cut_off_lines, page_lines
from hwtranscribe.segment.geometry import skip_log_prob
from hwtranscribe.segment.lattice import line_lattice
from hwtranscribe.segment.lines import find_lines
from hwtranscribe.types import AlignedPage, CharBoxes

FONT = cv2.FONT_HERSHEY_SIMPLEX


def write(ink: np.ndarray, text: str, left: int, base: int, height: int = 30, pitch: int = 34, wobble: int = 3) -> list:
    """Write with a stroke font, letters up and down a little; returns the boxes of the characters."""
    rng = np.random.default_rng(len(text))
    boxes = []
    for i, character in enumerate(text):
        if character == " ":
            continue
        before = ink.copy()
        at = (left + i * pitch, base + int(rng.integers(-wobble, wobble + 1)))
        cv2.putText(ink, character, at, FONT, height / 22, 255, 3, cv2.LINE_AA)
        ys, xs = np.nonzero(ink != before)
        boxes.append((xs.min(), ys.min(), xs.max() + 1, ys.max() + 1))
    return boxes


def page(ink: np.ndarray) -> AlignedPage:
    return AlignedPage(1, None, 1.0, 255 - ink, ink, None, np.eye(3), 0.0)


def overlaps(lattice: CharBoxes, box: tuple) -> np.ndarray:
    """Intersection over union of a box with every edge."""
    b, e = np.array(box, float), lattice.boxes
    width = np.minimum(e[:, 2], b[2]) - np.maximum(e[:, 0], b[0])
    height = np.minimum(e[:, 3], b[3]) - np.maximum(e[:, 1], b[1])
    both = np.maximum(width, 0) * np.maximum(height, 0)
    area = (e[:, 2] - e[:, 0]) * (e[:, 3] - e[:, 1]) + (b[2] - b[0]) * (b[3] - b[1])
    return both / (area - both)


def best_overlap(lattice: CharBoxes, box: tuple) -> float:
    """Intersection over union of a box with the edge nearest to it."""
    return float(overlaps(lattice, box).max())


def paths_from(lattice: CharBoxes) -> set[int]:
    """Nodes that can be reached from the first."""
    reached = {0}
    for start, end in zip(lattice.start.tolist(), lattice.end.tolist(), strict=True):
        if start in reached:
            reached.add(end)
    return reached


@pytest.mark.parametrize("pitch", [34, 23], ids=["apart", "touching"])
def test_every_character_is_one_edge_of_the_lattice(pitch):
    ink = np.zeros((70, 300), np.uint8)
    boxes = write(ink, "3582069", 10, 50, pitch=pitch, wobble=0)
    lattice = line_lattice(ink, "f", (0, 0, 300, 70))
    assert [best_overlap(lattice, box) > 0.6 for box in boxes] == [True] * 7
    assert lattice.node_count - 1 in paths_from(lattice)


def ellipses(at: list[int], thickness: int = 4) -> np.ndarray:
    """Ink of zeros drawn around columns."""
    ink = np.zeros((60, 200), np.uint8)
    for x in at:
        cv2.ellipse(ink, (x, 30), (13, 18), 0, 0, 360, 255, thickness, cv2.LINE_AA)
    return ink


@pytest.mark.parametrize("pitch", [24, 28], ids=["overlapping", "touching"])
def test_zeros_that_share_a_wall_are_all_closed(pitch):
    at = [40 + i * pitch for i in range(3)]
    ink = ellipses(at)
    lattice = line_lattice(ink, "f", (0, 0, 200, 60))
    alone = ellipses([40])[:, 25:56]
    for x in at:
        box = (x - 15, 10, x + 16, 51)
        shares = overlaps(lattice, box)
        crop = lattice.inks[int(np.argmax(shares))]
        assert shares.max() > 0.75
        holes, _ = cv2.connectedComponents((np.pad(crop, 1) < 112).view(np.uint8), connectivity=4)
        assert holes == 3, "paper outside and paper inside"
        assert crop.sum() < 1.5 * alone.sum()


def test_two_zeros_are_not_one_character():
    lattice = line_lattice(ellipses([40, 68, 96]), "f", (0, 0, 200, 60))
    widths = lattice.boxes[:, 2] - lattice.boxes[:, 0]
    assert lattice.geometry_log_prob[widths > 45].max(initial=-10) < lattice.geometry_log_prob[widths < 40].max() - 4


def test_a_small_zero_is_not_left_out_as_a_dot_may_be():
    small = skip_log_prob(10, 12, 60, looped=True, dots=False, line_height_px=40, stroke_px=3)
    assert small < skip_log_prob(10, 12, 60, looped=False, dots=False, line_height_px=40, stroke_px=3) - 4


def least_skip_cost(low_part_px: int) -> float:
    """What it costs to leave out two strokes over one another between tall ones; the upper is a dot."""
    ink = np.zeros((60, 160), np.uint8)
    ink[10:50, 20:24] = ink[10:50, 130:134] = 255
    ink[20:24, 74:78] = 255
    ink[50 - low_part_px : 50, 74:78] = 255
    lattice = line_lattice(ink, "f", (0, 0, 160, 60))
    middle = (lattice.boxes[:, 0] > 60) & (lattice.boxes[:, 2] < 100)
    return float(lattice.skip_log_prob[middle].max())


def test_a_colon_is_left_out_and_a_dotted_i_is_not():
    assert least_skip_cost(5) > -1.5
    assert least_skip_cost(18) < -4


@pytest.mark.parametrize(("gap_px", "part"), [(2, True), (40, False)])
def test_strokes_close_together_are_one_character_where_letters_are_wide_apart(gap_px, part):
    ink = np.zeros((60, 400), np.uint8)
    stems = [20, 70, 120, 170, 174 + gap_px, 260]
    for left in stems:
        ink[10:50, left : left + 4] = 255
    lattice = line_lattice(ink, "f", (0, 0, 400, 60))
    single = lattice.boxes[:, 2] - lattice.boxes[:, 0] < 10
    costs = lattice.geometry_log_prob[single]
    assert (costs.min() < costs.max() - 0.5) == part


def test_an_equals_sign_is_left_out_and_a_low_zero_is_not():
    ink = np.zeros((70, 220), np.uint8)
    write(ink, "37", 10, 50)
    cv2.line(ink, (90, 30), (112, 29), 255, 4)
    cv2.line(ink, (90, 42), (112, 40), 255, 4)
    cv2.ellipse(ink, (160, 43), (12, 6), 0, 0, 360, 255, 3)
    lattice = line_lattice(ink, "f", (0, 0, 220, 70))
    equals, zero = (int(np.argmax(overlaps(lattice, box))) for box in ((88, 27, 115, 45), (146, 35, 174, 51)))
    bars = (lattice.start >= lattice.start[equals]) & (lattice.end <= lattice.end[equals])
    bars &= lattice.end == lattice.start + 1
    assert lattice.skip_log_prob[bars].sum() > lattice.geometry_log_prob[equals]
    assert lattice.skip_log_prob[zero] < lattice.geometry_log_prob[zero] - 2


def test_a_blurred_equals_sign_is_left_out_where_it_floats_and_a_raised_letter_is_not():
    ink = np.zeros((70, 260), np.uint8)
    write(ink, "37", 10, 50)
    cv2.line(ink, (90, 18), (112, 17), 255, 5)
    cv2.line(ink, (90, 25), (112, 24), 255, 5)
    raised = ink.copy()
    raised[:, 85:120] = 0
    cv2.putText(raised, "c", (92, 28), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 3)
    for line, left_out in ((ink, True), (raised, False)):
        lattice = line_lattice(line, "f", (0, 0, 260, 70))
        last = int(np.argmax(overlaps(lattice, (86, 14, 117, 29))))
        assert (lattice.skip_log_prob[last] > lattice.geometry_log_prob[last]) == left_out


def test_extents_are_those_of_the_hypotheses_in_heights_of_the_line():
    ink = np.zeros((70, 500), np.uint8)
    write(ink, "HAND PRINT", 10, 50)
    lattice = line_lattice(ink, "f", (0, 0, 500, 70))
    starts, ends = lattice.extent.T
    assert (ends > starts).all()
    at_word = (lattice.boxes[:, 0] > 10 + 5 * 34) & (lattice.boxes[:, 0] < 10 + 5.3 * 34)
    assert starts[at_word].min() - ends[lattice.boxes[:, 2] < 10 + 5 * 34].max() > 0.6


def test_dot_of_an_i_stays_with_it_and_a_full_stop_does_not():
    ink = np.zeros((70, 120), np.uint8)
    cv2.line(ink, (20, 30), (20, 55), 255, 4)
    cv2.circle(ink, (22, 16), 3, 255, -1)
    cv2.line(ink, (50, 15), (50, 55), 255, 4)
    cv2.circle(ink, (70, 54), 3, 255, -1)
    lattice = line_lattice(ink, "f", (0, 0, 120, 70))
    singles = lattice.end == lattice.start + 1
    assert singles.sum() == 3
    assert lattice.boxes[singles][0][1] <= 13
    may_be_left_out = np.isfinite(lattice.skip_log_prob[singles]) & (lattice.skip_log_prob[singles] > -2)
    assert may_be_left_out.tolist() == [False, False, True]


def test_slant_is_measured():
    upright = np.zeros((60, 400), np.uint8)
    write(upright, "HITLEHITLE", 30, 50)
    matrix = np.array([[1, -0.4, 12], [0, 1, 0]])
    leaning = cv2.warpAffine(upright, matrix, (400, 60))
    assert slant_shear((leaning > 100).view(np.uint8)) == pytest.approx(0.4, abs=0.1)
    assert abs(slant_shear((upright > 100).view(np.uint8))) <= 0.1


def test_empty_ink_gives_an_empty_lattice():
    lattice = line_lattice(np.zeros((40, 100), np.uint8), "f", (0, 0, 100, 40))
    assert (lattice.node_count, len(lattice.inks)) == (1, 0)


def test_lines_are_found_in_reading_order():
    ink = np.zeros((300, 600), np.uint8)
    write(ink, "SECOND LINE", 20, 160)
    write(ink, "FIRST", 20, 60)
    write(ink, "THIRD", 20, 260)
    lines = page_lines(page(ink))
    assert [line.field for line in lines] == ["line001", "line002", "line003"]
    assert [round(line.box[3], -1) for line in lines] == [60, 160, 260]


def test_printed_label_is_left_out_but_only_beside_writing():
    ink = np.zeros((120, 600), np.uint8)
    write(ink, "MARTIN", 200, 60, wobble=5)
    with_label = ink.copy()
    cv2.putText(with_label, "NNHEM", (20, 60), FONT, 0.7, 255, 4)
    alone = np.zeros_like(ink)
    cv2.putText(alone, "NNHEM", (20, 60), FONT, 0.7, 255, 4)
    (line,) = page_lines(page(with_label))
    assert line.box[0] > 190
    assert len(page_lines(page(alone))) == 1


def test_a_mark_beside_a_label_does_not_make_it_writing():
    ink = np.zeros((160, 400), np.uint8)
    cv2.putText(ink, "NNHEM", (20, 40), FONT, 0.8, 255, 4)
    width = np.flatnonzero(ink.max(axis=0)).max()
    ink[24:34, width + 15 : width + 18] = 255
    write(ink, "MARTIN", 20, 120, height=20, wobble=5)
    (line,) = page_lines(page(ink))
    assert line.box[1] > 60


def test_of_two_even_lines_the_more_even_one_is_type():
    ink = np.zeros((160, 400), np.uint8)
    cv2.putText(ink, "NNHEMNH", (20, 40), FONT, 0.7, 255, 4)
    write(ink, "NHMNHM", 20, 120, height=22, pitch=26, wobble=1)
    (line,) = page_lines(page(ink))
    assert line.box[1] > 60


@pytest.mark.parametrize(("colon", "label_goes"), [(True, True), (False, False)])
def test_an_uneven_word_with_a_colon_is_a_label(colon, label_goes):
    ink = np.zeros((120, 600), np.uint8)
    write(ink, "MARTIN", 160, 60, wobble=5)
    for at, (letter, lift) in enumerate(zip("NEM", (2, 0, 1), strict=True)):
        cv2.putText(ink, letter, (20 + 21 * at, 60 - lift), FONT, 0.7, 255, 4)
    if colon:
        for y in (47, 55):
            ink[y : y + 4, 86:90] = 255
    (line,) = page_lines(page(ink))
    assert (line.box[0] > 150) == label_goes


def test_letters_of_small_type_that_touch_are_a_label_and_touching_writing_is_none():
    ink = np.zeros((110, 400), np.uint8)
    for at, letter in enumerate("PRENOM"):
        cv2.putText(ink, letter, (20 + 8 * at, 30), FONT, 0.42, 255, 1, cv2.LINE_AA)
    write(ink, "MARTIN", 20, 80, height=14, pitch=12, wobble=3)
    ink[:40] = cv2.dilate(ink[:40], np.ones((1, 4), np.uint8))
    components = find_components(ink)
    label, written = components.bottom < 40, components.top > 50
    assert 0 < label.sum() < 4 and 0 < written.sum() < 6  # some hold several letters
    (line,) = page_lines(page(ink))
    assert line.box[1] > 50 and line.box[2] - line.box[0] > 70


def test_a_letter_broken_into_its_stems_is_no_label():
    ink = np.zeros((120, 600), np.uint8)
    for at, letter in enumerate("LEAORES"):
        write(ink, letter, 20 + 60 * at + (60 if at > 1 else 0), 60, height=22, wobble=2)
    for x in (148, 155):
        ink[44:60, x : x + 3] = 255
    (line,) = page_lines(page(ink))
    assert line.box[0] < 30


@pytest.mark.parametrize(
    ("left", "top", "right", "bottom", "lines"),
    [(155, 28, 159, 42, 1), (155, 12, 161, 18, 1), (155, 95, 159, 120, 2), (520, 28, 524, 42, 2)],
    ids=["in the line", "over it", "below", "beside"],
)
def test_a_lone_stroke_in_a_line_is_part_of_it_and_one_over_it_an_accent(left, top, right, bottom, lines):
    ink = np.zeros((140, 600), np.uint8)
    write(ink, "H", 20, 60, height=36)
    write(ink, "EHENE", 80, 60, height=20, pitch=40)
    ink[top:bottom, left:right] = 255
    assert len(page_lines(page(ink))) == lines


def test_what_stands_under_the_high_end_of_a_rising_line_is_another_line():
    ink = np.zeros((320, 1200), np.uint8)
    for at in range(24):
        write(ink, "HENE"[at % 4], 20 + 44 * at, 200 - 3 * at, height=24)
    ink[172:196, 1000:1004] = 255
    assert len(page_lines(page(ink))) == 2


def test_line_cut_off_by_the_edge_is_left_out():
    ink = np.zeros((140, 500), np.uint8)
    write(ink, "WHOLE LINE", 20, 100)
    write(ink, "CUT OFF", 20, 22, wobble=0)
    (whole,) = page_lines(page(ink))
    (cut,) = cut_off_lines(page(ink), 2)
    assert whole.box[3] > 90 > 30 > cut.box[3]
    assert cut.field == "line002"


def test_a_sliver_of_a_line_on_the_edge_is_never_read():
    ink = np.zeros((140, 500), np.uint8)
    write(ink, "WHOLE LINE", 20, 100)
    write(ink, "CUT OFF", 20, 12, wobble=0)
    assert len(page_lines(page(ink))) == 1
    assert cut_off_lines(page(ink), 2) == []


def test_a_mark_on_the_edge_does_not_outweigh_lines_that_are_cut_off():
    ink = np.zeros((60, 500), np.uint8)
    write(ink, "CUT OFF", 20, 66)
    cv2.line(ink, (498, 4), (498, 59), 255, 3)
    (line,) = page_lines(page(ink))
    assert line.box[2] < 300


def test_the_rest_of_a_line_on_the_edge_is_no_accent():
    ink = np.zeros((80, 300), np.uint8)
    written = write(ink, "HEIGHT", 20, 42)
    top = min(box[1] for box in written)
    ink[0 : top - 4, 24:28] = ink[0 : top - 4, 60:64] = 255
    (line,) = page_lines(page(ink))
    assert line.boxes[:, 1].min() >= top - 2


def test_accents_are_no_line():
    ink = np.zeros((120, 400), np.uint8)
    written = write(ink, "ECHANGEE", 20, 90)
    height = written[0][3] - written[0][1]
    for left, top, _, _ in (written[0], written[6]):
        cv2.line(ink, (left + 12, top - 4 - height // 3), (left + 6, top - 4), 255, 3)
    (line,) = page_lines(page(ink))
    assert line.box[3] > 80


def test_writing_that_leaves_its_field_belongs_to_it_and_the_neighbour_does_not():
    ink = np.zeros((200, 500), np.uint8)
    mine = write(ink, "GAUSS", 40, 110, height=44, pitch=46)
    write(ink, "OTHER", 40, 190)
    lattice = free_boxes(page(ink), "name", (30, 75, 400, 105))
    assert lattice.boxes[:, 3].max() == pytest.approx(max(box[3] for box in mine), abs=1)
    assert lattice.boxes[:, 1].min() == pytest.approx(min(box[1] for box in mine), abs=1)


def test_specks_are_no_components():
    ink = np.zeros((100, 300), np.uint8)
    write(ink, "AB", 20, 60)
    count = len(find_components(ink))
    ink[10, 250] = 255
    assert len(find_components(ink)) == count


def test_dots_of_a_fine_pen_in_a_coarse_scan_are_components():
    ink = np.zeros((30, 100), np.uint8)
    ink[8:20, 10:60:10] = 255
    count = len(find_components(ink))
    ink[5:7, 80] = 255
    assert len(find_components(ink)) == count + 1


@pytest.mark.parametrize("beside", [True, False])
def test_a_bar_as_high_as_the_writing_beside_it_is_a_one_also_on_a_page_of_small_print(beside):
    ink = np.zeros((300, 600), np.uint8)
    for y in (30, 70, 110):
        write(ink, "SMALL WRITING HERE", 10, y + 20, height=18, pitch=20)
    cv2.line(ink, (300, 190), (296, 270), 255, 4)
    cv2.ellipse(ink, (340 if beside else 480, 230), (20, 38), 0, 0, 360, 255, 4)
    lines = find_lines(ink)
    assert any(line.box[0] < 300 < line.box[2] and line.box[1] > 150 for line in lines) == beside


def test_characters_that_stand_on_a_rule_of_the_blank_form_are_known():
    ink = np.zeros((100, 400), np.uint8)
    write(ink, "ABC", 20, 70, wobble=0)
    printing = np.zeros(ink.shape, bool)
    printing[70:74, 45:] = True
    boxes = field_boxes(replace(page(ink), printing=printing, template_page=0), "f", (0, 20, 400, 75), None)
    whole = boxes.boxes[:, 2] - boxes.boxes[:, 0] > 15
    assert boxes.on_rule is not None
    on, off = boxes.boxes[whole & boxes.on_rule, 0], boxes.boxes[whole & ~boxes.on_rule, 0]
    assert on.min() > 45 > off.max()
    assert field_boxes(page(ink), "f", (0, 20, 400, 75), None).on_rule is None
