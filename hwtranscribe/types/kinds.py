"""The words that templates, options and outputs share."""

from enum import StrEnum

Box = tuple[int, int, int, int]
"""left, top, right, bottom, px; right and bottom exclusive."""

CROSSED_OUT = "crossed out"
"""Detail of a reading whose writing or mark is crossed out; also what a checkbox may hold besides `1` and `0`."""


class Kind(StrEnum):
    """What a field may hold."""

    DIGITS = "digits"
    LETTERS = "letters"
    ALPHANUMERIC = "alphanumeric"
    CHECKBOX = "checkbox"


class Case(StrEnum):
    """The case of a field's letters; the output follows it, `any` gives capitals."""

    UPPER = "upper"
    LOWER = "lower"
    ANY = "any"


class Status(StrEnum):
    """What became of a field."""

    OK = "ok"
    REVIEW = "review"
    BLANK = "blank"
    ILLEGIBLE = "illegible"
