"""Several constraints on one field at once."""

from collections.abc import Iterable

from hwtranscribe.constraint.base import Constraint, State, accepts_text


class Product:
    """Allows what all of its parts allow.

    Attributes:
        name: Of all parts.
        parts: The constraints.
        start: One state per part.
    """

    def __init__(self, parts: Iterable[Constraint]) -> None:
        self.parts = tuple(parts)
        self.name = ", ".join(part.name for part in self.parts)
        self.start: State = tuple(part.start for part in self.parts)

    def step(self, state: State, symbol: str) -> State | None:
        """The states of all parts after one more character, or None when one of them forbids it."""
        following = []
        for part, part_state in zip(self.parts, state, strict=True):
            stepped = part.step(part_state, symbol)
            if stepped is None:
                return None
            following.append(stepped)
        return tuple(following)

    def accepts(self, state: State) -> bool:
        """Whether all parts may end here."""
        return all(part.accepts(part_state) for part, part_state in zip(self.parts, state, strict=True))

    def broken_by(self, text: str) -> tuple[str, ...]:
        """Names of the parts that a whole text does not satisfy."""
        return tuple(part.name for part in self.parts if not accepts_text(part, text))
