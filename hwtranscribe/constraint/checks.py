"""Check digits, as automata that keep the sums of all that was read so far.

Each check reads from left to right although most weights count from the right, so it keeps the sums for both
possibilities until the end is known.
"""

from hwtranscribe.constraint.base import DIGITS, LETTERS, Constraint, fold_symbol

_EAN_LENGTHS = (8, 12, 13, 14)


class Luhn:
    """Luhn's formula, as on payment cards (ISO/IEC 7812-1)."""

    name = "check digit luhn"
    start = (0, 0, 0)

    def step(self, state: tuple[int, int, int], symbol: str) -> tuple[int, int, int] | None:
        """The length up to two and its parity, and the sums with this digit doubled last and not."""
        folded = fold_symbol(symbol)
        if not folded:
            return state
        if folded not in DIGITS:
            return None
        length, plain, doubled = state
        digit = int(folded)
        # What was left alone stands before a digit and is doubled when one more follows: the two sums change places.
        return min(length + 1, 2), (doubled + digit) % 10, (plain + sum(divmod(2 * digit, 10))) % 10

    def accepts(self, state: tuple[int, int, int]) -> bool:
        """Whether the sum of a number of at least two digits is a multiple of ten."""
        return state[0] == 2 and state[1] == 0


class Ean:
    """EAN-8, UPC-A, EAN-13 and GTIN-14 (GS1 General Specifications)."""

    name = "check digit ean"
    start = (0, 0, 0)

    def step(self, state: tuple[int, int, int], symbol: str) -> tuple[int, int, int] | None:
        """The length, and the sums with the last digit weighted 1 and 3."""
        folded = fold_symbol(symbol)
        if not folded:
            return state
        length, once, thrice = state
        if folded not in DIGITS or length == _EAN_LENGTHS[-1]:
            return None
        return length + 1, (thrice + int(folded)) % 10, (once + 3 * int(folded)) % 10

    def accepts(self, state: tuple[int, int, int]) -> bool:
        """Whether a code of an allowed length adds up to a multiple of ten."""
        return state[0] in _EAN_LENGTHS and state[1] == 0


class Mod11:
    """Weights 1, 2, 3, ... from the right add up to a multiple of 11; a last X counts 10 (as in ISBN-10, ISSN)."""

    name = "check digit mod11"
    start = (0, 0, 0)

    def step(self, state: tuple[int, int, int], symbol: str) -> tuple[int, int, int] | None:
        """The length up to two (three after an X), the sum of the digits, and the sum of those sums."""
        folded = fold_symbol(symbol)
        if not folded:
            return state
        length, plain, weighted = state
        if length == 3 or folded not in DIGITS + "X" or (folded == "X" and length == 0):
            return None
        plain = (plain + (10 if folded == "X" else int(folded))) % 11
        return 3 if folded == "X" else min(length + 1, 2), plain, (weighted + plain) % 11

    def accepts(self, state: tuple[int, int, int]) -> bool:
        """Whether a number of at least two digits has a weighted sum that is a multiple of 11."""
        return state[0] >= 2 and state[2] == 0


class Mod97:
    """The remainder by 97 is 1 (ISO 7064 MOD 97-10).

    A value that begins with a letter is taken as an IBAN (ISO 13616) or creditor reference (ISO 11649): two letters and
    two check digits, which are moved to the end before dividing; letters count as 10 to 35.
    """

    name = "check digit mod97"
    start = ("", 0, 0)

    def step(self, state: tuple[str, int, int], symbol: str) -> tuple[str, int, int] | None:
        """What kind of value it is with how much of its head was read, the head, and the remainder of the rest."""
        folded = fold_symbol(symbol)
        if not folded:
            return state
        part, head, rest = state
        letter = folded in LETTERS
        value = 10 + LETTERS.index(folded) if letter else int(folded)
        appended = 100 if letter else 10
        if part == "":
            return ("L", value, 0) if letter else ("plain", 0, value)
        if part in ("L", "LL", "LLD"):
            if letter != (part == "L"):
                return None
            return part + ("L" if letter else "D"), (head * appended + value) % 97, 0
        if part == "plain" and letter:
            return None
        return "plain" if part == "plain" else "body", head, (rest * appended + value) % 97

    def accepts(self, state: tuple[str, int, int]) -> bool:
        """Whether the remainder is 1."""
        part, head, rest = state
        if part == "plain":
            return rest == 1
        return part == "body" and (rest * 1_000_000 + head) % 97 == 1


CHECKS: dict[str, type[Constraint]] = {"luhn": Luhn, "mod11": Mod11, "mod97": Mod97, "ean": Ean}
"""The values of the template's key `check`."""
