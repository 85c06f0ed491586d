"""Telling type from hand-print by what a hand can't do.

Letters of one height stand on one base line, close, with upright stems. Lines are lists of component indices; a word
is a part of a line without wide paper in it.
"""

from itertools import pairwise

import numpy as np
from jaxtyping import Float64

from hwtranscribe.imaging.paper import is_cut_out
from hwtranscribe.segment.components import Components

WORD_GAP = 0.6
"""Paper wider than this, in letter heights, parts words of type."""
LABEL_GAP = 0.9
"""Paper that at least parts a label from what is written behind it, in letter heights: less is within a word."""

MARK = 0.6
"""What is lower than this behind a label, in its height, is a mark and no part of it."""

EVENLY_WRITTEN = 3.0
"""Where all words look like type, the least likely is written if the likeliest is above it by these log-odds."""

SMALLER, SMALLER_EVIDENCE = 0.85, 1.0
"""A word less high than this share of the writing, on its line if any is there, is likelier a label, by these odds."""
MUCH_SMALLER, AS_HIGH = 0.7, 4.0
"""The same among many words, whose heights differ in any hand. There, one that is higher and has no colon behind
it is a label only above these log-odds: of an even hand, some look like type by chance."""

COLON_EVIDENCE = 5.0
"""Log-odds that a word with a colon behind it is a label."""
COLON_DOT, COLON_REACH = 0.35, 1.2
"""Largest dot of a colon, and farthest from its word, in letter heights."""

SMALL_TYPE_PX = 16
"""Type less high has less than two px of paper between its letters: a little blur joins them."""
JOINED, LETTER_WIDTH, PARTED_WITHIN = 1.4, 0.85, 0.3
"""What is wider than this holds several letters, of this width (both in heights), that meet about where they should,
give or take a share of a letter."""

_MANY_WORDS, _WORDS_BEFORE, _EM_ROUNDS = 8, 4.0, 20
"""Words that tell how many on a page are type, and those, half of them type, that count before any is seen."""

_REMNANT_PIECES = 1
"""No more than this before a label is no writing but what is left of a frame or a stamp."""

# Logistic regression on words of scanned name strips, labels and writing told apart by an independent reader of type.
_UNEVEN_TOPS = -14.0
_UNEVEN_BOTTOMS = -17.0
_GAP = -8.0
_GAP_SPREAD = -8.0
_STEM = 14.0
_FEW_LETTERS = -12.0
_OFFSET = -6.2

_TWO_PIECES = -3.0
"""Log-odds that two pieces are a label of two letters rather than one written N or M that is broken into its stems."""


