"""Dates, numbers and check digits."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwtranscribe.constraint import accepts_text
from hwtranscribe.constraint.checks import CHECKS
from hwtranscribe.constraint.dates import EARLIEST, LATEST, dates
from hwtranscribe.constraint.ranges import Range

GOOD = {
    "luhn": ["4111111111111111", "79927398713", "5500 0000 0000 0004", "00"],
    "ean": ["4006381333931", "96385074", "036000291452", "10012345678902"],
    "mod11": ["0306406152", "080442957X", "0-8044-2957-X", "0378-5955", "2434-561X"],
    "mod97": ["GB82 WEST 1234 5698 7654 32", "DE89370400440532013000", "RF18539007547034", "79444"],
}
BAD = {
    "luhn": ["4111111111111112", "79927398710", "0", "41111A"],
    "ean": ["4006381333930", "963850741", "40063813339310"],
    "mod11": ["0306406153", "08044X2957", "X", "1"],
    "mod97": ["GB82 WEST 1234 5698 7654 33", "GB", "GB82", "G182", "12A", "79409"],
}


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_known_numbers(name):
    check = CHECKS[name]()
    assert [text for text in GOOD[name] if not accepts_text(check, text)] == []
    assert [text for text in BAD[name] if accepts_text(check, text)] == []
    assert check.name == f"check digit {name}"


@pytest.mark.parametrize("name", sorted(CHECKS))
@given(number=st.text("0123456789", min_size=7, max_size=7), place=st.integers(0, 7), other=st.integers(1, 9))
def test_one_wrong_digit_is_always_found(name, number, place, other):
    check = CHECKS[name]()
    valid = [number + digit for digit in "0123456789" if accepts_text(check, number + digit)]
    for value in valid:
        wrong = value[:place] + str((int(value[place]) + other) % 10) + value[place + 1 :]
        assert not accepts_text(check, wrong)


def test_only_real_dates():
    days = dates("DDMMYYYY", EARLIEST, LATEST)
    assert accepts_text(days, "29022024")
    assert accepts_text(days, "29.02.2024")
    for wrong in ("29022023", "31042000", "00012000", "01132000", "01011899", "0101200", "010120001"):
        assert not accepts_text(days, wrong)


def test_a_digit_that_leads_to_no_date_is_refused_at_once():
    days = dates("DDMMYYYY", EARLIEST, LATEST)
    assert days.step(days.start, "4") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("YYYY-MM-DD", "2024-02-29"), ("MM/DD/YY", "02/29/24"), ("MM/YY", "12/27"), ("DD MM YY", "310199")],
)
def test_formats(text, value):
    assert accepts_text(dates(text, EARLIEST, LATEST), value)


def test_date_limits_are_included_and_named():
    days = dates("DDMMYYYY", date(2000, 1, 31), date(2000, 2, 2))
    assert [day for day in range(28, 32) if accepts_text(days, f"{day}012000")] == [31]
    assert accepts_text(days, "02022000") and not accepts_text(days, "03022000")
    assert days.name == "date DDMMYYYY from 2000-01-31 to 2000-02-02"


@pytest.mark.parametrize("text", ["", "DDMM", "DDMMYYYYYY", "DD MMM YYYY", "DDMMYYYYDD", "YYYY", "D/M/YY"])
def test_formats_that_are_none(text):
    with pytest.raises(ValueError, match="must be made of DD, MM and YYYY"):
        dates(text, EARLIEST, LATEST)


@pytest.mark.parametrize("limits", [(date(2001, 1, 1), date(2000, 1, 1)), (date(1, 1, 1), date(2000, 1, 1))])
def test_date_limits_that_make_no_sense(limits):
    with pytest.raises(ValueError, match="no date lies|more than"):
        dates("DDMMYYYY", *limits)


@given(st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 4000), st.integers(0, 2))
def test_range_is_that_of_the_number(one, other, value, zeros):
    least, most = sorted((one, other))
    text = "0" * zeros + str(value)
    assert accepts_text(Range(least, most), text) == (least <= value <= most)
    assert accepts_text(Range(least, None), text) == (least <= value)
    assert accepts_text(Range(None, most), text) == (value <= most)


def test_range_prunes_prefixes_that_lead_nowhere():
    number = Range(500, 620)
    assert number.step(number.start, "7") is None
    assert not number.accepts(number.start)
    assert number.step(number.start, "A") is None
    assert number.name == "number at least 500, at most 620"


def test_range_without_numbers():
    with pytest.raises(ValueError, match="no number"):
        Range(5, 4)
