"""What is written on a composed line, and the habits of the hand that writes it."""

from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from hwtranscribe.model import DIGITS, LOWER, UPPER

MAX_LENGTH = 12
"""Most characters of a line."""
_SMALL_LETTERS = {
    **dict.fromkeys("acemnorsuvwxz", (0.66, 0.0)),
    **dict.fromkeys("bdhkl", (1.0, 0.0)),
    **dict.fromkeys("gpqy", (0.95, 0.3)),
    **{"f": (1.0, 0.0), "i": (0.95, 0.0), "j": (1.15, 0.3), "t": (0.9, 0.0)},
}
"""Height of small letters and how far they hang below the line, in heights of a capital."""


class Writing(Enum):
    """What is written on a line."""

    DIGITS = auto()
    CAPITALS = auto()
    SMALL_LETTERS = auto()
    MIXED = auto()


_SHARES = {Writing.DIGITS: 0.5, Writing.CAPITALS: 0.32, Writing.SMALL_LETTERS: 0.1, Writing.MIXED: 0.08}


@dataclass(frozen=True, slots=True)
class Hand:
    """Habits of a writer; lengths in character heights.

    Attributes:
        gap: Usual paper between characters; below 0 they touch.
        gap_spread, size_spread, lift_spread: How uneven gaps, heights and the line are.
        stretch: Width of characters against the usual.
        rise: Of the line, px down per px right.
        stroke_px: Width of what is drawn.
        mark_share: Of the characters, those with a mark after them.
        dotted: Whether capital I and J have dots.
        small_i: Whether an I among capitals is a small one.
        small_share: Of the letters among capitals, those that are small ones.
        accent_share: Of the letters that can have an accent, those that do.
        joins_zeros: Whether zeros in a row are written in one stroke.
    """

    gap: float
    gap_spread: float
    size_spread: float
    lift_spread: float
    stretch: float
    rise: float
    stroke_px: int
    mark_share: float
    dotted: bool
    small_i: bool
    small_share: float
    accent_share: float
    joins_zeros: bool


def draw_writing(rng: np.random.Generator) -> Writing:
    """Choose what a line holds."""
    return list(_SHARES)[int(rng.choice(len(_SHARES), p=list(_SHARES.values())))]


def draw_text(writing: Writing, rng: np.random.Generator) -> str:
    """Characters at random, so that no language is learnt; amounts end in zeros, words begin with capitals."""
    if writing is Writing.DIGITS:
        count = int(rng.integers(1, 11))
        text = "".join(rng.choice(list(DIGITS), size=count))
        choice = rng.random()
        if choice < 0.35:
            # Amounts end in zeros.
            text = text[: max(1, count - int(rng.integers(1, 4)))].ljust(count, "0")
        elif choice < 0.4:
            at = int(rng.integers(0, count))
            text = text[:at] + text[at] * int(rng.integers(2, 4)) + text[at + 1 :]
        return text[:MAX_LENGTH]
    count = int(np.clip(rng.poisson(6) + 1, 1, MAX_LENGTH))
    symbols = {Writing.CAPITALS: UPPER, Writing.SMALL_LETTERS: LOWER, Writing.MIXED: DIGITS + UPPER}[writing]
    text = "".join(rng.choice(list(symbols), size=count))
    return text[0].upper() + text[1:] if writing is Writing.SMALL_LETTERS and rng.random() < 0.6 else text


def in_hand(character: str, hand: Hand, rng: np.random.Generator) -> str:
    """A capital, or the small letter that this hand writes among capitals."""
    small = (hand.small_i and character == "I") or (hand.small_share > 0 and rng.random() < hand.small_share)
    return character.lower() if small else character


def draw_hand(writing: Writing, rng: np.random.Generator) -> Hand:
    """Draw the habits of a writer."""
    digits, capitals = writing is Writing.DIGITS, writing is Writing.CAPITALS
    if rng.random() < 0.35:
        gap = rng.normal(-0.04, 0.05)
    elif capitals and rng.random() < 0.4:
        gap = rng.uniform(0.2, 0.9)
    else:
        gap = rng.gamma(2.0, 0.09)
    return Hand(
        gap=gap,
        gap_spread=rng.uniform(0.02, 0.12),
        size_spread=rng.uniform(0.02, 0.14),
        lift_spread=rng.uniform(0.01, 0.08),
        stretch=np.exp(rng.normal(0, 0.16)),
        rise=rng.normal(0, 0.03),
        stroke_px=int(rng.integers(2, 5)),
        mark_share=rng.choice([0, 0.05, 0.15] if digits else [0, 0.04, 0.12]),
        dotted=capitals and rng.random() < 0.2,
        small_i=capitals and rng.random() < 0.3,
        small_share=rng.uniform(0.1, 0.4) if capitals and rng.random() < 0.12 else 0.0,
        accent_share=0.4 if not digits and rng.random() < 0.15 else 0.0,
        joins_zeros=digits and rng.random() < 0.2,
    )


def size_of(character: str, writing: Writing, rng: np.random.Generator) -> tuple[float, float]:
    """Height of a character and how far it hangs below the line, in heights of a capital."""
    if writing is Writing.SMALL_LETTERS:
        return _SMALL_LETTERS.get(character, (1.0, 0.0))
    if character.islower():
        # Among capitals, small letters are of any height, and mostly stand on the line.
        height, drop = _SMALL_LETTERS.get(character, (1.0, 0.0))
        return max(height, rng.uniform(0.66, 1.05)), drop * rng.integers(0, 2)
    hangs = {"Q": (0.5, 0.15), "J": (0.3, 0.25)}.get(character, (0.0, 0.0))
    if character in "479":
        hangs = 0.2, rng.uniform(0, 0.25)
    return 1.0, hangs[1] if rng.random() < hangs[0] else 0.0
