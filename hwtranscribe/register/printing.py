"""The printing of a blank form in the frame that scans are brought into: its rules, and the tones of all the rest.

It is known around the fields only: nothing is read elsewhere, and cleaning a page costs by its area.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from hwtranscribe.imaging.masks import Binary, above, places, widened
from hwtranscribe.imaging.rules import Rules, drawn_through, find_rules
from hwtranscribe.register.reference import Reference
from hwtranscribe.types import AlignedPage

PRINTED = 40
"""Darkness from which on the blank form counts as printed."""

TONE_STEP = 16
"""Tones of printing that differ by less are taken as one."""

CORE = 0.7
"""The core of a printed stroke is as dark as this share of its tone."""


MARGIN_OF_PAGE = 1 / 20
"""Around the fields, as a share of the page's long side: 15 mm of an A4 page."""

MARGIN_OF_FIELD = 2.0
"""Around the fields, in heights of the tallest: segmentation follows writing and combs so far."""


@dataclass(frozen=True, slots=True, eq=False)
class Printing:
    """What is printed on a blank form in a window of a frame.

    Attributes:
        mask_of_frame: True on the printing, widened by the reach, in the whole frame.
        window: Rows and columns of the frame that the rest is known of: around the fields.
        long_px: Long side of the frame.
        reach_px: How far scanned printing may lie beside or grow over the blank form's.
        mask: 1 on the printing, widened by the reach.
        broad: The same, widened further: as far as it may be blurred.
        rules: Horizontal and vertical ones.
        solid: 1 on printing that is no rule.
        tones: Tone of every piece of it on its px, in steps; 0 elsewhere.
        core: 1 where it is about as dark as its tone.
        darkest: The tone that little of it exceeds.
    """

    mask_of_frame: Bool[np.ndarray, "frame_height frame_width"]
    window: tuple[slice, slice]
    long_px: int
    reach_px: int
    mask: Binary
    broad: Binary
    rules: tuple[Rules, Rules]
    solid: Binary
    tones: UInt8[np.ndarray, "height width"]
    core: Binary
    darkest: float


def rule_limits(long_side_px: int) -> tuple[int, int]:
    """Return the shortest length and the largest thickness of a rule, px: 12 mm and 1 mm of an A4 page."""
    return max(50, round(long_side_px / 25)), max(3, round(long_side_px / 300))


@lru_cache(maxsize=4)
def printing_in(reference: Reference, size: tuple[int, int]) -> Printing:
    """Return the printing of a blank form in a frame; kept, for the scans of a stack are all alike.

    Args:
        reference: With a blank form.
        size: Width and height of the frame, px.
    """
    dark = reference.printing
    assert dark is not None
    if size != reference.size:
        shrinks = size[0] < reference.size[0]
        dark = cv2.resize(dark, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    reach_px = max(1, round(max(size) / 1500))
    printed = above(dark, PRINTED)
    rules = find_rules(above(dark, 2 * PRINTED), *rule_limits(max(size)))
    on_rule = widened(cv2.bitwise_or(*(one.mask(dark.shape) for one in rules)), 1)
    solid = cv2.subtract(printed, on_rule)
    tones, core, darkest = _tones(dark, solid)
    mask = widened(printed, reach_px)
    window = _window(reference, size)
    mask_of_window, solid, tones, core = (np.ascontiguousarray(whole[window]) for whole in (mask, solid, tones, core))
    horizontal, upright = (one.within(window) for one in rules)
    return Printing(
        mask_of_frame=mask.astype(bool),
        window=window,
        long_px=max(size),
        reach_px=reach_px,
        mask=mask_of_window,
        broad=widened(mask_of_window, reach_px + 1),
        rules=(horizontal, upright),
        solid=solid,
        tones=tones,
        core=core,
        darkest=darkest,
    )


def blank_page(aligned: AlignedPage, reference: Reference) -> AlignedPage:
    """Return a page as its blank form has it, in the template's own px: a coarse scan's frame would lose hair lines.

    Args:
        aligned: Any scan of the form.
        reference: Of its template page, with a blank form.
    """
    assert reference.printing is not None
    printing = printing_in(reference, reference.size)
    rules = np.zeros_like(reference.printing)
    rules[printing.window] = drawn_through(printing.rules[0], printing.mask.shape, 1)
    return replace(
        aligned,
        scale=1.0,
        pixels=reference.printing,
        ink=np.zeros_like(reference.printing),
        printing=printing.mask_of_frame,
        rules=rules,
    )


def _window(reference: Reference, size: tuple[int, int]) -> tuple[slice, slice]:
    """Return rows and columns of a frame around all fields; the whole frame where no fields are known."""
    width, height = size
    if not reference.boxes:
        return slice(0, height), slice(0, width)
    scale = np.array([width / reference.size[0], height / reference.size[1]] * 2)
    boxes = np.array(reference.boxes) * scale
    margin_px = max(MARGIN_OF_PAGE * max(size), MARGIN_OF_FIELD * float((boxes[:, 3] - boxes[:, 1]).max()))
    left, top = np.maximum(boxes[:, :2].min(axis=0) - margin_px, 0).astype(int).tolist()
    right, bottom = np.minimum(boxes[:, 2:].max(axis=0) + margin_px, (width, height)).astype(int).tolist()
    return slice(top, bottom), slice(left, right)


def _tones(dark: UInt8[np.ndarray, "height width"], solid: Binary) -> tuple[UInt8[np.ndarray, "h w"], Binary, float]:
    """Return the tone of every piece of printing, where its core is, and the tone that few exceed.

    A connected piece has one tone, that of its darkest px: thin lines are pale where they fall between two rows.

    Args:
        dark: Darkness of the blank form.
        solid: 1 where there is printing.
    """
    tones, core = np.zeros_like(dark), np.zeros_like(dark)
    count, labels = cv2.connectedComponents(solid, connectivity=8)
    ys, xs = places(solid)
    if not len(ys):
        return tones, core, 0.0
    owner, levels = labels[ys, xs], 256 // TONE_STEP
    found = np.bincount(owner * levels + dark[ys, xs] // TONE_STEP, minlength=count * levels)
    below = np.cumsum(found.reshape(count, levels), axis=1)
    tone = (below < 0.95 * below[:, -1:]).sum(axis=1).astype(np.uint8)[owner]
    tones[ys, xs] = tone
    core[ys, xs] = dark[ys, xs] >= CORE * TONE_STEP * tone
    return tones, core, float(np.percentile(tone, 95))
