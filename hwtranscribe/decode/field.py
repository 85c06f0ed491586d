"""From the texts that the search found to the reading of a field.

Some probability is kept for readings that break the constraint: a writer may, and then the field is for review.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32

from hwtranscribe.constraint import Constraint, Lexicon, Product, accepts_text, fold
from hwtranscribe.decode.confidence import probability_right
from hwtranscribe.decode.line import line_log_probs, line_texts
from hwtranscribe.decode.search import UNREADABLE, Text, log_sum, search
from hwtranscribe.decode.spaces import spacing_of
from hwtranscribe.language import is_mixed
from hwtranscribe.types import Alternative, Box, CharBoxes, CharReading, FieldReading, Kind, Status

MAX_ALTERNATIVES = 5
LINE_WEIGHT = {Kind.DIGITS: 0.6, Kind.LETTERS: 0.2, Kind.ALPHANUMERIC: 0.3}
"""Of a text's log-probability by the whole line: hands join digits more often than block letters. Chosen, like the
weight of the prior, on the names and cheques."""
LINE_TEXTS = 3
"""Texts of the whole line that are looked for where the search along the cuts has not found them."""
_UNMIXED_TEXTS = 3
"""Likeliest texts whose words are looked for in letters only and in digits only."""
PRIOR_WEIGHT = 0.45
"""Of a text's prior log-odds; half of those names are not in its list of words."""
_CONSTRAINT_BROKEN = math.log(1e-3)
_BROKEN_CONFIDENCE = 0.2
"""What is left of the confidence of a reading that breaks the field's constraint."""
_DOUBTED_CONFIDENCE = 0.5
"""Most that is left where it is not certain that the field was cut into its characters."""
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
    of_line = [] if columns is None else line_texts(columns, symbols, LINE_TEXTS)
    asked = _Asked(boxes, log_probs, symbols, kind, prior, columns, of_line)
    free = asked.texts(None)
    allowed = free if constraint is None else asked.texts(constraint)
    detail = ""
    if constraint is not None:
        broken = log_sum(t.log_prob for t in free) + _CONSTRAINT_BROKEN
        if not allowed or allowed[0].log_prob < broken:
            detail = "breaks " + ", ".join(constraint.broken_by(free[0].text) or (constraint.name,))
            texts, rest = free, -math.inf
        else:
            texts, rest = allowed, broken
    else:
        texts, rest = free, -math.inf
    total = log_sum([*(t.log_prob for t in texts), rest])
    confidences = [math.exp(t.log_prob - total) for t in texts]
    best = texts[0]
    if not best.text:
        return _blank(boxes, page, kind, confidences[0], required, review_below)
    characters = _characters(boxes, log_probs, symbols, best)
    confidence = probability_right(confidences[0], len(characters))
    if detail:
        confidence *= _BROKEN_CONFIDENCE
    if boxes.doubt:
        confidence = min(confidence, _DOUBTED_CONFIDENCE)
        detail = "; ".join(filter(None, [detail, boxes.doubt]))
    unreadable = best.text.count(UNREADABLE)
    letters = len(best.edges)
    alternatives = tuple(
        Alternative(t.text, round(p, 6))
        for t, p in zip(texts[1 : MAX_ALTERNATIVES + 1], confidences[1:], strict=False)
        if p > 1e-4
    )
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
    if boxes.doubt and not boxes.blank.all():
        confidence, doubt = min(confidence, _DOUBTED_CONFIDENCE), boxes.doubt
    detail = "required, but blank" if required else doubt
    status = Status.REVIEW if detail else Status.BLANK
    return FieldReading(page, boxes.field, kind, "", round(confidence, 6), status, detail, boxes.box)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """What is known of a field: its lattice, its whole line with its likeliest texts, and what texts are like."""

    boxes: CharBoxes
    log_probs: Float32[np.ndarray, "n symbols"]
    symbols: Sequence[str]
    kind: Kind
    prior: Callable[[str], float] | None
    columns: Float32[np.ndarray, "t symbols"] | None
    of_line: Sequence[str]

    def texts(self, constraint: Constraint | None) -> list[Text]:
        """The most probable texts by all of it, best first; empty when the constraint allows none."""
        texts = self._search(constraint)
        texts += self._texts_of_line({fold(t.text) for t in texts}, constraint)
        if not texts:
            return texts
        if self.kind is not Kind.DIGITS:
            spacing = spacing_of(self.boxes, texts[0], self.prior)
            texts = [spacing.divide(t) for t in texts]
            if self.prior is not None:
                texts += map(spacing.divide, self._texts_in_words_of_one_kind(texts, constraint))
        more = np.zeros(len(texts))
        if self.prior is not None:
            more += [PRIOR_WEIGHT * self.prior(t.text) for t in texts]
        if self.columns is not None:
            more += LINE_WEIGHT[self.kind] * line_log_probs(self.columns, self.symbols, [t.text for t in texts])
        weighed = [replace(t, log_prob=t.log_prob + own) for t, own in zip(texts, more.tolist(), strict=True)]
        return sorted(weighed, key=lambda t: (-t.log_prob, t.text))

    def _search(self, constraint: Constraint | None) -> list[Text]:
        return search(self.boxes, self.log_probs, self.symbols, self.kind, constraint)

    def _texts_of_line(self, known: set[str], constraint: Constraint | None) -> list[Text]:
        """The likeliest texts of the whole line that are not known yet, where the lattice can be cut so."""
        return self._search_for([t for t in self.of_line if fold(t) not in known], constraint)

    def _texts_in_words_of_one_kind(self, texts: list[Text], constraint: Constraint | None) -> list[Text]:
        """The likeliest texts with letters only or digits only in words that mix them.

        O and 0 look the same, so a line with several of them has more mixed readings than the search keeps.
        """
        known = {fold(t.text) for t in texts}
        found = dict.fromkeys(self._in_words_of_one_kind(t) for t in texts[:_UNMIXED_TEXTS])
        return self._search_for([t for t in found if fold(t) not in known], constraint)

    def _in_words_of_one_kind(self, text: Text) -> str:
        """A text with the likelier of letters and digits in words that mix them."""
        words, first = [], 0
        for word in text.text.split():
            edges = list(text.edges[first : first + len(word)])
            first += len(word)
            words.append(self._in_one_kind(edges) if is_mixed(word) else word)
        return "".join(words)

    def _in_one_kind(self, edges: list[int]) -> str:
        ways = []
        for digits in (False, True):
            columns = [i for i, symbol in enumerate(self.symbols) if symbol.isdigit() == digits]
            scores = self.log_probs[np.ix_(edges, columns)]
            likeliest = "".join(self.symbols[columns[i]] for i in scores.argmax(axis=1).tolist())
            ways.append((float(scores.max(axis=1).sum()), likeliest))
        return max(ways)[1]

    def _search_for(self, texts: Sequence[str], constraint: Constraint | None) -> list[Text]:
        """Certain texts only, as far as the lattice can be cut so and the constraint allows them."""
        if constraint is not None:
            texts = [t for t in texts if accepts_text(constraint, t)]
        return self._search(Lexicon(texts)) if texts else []


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


def _box(boxes: CharBoxes, edge: int) -> Box:
    left, top, right, bottom = boxes.boxes[edge].tolist()
    return math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)
