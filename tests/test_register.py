import cv2
import numpy as np
import pytest
from drawn_forms import COMB, HEIGHT, LINE, WIDTH, as_page, blank_form, filled_form, moved
from PIL import Image

from hwtranscribe.imaging.geometry import project
from hwtranscribe.imaging.rules import find_rules, follow_rules, reach_of
from hwtranscribe.pipeline.places import scaled
from hwtranscribe.register import align, prepare_reference, upright
from hwtranscribe.register.clean import scanned_printing
from hwtranscribe.register.printing import printing_in

POINTS = np.array([[x, y] for x in (80, 350, 640, 920) for y in (90, 420, 800, 1320)], float)


@pytest.fixture(scope="module")
def reference():
    return prepare_reference(blank_form(), (WIDTH, HEIGHT))


@pytest.fixture(scope="module")
def filled():
    return filled_form()


def off_px(aligned, page_from_blank) -> float:
    """Largest distance between where points of the blank are and where registration puts them, px of the template."""
    there = project(page_from_blank, POINTS)
    back = project(np.linalg.inv(aligned.page_from_aligned), there) / aligned.scale
    return float(np.linalg.norm(back - POINTS, axis=1).max())


@pytest.mark.parametrize(
    ("angle_deg", "scale", "perspective", "ground"),
    [
        (0, 1, 0, 255),
        (2.5, 1, 0, 255),
        (180, 1, 0, 255),
        (90, 1, 0, 255),
        (271, 0.9, 0, 255),
        (137, 1, 0, 255),
        (0, 0.7, 0, 255),
        (-3, 1.4, 0, 255),
        (8, 1, 0, 0),
        (4, 1, 0.12, 90),
    ],
)
def test_a_scan_is_found_wherever_it_lies(reference, filled, angle_deg, scale, perspective, ground):
    scan, transform = moved(filled, angle_deg, scale, perspective, ground)
    aligned = align(as_page(scan), [reference])
    assert aligned.registered and aligned.template_page == 0
    assert not aligned.warnings
    assert aligned.residual_px < 0.6
    assert off_px(aligned, transform) < 2.0


@pytest.mark.parametrize("angle_deg", [0.0, 180.0])
def test_a_form_that_is_mostly_a_grid_is_not_taken_upside_down(angle_deg):
    blank = np.full((HEIGHT, WIDTH), 255, np.uint8)
    for x in np.linspace(60, WIDTH - 60, 9).round().astype(int):
        cv2.line(blank, (x, 140), (x, HEIGHT - 140), 60, 2)
    for y in np.linspace(140, HEIGHT - 140, 25).round().astype(int):
        cv2.line(blank, (60, y), (WIDTH - 60, y), 60, 2)
    cv2.putText(blank, "Register of births 1911", (80, 90), cv2.FONT_HERSHEY_SIMPLEX, 1.4, 40, 3, cv2.LINE_AA)
    scan, transform = moved(blank, angle_deg)
    aligned = align(as_page(scan), [prepare_reference(blank, (WIDTH, HEIGHT))])
    assert aligned.registered and off_px(aligned, transform) < 2.0


def test_shadow_noise_and_bilevel_scans_are_found(reference, filled):
    rng = np.random.default_rng(1)
    scan, transform = moved(filled, 3)
    shade = np.linspace(1.0, 0.55, scan.shape[1])
    shadowed = np.clip(scan * shade + rng.normal(0, 8, scan.shape), 0, 255).astype(np.uint8)
    bilevel = np.where(scan > 150, 255, 0).astype(np.uint8)
    faint = (255 - (255 - scan.astype(float)) * 0.25).astype(np.uint8)
    for pixels in (shadowed, bilevel, faint):
        aligned = align(as_page(pixels), [reference])
        assert aligned.registered
        assert off_px(aligned, transform) < 2.0


def test_a_page_cut_at_its_edge_is_found(reference, filled):
    scan, transform = moved(filled, 1)
    cut = scan[250:]
    aligned = align(as_page(cut), [reference])
    assert aligned.registered
    assert off_px(aligned, np.array([[1, 0, 0], [0, 1, -250], [0, 0, 1]]) @ transform) < 3.0


def test_the_page_of_the_template_is_told(reference, filled):
    other = prepare_reference(blank_form(seed=5), (WIDTH, HEIGHT))
    scan, _ = moved(filled, 181)
    assert align(as_page(scan), [other, reference]).template_page == 1
    assert align(as_page(scan), [reference, other]).template_page == 0