def without_printing(components: Components, lines: list[list[int]]) -> list[list[int]]:
    """Leave printed words out of lines, and what stands left of a label, as long as something else is written.

    Args:
        components: Of the page.
        lines: Components of each line.
    """
    words = [
        (at, part)
        for at, line in enumerate(lines)
        for word in _words(components, line)
        for part in _before_label(components, word)
    ]
    evidence = np.array([printing_evidence(components, word) for _, word in words])
    colon = np.array([has_colon(components, word) for _, word in words])
    evidence += COLON_EVIDENCE * colon
    evidence += min(0.0, _log_odds_of_page(evidence))
    if not (evidence > -SMALLER_EVIDENCE).any():
        return lines
    if (evidence > 0).all():
        if np.ptp(evidence) <= EVENLY_WRITTEN:
            return lines
        # A very even hand; what is more even still is type.
        evidence -= (evidence.min() + evidence.max()) / 2
    heights = np.array([float(np.median(components.height[word])) for _, word in words])
    ink = np.array([float(components.area[word].sum()) for _, word in words])
    # Of the taller parts, since faint writing is in pieces.
    pieces = np.concatenate([word for (_, word), typed in zip(words, evidence > 0, strict=True) if not typed])
    whole = ~components.cut_off[pieces]
    usual = float(np.percentile(components.height[pieces[whole] if whole.any() else pieces], 75))
    # On whole pages, a label that is read costs less than a line that is not.
    few = np.isfinite(evidence).sum() < _MANY_WORDS and is_cut_out(components.labels.shape)
    # Labels are mostly smaller than what is written beside them.
    line_of = np.array([at for at, _ in words])
    written = (evidence <= 0) & np.isfinite(evidence)
    around = np.full(len(words), usual)
    for mine in np.split(np.arange(len(words)), np.flatnonzero(np.diff(line_of)) + 1):
        for i in mine.tolist():
            beside = mine[written[mine] & (mine != i)]
            if len(beside):
                around[i] = np.median(heights[beside])
    smaller = heights < (SMALLER if few else MUCH_SMALLER) * around
    for_size = np.where(smaller, SMALLER_EVIDENCE, np.where(colon | few, 0.0, -AS_HIGH))
    printed = (evidence + for_size > 0) & (heights < 1.25 * usual)
    last_of_line = np.array([*(one[0] != other[0] for one, other in pairwise(words)), True])
    for i in np.flatnonzero(printed & ~last_of_line).tolist():
        if printed[i + 1]:
            continue
        if heights[i + 1] < MARK * heights[i]:
            printed[i + 1] = last_of_line[i + 1]
        else:
            reach, begin = components.right[words[i][1]].max(), components.left[words[i + 1][1]].min()
            printed[i] = begin - reach >= LABEL_GAP * heights[i]
    if printed.all():
        return lines
    kept: list[list[int]] = []
    pieces = np.array([len(word) for _, word in words])
    for at in range(len(lines)):
        members = [i for i, (line, _) in enumerate(words) if line == at]
        chosen = _right_of_label(members, printed, ink, pieces)
        if chosen:
            kept.append([component for i in chosen for component in words[i][1]])
    return kept or lines


def _log_odds_of_page(evidence: Float64[np.ndarray, " n"]) -> float:
    """Log-odds that a word of the page is set in type, as the others tell, by EM.

    Among many written words a few look like type by chance. (Where most are type, what looks written is kept all the
    same: to lose writing is worse.)
    """
    known = evidence[np.isfinite(evidence)]
    if len(known) < _MANY_WORDS:
        return 0.0
    share = 0.5
    for _ in range(_EM_ROUNDS):
        typed = 1 / (1 + (1 - share) / share * np.exp(-np.clip(known, -30, 30)))
        share = (float(typed.sum()) + _WORDS_BEFORE / 2) / (len(known) + _WORDS_BEFORE)
    return float(np.log(share / (1 - share)))


def _right_of_label(members: list[int], printed: np.ndarray, ink: np.ndarray, pieces: np.ndarray) -> list[int]:
    """Written words of a line; those before its last label only when they outweigh those behind it.

    A label has its answer behind it: what ends a line is written, however evenly.
    """
    written = [i for i in members if not printed[i]]
    last = members.index(written[-1]) if written else -1
    labels = [place for place, i in enumerate(members) if printed[i] and place < last]
    if not labels:
        remnant = len(written) < len(members) and pieces[written].sum() <= _REMNANT_PIECES
        return [] if remnant or not written else members
    behind = members[labels[-1] + 1 :]
    before = [i for i in written if i not in behind]
    return behind if ink[behind].sum() >= ink[before].sum() else before + behind


def _words(components: Components, line: list[int]) -> list[list[int]]:
    order = sorted(line, key=lambda i: int(components.left[i]))
    height = float(np.median(components.height[order]))
    words, reach = [[order[0]]], int(components.right[order[0]])
    for i in order[1:]:
        if components.left[i] - reach > WORD_GAP * height:
            words.append([])
        words[-1].append(i)
        reach = max(reach, int(components.right[i]))
    return words


def _before_label(components: Components, word: list[int]) -> list[list[int]]:
    """Part a printed word from remnants that run into it on the left, such as a stamp on the margin."""
    if printing_evidence(components, word) <= 0:
        for first in range(1, min(5, len(word) - 2)):
            if printing_evidence(components, word[first:]) > 0:
                return [word[:first], word[first:]]
    return [word]


