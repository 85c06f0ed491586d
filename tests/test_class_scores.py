import numpy as np
import pytest

from hwtranscribe.class_scores import (
    count_lost_parts,
    in_small_letters,
    log_odds_of_a_number,
    share_of_capitals,
    symbol_log_probs,
)
from hwtranscribe.language import word_log_odds
from hwtranscribe.model import DIGITS, LABELS, LOWER, UPPER
from hwtranscribe.pipeline.targets import NUMBER_AMONG_WORDS


def random_log_probs(count: int) -> np.ndarray:
    logits = np.random.default_rng(0).normal(size=(count, len(LABELS))).astype(np.float32)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


@pytest.mark.parametrize(
    ("kind", "case", "symbols"),
    [
        ("digits", "any", DIGITS),
        ("letters", "any", UPPER),
        ("letters", "upper", UPPER),
        ("letters", "lower", LOWER),
        ("alphanumeric", "any", DIGITS + UPPER),
        ("alphanumeric", "lower", DIGITS + LOWER),
    ],
)
def test_symbols_follow_kind_and_case(kind: str, case: str, symbols: tuple[str, ...]) -> None:
    found, log_probs = symbol_log_probs(random_log_probs(5), kind, case)
    assert found == symbols
    assert log_probs.shape == (5, len(symbols) + 1)
    np.testing.assert_allclose(np.exp(log_probs).sum(axis=1), 1, rtol=1e-5)


def log_probs_of(text: str, other: str = "") -> np.ndarray:
    """Rows of a reader that is 90 % sure of each character of `text`; the rest goes to the same place of `other`."""
    probs = np.full((len(text), len(LABELS)), 1e-6, np.float32)
    for row, (label, second) in enumerate(zip(text, other or text, strict=True)):
        probs[row, LABELS.index(second)] = 0.1
        probs[row, LABELS.index(label)] = 0.9
    return np.log(probs)


def test_dotted_letters_count_among_capitals() -> None:
    symbols, upper = symbol_log_probs(log_probs_of("ij"), "letters", "upper")
    assert "".join(symbols[column] for column in upper[:, :-1].argmax(axis=1)) == "IJ"
    assert np.exp(upper[:, -1]).max() < 1e-3, "no character by half"


def is_small(field: np.ndarray, page: np.ndarray) -> bool:
    return in_small_letters(field, share_of_capitals(page))


def test_small_letters_where_capitals_were_asked_for_are_noticed() -> None:
    assert is_small(log_probs_of("jade"), log_probs_of("jade"))
    assert not is_small(log_probs_of("JaDE"), log_probs_of("JaDE"))


def test_a_bar_alone_is_no_small_letter() -> None:
    assert not is_small(log_probs_of("l", "I"), log_probs_of("l", "I"))


def test_one_field_with_a_few_small_shapes_on_a_page_of_capitals_is_in_capitals() -> None:
    field = log_probs_of("cos", "COS")
    assert is_small(field, field)
    assert not is_small(field, np.concatenate([field, log_probs_of("BLOCKCAPITALSEVERYWHERE")]))


def test_any_case_is_the_sum_of_both() -> None:
    log_probs = np.full((1, len(LABELS)), -50, np.float32)
    log_probs[0, LABELS.index("I")] = np.log(0.3)
    log_probs[0, LABELS.index("i")] = np.log(0.3)
    log_probs[0, LABELS.index("l")] = np.log(0.4)
    any_case = symbol_log_probs(log_probs, "letters", "any")[1][0]
    upper = symbol_log_probs(log_probs, "letters", "upper")[1][0]
    np.testing.assert_allclose(np.exp(any_case[UPPER.index("I")]), 0.6, rtol=1e-4)
    assert UPPER[int(upper.argmax())] == "I"
    np.testing.assert_allclose(np.exp(upper[UPPER.index("I")]), 1, rtol=1e-4)


def test_an_f_on_a_rule_may_be_an_e_that_lost_its_foot() -> None:
    log_probs = np.full((2, len(LABELS)), np.log(1e-6), np.float32)
    log_probs[:, LABELS.index("F")] = np.log(0.98)
    counted = count_lost_parts(log_probs, np.array([True, False]), None)
    e, f = LABELS.index("E"), LABELS.index("F")
    assert counted[0, f] > counted[0, e] > np.log(0.1)
    assert (counted[1] == log_probs[1]).all()
    assert (np.delete(counted, e, axis=1) == np.delete(log_probs, e, axis=1)).all()


@pytest.mark.parametrize(("seen", "was"), [("4", "9"), ("1", "7")])
def test_a_digit_under_a_rule_may_have_lost_its_head(seen: str, was: str) -> None:
    log_probs = np.full((2, len(LABELS)), np.log(1e-6), np.float32)
    log_probs[:, LABELS.index(seen)] = np.log(0.98)
    counted = count_lost_parts(log_probs, None, np.array([True, False]))
    assert counted[0, LABELS.index(seen)] > counted[0, LABELS.index(was)] > np.log(0.1)
    assert (counted[1] == log_probs[1]).all()


def as_likely(text: str, other: str) -> np.ndarray:
    """Rows of a reader that can't decide between the characters of two texts."""
    return np.logaddexp(log_probs_of(text, other), log_probs_of(other, text)) - np.float32(np.log(2))


@pytest.mark.parametrize(
    ("number", "word", "is_number"),
    [
        ("0690434F", "OGQOLZLF", True),
        ("0311168B", "OSIIIGBB", True),
        ("101C", "LOIC", False),
        ("51M0N", "SIMON", False),
        ("15A8EL", "ISABEL", False),
    ],
)
def test_a_number_is_told_from_names_that_look_like_one(number: str, word: str, is_number: bool) -> None:
    log_odds = log_odds_of_a_number(as_likely(number, word)) - word_log_odds(word)
    assert (log_odds > NUMBER_AMONG_WORDS) == is_number


def test_what_is_no_character_tells_nothing_of_numbers() -> None:
    nothing = np.full((3, len(LABELS)), -50, np.float32)
    nothing[:, -1] = 0
    assert log_odds_of_a_number(nothing) == pytest.approx(0, abs=1e-6)
    # Rounded to a little more than certain, with what is left on a digit.
    nothing[:, -1], nothing[:, 1] = 1e-6, np.log(5e-8)
    assert log_odds_of_a_number(nothing) == pytest.approx(0, abs=1e-5)
    assert log_odds_of_a_number(log_probs_of("123", "456")) > 5
    assert log_odds_of_a_number(log_probs_of("ABC", "KLM")) < -5
