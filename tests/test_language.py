"""The prior on words."""

from importlib.resources import files
from string import ascii_uppercase

import numpy as np
import pytest

from hwtranscribe.language import LISTED_SHARE, LISTS, SPELLED_SHARES, is_mixed, likely_words, word_log_odds


@pytest.mark.parametrize(
    ("likely", "unlikely"),
    [("THOMAS", "THOHAS"), ("Robertson", "Rodertson"), ("LE CAM", "LF CAM"), ("MARIE", "MAREI")],
)
def test_what_people_write_is_likelier(likely, unlikely):
    assert word_log_odds(likely) > word_log_odds(unlikely) + 1


def test_a_word_like_none_of_the_list_has_letters_that_go_together():
    assert word_log_odds("ZAMMIT") > word_log_odds("ZHMMIT") + 0.5


@pytest.mark.parametrize("code", ["XQJKV", "FTUJSPNOIYMQELHDXGWAKVBRZC", "EHXWT"])
def test_codes_are_left_alone(code):
    """The odds against letters without order can't fall below the share of words that are none."""
    swapped = code[:-2] + code[:-3:-1]
    assert word_log_odds(code) == pytest.approx(word_log_odds(swapped), abs=0.1)
    assert word_log_odds(code) >= -1.7
    assert 0 < LISTED_SHARE + sum(SPELLED_SHARES.values()) < 1


def test_digits_and_letters_seldom_stand_in_one_word():
    assert word_log_odds("R00M") < word_log_odds("A4") < word_log_odds("4") == 0.0
    assert is_mixed("R00M") and not is_mixed("ROOM") and not is_mixed("12.5")


def test_digits_and_unreadable_characters_say_nothing():
    assert word_log_odds("12345") == 0.0
    assert word_log_odds("A?4") == 0.0
    assert word_log_odds("") == 0.0


@pytest.mark.parametrize("name", LISTS)
def test_the_lists_hold_a_word_in_capitals_a_line_and_none_twice(name):
    text = files("hwtranscribe.language").joinpath(f"{name}.txt").read_text("ascii")
    words = text.splitlines()
    assert text.endswith("\n") and len(words) == len(set(words)) > 10_000
    assert all(word.isalpha() and word.isupper() and len(word) > 1 for word in words)


def test_a_common_name_is_likelier_than_a_rare_one_and_that_than_one_that_is_in_no_list():
    assert word_log_odds("MARIE") > word_log_odds("MARVIN") > word_log_odds("MARVIE")


def scores(characters: list[str], least: float = -6.0) -> np.ndarray:
    """Log-probabilities where each character may be one of some letters alike."""
    log_probs = np.full((len(characters), 26), least, np.float32)
    for row, letters in zip(log_probs, characters, strict=True):
        row[[ascii_uppercase.index(letter) for letter in letters]] = -np.log(len(letters))
    return log_probs


def test_listed_words_are_found_by_their_looks_and_by_how_common_they_are():
    assert likely_words(scores(["MH", "A", "RB", "I", "EF"]), 1) == ["MARIE"]
    assert "CELESTIN" in likely_words(scores(["C", "F", "L", "E", "S", "T", "I", "N"]), 2)
    assert likely_words(scores(["A"] * 60), 3) == []
    assert likely_words(scores([]), 3) == []
