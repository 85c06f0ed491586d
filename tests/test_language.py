"""The prior on words."""

import pytest

from hwtranscribe.language import WORD_SHARE, word_log_odds


@pytest.mark.parametrize(
    ("likely", "unlikely"), [("THOMAS", "THOHAS"), ("Robertson", "Rodertson"), ("LE CAM", "LF CAM"), ("MARIE", "MAREI")]
)
def test_what_people_write_is_likelier(likely, unlikely):
    assert word_log_odds(likely) > word_log_odds(unlikely) + 1


@pytest.mark.parametrize("code", ["XQJKV", "FTUJSPNOIYMQELHDXGWAKVBRZC", "EHXWT"])
def test_codes_are_left_alone(code):
    """The odds against letters without order can't fall below the share of words that are none."""
    swapped = code[:-2] + code[:-3:-1]
    assert word_log_odds(code) == pytest.approx(word_log_odds(swapped), abs=0.1)
    assert word_log_odds(code) >= -1.7
    assert 0 < WORD_SHARE < 1


def test_digits_and_unreadable_characters_say_nothing():
    assert word_log_odds("12345") == 0.0
    assert word_log_odds("A?C4") == 0.0
    assert word_log_odds("") == 0.0
