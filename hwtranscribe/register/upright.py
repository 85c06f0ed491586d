"""Pages without a blank form: set upright, freed of scan borders and rules, their tables found."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from hwtranscribe.imaging.areas import without_areas
from hwtranscribe.imaging.focus import OUT_OF_FOCUS, in_focus
from hwtranscribe.imaging.masks import above
from hwtranscribe.imaging.outline import flattened
from hwtranscribe.imaging.paper import darkness, has_plain_ground, is_cut_out
from hwtranscribe.imaging.rules import drawn_through
from hwtranscribe.imaging.tables import find_tables
from hwtranscribe.register.clean import dotted_rules_of, ink_without_blank, rules_of, squares_of
from hwtranscribe.register.directions import is_oblique, line_directions_deg
from hwtranscribe.register.prepare import prepared
from hwtranscribe.types import AlignedPage, Page

SKEW_LIMIT_DEG = 15.0
LEAST_SKEW_DEG = 0.15

BOX_OF_CHARACTERS = 1.9
"""How high boxes are for characters, in their height."""

LEAST_CHARACTER_PX = 5
"""What is less high is a dot or a speck."""


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """Ways that a page of no template may lie.

    Attributes:
        pages: As it lies, then turned otherwise, the likeliest first; each is made when it is asked for.
        oblique: Whether its lines seem to run obliquely, as may those of a drawing.
    """

    pages: Iterator[AlignedPage]
    oblique: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Picture:
    """A page that is fit to be looked at.

    Attributes:
        number: Of the page.
        pixels: Grey, flattened.
        page_from_pixels: Homography to the page as it was rendered.
        warnings: Of what was done to it.
    """

    number: int
    pixels: UInt8[np.ndarray, "height width"]
    page_from_pixels: Float64[np.ndarray, "3 3"]
    warnings: tuple[str, ...]


def upright(page: Page) -> AlignedPage:
    """Return a page of no template, deskewed, with its ink and its tables; sharpened where it is out of focus.

    Args:
        page: As rendered; not sideways, nor upside down.
    """
    return next(ways_upright(page).pages)


def ways_upright(page: Page) -> Ways:
    """Return a page as `upright` does, and how else it may lie: upside down, sideways or obliquely.

    Only what is written can tell which is right.

    Args:
        page: As rendered.
    """
    ready = prepared(page.pixels, cut_out=is_cut_out(page.pixels.shape))
    pixels, page_from_pixels = flattened(ready.pixels, ready.outline)
    directions = [] if is_cut_out(pixels.shape) else line_directions_deg(darkness(pixels))
    oblique = bool(directions) and is_oblique(directions[0])
    turns_deg = [0.0, *_turns_deg(directions, oblique)]
    picture = _Picture(page.number, pixels, page_from_pixels, ready.warnings)
    return Ways((_upright(picture, turn_deg) for turn_deg in turns_deg), oblique)


def _turns_deg(directions_deg: list[float], oblique: bool) -> list[float]:
    """Return by how much a page is turned clockwise to lie otherwise; what is nearly level is how it lies already.

    Args:
        directions_deg: From `line_directions_deg`.
        oblique: Whether its lines seem to run obliquely. Else it is turned by quarters, and the rest is its skew.
    """
    quarters = {angle_deg: round(angle_deg / 90) % 4 for angle_deg in directions_deg}
    if oblique:
        return [angle_deg for angle_deg, count in quarters.items() if count or is_oblique(angle_deg)]
    return [90.0 * count for count in dict.fromkeys(quarters.values()) if count]


def _character_height_px(ink: UInt8[np.ndarray, "height width"]) -> float:
    """About the height of what is written on a page, px; without end where nothing is."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(above(ink, 128))
    heights = stats[1:, cv2.CC_STAT_HEIGHT]
    heights = heights[heights >= LEAST_CHARACTER_PX]
    return float(np.percentile(heights, 75)) if len(heights) else np.inf


def _upright(picture: _Picture, turn_deg: float) -> AlignedPage:
    """A page turned upright, and sharpened where it is out of focus.

    Args:
        picture: Of it.
        turn_deg: By how much it is turned clockwise: a multiple of 90, to which its skew comes, or just so much where
            its lines run obliquely.
    """
    quarters = round(turn_deg / 90)
    if turn_deg:
        picture = replace(picture, warnings=(*picture.warnings, turned_by(turn_deg)))
    if quarters:
        back = picture.page_from_pixels @ quarter_turns(-quarters, picture.pixels.shape)
        picture = replace(
            picture, pixels=np.ascontiguousarray(np.rot90(picture.pixels, -quarters)), page_from_pixels=back
        )
    slant_deg = turn_deg - 90 * quarters
    aligned = _deskewed(picture, slant_deg)
    sharp = in_focus(picture.pixels, BOX_OF_CHARACTERS * _character_height_px(aligned.ink))
    # Forms bear tints, which do no harm there; here a pattern would be taken for writing.
    if sharp is picture.pixels or not has_plain_ground(darkness(picture.pixels)):
        return aligned
    return _deskewed(replace(picture, pixels=sharp, warnings=(*picture.warnings, OUT_OF_FOCUS)), slant_deg)


