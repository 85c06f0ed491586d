"""Where a text is divided into words, by the paper between its characters and by what words are like.

Spaces are decided after the characters, for only then is it known what stands between what: a stroke beside a gap
may be half of an N or an I.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from hwtranscribe.decode.search import Text
from hwtranscribe.types import CharBoxes

_BAR_WIDTH, _LETTER_WIDTH = 0.35, 0.6
"""Widest I or 1, and the usual width of letters, in line heights: a bar has more paper around it than others."""
_BAR_SHARE = 0.3
"""Of what a bar is narrower on either side: so much more paper is usual."""
_LEAST_SPREAD, _SPREAD = 0.06, 0.2
"""Standard deviation of gaps within words to be expected before any are seen, in line heights: some, and a share of
their mean."""
_EXPECTED = 6
"""Gaps for which that counts."""
_WITHIN, _CLEARLY_WIDE, _LEAST_SPACE = 2.5, 5.0, 0.3
"""Standard deviations beyond the mean up to which a gap tells what is usual within words, and from which on it is a
space as likely as not; the least that a space is wide, in line heights."""
_ONE_GAP = 0.5
"""Widest gap, in line heights, that a line with no other takes for usual."""
_ROUNDS = 6
_CERTAIN = 4.0
"""Log-odds of a space beyond which words are not asked; all these were fitted on drawn forms and the names."""
_PRIOR_WEIGHT = 0.2
"""Of the prior: with more, long names are taken for two."""
_DIGIT_BESIDE_LETTER = 1.5
"""Log-odds that a number and a word are apart rather than two letters."""


@dataclass(frozen=True, slots=True)
class Spacing:
    """What is a space in one field.

    Attributes:
        boxes: Its lattice.
        ends: Left and right end of each of its hypotheses, line heights.
        space: Paper between characters that is a space as likely as not, line heights.
        spread: By how much more paper a space is e times as likely.
        prior: Log-odds of a text with its spaces, or None.
    """

    boxes: CharBoxes
    ends: list[tuple[float, float]]
    space: float
    spread: float
    prior: Callable[[str], float] | None

    def divide(self, text: Text) -> Text:
        """Return a text without spaces with them."""
        if len(text.edges) < 2:
            return text
        if self.boxes.cells:
            return replace(text, text=_joined(text.text, [bool(self.boxes.blank[e - 1]) for e in text.edges[1:]]))
        log_odds = [(gap - self.space) / self.spread for gap in _gaps(self.ends, text)]
        for at, (before, after) in enumerate(zip(text.text, text.text[1:], strict=False)):
            log_odds[at] += _DIGIT_BESIDE_LETTER * (before.isdigit() != after.isdigit())
        spaces = [own > 0 for own in log_odds]
        if self.prior is not None:
            for at in sorted(range(len(log_odds)), key=lambda k: -abs(log_odds[k])):
                if abs(log_odds[at]) < _CERTAIN:
                    # Whether a space is likelier than none, the others being as they are.
                    left, right = spaces[:at], spaces[at + 1 :]
                    one, two = (self.prior(_joined(text.text, [*left, own, *right])) for own in (False, True))
                    spaces[at] = log_odds[at] + _PRIOR_WEIGHT * (two - one) > 0
        return replace(text, text=_joined(text.text, spaces))


def spacing_of(boxes: CharBoxes, text: Text, prior: Callable[[str], float] | None) -> Spacing:
    """Find what is a space in a field: paper clearly wider than is usual between its characters.

    Args:
        boxes: The lattice.
        text: The likeliest text by the search, which says what its characters are.
        prior: Log-odds of a text with its spaces, or None.
    """
    ends = [] if boxes.cells else [(left, right) for left, right in boxes.extent.tolist()]
    gaps = [] if boxes.cells else sorted(_gaps(ends, text))
    if not gaps:
        return Spacing(boxes, ends, _LEAST_SPACE, 1.0, prior)
    usual = max(0.0, gaps[(len(gaps) - 1) // 2] if len(gaps) > 1 else min(gaps[0], _ONE_GAP))
    mean, spread = usual, _LEAST_SPREAD + _SPREAD * usual
    for _ in range(_ROUNDS):
        within = [gap for gap in gaps if gap <= mean + _WITHIN * spread]
        mean = (sum(within) + usual) / (len(within) + 1)
        expected = _LEAST_SPREAD + _SPREAD * max(mean, 0.0)
        squares = _EXPECTED * expected**2 + sum((gap - mean) ** 2 for gap in within)
        # Of the next gap, so what is not known of the mean counts as well.
        spread = (squares / (_EXPECTED + len(within)) * (1 + 1 / max(len(within), 1))) ** 0.5
    return Spacing(boxes, ends, max(mean + _CLEARLY_WIDE * spread, _LEAST_SPACE), spread, prior)


def _gaps(ends_of: Sequence[tuple[float, float]], text: Text) -> list[float]:
    """Paper before every character but the first, line heights, less what an I has more of."""
    ends = [ends_of[edge] for edge in text.edges]
    bars = [_LETTER_WIDTH - (right - left) if right - left < _BAR_WIDTH else 0.0 for left, right in ends]
    reach = accumulate((right for _, right in ends), max)
    sides = zip(ends[1:], reach, bars, bars[1:], strict=False)
    return [max(left - before, -0.1) - _BAR_SHARE * (bar + other) for (left, _), before, bar, other in sides]


def _joined(text: str, spaces: Sequence[bool]) -> str:
    """A text with spaces before some of its characters but the first."""
    return text[:1] + "".join(" " + c if space else c for c, space in zip(text[1:], spaces, strict=True))
