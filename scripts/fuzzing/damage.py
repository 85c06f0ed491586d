"""Ways to damage a file, and names that files should not have."""

import random
import re
from collections.abc import Callable

_NUMBER = re.compile(rb"\d+")
_AWKWARD = (b"0", b"-1", b"1", b"65535", b"65536", b"2147483647", b"4294967295", b"99999999999999999999")


def damaged(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """The file after one to four kinds of damage; `other` is one to take parts of."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        data = rng.choice(_DAMAGES)(data, other, rng)
    return data


def odd_name(ending: str, number: int, rng: random.Random) -> bytes:
    """A file name, unique by its number, of a kind that programs trip over."""
    stem = rng.choice(
        (
            b"%d",
            b"=%d+1",
            b"-r %d",
            b"new\nline %d",
            b"quote'\" %d",
            "\U0001f58a\u202e %d".encode(),
            b"not utf-8 \xff\xfe %d",
            b"%%s{0}$HOME %d",
            b"x" * 230 + b"%d",
            b"CON %d",
            b"\x1b[2J%d",
        )
    )
    return stem % number + b"." + ending.encode()


def _cut(data: bytes, other: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _flip(data: bytes, other: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 3, 10, 100))):
        if changed:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _flip_header(data: bytes, other: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(4):
        if changed:
            changed[rng.randrange(min(len(changed), 200))] = rng.choice((0, 1, 127, 128, 255))
    return bytes(changed)


def _drop(data: bytes, other: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] + data[start + rng.randrange(1, 2000) :]


def _repeat(data: bytes, other: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] + data[start : start + rng.randrange(1, 2000)] * rng.choice((2, 50)) + data[start:]


def _splice(data: bytes, other: bytes, rng: random.Random) -> bytes:
    start, length = rng.randrange(len(other) + 1), rng.randrange(1, 5000)
    at = rng.randrange(len(data) + 1)
    return data[:at] + other[start : start + length] + data[at + length :]


def _renumber(data: bytes, other: bytes, rng: random.Random) -> bytes:
    numbers = list(_NUMBER.finditer(data))
    for match in sorted(rng.sample(numbers, min(len(numbers), rng.choice((1, 5)))), key=lambda m: -m.start()):
        data = data[: match.start()] + rng.choice(_AWKWARD) + data[match.end() :]
    return data


def _noise(data: bytes, other: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(0, 64)] + rng.randbytes(rng.randrange(0, 3000))


_DAMAGES: tuple[Callable[[bytes, bytes, random.Random], bytes], ...] = (
    _cut,
    _flip,
    _flip,
    _flip_header,
    _drop,
    _repeat,
    _splice,
    _renumber,
    _renumber,
    _noise,
)
