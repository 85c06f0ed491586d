"""CharScores and what a field may hold to FieldReading.

A beam search over the lattice. Hypotheses with the same text at the same node are one (their probabilities add up), and
the field's constraint walks along as an automaton, so that a reading it forbids is never built. Some probability is
kept for readings that break the constraint: a writer may, and then the field is for review.
"""

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32

from hwtranscribe.constraint import Constraint, Product
from hwtranscribe.types import Alternative, Box, CharBoxes, CharReading, FieldReading, Kind, Status

UNREADABLE = "?"
"""Stands in a reading for a character that the network takes for none."""
BEAM_WIDTH = 24
MAX_ALTERNATIVES = 5
PRIOR_WEIGHT = 0.5
"""Of a text's prior log-odds; chosen on the name strips, half of whose names are not in the list."""
_FREE_FLOOR, _CONSTRAINED_FLOOR = -7.0, -14.0
_SPACE_FLOOR = 4.0
_NO_SPACE = (("", 0.0),)
_CHARACTER_BONUS = -0.25
_UNREADABLE_PENALTY = math.log(0.05)
_HALF = math.log(0.5)
_CONSTRAINT_BROKEN = math.log(1e-3)
_ILLEGIBLE_SHARE = 0.34


@dataclass(slots=True)
class _Hypothesis:
    """One text up to one node.

    Attributes:
        log_prob: Of all paths to it together.
        best: Of its best path.
        state: Of the constraint.
        previous: Where the best path comes from, with the edge and whether it was read (or left out).
    """

    log_prob: float
    best: float
    state: Hashable
    previous: tuple[int, str, int, bool] | None


@dataclass(frozen=True, slots=True)
class _Text:
    """A reading of the whole field: its characters with their edges."""

    text: str
    log_prob: float
    edges: tuple[int, ...]


