"""The automata of fields: patterns, lexicons and their product."""

import itertools
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwtranscribe.constraint import (
    ALPHABETS,
    Lexicon,
    Pattern,
    PatternError,
    Product,
    accepts_text,
    fold,
    shortest_length,
)
from hwtranscribe.types import Kind

DIGITS = ALPHABETS[Kind.DIGITS]
EVERYTHING = ALPHABETS[Kind.ALPHANUMERIC]


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"\d{8}", ["12345678"], ["1234567", "123456789", "1234567A"]),
        (r"[A-Z]{2}\d+", ["AB1", "ab12"], ["A1", "AB", "1AB"]),
        (r"(?:AB|CD)?E*", ["", "AB", "CDEEE"], ["AC", "ABCD"]),
        (r"[^0-4]{2,}", ["99", "A7B"], ["9", "14"]),
        (r"\d{2}/\d{2}/\d{4}", ["01022003", "01/02/2003"], ["0102200"]),
        (r"[\dX -]{3}", ["12X", "12", ""], ["1234", "12Y"]),
        (r".\w\s?.", ["A1B"], ["A1"]),
        (r"a\.b\\", ["AB"], ["A"]),
        (r"É+ß", ["ESS", "éèSS"], ["SS"]),
        (r"(A(B|C){2}){0,2}", ["", "ABC", "ABBACC"], ["AB", "ABCABCABC"]),
    ],
)
def test_pattern_is_for_the_whole_value_and_ignores_case_and_separators(pattern, good, bad):
    compiled = Pattern(pattern, EVERYTHING)
    assert [text for text in good if not accepts_text(compiled, text)] == []
    assert [text for text in bad if accepts_text(compiled, text)] == []


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("a**", "position 3: a repetition right after a repetition"),
        ("*a", "position 1: nothing to repeat"),
        ("(a", "position 1: a ( without its )"),
        ("a)", "position 2: a ) without its ("),
        ("[ab", "position 1: a [ without its ]"),
        ("[]", "position 1: an empty [ ]"),
        ("[z-a]", "position 2: z-a is no range"),
        ("a{2", "position 2: { } needs counts"),
        ("a{x}", "position 2: { } needs counts"),
        ("a{3,2}", "counts down"),
        ("a{999}", "repeats more than"),
        ("^a", "position 1: ^ is not needed"),
        (r"\b", r"position 1: \b is not understood"),
        (r"(?=a)", "only plain groups"),
        ("Ж", "position 1: 'Ж' can't be read"),
        ("a\\", "is not understood"),
        ("a" * 1001, "longer than"),
        ("(" * 60 + "a" + ")" * 60, "nested"),
        ("((a{200}){200}){200}", "larger than"),
        ("((-{200}){200}){200}", "too large"),
        ("A", "no value of this kind of field"),
    ],
)
def test_pattern_errors_name_the_position_and_the_problem(pattern, problem):
    with pytest.raises(PatternError, match=re.escape(problem)):
        Pattern(pattern, DIGITS)


def test_pattern_errors_say_what_is_allowed():
    with pytest.raises(PatternError, match="allowed are characters"):
        Pattern("a++", EVERYTHING)


def test_pattern_is_stepped_in_bounded_time_where_backtracking_would_never_end():
    pattern = Pattern("(A+)+(A|A|AA)*B", EVERYTHING)
    started = time.perf_counter()
    assert not accepts_text(pattern, "A" * 200)
    assert accepts_text(pattern, "A" * 200 + "B")
    assert time.perf_counter() - started < 1.0


def test_dead_ends_are_pruned_at_once():
    pattern = Pattern("1[A]|2", DIGITS)  # a digits field can never finish the first branch
    assert pattern.step(pattern.start, "1") is None
    assert pattern.accepts(pattern.step(pattern.start, "2"))


_ATOMS = st.sampled_from(["A", "B", "1", ".", "[A1]", "[^A]", r"\d", r"\w"])
_PATTERNS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["?", "*", "+", "{2}", "{1,2}", "{0,1}", "{1,}"])).map(
            lambda pair: f"({pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(_PATTERNS)
def test_pattern_agrees_with_re(text):
    pattern = Pattern(text, "AB1")
    reference = re.compile(text)
    for length in range(4):
        for symbols in itertools.product("AB1", repeat=length):
            value = "".join(symbols)
            assert accepts_text(pattern, value) == bool(reference.fullmatch(value)), value


@settings(max_examples=100, deadline=None)
@given(_PATTERNS, st.text("AB1", max_size=6))
def test_every_state_can_still_be_completed(text, value):
    pattern = Pattern(text, "AB1")
    state = pattern.start
    for symbol in value:
        following = pattern.step(state, symbol)
        if following is None:
            break
        state = following

    class FromHere:
        name, start = "", state
        step, accepts = pattern.step, pattern.accepts

    assert shortest_length(FromHere(), "AB1") is not None


@given(st.lists(st.text("abÉ -", min_size=1).filter(fold), min_size=1, max_size=8), st.text("ABE", max_size=4))
def test_lexicon_accepts_its_values_and_nothing_else(values, other):
    lexicon = Lexicon(values)
    assert all(accepts_text(lexicon, value) for value in values)
    assert accepts_text(lexicon, other) == (other in {fold(value) for value in values})


def test_lexicon_gives_values_back_as_written_and_keeps_the_first_of_equals():
    lexicon = Lexicon(["Müller", "O'Brien", "MULLER"])
    assert lexicon.value_of("MULLER") == "Müller"
    assert lexicon.value_of("obrien") == "O'Brien"
    assert lexicon.value_of("X") is None


def test_lexicon_of_half_a_million_values_is_stepped_fast():
    lexicon = Lexicon(f"N{number:06d}" for number in range(500_000))
    started = time.perf_counter()
    assert accepts_text(lexicon, "N123456")
    assert not accepts_text(lexicon, "N5000000")
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize("values", [[], ["--"]])
def test_lexicon_needs_values_that_can_be_read(values):
    with pytest.raises(ValueError, match="empty|no letter or digit"):
        Lexicon(values)


def test_product_allows_what_all_parts_allow_and_names_those_that_are_broken():
    product = Product([Pattern(r"\d{3}", DIGITS), Lexicon(["123", "4567"], "numbers.txt")])
    assert accepts_text(product, "123")
    assert not accepts_text(product, "4567")
    assert product.step(product.start, "9") is None
    assert product.broken_by("4567") == (r"pattern \d{3}",)
    assert product.broken_by("99") == (r"pattern \d{3}", "lexicon numbers.txt")


def test_shortest_length_finds_the_shortest_value_or_that_there_is_none():
    assert shortest_length(Pattern(r"\d{4}|\d{6}", DIGITS), DIGITS) == 4
    assert shortest_length(Product([Pattern(r"1+", DIGITS), Pattern(r"2+", DIGITS)]), DIGITS) is None


@pytest.mark.parametrize(
    ("text", "folded"), [("Élodie-Anne 2", "ELODIEANNE2"), ("Søren Łódź", "SORENLODZ"), ("ﬁ", "FI")]
)
def test_fold(text, folded):
    assert fold(text) == folded
