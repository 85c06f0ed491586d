"""What all constraints of a field have in common: the protocol of the search, and the folding of what is written."""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Protocol

from hwtranscribe.types import Kind

DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ALPHABETS = {Kind.DIGITS: DIGITS, Kind.LETTERS: LETTERS, Kind.ALPHANUMERIC: DIGITS + LETTERS, Kind.CHECKBOX: ""}
"""What a field of each kind can hold, folded."""

# Letters that Unicode doesn't take apart into a base letter and an accent.
_UNDECOMPOSED = str.maketrans(
    {"Æ": "AE", "Œ": "OE", "Ø": "O", "Ł": "L", "Đ": "D", "Ð": "D", "Þ": "TH", "İ": "I", "Ħ": "H", "ẞ": "SS"}
)

State = Any
"""Hashable; only the constraint that made it knows what it means."""


class Constraint(Protocol):
    """An automaton over capitals and digits that says, character by character, what a field may hold.

    It is stepped inside the search through the lattice of a field, so that a forbidden reading is never completed.
    Case is ignored. Spaces and punctuation leave the state as it is, since readings may or may not have them.

    Attributes:
        name: What the constraint is, as shown to a person when a reading breaks it.
        start: State before the first character.
    """

    name: str
    start: State

    def step(self, state: State, symbol: str) -> State | None:
        """The state after one more character, or None when no allowed value goes on like that."""
        ...

    def accepts(self, state: State) -> bool:
        """Whether what was read so far is a whole allowed value."""
        ...


def fold(text: str) -> str:
    """Capitals without accents, and digits; everything else is dropped (`Élodie-Anne 2` gives `ELODIEANNE2`)."""
    if text.isascii():
        if text.isalnum():
            return text.upper()
        return "".join(character for character in text.upper() if character.isalnum())
    decomposed = unicodedata.normalize("NFKD", text.upper().translate(_UNDECOMPOSED))
    return "".join(character for character in decomposed if character.isascii() and character.isalnum())


fold_symbol = lru_cache(maxsize=4096)(fold)
"""`fold` for the single characters of a search."""


def accepts_text(constraint: Constraint, text: str) -> bool:
    """Whether a whole text satisfies a constraint."""
    state = constraint.start
    for symbol in fold(text):
        state = constraint.step(state, symbol)
        if state is None:
            return False
    return constraint.accepts(state)


def shortest_length(constraint: Constraint, alphabet: Iterable[str], max_states: int = 20_000) -> int | None:
    """Length of the shortest allowed value in characters, or None when there is none.

    Gives a lower bound once `max_states` states were seen, so that no template can make it run for long.
    """
    symbols = tuple(alphabet)
    seen = {constraint.start}
    frontier = [constraint.start]
    length = 0
    while frontier:
        if len(seen) > max_states or any(constraint.accepts(state) for state in frontier):
            return length
        following = {constraint.step(state, symbol) for state in frontier for symbol in symbols} - seen - {None}
        seen |= following
        frontier = list(following)
        length += 1
    return None
