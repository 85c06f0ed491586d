"""Whole numbers between a least and a largest value."""

_START = -1


class Range:
    """Allows numbers from `least` to `most`, with or without leading zeros.

    Attributes:
        name: `number` and its limits.
        start: The state before the first digit.
    """

    start = _START

    def __init__(self, least: int | None, most: int | None) -> None:
        """At least one of the limits is a number.

        Raises:
            ValueError: if no number lies between them.
        """
        self._least = 0 if least is None else least
        self._most = most
        if self._least < 0 or (most is not None and most < self._least):
            raise ValueError(f"no number that can be written in digits lies between {least} and {most}")
        limits = [] if least is None else [f"at least {least}"]
        self.name = "number " + ", ".join(limits if most is None else [*limits, f"at most {most}"])

    def step(self, state: int, symbol: str) -> int | None:
        """The number so far, or None when no number in the range begins like that."""
        if not symbol.isalnum():
            return state
        if not (symbol.isascii() and symbol.isdigit()):
            return None
        value = max(state, 0) * 10 + int(symbol)
        if self._most is None:
            return min(value, self._least)  # beyond the least value all numbers are alike
        return value if self._reachable(value) else None

    def accepts(self, state: int) -> bool:
        """Whether the number so far is in the range."""
        return state != _START and state >= self._least

    def _reachable(self, value: int) -> bool:
        low = high = value
        while self._most is not None and low <= self._most:
            if high >= self._least:
                return True
            low, high = low * 10, high * 10 + 9
        return False
