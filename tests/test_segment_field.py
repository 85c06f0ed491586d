"""Free writing in the field of a form: what belongs to it, what is left of its frame."""

import cv2
import numpy as np
from drawn_forms import as_aligned, field_boxes, free_boxes

from hwtranscribe.decode import decode_field
from hwtranscribe.segment.beside import BESIDE, has_mark_beside
from hwtranscribe.types import AlignedPage, Kind, Status


def page(ink: np.ndarray) -> AlignedPage:
    return as_aligned(255 - ink, ink)


def test_writing_that_hangs_on_what_surrounds_a_field_is_in_doubt_and_not_blank():
    ink = np.zeros((200, 400), np.uint8)
    cv2.putText(ink, "18", (150, 120), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 255, 4)
    alone = free_boxes(page(ink), "number", (100, 70, 250, 130))
    assert alone.doubt == "" and alone.node_count > 1
    # A frame that could not be taken off, and the writing stands on it.
    cv2.rectangle(ink, (93, 63), (257, 122), 255, 10)
    hanging = free_boxes(page(ink), "number", (100, 70, 250, 130))
    assert hanging.doubt
    scores = np.zeros((len(hanging.start), 11), np.float32)
    assert decode_field(hanging, scores, tuple("0123456789"), page=1, kind=Kind.DIGITS).status is Status.REVIEW


def test_a_tail_from_the_line_above_leaves_a_field_blank():
    ink = np.zeros((200, 400), np.uint8)
    cv2.putText(ink, "gg", (150, 80), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 255, 3)
    lattice = free_boxes(page(ink), "number", (100, 82, 250, 130))
    assert lattice.node_count == 1 and lattice.doubt == ""


def test_hair_lines_at_the_ends_of_a_field_are_left_of_its_frame():
    ink = np.zeros((200, 500), np.uint8)
    cv2.putText(ink, "HIH", (130, 120), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 255, 6)
    alone = free_boxes(page(ink), "name", (60, 65, 420, 135))
    for x in (72, 408):
        cv2.line(ink, (x, 66), (x, 130), 255, 2)
    framed = free_boxes(page(ink), "name", (60, 65, 420, 135))
    assert framed.boxes.tolist() == alone.boxes.tolist() and framed.doubt == ""
    # A stroke of the pen at an end is an I.
    cv2.line(ink, (400, 80), (400, 120), 255, 6)
    assert free_boxes(page(ink), "name", (60, 65, 420, 135)).boxes[:, 2].max() > 395


def on_a_form(ink: np.ndarray) -> AlignedPage:
    """Ink on a form whose blank is known."""
    return as_aligned(255 - ink, ink, np.zeros(ink.shape, bool))


def test_what_is_written_over_or_under_a_blank_field_makes_it_one_for_review():
    box, ink = (100, 70, 250, 130), np.zeros((240, 400), np.uint8)
    assert field_boxes(on_a_form(ink), "number", box, None).doubt == ""
    cv2.putText(ink, "18", (150, 65), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 255, 4)
    assert field_boxes(on_a_form(ink), "number", box, None).doubt == BESIDE
    assert field_boxes(on_a_form(ink), "number", box, None, [box, (100, 20, 250, 70)]).doubt == ""
    cv2.putText(ink, "42", (150, 120), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 255, 4)
    assert field_boxes(on_a_form(ink), "number", box, None).doubt == "", "it holds writing of its own"


def test_a_mark_around_a_check_box_or_right_beside_it_is_seen():
    box, ink = (100, 100, 136, 136), np.zeros((240, 400), np.uint8)
    assert not has_mark_beside(on_a_form(ink), box, [box])
    for draw in (
        lambda picture: cv2.circle(picture, (118, 118), 40, 255, 4),
        lambda picture: cv2.polylines(picture, [np.array([[104, 72], [114, 88], [134, 56]])], False, 255, 4),
    ):
        marked = ink.copy()
        draw(marked)
        assert has_mark_beside(on_a_form(marked), box, [box])
        assert not has_mark_beside(as_aligned(255 - marked, marked), box, [box]), "it may be printed"
    cv2.line(ink, (106, 106), (130, 130), 255, 4)
    cv2.putText(ink, "A", (220, 136), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 255, 4)
    assert not has_mark_beside(on_a_form(ink), box, [box])