def test_a_page_of_no_template_is_reported_and_not_read(reference):
    page = np.full((HEIGHT, WIDTH), 255, np.uint8)
    for y in range(80, 1300, 60):
        cv2.putText(page, "quite another letter altogether", (70, y), cv2.FONT_HERSHEY_COMPLEX, 1, 0, 2)
    for pixels in (page, np.full((HEIGHT, WIDTH), 255, np.uint8), np.zeros((40, 60), np.uint8)):
        aligned = align(as_page(pixels), [reference])
        assert not aligned.registered
        assert len(aligned.warnings) == 1


def test_printing_is_no_ink_and_writing_is(reference, filled):
    empty = align(as_page(moved(blank_form(), 1.5)[0]), [reference])
    assert (empty.ink > 100).sum() < 60
    aligned = align(as_page(moved(filled, 1.5)[0]), [reference])
    pen = np.zeros((HEIGHT, WIDTH), np.uint8)
    pen[filled != blank_form()] = 1
    core = cv2.erode(pen, np.ones((2, 2), np.uint8)) > 0
    assert (aligned.ink[core] > 100).mean() > 0.9
    near = cv2.dilate(pen, np.ones((7, 7), np.uint8)) > 0
    assert (aligned.ink[~near] > 100).sum() < 60


def test_letters_on_the_line_stay_whole(reference, filled):
    aligned = align(as_page(filled), [reference])
    box = aligned.ink[LINE[1] - 10 : LINE[3] + 10, LINE[0] : LINE[2]]
    count, _, stats, _ = cv2.connectedComponentsWithStats((box > 100).astype(np.uint8))
    assert count - 1 == len("LEIPZIG")
    assert stats[1:, cv2.CC_STAT_HEIGHT].max() <= 32


@pytest.mark.parametrize("overlap_px", [-2, 1, 3])
def test_the_foot_of_an_e_that_stands_on_a_line_stays(overlap_px):
    size = (1654, 2339)
    blank = cv2.resize(blank_form(), size, interpolation=cv2.INTER_AREA)
    cv2.line(blank, (300, 1900), (1500, 1900), 40, 3)
    page, foot = blank.copy(), 1896 + overlap_px
    for x in range(400, 1400, 80):
        for ends in (((x, foot - 50), (x, foot - 4)), *(((x, y), (x + 28, y)) for y in (foot - 50, foot - 26))):
            cv2.line(page, *ends, 70, 5)
        cv2.line(page, (x, foot - 4), (x + 28, foot), 70, 5)
    scan, _ = moved(page, 0.4)
    aligned = align(as_page(scan), [prepare_reference(blank, size)])
    kept = [aligned.ink[foot - 6 : foot + 3, x + 12 : x + 26].max(axis=0) > 100 for x in range(400, 1400, 80)]
    assert np.mean(kept) > 0.9
    assert not aligned.ink[1890:1912, 310:390].any() and not aligned.ink[1904:1912].any()


def test_rules_are_erased_with_less_reach_only_where_the_scan_shows_them_no_thicker():
    page = np.full((400, 1200), 255, np.uint8)
    cv2.line(page, (60, 300), (1140, 300), 40, 3)
    rules = find_rules((page < 128).view(np.uint8), 50, 8)
    assert len(rules[0]) == 1
    cv2.putText(page, "HARD WORK", (80, 298), cv2.FONT_HERSHEY_SIMPLEX, 3, 60, 6, cv2.LINE_AA)
    for blur_px, expected_px in ((0.5, 1), (3.0, 2)):
        scan = cv2.GaussianBlur(page, (0, 0), blur_px)
        assert reach_of(rules, (scan < 200).view(np.uint8), 2) == expected_px


def test_rules_that_a_scan_shows_thicker_are_followed_as_such():
    blank, scan = np.zeros((2, 400, 1200), np.uint8)
    for picture, thickness_px in ((blank, 3), (scan, 7)):
        cv2.line(picture, (60, 300), (1140, 300), 200, thickness_px)
    cv2.line(blank, (60, 100), (1140, 100), 200, 3)
    cv2.line(scan, (60, 101), (1140, 101), 200, 3)
    cv2.putText(scan, "WORK", (80, 99), cv2.FONT_HERSHEY_SIMPLEX, 3, 200, 6, cv2.LINE_AA)
    rules, _ = find_rules((blank > 128).view(np.uint8), 50, 8)
    found = follow_rules(rules, scan, 6, 100.0)
    thicker_px = {
        int(np.median(rules.ys[rules.owner == own])): found.thickness_px[own] - before
        for own, before in enumerate(rules.thickness_px)
    }
    assert thicker_px[100] == 0 and thicker_px[300] in (3, 4)


