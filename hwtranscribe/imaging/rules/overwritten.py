"""What is written upon rules: where it is darker there than a rule is, a pen went over it."""

import cv2
import numpy as np
from jaxtyping import Int32, Int64, UInt8

from hwtranscribe.imaging.masks import Binary, places, widened
from hwtranscribe.imaging.rules.find import Rules

PIECES, MOST_PIECES = 20, 8000
"""A rule as long as the page is compared with itself in so many pieces; and how many there may be of all rules."""

RINGS_PX = 3
"""A rule's darkness is told apart this far beside it: its edges are pale, and strokes show there first."""

USUAL = 0.7
"""Share of a rule's px that are no darker than it is; what is written upon it covers less than the rest."""

DARKER = 1.1
"""By this factor a stroke is darker than the rule at least."""

CROSSED = 1.3
"""By this factor it is darker where two rules cross."""

BILEVEL = 250
"""Strokes so dark are those of a bilevel scan, in which rules are as dark as they are."""

PALER = 0.7
"""Rules that have not more than this share of a stroke's darkness can be told from it."""


def written_upon(
    dark: UInt8[np.ndarray, "height width"],
    zone: Binary,
    rules: tuple[Rules, Rules],
    crossings: Binary,
    noise: float,
    stroke: float,
) -> UInt8[np.ndarray, "height width"]:
    """Return the darkness of strokes upon rules, as far as they are darker; 0 elsewhere.

    Args:
        dark: Darkness of the page.
        zone: 1 where the rules are taken off.
        rules: Of both directions.
        crossings: 1 where rules of both directions are.
        noise: Darkness of the ground.
        stroke: Darkness of pen strokes.
    """
    if stroke >= BILEVEL:
        return np.zeros_like(dark)
    ys, xs = places(zone)
    here = dark[ys, xs]
    expected = np.max([_usual(own, zone.shape, ys, xs, here) for own in rules], axis=0).astype(np.float32)
    expected[crossings[ys, xs] > 0] *= CROSSED
    # From what the rule has, with a margin for noise, up to a pen's, darkness fades in.
    floor = DARKER * expected + 0.5 * noise
    gain = np.clip((here - floor) / np.maximum(0.5 * (stroke - floor), 16), 0, 1)
    gain[(expected == 0) | (expected > PALER * stroke)] = 0
    result = np.zeros_like(dark)
    result[ys, xs] = (here * gain).astype(np.uint8)
    return result


def _usual(
    rules: Rules,
    shape: tuple[int, ...],
    ys: Int32[np.ndarray, " px"],
    xs: Int32[np.ndarray, " px"],
    here: UInt8[np.ndarray, " px"],
) -> Int64[np.ndarray, " px"]:
    """Return how dark a rule is in most places along it, on it and so far beside it as some px are; 0 far from all.

    Args:
        rules: Of one direction.
        shape: Height and width of the page.
        ys: Rows of the px.
        xs: Columns.
        here: Their darkness.
    """
    if not len(rules):
        return np.zeros(len(ys), np.int64)
    owner = np.zeros(shape, np.uint16)
    owner[rules.ys, rules.xs] = rules.owner + 1
    mask = rules.mask(shape)
    # On the rule 0, then 1 for each px beside it.
    ring = RINGS_PX + 1 - mask
    for reach_px in range(1, RINGS_PX + 1):
        cv2.subtract(ring, widened(mask, reach_px), dst=ring)
    size = 2 * RINGS_PX + 1
    owner = cv2.dilate(owner, np.ones((size, size), np.uint8))
    # Registration may be a px off for some way, so each piece of a rule is compared with itself too.
    mine, here_ring = owner[ys, xs].astype(np.int64), ring[ys, xs]
    along = ys if rules.upright else xs
    piece_px = max(shape) // PIECES + 1
    pieces = max(shape) // piece_px + 1
    piece = mine * pieces + along // piece_px
    number = np.cumsum(np.bincount(piece, minlength=(len(rules) + 1) * pieces) > 0) - 1
    usual = _usual_of(mine * (RINGS_PX + 2) + here_ring, here)
    if number[-1] < MOST_PIECES:
        usual = np.maximum(usual, _usual_of(number[piece] * (RINGS_PX + 2) + here_ring, here))
    usual[mine == 0] = 0
    return usual


def _usual_of(place: Int64[np.ndarray, " px"], here: UInt8[np.ndarray, " px"]) -> Int64[np.ndarray, " px"]:
    """Return how dark most of the px are that are in the same place as each."""
    count = int(place.max(initial=0)) + 1
    below = np.bincount(place * 256 + here, minlength=count * 256).reshape(count, 256).cumsum(axis=1)
    return np.maximum((below < USUAL * below[:, -1:]).sum(axis=1), 1)[place]
