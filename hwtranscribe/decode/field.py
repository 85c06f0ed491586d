"""From the texts that the search found to the reading of a field.

Some probability is kept for readings that break the constraint: a writer may, and then the field is for review.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from jaxtyping import Float32

from hwtranscribe.constraint import Lexicon, Product, accepts_text, fold
from hwtranscribe.decode.confidence import hardly_legible, probability_right
from hwtranscribe.decode.left_out import left_out
from hwtranscribe.decode.search import UNREADABLE, Text, log_sum
from hwtranscribe.decode.texts import Evidence
from hwtranscribe.types import Alternative, Box, CharBoxes, CharReading, FieldReading, Kind, Status

MAX_ALTERNATIVES = 5
_CONSTRAINT_BROKEN, _NOT_IN_LIST = math.log(1e-3), math.log(1e-2)
"""Share of the fields whose writer broke their rule; more of them write what no list has."""
_BROKEN_CONFIDENCE = 0.2
"""What is left of the confidence of a reading that breaks the field's constraint."""
_DOUBTED_CONFIDENCE = 0.5
"""Most that is left where it is not certain that the field was cut into its characters, or that its rule was kept."""
_ILLEGIBLE_SHARE = 0.34


def decode_field(
    boxes: CharBoxes,
    log_probs: Float32[np.ndarray, "n symbols"],
    symbols: Sequence[str],
    *,
    page: int,
    kind: Kind,
    columns: Float32[np.ndarray, "t symbols"] | None = None,
    constraint: Product | None = None,
    prior: Callable[[str], float] | None = None,
    required: bool = False,
    review_below: float = 0.9,
) -> FieldReading:
    """Read one field or line.

    Args:
        boxes: Its lattice.
        log_probs: Per edge: log-probability of each symbol, and in the last column of being no character.
        symbols: The symbols, one fewer than columns.
        page: 1-based page, for the reading.
        kind: What the field may hold.
        columns: The same symbols along the whole line, as the network for lines reads it.
        constraint: What its whole value must be like.
        prior: Log-odds of a text before anything is seen, such as `language.word_log_odds`.
        required: Whether it may be blank.
        review_below: Confidence under which it is for review.

    Returns:
        The reading, its boxes in aligned px.
    """
    if boxes.node_count == 1 or bool(boxes.blank.all()):
        return _blank(boxes, page, kind, 1.0, required, review_below)
    evidence = Evidence.of(boxes, log_probs, symbols, kind, prior, columns)
    free = evidence.texts(None)
    allowed = free if constraint is None else evidence.texts(constraint)
    detail, clear = "", 0.0
    if constraint is not None:
        others = any(isinstance(part, Lexicon) and not part.complete for part in constraint.parts)
        broken = log_sum(t.log_prob for t in free) + (_NOT_IN_LIST if others else _CONSTRAINT_BROKEN)
        if not allowed or allowed[0].log_prob < broken:
            detail = f"breaks {_broken(free[0].text, constraint)}"
            texts, rest = free, -math.inf
        else:
            texts, rest = allowed, broken
            if fold(free[0].text) != fold(allowed[0].text):
                clear = _clear(boxes, log_probs, symbols, free, review_below)
            if clear:
                boxes = replace(boxes, doubt=_contradiction(free[0].text, constraint))
    else:
        texts, rest = free, -math.inf
    total = log_sum([*(t.log_prob for t in texts), rest])
    confidences = [math.exp(t.log_prob - total) for t in texts]
    best = texts[0]
    if not best.text:
        return _blank(boxes, page, kind, confidences[0], required, review_below)
    characters = _characters(boxes, log_probs, symbols, best)
    confidence = probability_right(confidences[0])
    if detail:
        confidence *= _BROKEN_CONFIDENCE
    doubt = (
        boxes.doubt
        or _hardly_legible(characters, constraint)
        or _has_gap(boxes, best, kind, constraint)
        or left_out(boxes, best, constraint)
    )
    if doubt:
        confidence = min(confidence, _DOUBTED_CONFIDENCE)
        detail = "; ".join(filter(None, [detail, doubt]))
    unreadable = best.text.count(UNREADABLE)
    letters = len(best.edges)
    alternatives = tuple(
        Alternative(t.text, round(p, 6))
        for t, p in zip(texts[1 : MAX_ALTERNATIVES + 1], confidences[1:], strict=False)
        if p > 1e-4
    )
    if clear:
        left = Alternative(free[0].text, round(min(clear, 1 - confidence), 6))
        alternatives = (left, *alternatives[: MAX_ALTERNATIVES - 1])
    if unreadable and unreadable >= _ILLEGIBLE_SHARE * letters:
        why = "; ".join(filter(None, ["not readable", boxes.doubt]))
        return FieldReading(
            page, boxes.field, kind, "", 0.0, Status.ILLEGIBLE, why, boxes.box, alternatives=alternatives
        )
    if unreadable:
        detail = "; ".join(filter(None, [detail, "not readable where it says ?"]))
        confidence = 0.0
    status = Status.OK if confidence >= review_below and not detail else Status.REVIEW
    if status is Status.REVIEW and not detail:
        detail = f"confidence below {review_below:g}"
    return FieldReading(
        page,
        boxes.field,
        kind,
        best.text,
        round(confidence, 6),
        status,
        detail,
        boxes.box,
        characters=characters,
        alternatives=alternatives,
    )