def test_pale_hints_go_and_writing_over_them_stays():
    blank = blank_form()
    write = blank.copy()
    for k, hint in enumerate("DDMMYYYY"):
        for page in (blank, write):
            cv2.putText(page, hint, (COMB[0] + 40 * k + 10, 432), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 185, 2, cv2.LINE_AA)
    cv2.line(write, (COMB[0] + 14, 408), (COMB[0] + 14, 434), 30, 3)
    aligned = align(as_page(moved(write, 1)[0]), [prepare_reference(blank, (WIDTH, HEIGHT))])
    inside = aligned.ink[COMB[1] + 6 : COMB[3] - 6]
    assert (inside[:, COMB[0] + 10 : COMB[0] + 19] > 150).any(axis=1).mean() > 0.9
    assert (inside[:, COMB[0] + 46 : COMB[2] - 6] > 100).sum() < 20


def test_a_finer_scan_gives_a_finer_frame(filled):
    small = prepare_reference(cv2.resize(blank_form(), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), (500, 700))
    aligned = align(as_page(filled), [small])
    assert aligned.registered
    assert aligned.scale == pytest.approx(2, abs=0.03)
    assert aligned.pixels.shape == aligned.ink.shape == (round(700 * aligned.scale), round(500 * aligned.scale))


def test_the_same_page_is_aligned_to_the_same_px(reference, filled):
    scan, _ = moved(filled, 12, perspective=0.05)
    first, second = (align(as_page(scan), [reference]) for _ in range(2))
    assert (first.ink == second.ink).all()
    assert (first.page_from_aligned == second.page_from_aligned).all()


def test_without_a_blank_a_page_of_the_right_size_is_not_moved(filled):
    aligned = align(as_page(filled), [prepare_reference(None, (WIDTH, HEIGHT))])
    assert aligned.registered
    assert (aligned.pixels == filled).all()
    assert (aligned.page_from_aligned == np.eye(3)).all()


def test_without_a_blank_a_page_is_set_upright_and_scaled(filled):
    scan, _ = moved(filled, 4, 2.0)
    aligned = align(as_page(scan), [prepare_reference(None, (WIDTH, HEIGHT))])
    linear = aligned.page_from_aligned[:2, :2]
    assert np.rad2deg(np.arctan2(linear[1, 0], linear[0, 0])) == pytest.approx(4, abs=0.3)


def test_upright_levels_a_page(filled):
    for angle_deg in (-6, 2, 11):
        aligned = upright(as_page(moved(filled, angle_deg)[0]))
        linear = aligned.page_from_aligned[:2, :2]
        assert np.rad2deg(np.arctan2(linear[1, 0], linear[0, 0])) == pytest.approx(angle_deg, abs=0.25)


def test_a_level_page_and_a_strip_are_left_alone(filled):
    assert upright(as_page(filled)).pixels is not None
    assert (upright(as_page(filled)).page_from_aligned == np.eye(3)).all()
    strip = np.full((44, 324), 250, np.uint8)
    cv2.putText(strip, "MARTIN", (40, 34), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 30, 2, cv2.LINE_AA)
    aligned = upright(as_page(strip))
    assert (aligned.pixels == strip).all()
    assert (aligned.ink[strip < 60] > 150).all()


def test_security_patterns_are_no_ink():
    rng = np.random.default_rng(2)
    strip = np.full((60, 220), 200, np.float64)
    strip += 18 * np.sin(np.arange(60) * 1.3)[:, None] + rng.normal(0, 5, strip.shape)
    strip = strip.astype(np.uint8)
    cv2.putText(strip, "4519", (30, 46), cv2.FONT_HERSHEY_SIMPLEX, 1.4, 70, 3, cv2.LINE_AA)
    ink = upright(as_page(strip)).ink
    count = cv2.connectedComponents((ink > 112).astype(np.uint8))[0]
    assert count - 1 <= 5


@pytest.mark.parametrize(("name", "size", "limit_px"), [("sbi", (1241, 1754), 0.8)])
def test_a_real_form(shared, name, size, limit_px):
    folder = shared / "real" / name
    blank = np.array(Image.open(folder / "sbi_blank_p2.jpg").convert("L"))
    scan = np.array(Image.open(folder / "sbi_filled_p2.jpg").convert("L"))
    reference = prepare_reference(blank, size)
    for pixels in (scan, np.rot90(scan, 2), np.rot90(scan)):
        aligned = align(as_page(np.ascontiguousarray(pixels)), [reference])
        assert aligned.registered and aligned.residual_px < limit_px
        # The lower half of the page is full of print that must be gone.
        assert (aligned.ink[1250:1420, 60:1180] > 100).sum() < 150


FRAMES = tuple((x, y, x + w, y + 44) for y, x, w in [(300, 90, 300), (300, 450, 420), (420, 90, 180), (420, 330, 90),
    (420, 500, 370), (560, 90, 560), (700, 130, 260), (700, 480, 200), (820, 90, 700)])  # fmt: skip