def printing_evidence(components: Components, word: list[int]) -> float:
    """Log-odds that a word is set in type rather than written; -inf for what is too short to tell.

    Letters of small type may touch: then the word is also looked at with what is wide parted.

    Args:
        components: Of the page.
        word: Its components, left to right.
    """
    height = float(np.median(components.height[word]))
    joined = components.width[word] > JOINED * height
    if height >= SMALL_TYPE_PX or not joined.any():
        return _evidence_of(_letters(components, word, height, parted=False), height)
    return max(_evidence_of(_letters(components, word, height, parted), height) for parted in (False, True))


def _letters(components: Components, word: list[int], height: float, parted: bool) -> Float64[np.ndarray, "n 5"]:
    """Left, right, top, bottom and stem of the letters of a word.

    Args:
        components: Of the page.
        word: Its components, left to right.
        height: Of its letters.
        parted: Whether what is wide counts as the letters that it may hold, parted at its thinnest columns.
    """
    found = []
    for i in word:
        left, top = int(components.left[i]), int(components.top[i])
        mask = components.labels[top : components.bottom[i], left : components.right[i]] == i + 1
        ink, width = mask.sum(axis=0), mask.shape[1]
        count = round(width / (LETTER_WIDTH * height)) if parted and width > JOINED * height else 1
        ends = [0, width]
        for middle in np.arange(1, count) * width / count:
            first = round(middle - PARTED_WITHIN * width / count)
            last = round(middle + PARTED_WITHIN * width / count) + 1
            ends.insert(-1, first + int(ink[first:last].argmin()))
        for begin, end in pairwise(ends):
            rows = np.flatnonzero(mask[:, begin:end].any(axis=1))
            if len(rows):
                upper, lower = int(rows[0]), int(rows[-1]) + 1
                stem = ink[begin:end].max() / (lower - upper)
                found.append((left + begin, left + end, top + upper, top + lower, stem))
    return np.array(found, float)


def _evidence_of(letters: Float64[np.ndarray, "n 5"], height: float) -> float:
    """Log-odds that letters, from `_letters`, are set in type."""
    if len(letters) < 2:
        return -np.inf
    left, right, top, bottom, stem = letters.T
    gaps = (left[1:] - np.maximum.accumulate(right)[:-1]) / height
    return (
        _OFFSET
        + _UNEVEN_TOPS * min(0.2, _unevenness(left, top) / height)
        + _UNEVEN_BOTTOMS * min(0.2, _unevenness(left, bottom) / height)
        + _GAP * float(np.clip(np.median(gaps), -0.2, 0.6))
        + _GAP_SPREAD * min(0.3, float(gaps.std()))
        + _STEM * float(stem.mean())
        + _FEW_LETTERS / len(letters)
        + (_TWO_PIECES if len(letters) == 2 else 0.0)
    )


def has_colon(components: Components, word: list[int]) -> bool:
    """Return whether two dots of one size stand behind a word, one over the other.

    Args:
        components: Of the page.
        word: Its components, left to right.
    """
    index = np.array(word)
    height = float(np.median(components.height[index]))
    reach, top, bottom = components.right[index].max(), components.top[index].min(), components.bottom[index].max()
    size = np.maximum(components.width, components.height)
    near = (components.left >= reach) & (components.right <= reach + COLON_REACH * height)
    dots = np.flatnonzero(
        near & (size <= COLON_DOT * height) & (components.top > top) & (components.bottom <= bottom + 1)
    )
    if len(dots) != 2:
        return False
    upper, lower = sorted(dots.tolist(), key=lambda i: int(components.top[i]))
    apart = components.top[lower] - components.bottom[upper]
    differs = max(abs(components.left[lower] - components.left[upper]), np.ptp(size[dots]))
    return bool(2 * apart >= size[dots].min() and differs <= 1 + 0.05 * height)


def _unevenness(x: Float64[np.ndarray, " n"], y: np.ndarray) -> float:
    """Mean distance of tops or bottoms from the straight line through them; from their mean where they tell none."""
    if len(x) < 4 or np.ptp(x) == 0:
        return float(np.abs(y - y.mean()).mean())
    slope, offset = np.polyfit(x, y, 1)
    return float(np.abs(y - slope * x - offset).mean())
