"""A field's `pattern` as an automaton.

There is no backtracking: all positions of the pattern that the text so far can have led to are followed together
(V. M. Glushkov, "The abstract theory of automata", 1961), so the cost of a step is bounded by the size of the pattern.
"""

from collections.abc import Iterator
from itertools import repeat

from hwtranscribe.constraint.base import fold_symbol
from hwtranscribe.constraint.pattern_syntax import Characters, Choice, Node, PatternError, Repeat, Sequence, parse

MAX_POSITIONS = 1_024
MAX_WORK = 20_000
MAX_CACHED_STEPS = 50_000


class Pattern:
    """The automaton of a pattern. A state is a set of positions in the pattern, as the bits of an integer.

    Attributes:
        name: `pattern` and the pattern itself.
        start: The position before the first character.
    """

    start = 1

    def __init__(self, pattern: str, alphabet: str) -> None:
        """Compiles a pattern for a field that can hold the characters of `alphabet`.

        Raises:
            PatternError: if it is not understood, too large, or no value of the field can match.
        """
        self.name = f"pattern {pattern}"
        self._alphabet = frozenset(alphabet)
        self._symbols: list[frozenset[str]] = [frozenset()]
        self._follow = [0]
        self._work = 0
        self._cache: dict[tuple[int, str], int] = {}
        nullable, first, self._last = self._compile(parse(pattern))
        self._follow[0] = first
        self._last |= int(nullable)
        self._masks = self._useful_masks()
        if not (self._last & 1 or any(first & mask for mask in self._masks.values())):
            raise PatternError(f"no value of this kind of field can match it, it can hold only {alphabet}")

    def step(self, state: int, symbol: str) -> int | None:
        """The positions after one more character, or None when nothing allowed goes on like that."""
        folded = fold_symbol(symbol)
        if not folded:
            return state
        key = (state, folded)
        following = self._cache.get(key)
        if following is None:
            if len(self._cache) >= MAX_CACHED_STEPS:
                self._cache.clear()
            following = 0
            for position in _bits(state):
                following |= self._follow[position]
            following &= self._masks.get(folded, 0)
            self._cache[key] = following
        return following or None

    def accepts(self, state: int) -> bool:
        """Whether the pattern may end here."""
        return bool(state & self._last)

    def _compile(self, node: Node) -> tuple[bool, int, int]:
        """Whether a node matches nothing, and its first and last positions; fills `_follow` on the way."""
        self._work += 1
        if self._work > MAX_WORK:
            raise PatternError("too large, the repetitions multiply; write fewer or smaller ones")
        match node:
            case Characters():
                return self._position(node)
            case Sequence():
                return self._chain(self._compile(part) for part in node.parts)
            case Choice():
                nullable, first, last = False, 0, 0
                for branch in node.branches:
                    may_be_empty, begins, ends = self._compile(branch)
                    nullable, first, last = nullable or may_be_empty, first | begins, last | ends
                return nullable, first, last
            case Repeat():
                return self._chain(self._repeated(node))

    def _position(self, node: Characters) -> tuple[bool, int, int]:
        if not node.symbols and node.optional:
            return True, 0, 0
        if len(self._symbols) > MAX_POSITIONS:
            raise PatternError(f"larger than {MAX_POSITIONS} positions; write fewer or smaller repetitions")
        bit = 1 << len(self._symbols)
        self._symbols.append(node.symbols & self._alphabet)
        self._follow.append(0)
        return node.optional, bit, bit

    def _chain(self, parts: Iterator[tuple[bool, int, int]]) -> tuple[bool, int, int]:
        nullable, first, last = True, 0, 0
        for may_be_empty, begins, ends in parts:
            for position in _bits(last):
                self._follow[position] |= begins
            first |= begins if nullable else 0
            last = ends | (last if may_be_empty else 0)
            nullable = nullable and may_be_empty
        return nullable, first, last

    def _repeated(self, node: Repeat) -> Iterator[tuple[bool, int, int]]:
        for _ in repeat(None, node.least):
            yield self._compile(node.node)
        if node.most is None:
            _, first, last = self._compile(node.node)
            for position in _bits(last):
                self._follow[position] |= first
            yield True, first, last
            return
        for _ in repeat(None, node.most - node.least):
            _, first, last = self._compile(node.node)
            yield True, first, last

    def _useful_masks(self) -> dict[str, int]:
        """Positions that match each symbol, without those from which no end can be reached."""
        useful = sum(1 << p for p in _bits(self._last) if self._symbols[p])
        changed = True
        while changed:
            wider = sum(1 << p for p, symbols in enumerate(self._symbols) if symbols and self._follow[p] & useful)
            changed = bool(wider & ~useful)
            useful |= wider
        masks: dict[str, int] = {}
        for position in _bits(useful):
            for symbol in self._symbols[position]:
                masks[symbol] = masks.get(symbol, 0) | 1 << position
        return masks


def _bits(mask: int) -> Iterator[int]:
    """Numbers of the bits that are set."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
