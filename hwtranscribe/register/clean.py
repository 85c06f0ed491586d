"""What is left of a page when the paper, the rules and the blank form's printing are taken away: the writing."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64, UInt8

from hwtranscribe.imaging.masks import Binary, above, places, widened, without
from hwtranscribe.imaging.paper import noise_and_stroke, normalise_ink
from hwtranscribe.imaging.rules import (
    Rules,
    drawn_through,
    erase_rules,
    find_dotted,
    find_rules,
    follow_rules,
    may_be_squared,
    reach_of,
    with_squares,
)
from hwtranscribe.register.printing import TONE_STEP, Printing, rule_limits

OVERWRITTEN = 0.6
"""Printing lighter than this share of a pen stroke (hints such as D D M M) can be told from writing upon it."""


PALE = 0.65
"""Printing paler than this share of the darkest is a hint to be written over."""


HARDLY_WRITTEN_UPON, PEAK = 0.25, 1.4
"""Share of the px of hints that no pen comes near, and how much darker the middle of their strokes is than these."""


CROSSING = 0.45
"""A stroke meets a rule when there is this share of a stroke's darkness between them, not just the blur of both."""


WRITTEN = 0.5
"""Away from printing, what has not this share of the darkness that there is beside it is no writing."""


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Connected pieces of a picture, as lists of px: they are few.

    Attributes:
        ys: Rows of their px.
        xs: Columns.
        owner: To which piece every px belongs, 1-based; there is no piece 0.
        area: Px of each piece.
    """

    ys: Int32[np.ndarray, " px"]
    xs: Int32[np.ndarray, " px"]
    owner: Int32[np.ndarray, " px"]
    area: Int64[np.ndarray, " n"]

    def touched(self, mask: Binary) -> Int64[np.ndarray, " n"]:
        """Return how many px of every piece lie in a mask."""
        return np.bincount(self.owner[mask[self.ys, self.xs] > 0], minlength=len(self.area))

    def breadth_px(self, chosen: Bool[np.ndarray, " n"]) -> Int64[np.ndarray, " n"]:
        """Return the shorter side of the box of some pieces; not above 0 for the others."""
        mine = chosen[self.owner]
        owner, sides = self.owner[mine], []
        for place in (self.ys[mine], self.xs[mine]):
            low, high = np.full(len(chosen), 1 << 30), np.full(len(chosen), -1)
            np.minimum.at(low, owner, place)
            np.maximum.at(high, owner, place)
            sides.append(high - low + 1)
        return np.minimum(*sides)


def pieces_of(picture: UInt8[np.ndarray, "height width"], threshold: float) -> Pieces:
    """Return the connected pieces of what is above a threshold."""
    binary = above(picture, threshold)
    count, labels = cv2.connectedComponents(binary, connectivity=8)
    ys, xs = places(binary)
    owner = labels[ys, xs]
    return Pieces(ys, xs, owner, np.bincount(owner, minlength=count))


def ink_without_blank(
    dark: UInt8[np.ndarray, "height width"], rules: tuple[Rules, Rules], squared: bool = False
) -> UInt8[np.ndarray, "height width"]:
    """Return the ink of a page of which no blank form is known.

    Args:
        dark: From `imaging.paper.darkness`.
        rules: From `rules_of`, or `squares_of`.
        squared: Whether they are those of squared paper: most of what is dark, so that they do not tell of the pen.
    """
    noise, stroke = noise_and_stroke(dark)
    if squared:
        on_rules = cv2.bitwise_or(*(drawn_through(own, dark.shape, 2) for own in rules))
        stroke = max(stroke, noise_and_stroke(without(dark, on_rules))[1])
    left, zone = erase_rules(dark, above(dark, max(noise, CROSSING * stroke)), rules, tones=(noise, stroke))
    return settle(left, max(dark.shape), zone)


def rules_of(dark: UInt8[np.ndarray, "height width"]) -> tuple[Rules, Rules]:
    """Return the horizontal and the vertical rules of a page.

    Args:
        dark: From `imaging.paper.darkness`.
    """
    noise, stroke = noise_and_stroke(dark)
    return find_rules(above(dark, max(noise, 0.3 * stroke)), *rule_limits(max(dark.shape)))


def dotted_rules_of(dark: UInt8[np.ndarray, "height width"]) -> tuple[Rules, Rules]:
    """Return the horizontal and the vertical dotted rules of a page.

    Args:
        dark: From `imaging.paper.darkness`.
    """
    noise, stroke = noise_and_stroke(dark)
    return find_dotted(above(dark, max(noise, 0.3 * stroke)), rule_limits(max(dark.shape))[1])


def squares_of(dark: UInt8[np.ndarray, "height width"]) -> tuple[Rules, Rules] | None:
    """Return the rules of squared paper, drawn through where writing hides them; None where a page is not squared.

    Args:
        dark: From `imaging.paper.darkness`.
    """
    # Such lines may be hardly darker than the paper.
    noise, _ = noise_and_stroke(dark)
    binary = above(dark, noise)
    if not may_be_squared(binary):
        return None
    return with_squares(find_rules(binary, *rule_limits(max(dark.shape))), dark)


def ink_with_blank(dark: UInt8[np.ndarray, "height width"], blank: Printing) -> UInt8[np.ndarray, "height width"]:
    """Return the ink of a page without its blank form's printing.

    Rules go by run lengths; other printing goes whole, except where the scan is far darker than the printing can be.
    Strokes that it cut in two are joined again.

    Args:
        dark: Darkness of the aligned scan, in the window of the printing.
        blank: Printing of the blank form in the same frame.
    """
    noise, stroke = noise_and_written_stroke(dark, blank)
    threshold = max(noise, 0.3 * stroke)
    horizontal, upright = (follow_rules(one, dark, 3 * blank.reach_px, CROSSING * stroke) for one in blank.rules)
    crossed = above(dark, max(noise, CROSSING * stroke))
    near_px = reach_of((horizontal, upright), crossed, blank.reach_px)
    left, zone = erase_rules(dark, crossed, (horizontal, upright), near_px, (noise, stroke))
    left, light = without_solid(left, blank, stroke, noise)
    left = without_slivers(left, cv2.subtract(blank.mask, light), zone, threshold, near_px)
    return settle(joined(left, dark, blank.solid, threshold, blank.reach_px), blank.long_px)


def noise_and_written_stroke(dark: UInt8[np.ndarray, "height width"], blank: Printing) -> tuple[float, float]:
    """Return the darkness of the ground and of strong strokes outside a form's printing.

    Args:
        dark: Darkness of the aligned scan, in the window of the printing.
        blank: Printing of the blank form in the same frame.
    """
    near = noise_and_stroke(without(dark, blank.mask))
    # Printing that is blurred is broader than the blank's, and its edges are neither ground nor strokes.
    away = noise_and_stroke(without(dark, blank.broad))
    return away if away[1] >= WRITTEN * near[1] else near


def without_solid(
    dark: UInt8[np.ndarray, "height width"], blank: Printing, stroke: float, noise: float
) -> tuple[UInt8[np.ndarray, "height width"], Binary]:
    """Return darkness without printed text and areas, and where they are so light that writing shows upon them.

    Light printing is subtracted as a level: what is clearly darker stays. Dark printing goes whole.

    Args:
        dark: Darkness of the scan.
        blank: Printing of the blank form.
        stroke: Darkness of pen strokes.
        noise: Darkness of the ground.
    """
    expected = widened(scanned_printing(dark, blank), blank.reach_px)
    mask = widened(blank.solid, blank.reach_px)
    light = cv2.bitwise_and(mask, 1 - above(expected, OVERWRITTEN * stroke))
    result = without(dark, mask)
    ys, xs = places(light)
    here = dark[ys, xs].astype(np.float32)
    # From the expected level (with a margin for noise) up to a pen's, darkness fades in.
    floor = expected[ys, xs] * 1.15 + 0.5 * noise
    gain = np.clip((here - floor) / np.maximum(0.5 * (stroke - floor), 16), 0, 1)
    result[ys, xs] = (here * gain).astype(np.uint8)
    return result, light


def scanned_printing(dark: UInt8[np.ndarray, "height width"], blank: Printing) -> UInt8[np.ndarray, "height width"]:
    """Return how dark printing should be in the scan, on its px; 0 elsewhere.

    How dark a tone is scanned is taken from all the pieces that have it; since pens write over hints, for pale ones
    from what is found where they are palest.

    Args:
        dark: Darkness of the scan.
        blank: Printing of the blank form.
    """
    levels = 256 // TONE_STEP

    def counted(picture: UInt8[np.ndarray, "height width"]) -> Float32[np.ndarray, "levels 256"]:
        """Return how many px of each tone are at most so dark."""
        counts = cv2.calcHist([blank.tones, picture], [0, 1], blank.core, [levels, 256], [0, levels, 0, 256])
        return np.cumsum(counts.reshape(levels, 256), axis=1)

    # The darkest nearby, since the scan may be a px off; but near a hint that is mostly a pen.
    below, below_here = counted(widened(dark, blank.reach_px)), counted(dark)
    pale = np.arange(levels) <= PALE * blank.darkest
    usual = (below < np.where(pale, HARDLY_WRITTEN_UPON, 0.6)[:, None] * below[:, -1:]).sum(axis=1)
    bare = (below_here < HARDLY_WRITTEN_UPON * below_here[:, -1:]).sum(axis=1)
    usual = np.where(pale, np.minimum(usual, PEAK * bare + 8), usual)
    seen = below[:, -1] >= 50
    if not seen.any():
        return np.where(blank.solid > 0, np.uint8(255), np.uint8(0))
    # Tones of which there is too little take those around them, and none is darker than one that is printed darker.
    table = np.zeros(256, np.uint8)
    rising = np.minimum.accumulate(usual[seen][::-1])[::-1]
    table[:levels] = np.interp(np.arange(levels), np.flatnonzero(seen), np.where(pale[seen], rising, usual[seen]))
    expected = cv2.LUT(blank.tones, table)
    return cv2.bitwise_and(expected, expected, mask=blank.solid)


def joined(
    left: UInt8[np.ndarray, "height width"],
    dark: UInt8[np.ndarray, "height width"],
    solid: UInt8[np.ndarray, "height width"],
    threshold: float,
    reach_px: int,
) -> UInt8[np.ndarray, "height width"]:
    """Return darkness with the strokes that removed printing has cut in two joined again.

    A removed px comes back where ink lies on both sides of it in one of four directions, within the thickness of thin
    printing.
    """
    binary = above(left, threshold)
    size = 4 * reach_px + 3
    closed = np.zeros_like(binary)
    line = np.eye(size, dtype=np.uint8)
    for kernel in (np.ones((1, size), np.uint8), np.ones((size, 1), np.uint8), line, np.fliplr(line)):
        closed |= cv2.morphologyEx(binary, cv2.MORPH_CLOSE, np.ascontiguousarray(kernel))
    back = cv2.subtract(cv2.bitwise_and(closed, widened(solid, reach_px)), binary)
    return cv2.max(left, cv2.bitwise_and(dark, dark, mask=back))


def without_slivers(
    left: UInt8[np.ndarray, "height width"], mask: Binary, zone: Binary, threshold: float, reach_px: int
) -> UInt8[np.ndarray, "height width"]:
    """Return darkness without what is left over from printing: its own edges, a little off.

    Args:
        left: Darkness without printing.
        mask: 1 on and beside dark printing.
        zone: 1 on and beside rules.
        threshold: Darkness from which on a px counts.
        reach_px: How far the printing may be off.
    """
    pieces = pieces_of(left, threshold)
    hugging = pieces.touched(widened(mask, reach_px + 1)) >= 0.8 * pieces.area
    gone = hugging & (pieces.breadth_px(hugging) <= 3 * reach_px + 2)
    gone |= pieces.touched(zone) >= 0.9 * pieces.area
    return without_pieces(left, pieces, gone)


def without_pieces(
    picture: UInt8[np.ndarray, "height width"], pieces: Pieces, gone: Bool[np.ndarray, " n"]
) -> UInt8[np.ndarray, "height width"]:
    """Return a picture without some of its pieces, and without the soft edges that are no other's.

    Args:
        picture: Soft.
        pieces: All that it has.
        gone: Which of them go.
    """
    ys, xs = pieces.ys, pieces.xs
    stays = ~gone[pieces.owner]
    kept = np.zeros_like(picture)
    kept[ys[stays], xs[stays]] = 1
    lost = np.zeros_like(picture)
    lost[ys[~stays], xs[~stays]] = 1
    soft = cv2.dilate(kept, np.ones((3, 3), np.uint8))
    return cv2.bitwise_and(picture, picture, mask=cv2.subtract(soft, lost))


def settle(
    left: UInt8[np.ndarray, "height width"], long_px: int, zone: Binary | None = None
) -> UInt8[np.ndarray, "height width"]:
    """Return normalised ink without specks, crumbs of rules and what is nowhere dark.

    Args:
        left: Darkness of what may be writing.
        long_px: Long side of the page, of which this may be a part.
        zone: 1 on and beside rules.
    """
    ink = normalise_ink(left, long_px)
    pieces = pieces_of(ink, 40)
    speck_px = (long_px / 1800) ** 2 * 3
    gone = (pieces.touched(above(ink, 160)) == 0) | (pieces.area < speck_px)
    if zone is not None:
        gone |= pieces.touched(zone) >= 0.9 * pieces.area
    return without_pieces(ink, pieces, gone)
