"""Combs that the tests draw, as pages whose blank form is known and as pages of which none is."""

import cv2
import numpy as np
from drawn_forms import as_aligned, as_page, draw_comb

from hwtranscribe.imaging.paper import darkness
from hwtranscribe.register import align, prepare_reference

BOX = (100, 100, 500, 150)


def comb_page(cells=8, style="full", box=BOX, shade=0):
    page = np.full((300, 700), 255, np.uint8)
    draw_comb(page, box, cells, style, shade)
    return page


def with_blank(blank, filled=None):
    """The filled comb as if it were registered to its blank."""
    filled = blank if filled is None else filled
    printing = cv2.dilate((blank < 200).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    ink = np.where(printing & (blank < 200), 0, darkness(filled)).astype(np.uint8)
    return as_aligned(filled, ink, printing)


def without_blank(filled):
    return align(as_page(filled), [prepare_reference(None, (filled.shape[1], filled.shape[0]))])
