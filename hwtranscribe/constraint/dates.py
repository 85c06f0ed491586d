"""Real dates in a fixed order of day, month and year."""

import re
from datetime import date
from functools import lru_cache

import numpy as np

from hwtranscribe.constraint.lexicon import Lexicon

DEFAULT_FORMAT = "DDMMYYYY"
EARLIEST = date(1900, 1, 1)
LATEST = date(2099, 12, 31)
MAX_YEARS = 1_000

_PART = re.compile("DD|MM|YYYY|YY")


def check_format(text: str) -> None:
    """Checks that a format has a day, a month and a year once each, or a month and a year.

    Raises:
        ValueError: if not.
    """
    parts = sorted(_PART.findall(text))
    rest = _PART.sub("", text)
    if (
        len(text) > 20
        or any(character.isalnum() for character in rest)
        or [p[0] for p in parts]
        not in (
            ["D", "M", "Y"],
            ["M", "Y"],
        )
    ):
        raise ValueError("must be made of DD, MM and YYYY or YY, once each, such as DDMMYYYY, YYYY-MM-DD or MM/YY")


@lru_cache(maxsize=64)
def dates(text: str, earliest: date, latest: date) -> Lexicon:
    """The automaton of the dates from `earliest` to `latest`, both included, in a format such as `DDMMYYYY`.

    Raises:
        ValueError: if the format is wrong or there is no such date.
    """
    check_format(text)
    if latest < earliest:
        raise ValueError(f"no date lies between {earliest} and {latest}")
    if latest.year - earliest.year > MAX_YEARS:
        raise ValueError(f"{earliest} to {latest} are more than {MAX_YEARS} years")
    days = np.arange(np.datetime64(earliest), np.datetime64(latest) + 1).astype(str).tolist()
    slices = {"YYYY": slice(0, 4), "YY": slice(2, 4), "MM": slice(5, 7), "DD": slice(8, 10)}
    order = [slices[part] for part in _PART.findall(text)]
    lexicon = Lexicon("".join([day[part] for part in order]) for day in days)
    lexicon.complete = True
    lexicon.name = f"date {text}"
    if (earliest, latest) != (EARLIEST, LATEST):
        lexicon.name += f" from {earliest} to {latest}"
    return lexicon
