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
_HOPELESS, _HOPELESS_AMONG_CUTS = 7.0, 5.0
"""How much less likely than the best at its node a text may be before it is given up; less where characters have to be
cut apart and nothing constrains them, for there the network's log-probabilities count less."""
_LOST, _LOST_AMONG_CUTS = 8.0, 6.0
"""How much less likely than the best of the whole field what a text may still become may be before it is given up."""
_PUSHED_OUT = 1.0
"""How much less likely than the last of a full beam a text may be before it is given up: more ways may lead to it."""
_CHARACTER_LOG_PROB = {Kind.DIGITS: 0.0, Kind.LETTERS: -0.1, Kind.ALPHANUMERIC: -0.05}
"""Cost of a character more: hands join digits more often than block letters; fitted on the development sets."""
_SCORE_WEIGHT = {Kind.DIGITS: 0.5, Kind.LETTERS: 0.4, Kind.ALPHANUMERIC: 0.45}
"""Of the network's log-probabilities against geometry, where characters have to be cut apart; the whole line is asked
as well."""
_UNREADABLE_PENALTY = math.log(0.02)
"""The network was shown more things that are no character than fields hold."""


_Path = tuple[int, str, int, bool]
"""Where a hypothesis comes from: node, text there, and the edge with whether it was read (or left out)."""
_Hypothesis = tuple[float, float, Hashable, _Path | None]
"""One text up to one node: log-probability of all paths to it together and of its best path, state of the constraint,
and the last step of the best path. A plain tuple: a page has tens of thousands."""
_Choice = tuple[str, float]
"""What an edge may add to a text, "" where it is left out, and its log-probability."""


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
    nodes[0][""] = (0.0, 0.0, constraint.start if constraint else None, None)
    edges_from: list[list[int]] = [[] for _ in range(boxes.node_count)]
    for edge, node in enumerate(boxes.start.tolist()):
        edges_from[node].append(edge)
    ends = boxes.end.tolist()
    floor = _FREE_FLOOR if constraint is None else _CONSTRAINED_FLOOR
    among_cuts = constraint is None and not boxes.cells
    hopeless, lost = (_HOPELESS_AMONG_CUTS, _LOST_AMONG_CUTS) if among_cuts else (_HOPELESS, _LOST)
    choices = _choices(boxes, log_probs, symbols, kind, floor)
    to_come = _to_come(boxes, choices)
    # What a text at a node must reach: first that it can still become one of the likely ones.
    least = [to_come[0] - lost - rest for rest in to_come]
    for node in range(boxes.node_count - 1):
        beam = sorted(nodes[node].items(), key=_rank)[:BEAM_WIDTH]
        nodes[node] = dict(beam)
        for edge in edges_from[node]:
            end = ends[edge]
            target, enough = nodes[end], least[end]
            crowded = 2 * BEAM_WIDTH
            for text, (log_prob, best, state, _) in beam:
                for symbol, score in choices[edge]:
                    total = log_prob + score
                    if total < enough:
                        break
                    following = state
                    if symbol and constraint is not None:
                        following = None if symbol == UNREADABLE else constraint.step(state, symbol)
                        if following is None:
                            continue
                    longer = text + symbol
                    known = target.get(longer)
                    if known is None:
                        target[longer] = (total, best + score, following, (node, text, edge, symbol != ""))
                    else:
                        total = log_add(known[0], total)
                        if best + score > known[1]:
                            target[longer] = (total, best + score, following, (node, text, edge, symbol != ""))
                        else:
                            target[longer] = (total, *known[1:])
                    if total - hopeless > enough:
                        enough = total - hopeless
                if len(target) >= crowded:
                    crowded = 2 * len(target)
                    enough = max(enough, _last_of_beam(target) - _PUSHED_OUT)
            least[end] = enough
    last = nodes[-1]
    finished = [item for item in last.items() if constraint is None or constraint.accepts(item[1][2])]
    likeliest = sorted(finished, key=_rank)[:BEAM_WIDTH]
    return [Text(text, hypothesis[0], _trace(nodes, text)) for text, hypothesis in likeliest]


def _rank(item: tuple[str, _Hypothesis]) -> tuple[float, str]:
    return -item[1][0], item[0]


def _last_of_beam(texts: dict[str, _Hypothesis]) -> float:
    """Log-probability of the last text that the beam keeps."""
    return sorted([hypothesis[0] for hypothesis in texts.values()], reverse=True)[BEAM_WIDTH - 1]


def _choices(
    boxes: CharBoxes, log_probs: Float32[np.ndarray, "n symbols"], symbols: Sequence[str], kind: Kind, floor: float
) -> list[list[_Choice]]:
    """What every edge may be read as, with log-probabilities above a floor, likeliest first; "" leaves it out."""
    more = _CHARACTER_LOG_PROB[kind]
    weighed = log_probs * np.float32(1.0 if boxes.cells else _SCORE_WEIGHT[kind])
    found: list[list[_Choice]] = [[] for _ in range(len(weighed))]
    geometry, rows = boxes.geometry_log_prob.tolist(), weighed.tolist()
    for edge, column in zip(*(places.tolist() for places in np.nonzero(weighed[:, :-1] > floor)), strict=True):
        found[edge].append((symbols[column], rows[edge][column] + geometry[edge] + more))
    for edge, (row, blank, skip) in enumerate(
        zip(rows, boxes.blank.tolist(), boxes.skip_log_prob.tolist(), strict=True)
    ):
        if blank:
            found[edge] = [("", 0.0)]
            continue
        found[edge].append((UNREADABLE, row[-1] + geometry[edge] + _UNREADABLE_PENALTY))
        if skip > -math.inf:
            found[edge].append(("", skip))
        found[edge].sort(key=_likeliest_first)
    return found


def _likeliest_first(choice: _Choice) -> tuple[float, str]:
    return -choice[1], choice[0]


def _to_come(boxes: CharBoxes, choices: Sequence[Sequence[_Choice]]) -> list[float]:
    """Log-probability of the likeliest way from every node to the last, whatever was read before it.

    Args:
        boxes: The lattice.
        choices: Of every edge, likeliest first.
    """
    best = [-math.inf] * (boxes.node_count - 1) + [0.0]
    for edge, (start, end) in reversed(list(enumerate(zip(boxes.start.tolist(), boxes.end.tolist(), strict=True)))):
        best[start] = max(best[start], choices[edge][0][1] + best[end])
    return best


def _trace(nodes: list[dict[str, _Hypothesis]], text: str) -> tuple[int, ...]:
    """Edges read along the best path of a text."""
    edges = []
    at = nodes[-1][text]
    while at[3] is not None:
        node, before, edge, read = at[3]
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
