"""Whether what was read on a page of no template makes sense: read sideways or upside down, it does not."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import fsum

from hwtranscribe.language import word_log_odds
from hwtranscribe.register import Ways
from hwtranscribe.types import AlignedPage, FieldReading, Kind, Status

LEAST_CHARACTERS = 20
"""On fewer characters, chance decides how sure they seem."""

WORD_WEIGHT = 0.15
"""Of the log-odds of being words, per character, beside the mean probability of the characters. Upside down, numbers
seem as sure as good letters, but digits and letters are mixed in them."""

READS_WELL = {Kind.DIGITS: 0.9, Kind.LETTERS: 0.8, Kind.ALPHANUMERIC: 0.8}
"""Sense from which on a page is not tried otherwise: 0.81 to 1.17 by most hands, but 0.41 to 0.79 sideways and upside
down. Where only digits are allowed they are surer, and upside down they reach 0.85."""

CLEARLY = 0.12
"""How much more sense a page must make otherwise. Pages of 0, 1, 6, 8, 9, H, I, N, O, S, X, Z only make up to 0.08 more
upside down by most hands."""

LEAST_TURNED = 0.75
"""How much sense it must make otherwise at least: such pages by very untidy hands make up to 0.18 more upside down."""

SOME_LINES = 16
"""So many lines tell it: dense print takes ten times as long as forms do, and four ways of it four times that."""

LEGIBLE = 0.65
"""Sense below which next to nothing on a page is right, and what seems sure is not."""

HARDLY_LEGIBLE = "hardly anything on it makes sense, whichever way it is turned: see whether it is hand-print at all"


Reader = Callable[[AlignedPage], tuple[FieldReading, ...]]


def character_count(readings: Sequence[FieldReading]) -> int:
    """How many characters there are on a page; a line that can't be read counts as one."""
    return sum(max(len(one.characters), one.status is Status.ILLEGIBLE) for one in readings)


def sense(readings: Sequence[FieldReading]) -> float:
    """How sure the characters of a page are on average, and how much like words their lines.

    Args:
        readings: Of all its lines, with a character or more.
    """
    sure = fsum(character.confidence for one in readings for character in one.characters)
    words = fsum(word_log_odds(one.text) for one in readings)
    return (sure + WORD_WEIGHT * words) / character_count(readings)


def read_upright(
    ways: Ways, read: Reader, read_some: Reader, kind: Kind
) -> tuple[AlignedPage, tuple[FieldReading, ...]]:
    """Return a page as it has to lie and what is read on it then.

    Most pages are read once: only one that makes little sense as it lies is read in the other ways too, and it stays as
    it lies unless another makes clearly more. One whose lines seem to run obliquely is always read otherwise as well,
    and turned unless that makes clearly less.

    Args:
        ways: The page as it lies, then in other ways.
        read: Reads its lines.
        read_some: Reads some of them.
        kind: What lines may hold.
    """
    aligned = next(ways.pages)
    readings = read(aligned)
    enough = character_count(readings) >= LEAST_CHARACTERS
    most = sense(readings) if enough else 0.0
    # Lines that seem to run otherwise speak for turning the page, however much there is and however well it reads.
    if not ways.oblique and (not enough or most >= READS_WELL[kind]):
        return aligned, readings
    least, tried, best = max(most - CLEARLY if ways.oblique else most + CLEARLY, LEAST_TURNED), False, aligned
    for turned in ways.pages:
        some = read_some(turned)
        if character_count(some) < LEAST_CHARACTERS:
            continue
        tried = True
        if sense(some) >= least:
            best, least = turned, sense(some)
            most = least
            if most >= READS_WELL[kind]:
                break
    if best is not aligned:
        aligned, readings = best, read(best)
    if enough and tried and most < LEGIBLE:
        aligned = replace(aligned, warnings=(*aligned.warnings, HARDLY_LEGIBLE))
        readings = tuple(_doubted(one) if one.status is Status.OK else one for one in readings)
    return aligned, readings


def _doubted(reading: FieldReading) -> FieldReading:
    """The reading of a line, for review since the rest of the page makes no sense."""
    confidence = min(reading.confidence, 0.5)
    return replace(reading, confidence=confidence, status=Status.REVIEW, detail="little on this page makes sense")