def framed_form() -> np.ndarray:
    page = np.full((HEIGHT, WIDTH), 255, np.uint8)
    for left, top, right, bottom in FRAMES:
        cv2.rectangle(page, (left, top), (right, bottom), 0, 2)
        cv2.putText(page, "17 204", (left + 10, bottom - 9), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 40, 3, cv2.LINE_AA)
    for y in range(950, 1350, 40):
        cv2.putText(
            page, "Some lines of print as forms have", (90, y), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 0, 1, cv2.LINE_AA
        )
    return page


@pytest.mark.parametrize(("angle_deg", "scale"), [(0, 1), (1.2, 1), (4, 1), (180, 1), (90, 1), (270, 0.8), (0, 1.3)])
def test_without_a_blank_the_frames_of_the_fields_lay_the_page(angle_deg, scale):
    reference = prepare_reference(None, (WIDTH, HEIGHT), FRAMES)
    scan, transform = moved(framed_form(), angle_deg, scale)
    shift = np.array([[1, 0, 21], [0, 1, -17], [0, 0, 1]]) @ transform
    scan = cv2.warpPerspective(
        scan, np.array([[1, 0, 21], [0, 1, -17.0], [0, 0, 1]]), scan.shape[::-1], borderValue=255
    )
    aligned = align(as_page(scan), [reference])
    assert off_px(aligned, shift) < 5.0
    assert aligned.residual_px < 2.0


def test_a_page_that_lies_right_is_not_resampled():
    aligned = align(as_page(framed_form()), [prepare_reference(None, (WIDTH, HEIGHT), FRAMES)])
    assert (aligned.pixels == framed_form()).all()


def test_boxes_without_frames_move_nothing(filled):
    boxes = tuple((100, y, 500, y + 40) for y in range(300, 700, 60))
    aligned = align(as_page(filled), [prepare_reference(None, (WIDTH, HEIGHT), boxes)])
    assert (aligned.page_from_aligned == np.eye(3)).all()


def test_parts_that_are_not_there_are_in_doubt(reference, filled):
    whole = align(as_page(filled), [reference])
    assert not whole.doubtful
    assert not whole.doubts(COMB)
    covered = filled.copy()
    covered[330:580] = 128
    cut = align(as_page(filled[600:]), [reference])
    for aligned in (align(as_page(covered), [reference]), cut):
        assert aligned.registered
        assert aligned.doubts(COMB)
        assert aligned.warnings
        assert not aligned.doubts((300, 1100, 600, 1150))


def test_pens_beside_every_hint_are_not_taken_for_it():
    page = blank_form()
    for x in range(COMB[0] + 18, COMB[2], 40):
        cv2.line(page, (x, 406), (x, 434), 175, 1)
    blank = printing_in(prepare_reference(page, (WIDTH, HEIGHT)), (WIDTH, HEIGHT))
    # Printing as dark as in the blank, and a pen along each hint.
    dark = cv2.bitwise_not(page)
    for x in range(COMB[0] + 18, COMB[2], 40):
        dark[400:440, x + 1 : x + 5] = 220
    expected = scanned_printing(dark[blank.window], blank)
    hints = expected[
        408 - blank.window[0].start : 432 - blank.window[0].start, COMB[0] + 18 - blank.window[1].start :: 40
    ]
    assert 70 <= hints[:, :8].max() <= 130


def framed_boxes():
    """A page of boxes with printed frames, and where they are."""
    page = np.full((1400, 1000), 255, np.uint8)
    boxes = [
        (120 + 400 * column, 150 + 110 * row, 420 + 400 * column, 200 + 110 * row)
        for row in range(10)
        for column in (0, 1)
    ]
    for box in boxes:
        cv2.rectangle(page, box[:2], box[2:], 0, 2)
    return page, boxes


@pytest.mark.parametrize("cut", [np.s_[:1150], np.s_[:, :820], np.s_[:, 180:]], ids=["bottom", "right", "left"])
def test_half_a_form_is_not_read_as_all_of_it_where_no_blank_is_known(cut):
    page, boxes = framed_boxes()
    reference = prepare_reference(None, (1000, 1400), boxes)
    whole, half = (align(as_page(np.ascontiguousarray(pixels)), [reference]) for pixels in (page, page[cut]))
    assert not any(whole.doubts(box) for box in boxes) and not whole.warnings
    assert all(half.doubts(scaled(box, half.scale)) for box in boxes)
    assert "boxes of the template were not found" in half.warnings[0]


def test_a_covered_box_is_in_doubt_where_no_blank_is_known():
    page, boxes = framed_boxes()
    page[boxes[7][1] - 20 : boxes[7][3] + 20, boxes[7][0] - 20 : boxes[7][2] + 20] = 255
    aligned = align(as_page(page), [prepare_reference(None, (1000, 1400), boxes)])
    assert [number for number, box in enumerate(boxes) if aligned.doubts(box)] == [7]
