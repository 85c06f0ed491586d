"""From boxes of the template to those of the aligned page, and from there to the page as it was rendered."""

from dataclasses import replace

import numpy as np

from hwtranscribe.types import AlignedPage, Box, FieldReading


def scaled(box: Box, scale: float) -> Box:
    """A box of the template in aligned px."""
    left, top, right, bottom = (round(v * scale) for v in box)
    return left, top, right, bottom


def on_rendered_page(reading: FieldReading, aligned: AlignedPage) -> FieldReading:
    """The reading with its boxes in px of the rendered page."""
    return replace(
        reading,
        box=mapped(reading.box, aligned.page_from_aligned),
        characters=tuple(replace(c, box=mapped(c.box, aligned.page_from_aligned)) for c in reading.characters),
    )


def mapped(box: Box, homography: np.ndarray) -> Box:
    """The upright box around a box's corners under a homography."""
    left, top, right, bottom = box
    corners = np.array([[left, top, 1], [right, top, 1], [right, bottom, 1], [left, bottom, 1]], float) @ homography.T
    points = corners[:, :2] / corners[:, 2:]
    low, high = np.floor(points.min(axis=0) + 0.01), np.ceil(points.max(axis=0) - 0.01)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
