"""The prior on words."""

import pytest

from hwtranscribe.language import LISTED_SHARE, SPELLED_SHARES, is_mixed, word_log_odds


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
