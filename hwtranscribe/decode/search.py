"""Beam search over the lattice of a field.

Hypotheses with the same text at the same node are one (their probabilities add up), and the field's constraint walks
along as an automaton, so that a reading it forbids is never built.
"""

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from hwtranscribe.constraint import Constraint
from hwtranscribe.types import CharBoxes, Kind

UNREADABLE = "?"
"""Stands in a reading for a character that the network takes for none."""
BEAM_WIDTH = 24
_FREE_FLOOR, _CONSTRAINED_FLOOR = -7.0, -14.0
_SPACE_FLOOR = 4.0
_HOPELESS = 7.0
"""How much less likely than the best at its node a text may be before it is given up."""
_NO_SPACE = (("", 0.0),)
_CHARACTER_LOG_PROB = {Kind.DIGITS: 0.0, Kind.LETTERS: -0.45, Kind.ALPHANUMERIC: -0.25}
"""Cost of a character more: hands join digits more often than block letters; fitted on the development sets."""
_SCORE_WEIGHT = 0.72
"""Of the network's log-probabilities against geometry, where characters have to be cut apart."""
_UNREADABLE_PENALTY = math.log(0.05)
_HALF = math.log(0.5)


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
class Text:
    """A reading of the whole field: its characters with their edges."""

    text: str
    log_prob: float
    edges: tuple[int, ...]


def search(
    boxes: CharBoxes,
    log_probs: Float32[np.ndarray, "n symbols"],
    symbols: Sequence[str],
    kind: Kind,
    constraint: Constraint | None,
) -> list[Text]:
    """The most probable texts of the lattice, best first; empty when the constraint allows none."""
    nodes: list[dict[str, _Hypothesis]] = [{} for _ in range(boxes.node_count)]
    nodes[0][""] = _Hypothesis(0.0, 0.0, constraint.start if constraint else None, None)
    edges_from: list[list[int]] = [[] for _ in range(boxes.node_count)]
    for edge, node in enumerate(boxes.start.tolist()):
        edges_from[node].append(edge)
    floor = _FREE_FLOOR if constraint is None else _CONSTRAINED_FLOOR
    more = _CHARACTER_LOG_PROB[kind]
    choices = [_choices(boxes, log_probs, symbols, edge, floor, more) for edge in range(len(boxes.inks))]
    spaces = kind is not Kind.DIGITS
    pending = _blank_before(boxes) & spaces
    best_at = [-math.inf] * boxes.node_count
    for node in range(boxes.node_count - 1):
        beam = sorted(nodes[node].items(), key=_rank)[:BEAM_WIDTH]
        nodes[node] = dict(beam)
        for edge in edges_from[node]:
            end = int(boxes.end[edge])
            target = nodes[end]
            gaps = _gaps(float(boxes.space_log_odds[edge]), bool(pending[edge])) if spaces else _NO_SPACE
            for text, hypothesis in beam:
                for symbol, score in choices[edge]:
                    if hypothesis.log_prob + score < best_at[end] - _HOPELESS:
                        break
                    state = hypothesis.state
                    if symbol == "":
                        merged = _merge(target, text, hypothesis, score, state, (node, text, edge, False))
                        best_at[end] = max(best_at[end], merged)
                        continue
                    if constraint is not None:
                        state = None if symbol == UNREADABLE else constraint.step(state, symbol)
                        if state is None:
                            continue
                    for gap, gap_score in gaps if text else _NO_SPACE:
                        longer = text + gap + symbol
                        merged = _merge(target, longer, hypothesis, score + gap_score, state, (node, text, edge, True))
                        best_at[end] = max(best_at[end], merged)
    last = nodes[-1]
    finished = [
        Text(text, hypothesis.log_prob, _trace(nodes, text))
        for text, hypothesis in last.items()
        if constraint is None or constraint.accepts(hypothesis.state)
    ]
    return sorted(finished, key=lambda t: (-t.log_prob, t.text))[:BEAM_WIDTH]


def _rank(item: tuple[str, _Hypothesis]) -> tuple[float, str]:
    return -item[1].log_prob, item[0]


def _choices(
    boxes: CharBoxes,
    log_probs: Float32[np.ndarray, "n symbols"],
    symbols: Sequence[str],
    edge: int,
    floor: float,
    character_log_prob: float,
) -> list[tuple[str, float]]:
    """What an edge may be read as, with log-probabilities above a floor, likeliest first; "" leaves it out."""
    if boxes.blank[edge]:
        return [("", 0.0)]
    geometry = float(boxes.geometry_log_prob[edge])
    row = log_probs[edge] * (1.0 if boxes.cells else _SCORE_WEIGHT)
    found = [
        (symbols[i], float(row[i]) + geometry + character_log_prob) for i in np.flatnonzero(row[:-1] > floor).tolist()
    ]
    unreadable = float(row[-1]) + geometry
    if row[-1] < _HALF or not boxes.cells:
        unreadable += _UNREADABLE_PENALTY
    found.append((UNREADABLE, unreadable))
    if np.isfinite(boxes.skip_log_prob[edge]):
        found.append(("", float(boxes.skip_log_prob[edge])))
    return sorted(found, key=lambda choice: (-choice[1], choice[0]))


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
) -> float:
    """Add a path to the hypothesis with its text; returns the log-probability of that."""
    log_prob, best = hypothesis.log_prob + score, hypothesis.best + score
    known = target.get(text)
    if known is None:
        target[text] = _Hypothesis(log_prob, best, state, previous)
        return log_prob
    known.log_prob = log_add(known.log_prob, log_prob)
    if best > known.best:
        known.best, known.previous = best, previous
    return known.log_prob


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


def log_add(a: float, b: float) -> float:
    """Logarithm of the sum of two numbers given by their logarithms."""
    high, low = max(a, b), min(a, b)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))


def log_sum(values: Iterable[float]) -> float:
    """Logarithm of the sum of numbers given by their logarithms; -inf for none."""
    total = -math.inf
    for value in values:
        total = log_add(total, value)
    return total