def decode_field(
    boxes: CharBoxes,
    log_probs: Float32[np.ndarray, "n symbols"],
    symbols: Sequence[str],
    *,
    page: int,
    kind: Kind,
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
        constraint: What its whole value must be like.
        prior: Log-odds of a text before anything is seen, such as `language.word_log_odds`.
        required: Whether it may be blank.
        review_below: Confidence under which it is for review.

    Returns:
        The reading, its boxes in aligned px.
    """
    if boxes.node_count == 1 or bool(boxes.blank.all()):
        detail = "required, but blank" if required else ""
        status = Status.REVIEW if required else Status.BLANK
        return FieldReading(page, boxes.field, kind, "", 1.0, status, detail, boxes.box)
    free = _weighed(_search(boxes, log_probs, symbols, kind, None), prior)
    allowed = free
    if constraint is not None:
        allowed = _weighed(_search(boxes, log_probs, symbols, kind, constraint), prior)
    detail = ""
    if constraint is not None:
        broken = _log_sum(t.log_prob for t in free) + _CONSTRAINT_BROKEN
        if not allowed or allowed[0].log_prob < broken:
            detail = "breaks " + ", ".join(constraint.broken_by(free[0].text) or (constraint.name,))
            texts, rest = free, -math.inf
        else:
            texts, rest = allowed, broken
    else:
        texts, rest = free, -math.inf
    total = _log_sum([*(t.log_prob for t in texts), rest])
    texts = _without_other_spacings(texts)
    confidences = [math.exp(t.log_prob - total) for t in texts]
    best = texts[0]
    if not best.text:
        detail = "required, but blank" if required else ""
        status = Status.REVIEW if required else Status.BLANK
        return FieldReading(page, boxes.field, kind, "", confidences[0], status, detail, boxes.box)
    confidence = confidences[0]
    if detail:
        confidence *= math.exp(_CONSTRAINT_BROKEN / 4)
    unreadable = best.text.count(UNREADABLE)
    letters = len(best.edges)
    alternatives = tuple(
        Alternative(t.text, round(p, 6))
        for t, p in zip(texts[1 : MAX_ALTERNATIVES + 1], confidences[1:], strict=False)
        if p > 1e-4
    )
    if unreadable and unreadable >= _ILLEGIBLE_SHARE * letters:
        return FieldReading(
            page, boxes.field, kind, "", 0.0, Status.ILLEGIBLE, "not readable", boxes.box, alternatives=alternatives
        )
    if unreadable:
        detail = "; ".join(filter(None, [detail, "not readable where it says ?"]))
        confidence = 0.0
    characters = _characters(boxes, log_probs, symbols, best)
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


def _search(
    boxes: CharBoxes,
    log_probs: Float32[np.ndarray, "n symbols"],
    symbols: Sequence[str],
    kind: Kind,
    constraint: Constraint | None,
) -> list[_Text]:
    """The most probable texts of the lattice, best first; empty when the constraint allows none."""
    nodes: list[dict[str, _Hypothesis]] = [{} for _ in range(boxes.node_count)]
    nodes[0][""] = _Hypothesis(0.0, 0.0, constraint.start if constraint else None, None)
    edges_from: list[list[int]] = [[] for _ in range(boxes.node_count)]
    for edge, node in enumerate(boxes.start.tolist()):
        edges_from[node].append(edge)
    floor = _FREE_FLOOR if constraint is None else _CONSTRAINED_FLOOR
    choices = [_choices(boxes, log_probs, symbols, edge, floor) for edge in range(len(boxes.inks))]
    spaces = kind is not Kind.DIGITS
    pending = _blank_before(boxes) & spaces
    for node in range(boxes.node_count - 1):
        beam = sorted(nodes[node].items(), key=_rank)[:BEAM_WIDTH]
        nodes[node] = dict(beam)
        for edge in edges_from[node]:
            target = nodes[int(boxes.end[edge])]
            gaps = _gaps(float(boxes.space_log_odds[edge]), bool(pending[edge])) if spaces else _NO_SPACE
            for text, hypothesis in beam:
                for symbol, score in choices[edge]:
                    state = hypothesis.state
                    if symbol == "":
                        _merge(target, text, hypothesis, score, state, (node, text, edge, False))
                        continue
                    if constraint is not None:
                        state = None if symbol == UNREADABLE else constraint.step(state, symbol)
                        if state is None:
                            continue
                    for gap, gap_score in gaps if text else _NO_SPACE:
                        longer = text + gap + symbol
                        _merge(target, longer, hypothesis, score + gap_score, state, (node, text, edge, True))
    last = nodes[-1]
    finished = [
        _Text(text, hypothesis.log_prob, _trace(nodes, text))
        for text, hypothesis in last.items()
        if constraint is None or constraint.accepts(hypothesis.state)
    ]
    return sorted(finished, key=lambda t: (-t.log_prob, t.text))[:BEAM_WIDTH]


def _without_other_spacings(texts: list[_Text]) -> list[_Text]:
    """One text for all that differ in spaces only, the most probable spelling of them with their joint probability."""
    merged: dict[str, _Text] = {}
    for text in texts:
        letters = text.text.replace(" ", "")
        known = merged.get(letters)
        merged[letters] = replace(known, log_prob=_log_add(known.log_prob, text.log_prob)) if known else text
    return sorted(merged.values(), key=lambda t: (-t.log_prob, t.text))


def _weighed(texts: list[_Text], prior: Callable[[str], float] | None) -> list[_Text]:
    """The texts in the order that the prior gives them."""
    if prior is None:
        return texts
    weighed = [replace(t, log_prob=t.log_prob + PRIOR_WEIGHT * prior(t.text)) for t in texts]
    return sorted(weighed, key=lambda t: (-t.log_prob, t.text))


def _rank(item: tuple[str, _Hypothesis]) -> tuple[float, str]:
    return -item[1].log_prob, item[0]


def _choices(
    boxes: CharBoxes, log_probs: Float32[np.ndarray, "n symbols"], symbols: Sequence[str], edge: int, floor: float
) -> list[tuple[str, float]]:
    """What an edge may be read as, with log-probabilities above a floor; "" leaves it out."""
    if boxes.blank[edge]:
        return [("", 0.0)]
    geometry = float(boxes.geometry_log_prob[edge])
    row = log_probs[edge]
    found = [
        (symbols[i], float(row[i]) + geometry + _CHARACTER_BONUS) for i in np.flatnonzero(row[:-1] > floor).tolist()
    ]
    unreadable = float(row[-1]) + geometry
    if row[-1] < _HALF or not boxes.cells:
        unreadable += _UNREADABLE_PENALTY
    found.append((UNREADABLE, unreadable))
    if np.isfinite(boxes.skip_log_prob[edge]):
        found.append(("", float(boxes.skip_log_prob[edge])))
    return found


def _blank_before(boxes: CharBoxes) -> np.ndarray:
    """Edges of a comb that follow an empty cell: a space stands before them."""
    follows = np.zeros(len(boxes.inks), bool)
    if boxes.cells:
        follows[1:] = boxes.blank[:-1]
    return follows


def _gaps(space_log_odds: float, after_empty_cell: bool) -> tuple[tuple[str, float], ...]:
    """What may stand between two characters, with log-probabilities; far-fetched ones are left out."""
    if after_empty_cell:
        return ((" ", 0.0),)
    if space_log_odds < -_SPACE_FLOOR:
        return _NO_SPACE
    if space_log_odds > _SPACE_FLOOR:
        return ((" ", 0.0),)
    return ((" ", -math.log1p(math.exp(-space_log_odds))), ("", -math.log1p(math.exp(space_log_odds))))


def _merge(
    target: dict[str, _Hypothesis],
    text: str,
    hypothesis: _Hypothesis,
    score: float,
    state: Hashable,
    previous: tuple[int, str, int, bool],
) -> None:
    """Add a path to the hypothesis with its text."""
    log_prob, best = hypothesis.log_prob + score, hypothesis.best + score
    known = target.get(text)
    if known is None:
        target[text] = _Hypothesis(log_prob, best, state, previous)
        return
    known.log_prob = _log_add(known.log_prob, log_prob)
    if best > known.best:
        known.best, known.previous = best, previous


def _trace(nodes: list[dict[str, _Hypothesis]], text: str) -> tuple[int, ...]:
    """Edges read along the best path of a text."""
    edges = []
    at = nodes[-1][text]
    while at.previous is not None:
        node, before, edge, read = at.previous
        if read:
            edges.append(edge)
        at = nodes[node][before]
    return tuple(reversed(edges))


def _characters(
    boxes: CharBoxes, log_probs: Float32[np.ndarray, "n symbols"], symbols: Sequence[str], best: _Text
) -> tuple[CharReading, ...]:
    """The characters of a reading with the network's probabilities."""
    column = {symbol: i for i, symbol in enumerate(symbols)} | {UNREADABLE: len(symbols)}
    letters = [c for c in best.text if c != " "]
    return tuple(
        CharReading(c, round(math.exp(float(log_probs[edge, column[c]])), 6), _box(boxes, edge))
        for c, edge in zip(letters, best.edges, strict=True)
    )


def _box(boxes: CharBoxes, edge: int) -> Box:
    left, top, right, bottom = boxes.boxes[edge].tolist()
    return math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)


def _log_add(a: float, b: float) -> float:
    high, low = max(a, b), min(a, b)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))


def _log_sum(values: Iterable[float]) -> float:
    total = -math.inf
    for value in values:
        total = _log_add(total, value)
    return total