def _blank(
    boxes: CharBoxes, page: int, kind: Kind, confidence: float, required: bool, review_below: float
) -> FieldReading:
    """The reading of a field without writing; for review where that is not sure or not allowed."""
    doubt = "perhaps not blank" if confidence < review_below else ""
    if boxes.doubt:
        confidence, doubt = min(confidence, _DOUBTED_CONFIDENCE), boxes.doubt
    detail = "required, but blank" if required else doubt
    status = Status.REVIEW if detail else Status.BLANK
    return FieldReading(page, boxes.field, kind, "", round(confidence, 6), status, detail, boxes.box)


def _clear(
    boxes: CharBoxes,
    log_probs: Float32[np.ndarray, "n symbols"],
    symbols: Sequence[str],
    free: Sequence[Text],
    review_below: float,
) -> float:
    """Probability of the best reading without a constraint where that would be accepted; 0 where it would not.

    Args:
        boxes: See `decode_field`.
        log_probs: See `decode_field`.
        symbols: See `decode_field`.
        free: The readings without a constraint, best first.
        review_below: See `decode_field`.
    """
    best = free[0]
    share = math.exp(best.log_prob - log_sum(t.log_prob for t in free))
    confidence = probability_right(share) if best.text else share
    if confidence < review_below or boxes.doubt or UNREADABLE in best.text:
        return 0.0
    if best.text and _hardly_legible(_characters(boxes, log_probs, symbols, best), None):
        return 0.0
    return confidence


def _contradiction(text: str, constraint: Product) -> str:
    """What to say where the writing reads clearly as something else than what the constraint allows."""
    return f'reads "{text}", which breaks {_broken(text, constraint)}' if text else "perhaps blank"


def _broken(text: str, constraint: Product) -> str:
    return ", ".join(constraint.broken_by(text) or (constraint.name,))


def _characters(
    boxes: CharBoxes, log_probs: Float32[np.ndarray, "n symbols"], symbols: Sequence[str], best: Text
) -> tuple[CharReading, ...]:
    """The characters of a reading with the network's probabilities."""
    column = {symbol: i for i, symbol in enumerate(symbols)} | {UNREADABLE: len(symbols)}
    letters = [c for c in best.text if c != " "]
    return tuple(
        CharReading(c, round(math.exp(float(log_probs[edge, column[c]])), 6), _box(boxes, edge))
        for c, edge in zip(letters, best.edges, strict=True)
    )


def _hardly_legible(characters: Sequence[CharReading], constraint: Product | None) -> str:
    """Why a reading can't be trusted whose characters are mostly taken for none; a listed value may look like that."""
    listed = constraint is not None and any(isinstance(part, Lexicon) for part in constraint.parts)
    doubted = not listed and hardly_legible([character.confidence for character in characters])
    return "hardly legible" if doubted else ""


def _has_gap(boxes: CharBoxes, best: Text, kind: Kind, constraint: Product | None) -> str:
    """Why digits can't be trusted that have an empty cell between them; not where one more would break the rule."""
    if kind is not Kind.DIGITS or not boxes.cells:
        return ""
    for at, (before, after) in enumerate(pairwise(best.edges), start=1):
        longer = (f"{best.text[:at]}{digit}{best.text[at:]}" for digit in range(10))
        if after > before + 1 and (constraint is None or any(accepts_text(constraint, text) for text in longer)):
            return "a cell between its digits is empty"
    return ""


def _box(boxes: CharBoxes, edge: int) -> Box:
    left, top, right, bottom = boxes.boxes[edge].tolist()
    return math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)
