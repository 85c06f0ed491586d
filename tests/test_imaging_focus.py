import cv2
import numpy as np
import pytest
from drawn_forms import COMB, HEIGHT, LINE, WIDTH, as_page, blank_form, write_cells

from hwtranscribe.imaging.focus import OUT_OF_FOCUS, blur_px, in_focus
from hwtranscribe.register import align, prepare_reference, upright


def written_page() -> np.ndarray:
    page = np.full((1600, 1200), 250, np.uint8)
    for row in range(80, 1560, 60):
        cv2.putText(page, "WRITTEN WITH A PEN", (60, row), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 40, 2, cv2.LINE_AA)
        for x in range(50, 1150, 50):
            cv2.line(page, (x, row - 40), (x, row + 10), 60, 2)
    return page


@pytest.mark.parametrize("noise", [0, 4])
@pytest.mark.parametrize("blur", [1.5, 2.0, 3.0])
def test_blur_is_measured(blur, noise):
    scan = cv2.GaussianBlur(written_page(), (0, 0), blur).astype(np.float64)
    scan += np.random.default_rng(0).normal(0, noise, scan.shape) if noise else 0
    assert blur_px(np.clip(scan, 0, 255).astype(np.uint8)) == pytest.approx(blur, rel=0.3)


def test_noise_and_empty_paper_are_not_blurred():
    grain = np.random.default_rng(0).normal(200, 20, (800, 600))
    assert blur_px(np.clip(grain, 0, 255).astype(np.uint8)) < 1
    assert blur_px(np.full((800, 600), 250, np.uint8)) == 0
    assert blur_px(np.full((1, 1), 250, np.uint8)) == 0


def test_only_what_is_too_blurred_for_its_writing_is_sharpened():
    page = written_page()
    assert in_focus(page, 60.0) is page
    scan = cv2.GaussianBlur(page, (0, 0), 3.0)
    assert in_focus(scan, 200.0) is scan
    assert blur_px(in_focus(scan, 60.0)) < 0.75 * blur_px(scan)


def test_a_form_out_of_focus_is_found_cleaned_and_says_so():
    filled = blank_form()
    write_cells(filled, COMB, 8, "4711 802")
    cv2.putText(filled, "LEIPZIG", (330, LINE[3] - 8), cv2.FONT_HERSHEY_SIMPLEX, 1, 40, 3, cv2.LINE_AA)
    blurred = as_page(cv2.GaussianBlur(filled, (0, 0), 2.5))
    letters = []
    for height_px, page in (40, as_page(filled)), (40, blurred), (np.inf, blurred):
        aligned = align(page, [prepare_reference(blank_form(), (WIDTH, HEIGHT), writing_height_px=height_px)])
        # How large the writing is, and so how much blur is too much, is known by the fields alone.
        assert aligned.registered and (OUT_OF_FOCUS in aligned.warnings) == (page is blurred and height_px == 40)
        ink = aligned.ink[LINE[1] : LINE[3] - 4, LINE[0] : LINE[2]]
        letters.append(cv2.connectedComponents((ink > 100).view(np.uint8))[0] - 1)
    assert letters[0] == len("LEIPZIG") and letters[1] > letters[2]


def test_a_page_of_no_template_is_sharpened_by_the_size_of_its_writing_unless_its_ground_is_patterned():
    page = np.full((1200, 1200), 245, np.uint8)
    for row in range(80, 1160, 50):
        cv2.putText(page, "WRITTEN WITH A PEN", (60, row), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 40, 2, cv2.LINE_AA)
    blurred = cv2.GaussianBlur(page, (0, 0), 1.5)
    security = (60 * np.sin(np.arange(1200) * 0.9) ** 2).astype(np.uint8)
    patterned = cv2.subtract(blurred, np.tile(security, (1200, 1)))
    letters = {}
    for name, scan in (("page", page), ("blurred", blurred), ("patterned", patterned)):
        aligned = upright(as_page(scan))
        letters[name] = cv2.connectedComponents((aligned.ink > 100).view(np.uint8))[0] - 1
        assert (OUT_OF_FOCUS in aligned.warnings) == (name == "blurred")
    assert letters["blurred"] == pytest.approx(letters["page"], rel=0.1)


def test_a_blurred_form_is_as_clean_as_a_sharp_one_also_where_nothing_is_written():
    filled = blank_form()
    write_cells(filled, COMB, 8, "4711 802")
    reference = prepare_reference(blank_form(), (WIDTH, HEIGHT), writing_height_px=40)
    written, empty = (
        align(as_page(cv2.GaussianBlur(page, (0, 0), blur)), [reference]).ink > 100
        for page, blur in ((filled, 3.5), (blank_form(), 2.5))
    )
    inside = written[COMB[1] : COMB[3], COMB[0] : COMB[2]].sum()
    # Edges of printing that are blurred beyond the blank's are not taken for strokes of a pale pen.
    assert inside > 600 and written.sum() < 4 * inside
    assert empty.sum() < 300
