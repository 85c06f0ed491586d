"""Which pages of a template a picture shows: cut ones, ones in colour, several, and near twins."""

import cv2
import numpy as np
import pytest
from drawn_forms import HEIGHT, WIDTH, as_page, blank_form, filled_form, moved
from drawn_pages import Sheet

from hwtranscribe.imaging.geometry import project
from hwtranscribe.register import align, align_all, prepare_reference
from hwtranscribe.register.align import SHOWS_MORE


@pytest.fixture(scope="module")
def reference():
    return prepare_reference(blank_form(), (WIDTH, HEIGHT))


@pytest.fixture(scope="module")
def filled():
    return filled_form()


def sheet_of_boxes() -> np.ndarray:
    """A blank form that shows little but boxes below its heading."""
    sheet = Sheet()
    sheet.text(120, 170, "Riverside Rowing Club", 60, bold=True)
    for row, label in enumerate(
        ("Surname", "First name", "Town", "Street", "Date of birth", "Phone", "Fee", "Remarks")
    ):
        sheet.text(120, 420 + 220 * row, label, 30)
        for cell in range(8 + row):
            left = 500 + 60 * cell
            sheet.box(left, 370 + 220 * row, left + 60, 440 + 220 * row, 3)
    return np.array(sheet.render())


@pytest.mark.parametrize("cut_share", [0.1, 0.2, 0.3])
def test_a_form_of_boxes_that_is_cut_at_its_top_is_found(cut_share):
    drawn = sheet_of_boxes()
    page = drawn.copy()
    cv2.putText(page, "NOVAK", (140, 520), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 40, 4, cv2.LINE_AA)
    cut_px = round(cut_share * len(page))
    aligned = align(as_page(page[cut_px:]), [prepare_reference(drawn, drawn.shape[::-1])])
    assert aligned.registered and any("cut off" in warning for warning in aligned.warnings)
    shift = np.array([[1, 0, 0], [0, 1, -cut_px], [0, 0, 1.0]])
    low = np.array([[x, y] for x in (200, 800, 1500) for y in (900, 1500, 2200)], float)
    back = project(np.linalg.inv(aligned.page_from_aligned), project(shift, low))
    assert np.linalg.norm(back - low, axis=1).max() < 5.0


@pytest.mark.parametrize("angle_deg", [0.5, 90])
@pytest.mark.parametrize("print_tone", [165, 225])
def test_a_form_printed_in_a_light_colour_is_found_under_a_dark_pen(print_tone, angle_deg):
    drawn = sheet_of_boxes()
    page = np.where(drawn < 255, 255 - (255 - drawn.astype(float)) * (255 - print_tone) / 255, 255).astype(np.uint8)
    for row in range(8):
        for cell in range(8 + row):
            place = (515 + 60 * cell, 430 + 220 * row)
            cv2.putText(page, str((cell * 7 + row) % 10), place, cv2.FONT_HERSHEY_SIMPLEX, 1.6, 20, 5, cv2.LINE_AA)
    scan, _ = moved(page, angle_deg)
    aligned = align(as_page(scan), [prepare_reference(drawn, drawn.shape[::-1])])
    assert aligned.registered and not aligned.warnings


@pytest.mark.parametrize("rows", [1, 2])
def test_every_form_on_a_picture_is_found_in_reading_order(reference, filled, rows):
    other = blank_form()
    picture = np.hstack([filled, np.full((HEIGHT, 90), 255, np.uint8), np.ascontiguousarray(other[::-1, ::-1])])
    picture = np.vstack([picture] * rows)
    pages = align_all(as_page(picture), [reference])
    assert len(pages) == 2 * rows and all(page.registered and not page.warnings for page in pages)
    middles = [project(page.page_from_aligned, np.array([[WIDTH / 2, HEIGHT / 2]]))[0] for page in pages]
    places = [(round((y - HEIGHT / 2) / HEIGHT), round((x - WIDTH / 2) / (WIDTH + 90))) for x, y in middles]
    assert places == [(row, column) for row in range(rows) for column in range(2)]


def test_what_is_not_read_beside_a_form_is_reported(reference, filled):
    beside = np.full_like(filled, 255)
    for y in range(60, HEIGHT - 20, 40):
        cv2.putText(beside, f"minutes of the meeting {y * 7919}", (40, y), cv2.FONT_HERSHEY_COMPLEX, 1, 30, 2)
    (page,) = align_all(as_page(np.hstack([filled, beside])), [reference])
    assert page.registered and SHOWS_MORE in page.warnings


def test_pages_that_differ_in_a_word_are_told_apart():
    blanks = [blank_form(), blank_form()]
    for blank, word in zip(blanks, ("APPLICATION", "CANCELLATION"), strict=True):
        cv2.putText(blank, word, (330, 640), cv2.FONT_HERSHEY_SIMPLEX, 1, 40, 3, cv2.LINE_AA)
    references = [prepare_reference(blank, (WIDTH, HEIGHT)) for blank in blanks]
    for index, blank in enumerate(blanks):
        for angle_deg in (5, 90, 180, 270):
            assert align(as_page(moved(blank, angle_deg)[0]), references).template_page == index