def turned_by(turn_deg: float) -> str:
    """Return the warning that a page was turned clockwise by so much."""
    way, angle_deg = ("", turn_deg) if turn_deg % 360 <= 180 else ("counter-", -turn_deg)
    return f"it does not lie upright and was turned {way}clockwise by {angle_deg % 360:.0f} degrees"


def _deskewed(picture: _Picture, slant_deg: float) -> AlignedPage:
    """A page that lies upright but for some skew.

    Args:
        picture: Of it.
        slant_deg: Its skew, where it is more than `skew_deg` finds; otherwise 0.
    """
    # A line or two hold no table, and their skew can't be told.
    cut_out = is_cut_out(picture.pixels.shape)
    angle_deg = 0.0 if cut_out else slant_deg or skew_deg(darkness(picture.pixels))
    pixels, picture_from_aligned = turned(picture.pixels, angle_deg)
    dark = without_areas(darkness(pixels), max(pixels.shape))
    squares = None if cut_out else squares_of(dark)
    rules = squares or rules_of(dark)
    if not cut_out:
        level, vertical = dotted_rules_of(dark)
        rules = rules[0].joined(level), rules[1].joined(vertical)
    return AlignedPage(
        page=picture.number,
        template_page=None,
        scale=1.0,
        pixels=pixels,
        ink=ink_without_blank(dark, rules, squares is not None),
        printing=None,
        page_from_aligned=picture.page_from_pixels @ picture_from_aligned,
        residual_px=0.0,
        warnings=picture.warnings,
        tables=() if cut_out or squares else find_tables(rules, pixels.shape),
        rules=drawn_through(rules[0], pixels.shape, 1),
    )


def turned(
    pixels: UInt8[np.ndarray, "height width"], angle_deg: float, grow: bool = True
) -> tuple[UInt8[np.ndarray, "new_height new_width"], np.ndarray]:
    """Return a picture turned clockwise about its middle, grown so that nothing is cut off, and the way back.

    Args:
        pixels: Grey, 255 paper.
        angle_deg: Clockwise.
        grow: False keeps the size and cuts the corners off.
    """
    if angle_deg == 0:
        return pixels, np.eye(3)
    height, width = pixels.shape
    angle = np.deg2rad(angle_deg)
    cosine, sine = np.cos(angle), np.sin(angle)
    new_width, new_height = width, height
    if grow:
        new_width = int(np.ceil(abs(width * cosine) + abs(height * sine)))
        new_height = int(np.ceil(abs(height * cosine) + abs(width * sine)))
    centre = np.array([[1, 0, (width - 1) / 2], [0, 1, (height - 1) / 2], [0, 0, 1]])
    back = np.array([[1, 0, -(new_width - 1) / 2], [0, 1, -(new_height - 1) / 2], [0, 0, 1]])
    turn = np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]])
    page_from_aligned = centre @ turn @ back
    fill = int(np.percentile(pixels[:: max(1, height // 200), :: max(1, width // 200)], 80))
    moved = cv2.warpPerspective(
        pixels,
        page_from_aligned,
        (new_width, new_height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderValue=fill,
    )
    return moved, page_from_aligned


def quarter_turns(count: int, shape: tuple[int, ...]) -> Float64[np.ndarray, "3 3"]:
    """Return where the px of `np.rot90(picture, count)` come from, for a picture of a shape, if they move at all."""
    height, width = shape
    if count % 4 == 1:
        return np.array([[0, -1, width - 1], [1, 0, 0], [0, 0, 1.0]])
    if count % 4 == 2:
        return np.array([[-1, 0, width - 1], [0, -1, height - 1], [0, 0, 1.0]])
    return np.array([[0, 1, 0], [-1, 0, height - 1], [0, 0, 1.0]])


def skew_deg(dark: UInt8[np.ndarray, "height width"]) -> float:
    """Return by how much a page must be turned clockwise to be level; 0 where nothing tells.

    Rows of text and rules make the profile of a level page jump from row to row: the angle with the largest sum of
    squared jumps is taken (Postl 1986), at reduced scale.

    Args:
        dark: Darkness of the page.
    """
    factor = min(1.0, 700 / max(dark.shape))
    small = cv2.resize(dark, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) if factor < 1 else dark
    ys, xs = np.nonzero(small > 60)
    if len(ys) < 200:
        return 0.0
    values = small[ys, xs].astype(np.float64)
    span = int(np.hypot(*small.shape)) + 4

    def score(angle_deg: float) -> float:
        angle = np.deg2rad(angle_deg)
        rows = ys * np.cos(angle) + xs * np.sin(angle)
        rows -= rows.min()
        profile = np.bincount(rows.astype(int), weights=values, minlength=span)
        return float((np.diff(profile) ** 2).sum())

    coarse = np.arange(-SKEW_LIMIT_DEG, SKEW_LIMIT_DEG + 0.1, 0.5)
    best = float(max(coarse, key=score))
    fine = np.arange(best - 0.5, best + 0.51, 0.1)
    best = float(max(fine, key=score))
    # A page without lines has no peak: the best angle must stand out of all the others.
    typical = float(np.median([score(angle) for angle in coarse]))
    if abs(best) < LEAST_SKEW_DEG or score(best) < 1.3 * typical or score(best) < 1.03 * score(0.0):
        return 0.0
    return best
