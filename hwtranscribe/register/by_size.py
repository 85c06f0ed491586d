"""Pages of a template without a blank form: upright, scaled to its size, and laid by their ruled frames."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from hwtranscribe.imaging.areas import without_areas
from hwtranscribe.imaging.geometry import project, scaling
from hwtranscribe.imaging.paper import darkness
from hwtranscribe.imaging.rules import drawn_through
from hwtranscribe.register.clean import ink_without_blank, rules_of
from hwtranscribe.register.frames import LEAST_COVERED, Frames, frame_of_boxes
from hwtranscribe.register.reference import Reference
from hwtranscribe.register.upright import quarter_turns, skew_deg, turned
from hwtranscribe.types import AlignedPage, Box, Page

LONG_SIDE_PX = 3508
"""No frame is enlarged beyond this: A4 at 300 dpi."""

SAME_SIZE = 0.1
"""A page whose sides are this near the template's is taken to be laid as the template is."""

STILL = 0.0025
"""A page that would move by less than this share of its long side is left as it is: boxes are not drawn so exactly."""

SURE = 0.7
"""Share of outlines on rules at which no other way to lay the page is tried."""

LEAST_BOXES = 5
"""Fewer frames may fit by chance."""

TURNED_GAIN = 0.25
"""A page is turned over only when so much more of the outlines then lies on rules: grids look alike either way."""


@dataclass(frozen=True, slots=True, eq=False)
class _Laid:
    """A way to lay a page.

    Attributes:
        pixels: In the frame.
        page_from_frame: Homography.
        turned: Whether it is turned by right angles.
    """

    pixels: UInt8[np.ndarray, "height width"]
    page_from_frame: Float64[np.ndarray, "3 3"]
    turned: bool = False


def frame_scale(finer: float, size: tuple[int, int]) -> float:
    """Return the scale of the frame for a scan that has `finer` px per px of the template.

    Args:
        finer: px of the page per px of the template.
        size: Width and height of the template, px.
    """
    if 0.85 <= finer <= 1.2:
        return 1.0
    # In steps, so that what is computed of the template serves all the scans of a stack.
    return min(max(round(finer * 20), 1) / 20, max(1.0, LONG_SIDE_PX / max(size)))


def aligned_by_size(page: Page, reference: Reference, index: int) -> AlignedPage:
    """Return a page in the frame of a template page without a blank form.

    Args:
        page: As rendered, without its surroundings.
        reference: Of the template page; where its boxes lie on ruled frames, these lay the page.
        index: 0-based page of the template.
    """
    ways = _ways(page.pixels, reference.size)
    laid = next(ways)
    residual_px, best = 0.0, 0.0
    lost: tuple[int, ...] = ()
    framed_form = len(reference.boxes) >= LEAST_BOXES
    if framed_form:
        for way in chain([laid], ways):
            framed, frames = _framed(way, reference)
            if frames.covered > best + (TURNED_GAIN if way.turned else 0.0):
                best, lost, residual_px = frames.covered, frames.lost, frames.residual_px
                laid = laid if framed is None else framed
            if best >= SURE:
                break
    dark = without_areas(darkness(laid.pixels), max(laid.pixels.shape))
    rules = rules_of(dark)
    warnings: tuple[str, ...] = ()
    doubtful: tuple[Box, ...] = ()
    if framed_form and best < LEAST_COVERED:
        # Another form, or half of this one, would be read as if it lay there.
        height, width = dark.shape
        doubtful = ((0, 0, width, height),)
        warnings = (
            f"the boxes of the template were not found: {best:.0%} of their outlines lie on ruled lines (at least "
            f"{LEAST_COVERED:.0%}); all its fields are for review. A blank form as reference tells more",
        )
    elif lost:
        scale = laid.pixels.shape[1] / reference.size[0]
        doubtful = tuple(_scaled_box(reference.boxes[number], scale) for number in lost)
        warnings = ("a part of the form is cut off or covered: its fields are for review",)
    return AlignedPage(
        page=page.number,
        template_page=index,
        scale=laid.pixels.shape[1] / reference.size[0],
        pixels=laid.pixels,
        ink=ink_without_blank(dark, rules),
        printing=None,
        page_from_aligned=laid.page_from_frame,
        residual_px=residual_px,
        warnings=warnings,
        doubtful=doubtful,
        rules=drawn_through(rules[0], dark.shape, 1),
    )


def _ways(pixels: UInt8[np.ndarray, "height width"], size: tuple[int, int]) -> Iterator[_Laid]:
    """Yield ways to lay a page into the frame of a template of a size, the likeliest first."""
    height, width = pixels.shape
    if abs(width / size[0] - 1) <= SAME_SIZE and abs(height / size[1] - 1) <= SAME_SIZE:
        yield _scaled(pixels, np.eye(3), size)
    level, page_from_level = turned(pixels, skew_deg(darkness(pixels)), grow=False)
    yield _scaled(level, page_from_level, size)
    lying = (level.shape[1] > level.shape[0]) != (size[0] > size[1])
    for quarters in (1, 3) if lying else (2,):
        upright = np.ascontiguousarray(np.rot90(level, quarters))
        yield replace(_scaled(upright, page_from_level @ quarter_turns(quarters, level.shape), size), turned=True)


def _scaled(
    pixels: UInt8[np.ndarray, "height width"], page_from_pixels: Float64[np.ndarray, "3 3"], size: tuple[int, int]
) -> _Laid:
    """Return a page scaled to the frame of a template of a size."""
    scale = frame_scale(max(pixels.shape) / max(size), size)
    wanted = (round(size[0] * scale), round(size[1] * scale))
    page_from_frame = page_from_pixels @ scaling(pixels.shape[1] / wanted[0], pixels.shape[0] / wanted[1])
    if (pixels.shape[1], pixels.shape[0]) != wanted:
        shrinks = wanted[0] < pixels.shape[1]
        pixels = cv2.resize(pixels, wanted, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return _Laid(pixels, page_from_frame)


def _scaled_box(box: Box, scale: float) -> Box:
    left, top, right, bottom = (round(v * scale) for v in box)
    return left, top, right, bottom


def _framed(way: _Laid, reference: Reference) -> tuple[_Laid | None, Frames]:
    """Return a page laid by its ruled frames, and what was found of them, in px of the template."""
    height, width = way.pixels.shape
    scale = width / reference.size[0]
    boxes = [_scaled_box(box, scale) for box in reference.boxes]
    dark = without_areas(darkness(way.pixels), max(height, width))
    frames = frame_of_boxes(rules_of(dark), way.pixels.shape, boxes)
    frames = replace(frames, residual_px=frames.residual_px / scale)
    transform = frames.transform
    if transform is None:
        return None, frames
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    if np.abs(project(transform, corners) - corners).max() > STILL * max(height, width):
        paper = int(np.percentile(way.pixels[::16, ::16], 80))
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        pixels = cv2.warpPerspective(way.pixels, transform, (width, height), flags=flags, borderValue=paper)
        way = _Laid(pixels, way.page_from_frame @ transform, way.turned)
    return way, frames
