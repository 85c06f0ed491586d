"""A field's `lexicon`: a list of the values it may have, as an automaton."""

from bisect import bisect_right
from collections.abc import Iterable

from hwtranscribe.constraint.base import fold, fold_symbol

_Span = tuple[int, int, int]
"""From, to (exclusive) and length of the common beginning of some values in the sorted list."""


class Lexicon:
    """A trie over folded values, of which only the branches that a search visits are ever built.

    A branch is a span of the sorted list, so a list of half a million names costs no more than its text.

    Attributes:
        name: `lexicon` and where it came from.
        start: The state before the first character.
        complete: Whether there is no other value at all, as of dates; a list of names has some that are missing.
    """

    def __init__(self, values: Iterable[str], source: str = "") -> None:
        """Sorts the values; of several that fold to the same, the first is kept.

        Raises:
            ValueError: if a value holds no letter or digit, or there are no values at all.
        """
        self._values: dict[str, str] = {}
        for value in values:
            folded = fold(value)
            if not folded:
                raise ValueError(f"the value {value!r} holds no letter or digit that can be read")
            self._values.setdefault(folded, value)
        if not self._values:
            raise ValueError("the lexicon is empty")
        self.name = f"lexicon {source}".rstrip()
        self.complete = False
        self._sorted = sorted(self._values)
        self._branches: dict[_Span, dict[str, _Span]] = {}
        self.start: _Span = (0, len(self._sorted), 0)

    def step(self, state: _Span, symbol: str) -> _Span | None:
        """The values that go on with one more character, or None when there are none."""
        folded = fold_symbol(symbol)
        if not folded:
            return state
        branches = self._branches.get(state)
        if branches is None:
            branches = self._branches[state] = self._branch(state)
        return branches.get(folded)

    def accepts(self, state: _Span) -> bool:
        """Whether a value ends here."""
        begin, _, length = state
        return len(self._sorted[begin]) == length

    def value_of(self, text: str) -> str | None:
        """The value as the list writes it, with its accents, spaces and case; None when it is not in the list."""
        return self._values.get(fold(text))

    def _branch(self, state: _Span) -> dict[str, _Span]:
        begin, end, length = state
        begin += self.accepts(state)
        branches = {}
        while begin < end:
            symbol = self._sorted[begin][length]
            stop = bisect_right(self._sorted, symbol, begin, end, key=lambda value: value[length])
            branches[symbol] = (begin, stop, length + 1)
            begin = stop
        return branches
