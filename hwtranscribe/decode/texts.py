"""The texts that a field may hold, by all that is known of it.

The search along the cuts finds most of them. Others are looked for among the cuts since something else speaks for them:
the whole line, and where that leaves doubt, words that are listed, and words in letters only or in digits only.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import exp
from typing import Self

import numpy as np
from jaxtyping import Float32

from hwtranscribe.constraint import Constraint, Lexicon, accepts_text, fold
from hwtranscribe.decode.line import line_log_probs, line_texts
from hwtranscribe.decode.search import Text, log_sum, search
from hwtranscribe.decode.spaces import spacing_of
from hwtranscribe.language import is_mixed, likely_words
from hwtranscribe.types import CharBoxes, Kind

LINE_WEIGHT = {Kind.DIGITS: 0.6, Kind.LETTERS: 0.2, Kind.ALPHANUMERIC: 0.3}
"""Of a text's log-probability by the whole line: hands join digits more often than block letters. Chosen, like the
weight of the prior, on the names and cheques."""
LINE_TEXTS = 3
"""Texts of the whole line that are looked for where the search along the cuts has not found them."""
PRIOR_WEIGHT = 0.45
"""Of a text's prior log-odds."""
_BEYOND_DOUBT = 0.9
"""Share of all texts from which on listed words are not tried for the likeliest."""
_RESPELLED_TEXTS, _LISTED_WORDS = 3, 3
"""Likeliest texts whose words are respelled, and how many listed words are tried for each word."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What is known of a field: its lattice, its whole line with its likeliest texts, and what texts are like."""

    boxes: CharBoxes
    log_probs: Float32[np.ndarray, "n symbols"]
    symbols: Sequence[str]
    kind: Kind
    prior: Callable[[str], float] | None
    columns: Float32[np.ndarray, "t symbols"] | None
    of_line: Sequence[str]

    @classmethod
    def of(
        cls,
        boxes: CharBoxes,
        log_probs: Float32[np.ndarray, "n symbols"],
        symbols: Sequence[str],
        kind: Kind,
        prior: Callable[[str], float] | None,
        columns: Float32[np.ndarray, "t symbols"] | None,
    ) -> Self:
        """Gather it; the arguments are those of `decode_field`."""
        of_line = [] if columns is None else line_texts(columns, symbols, LINE_TEXTS)
        return cls(boxes, log_probs, symbols, kind, prior, columns, of_line)

    def texts(self, constraint: Constraint | None) -> list[Text]:
        """The most probable texts by all of it, best first; empty when the constraint allows none."""
        found = search(self.boxes, self.log_probs, self.symbols, self.kind, constraint)
        found += self._among_cuts(self.of_line, found, constraint)
        if not found:
            return found
        if self.kind is Kind.DIGITS:
            return _ranked(self._weighed(found))
        spacing = spacing_of(self.boxes, found[0], self.prior)
        texts = _ranked(self._weighed(map(spacing.divide, found)))
        if self.prior is None:
            return texts
        likeliest = texts[:_RESPELLED_TEXTS]
        # One search each, for a search gives up texts that are far less likely than others it is to find.
        more = self._among_cuts(map(self._in_words_of_one_kind, likeliest), texts, constraint)
        if exp(texts[0].log_prob - log_sum(t.log_prob for t in texts)) < _BEYOND_DOUBT:
            listed = [other for t in likeliest for other in self._in_listed_words(t)]
            more += self._among_cuts(listed, [*texts, *more], constraint)
        return _ranked(texts + self._weighed(map(spacing.divide, more))) if more else texts

    def _weighed(self, texts: Iterable[Text]) -> list[Text]:
        """Texts of the search with their prior and what the whole line says of them."""
        texts = list(texts)
        more = np.zeros(len(texts))
        if self.prior is not None:
            more += [PRIOR_WEIGHT * self.prior(t.text) for t in texts]
        if self.columns is not None:
            more += LINE_WEIGHT[self.kind] * line_log_probs(self.columns, self.symbols, [t.text for t in texts])
        return [replace(t, log_prob=t.log_prob + own) for t, own in zip(texts, more.tolist(), strict=True)]

    def _among_cuts(self, texts: Iterable[str], known: Sequence[Text], constraint: Constraint | None) -> list[Text]:
        """Certain texts, as far as they are not known, the lattice can be cut so and the constraint allows them."""
        have = {fold(t.text) for t in known}
        wanted = [t for t in dict.fromkeys(texts) if fold(t) not in have]
        if constraint is not None:
            wanted = [t for t in wanted if accepts_text(constraint, t)]
        return search(self.boxes, self.log_probs, self.symbols, self.kind, Lexicon(wanted)) if wanted else []

    def _in_words_of_one_kind(self, text: Text) -> str:
        """A text with the likelier of letters and digits in words that mix them.

        O and 0 look the same, so a line with several of them has more mixed readings than the search keeps.
        """
        return "".join(self._in_one_kind(edges) if is_mixed(word) else word for word, edges in _words(text))

    def _in_listed_words(self, text: Text) -> Iterator[str]:
        """A text with one of its words as a listed one that looks like it."""
        letters = [i for i, symbol in enumerate(self.symbols) if symbol.isalpha()]
        words = [word for word, _ in _words(text)]
        for at, (word, edges) in enumerate(_words(text)):
            if word.isalpha():
                for other in likely_words(self.log_probs[np.ix_(edges, letters)], _LISTED_WORDS):
                    yield "".join([*words[:at], other, *words[at + 1 :]])

    def _in_one_kind(self, edges: list[int]) -> str:
        ways = []
        for digits in (False, True):
            columns = [i for i, symbol in enumerate(self.symbols) if symbol.isdigit() == digits]
            scores = self.log_probs[np.ix_(edges, columns)]
            likeliest = "".join(self.symbols[columns[i]] for i in scores.argmax(axis=1).tolist())
            ways.append((float(scores.max(axis=1).sum()), likeliest))
        return max(ways)[1]


def _words(text: Text) -> Iterator[tuple[str, list[int]]]:
    """The words of a text with the edges of their characters."""
    first = 0
    for word in text.text.split():
        yield word, list(text.edges[first : first + len(word)])
        first += len(word)


def _ranked(texts: Iterable[Text]) -> list[Text]:
    return sorted(texts, key=lambda t: (-t.log_prob, t.text))
