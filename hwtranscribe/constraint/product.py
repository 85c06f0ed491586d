"""Several constraints on one field at once."""

from collections.abc import Iterable
from typing import Final

from hwtranscribe.constraint.base import Constraint, State, accepts_text

MAX_CACHED_STEPS = 100_000

_UNKNOWN: Final = object()


class Product:
    """Allows what all of its parts allow.

    Steps are remembered: a search takes the same ones for every hypothesis, field and form.

    Attributes:
        name: Of all parts.
        parts: The constraints.
        start: One state per part.
    """

    def __init__(self, parts: Iterable[Constraint]) -> None:
        self.parts = tuple(parts)
        self.name = ", ".join(part.name for part in self.parts)
        self.start: State = tuple(part.start for part in self.parts)
        self._steps: dict[tuple[State, str], State | None] = {}

    def step(self, state: State, symbol: str) -> State | None:
        """The states of all parts after one more character, or None when one of them forbids it."""
        key = (state, symbol)
        known = self._steps.get(key, _UNKNOWN)
        if known is not _UNKNOWN:
            return known
        if len(self._steps) >= MAX_CACHED_STEPS:
            self._steps.clear()
        following = self._steps[key] = self._step(state, symbol)
        return following

    def accepts(self, state: State) -> bool:
        """Whether all parts may end here."""
        return all(part.accepts(part_state) for part, part_state in zip(self.parts, state, strict=True))

    def broken_by(self, text: str) -> tuple[str, ...]:
        """Names of the parts that a whole text does not satisfy."""
        return tuple(part.name for part in self.parts if not accepts_text(part, text))

    def _step(self, state: State, symbol: str) -> State | None:
        following = []
        for part, part_state in zip(self.parts, state, strict=True):
            stepped = part.step(part_state, symbol)
            if stepped is None:
                return None
            following.append(stepped)
        return tuple(following)
