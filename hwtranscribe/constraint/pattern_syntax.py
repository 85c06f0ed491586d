r"""A field's `pattern`: a small, safe subset of regular expressions as an automaton.

Understood: characters, `.`, `[...]` with ranges and `[^...]`, `\d`, `\w`, `\s`, groups, `|`, `?`, `*`, `+`, `{m}`,
`{m,}`, `{m,n}`, and `\` before a character that is meant literally. A pattern is for the whole value.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from hwtranscribe.constraint.base import DIGITS, LETTERS, fold

MAX_LENGTH = 1_000
MAX_REPEAT = 255
MAX_DEPTH = 50

ALLOWED = r"allowed are characters, . [...] [^...] \d \w \s ( ) | ? * + {m} {m,} {m,n} and \ before a literal character"

_EVERYTHING = frozenset(DIGITS + LETTERS)
_ESCAPES = {"d": frozenset(DIGITS), "w": _EVERYTHING, "s": frozenset[str]()}


class PatternError(ValueError):
    """A pattern that is not understood, or that nothing can match."""


@dataclass(frozen=True, slots=True)
class Characters:
    """One character of a set; `optional` when a separator, which is not read, would do as well."""

    symbols: frozenset[str]
    optional: bool


@dataclass(frozen=True, slots=True)
class Sequence:
    """One node after the other."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Any of the nodes."""

    branches: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A node `least` to `most` times; without end where `most` is None."""

    node: "Node"
    least: int
    most: int | None


Node = Characters | Sequence | Choice | Repeat


def parse(pattern: str) -> Node:
    """The tree of a pattern.

    Raises:
        PatternError: naming the 1-based position, what is wrong there, and what is allowed.
    """
    if len(pattern) > MAX_LENGTH:
        raise PatternError(f"longer than {MAX_LENGTH} characters")
    return _Parser(pattern).parse()


class _Parser:
    """Recursive descent over the pattern."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.depth = 0

    def parse(self) -> Node:
        node = self.choice()
        if self.at < len(self.pattern):
            raise self.error("a ) without its (")
        return node

    def error(self, problem: str, at: int | None = None) -> PatternError:
        return PatternError(f"position {(self.at if at is None else at) + 1}: {problem}; {ALLOWED}")

    def peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def choice(self) -> Node:
        branches = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            branches.append(self.sequence())
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))

    def sequence(self) -> Node:
        parts: list[Node] = []
        while self.peek() not in ("", "|", ")"):
            node = self.atom()
            if self.peek() and self.peek() in "?*+{":
                node = self.quantified(node)
                if self.peek() and self.peek() in "?*+{":
                    raise self.error("a repetition right after a repetition")
            parts.append(node)
        return Sequence(tuple(parts))

    def atom(self) -> Node:
        character = self.peek()
        if character == "(":
            return self.group()
        if character == "[":
            return self.character_class()
        if character == "\\":
            return self.escape()
        if character in "?*+{":
            raise self.error(f"nothing to repeat before {character}")
        if character in "^$":
            raise self.error(f"{character} is not needed: a pattern is for the whole value")
        if character in "]}":
            raise self.error(f"a {character} without its opening")
        self.at += 1
        if character == ".":
            return Characters(_EVERYTHING, optional=False)
        return self.literal(character, self.at - 1)

    def literal(self, character: str, at: int) -> Node:
        folded = fold(character)
        if not folded and character.isalnum():
            raise self.error(f"{character!r} can't be read, only A to Z and digits can", at)
        if not folded:
            return Characters(frozenset(), optional=True)
        return Sequence(tuple(Characters(frozenset(symbol), optional=False) for symbol in folded))

    def group(self) -> Node:
        opened_at = self.at
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"groups are nested more than {MAX_DEPTH} deep")
        self.at += 1
        if self.peek() == "?":
            if self.pattern[self.at : self.at + 2] != "?:":
                raise self.error("only plain groups ( ) and (?: )")
            self.at += 2
        node = self.choice()
        if self.peek() != ")":
            raise self.error("a ( without its )", opened_at)
        self.at += 1
        self.depth -= 1
        return node

    def escape(self) -> Node:
        at = self.at
        self.at += 2
        character = self.pattern[at + 1 : at + 2]
        if character in _ESCAPES:
            return Characters(_ESCAPES[character], optional=character == "s")
        if not character or character.isalnum():
            raise self.error(f"\\{character} is not understood", at)
        return self.literal(character, at + 1)

    def character_class(self) -> Node:
        opened_at = self.at
        self.at += 1
        negated = self.peek() == "^"
        self.at += negated
        symbols: set[str] = set()
        separator = False
        first = True
        while first or self.peek() != "]":
            if not self.peek():
                raise self.error("a [ without its ]", opened_at)
            if self.peek() == "]":
                raise self.error("an empty [ ]", opened_at)
            first = False
            for symbol in self.class_member():
                symbols |= {symbol} - {""}
                separator |= not symbol
        self.at += 1
        if negated:
            return Characters(_EVERYTHING - symbols, optional=False)
        return Characters(frozenset(symbols), optional=separator)

    def class_member(self) -> Iterator[str]:
        """Folded symbols of one member or range; "" stands for a separator."""
        at = self.at
        low = self.class_character()
        if low in ("\\d", "\\w", "\\s"):
            yield from _ESCAPES[low[1]] or {""}
            return
        high = low
        if self.peek() == "-" and self.pattern[self.at + 1 : self.at + 2] not in ("", "]"):
            self.at += 1
            high = self.class_character()
            if len(high) > 1 or high < low:
                raise self.error(f"{low}-{high} is no range", at)
            if ord(high) - ord(low) > 255:
                raise self.error(f"the range {low}-{high} is too wide", at)
        for code in range(ord(low), ord(high) + 1):
            character = chr(code)
            folded = fold(character)
            if len(folded) > 1 or (not folded and character.isalnum()):
                raise self.error(f"{character!r} can't be read as one of A to Z or a digit", at)
            yield folded

    def class_character(self) -> str:
        character = self.peek()
        if character == "[":
            raise self.error("a [ inside [ ]; write \\[ for one")
        self.at += 1
        if character != "\\":
            return character
        escaped = self.peek()
        self.at += 1
        if escaped in _ESCAPES:
            return "\\" + escaped
        if not escaped or escaped.isalnum():
            raise self.error(f"\\{escaped} is not understood", self.at - 2)
        return escaped

    def quantified(self, node: Node) -> Node:
        sign = self.peek()
        if sign != "{":
            self.at += 1
            return Repeat(node, int(sign == "+"), 1 if sign == "?" else None)
        at = self.at
        inside, closed, _ = self.pattern[at + 1 :].partition("}")
        least, comma, most = inside.partition(",")
        counts = [least, most] if comma and most else [least]
        if not closed or not all(count.isascii() and count.isdigit() and len(count) <= 4 for count in counts):
            raise self.error("{ } needs counts such as {8}, {2,} or {2,8}; write \\{ for a brace")
        self.at += len(inside) + 2
        low = int(least)
        high = None if comma and not most else int(counts[-1])
        if high is not None and high < low:
            raise self.error(f"{{{inside}}} counts down", at)
        if max(low, high or 0) > MAX_REPEAT:
            raise self.error(f"{{{inside}}} repeats more than {MAX_REPEAT} times", at)
        return Repeat(node, low, high)
