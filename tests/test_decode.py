"""Decoding: scores and constraints to readings."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from results import reading

from hwtranscribe.constraint import ALPHABETS, Lexicon, Pattern, Product
from hwtranscribe.constraint.dates import dates
from hwtranscribe.constraint.ranges import Range
from hwtranscribe.decode import decode_field, join_lines
from hwtranscribe.language import word_log_odds
from hwtranscribe.types import CharBoxes, Kind, Status

DIGITS = tuple("0123456789")
LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def pattern(text: str) -> Product:
    return Product([Pattern(text, ALPHABETS[Kind.ALPHANUMERIC])])


def comb(n: int, blank: tuple[int, ...] = ()) -> CharBoxes:
    """A comb of n cells, 20 px wide."""
    left = np.arange(n, dtype=np.float32) * 20
    is_blank = np.zeros(n, bool)
    is_blank[list(blank)] = True
    return CharBoxes(
        field="f",
        box=(0, 0, 20 * n, 30),
        node_count=n + 1,
        start=np.arange(n, dtype=np.int32),
        end=np.arange(1, n + 1, dtype=np.int32),
        boxes=np.stack([left, 0 * left, left + 20, 0 * left + 30], axis=1),
        inks=tuple(np.zeros((30, 20), np.uint8) for _ in range(n)),
        geometry_log_prob=np.zeros(n, np.float32),
        blank=is_blank,
        skip_log_prob=np.full(n, -np.inf, np.float32),
        extent=np.zeros((n, 2), np.float32),
        cells=True,
        uncut=np.zeros(n, bool),
        marks=np.zeros(n, bool),
    )


def scores(symbols: tuple[str, ...], *characters: dict[str, float]) -> np.ndarray:
    """Log-probabilities: what is named gets its share, the rest is spread; "?" is the class of no character."""
    rows = []
    for named in characters:
        row = np.full(len(symbols) + 1, (1 - sum(named.values())) / (len(symbols) + 1 - len(named)) + 1e-9)
        for symbol, p in named.items():
            row[len(symbols) if symbol == "?" else symbols.index(symbol)] = p
        rows.append(np.log(row / row.sum()))
    return np.array(rows, np.float32)


def test_reads_the_most_probable_characters_with_alternatives():
    reading = decode_field(
        comb(3),
        scores(DIGITS, {"1": 0.99}, {"7": 0.6, "1": 0.39}, {"0": 0.99}),
        DIGITS,
        page=1,
        kind=Kind.DIGITS,
    )
    assert reading.text == "170"
    assert reading.alternatives[0].text == "110"
    assert 0.4 < reading.confidence < 0.9
    assert reading.status is Status.REVIEW
    assert "confidence" in reading.detail
    assert [c.text for c in reading.characters] == ["1", "7", "0"]
    assert reading.characters[2].box == (40, 0, 60, 30)


def test_confident_field_is_ok():
    reading = decode_field(comb(2), scores(DIGITS, {"1": 0.999}, {"7": 0.999}), DIGITS, page=1, kind=Kind.DIGITS)
    assert (reading.status, reading.detail) == (Status.OK, "")


def test_pattern_works_on_the_probabilities_not_on_the_result():
    symbols = LETTERS + DIGITS
    rows = scores(symbols, {"0": 0.55, "O": 0.44}, {"O": 0.7, "0": 0.29})
    free = decode_field(comb(2), rows, symbols, page=1, kind=Kind.ALPHANUMERIC)
    bound = decode_field(comb(2), rows, symbols, page=1, kind=Kind.ALPHANUMERIC, constraint=pattern(r"[A-Z]\d"))
    assert free.text == "0O"
    assert bound.text == "O0"
    assert bound.confidence > free.confidence


def test_broken_constraint_is_for_review_and_says_so():
    rows = scores(DIGITS, {"1": 0.9999}, {"2": 0.9999})
    reading = decode_field(
        comb(2), rows, DIGITS, page=1, kind=Kind.DIGITS, constraint=pattern(r"\d{3}"), review_below=0.1
    )
    assert reading.text == "12"
    assert reading.status is Status.REVIEW
    assert "breaks" in reading.detail
    assert r"\d{3}" in reading.detail


def test_lexicon_decides_between_look_alikes():
    rows = scores(LETTERS, {"P": 0.5, "R": 0.45}, {"A": 0.9}, {"U": 0.55, "V": 0.4}, {"L": 0.9})
    reading = decode_field(
        comb(4), rows, LETTERS, page=1, kind=Kind.LETTERS, constraint=Product([Lexicon(["Ravl", "Paula"])])
    )
    assert reading.text == "RAVL"


def test_empty_cells_are_spaces_between_words_and_nothing_at_the_ends():
    rows = scores(LETTERS, {}, {"L": 0.99}, {"E": 0.99}, {}, {"C": 0.99}, {"A": 0.99}, {})
    reading = decode_field(comb(7, blank=(0, 3, 6)), rows, LETTERS, page=1, kind=Kind.LETTERS)
    assert reading.text == "LE CA"


@pytest.mark.parametrize(("required", "status"), [(False, Status.BLANK), (True, Status.REVIEW)])
def test_blank_field_is_empty(required, status):
    boxes = comb(3, blank=(0, 1, 2))
    reading = decode_field(boxes, scores(DIGITS, {}, {}, {}), DIGITS, page=1, kind=Kind.DIGITS, required=required)
    assert (reading.text, reading.status) == ("", status)
    assert ("required" in reading.detail) is required


def speck_or_character() -> CharBoxes:
    """One small piece that may be left out."""
    return CharBoxes(
        field="f",
        box=(0, 0, 20, 30),
        node_count=2,
        start=np.array([0], np.int32),
        end=np.array([1], np.int32),
        boxes=np.array([[0, 0, 5, 5]], np.float32),
        inks=(np.zeros((5, 5), np.uint8),),
        geometry_log_prob=np.zeros(1, np.float32),
        blank=np.zeros(1, bool),
        skip_log_prob=np.array([-1.0], np.float32),
        extent=np.zeros((1, 2), np.float32),
        cells=False,
        uncut=np.zeros(1, bool),
        marks=np.zeros(1, bool),
    )


@pytest.mark.parametrize(("speck", "status"), [(0.75, Status.REVIEW), (0.999999, Status.BLANK)])
def test_what_may_be_writing_is_not_called_blank(speck, status):
    rows = scores(DIGITS, {"?": speck, "1": 0.99 * (1 - speck)})
    boxes = speck_or_character()
    reading = decode_field(boxes, rows, DIGITS, page=1, kind=Kind.DIGITS, columns=rows, review_below=0.6)
    assert (reading.text, reading.status) == ("", status)
    assert ("perhaps not blank" in reading.detail) is (status is Status.REVIEW)


def test_scribbles_are_illegible_not_guessed():
    rows = scores(DIGITS, {"?": 0.97}, {"?": 0.9}, {"3": 0.99})
    reading = decode_field(comb(3), rows, DIGITS, page=1, kind=Kind.DIGITS)
    assert (reading.text, reading.status, reading.confidence) == ("", Status.ILLEGIBLE, 0.0)


def test_one_scribble_is_marked_in_the_text():
    rows = scores(DIGITS, {"1": 0.99}, {"2": 0.99}, {"?": 0.97}, {"3": 0.99})
    reading = decode_field(comb(4), rows, DIGITS, page=1, kind=Kind.DIGITS)
    assert reading.text == "12?3"
    assert reading.status is Status.REVIEW


@pytest.mark.parametrize(
    ("constraint", "doubted"),
    [(None, True), (Product([Lexicon(["35", "48"])]), False)],
    ids=["free", "listed"],
)
def test_characters_that_are_hardly_any_are_for_review_unless_they_are_listed(constraint, doubted):
    """As where three touching digits were taken for two."""
    rows = scores(DIGITS, {"3": 0.25, "?": 0.749}, {"5": 0.25, "?": 0.749})
    reading = decode_field(comb(2), rows, DIGITS, page=1, kind=Kind.DIGITS, constraint=constraint, review_below=0.6)
    assert reading.text == "35"
    assert ("hardly legible" in reading.detail) is doubted
    assert (reading.confidence <= 0.5 and reading.status is Status.REVIEW) is doubted


def test_a_name_that_is_on_no_list_is_not_bent_into_one_that_is():
    rows = scores(LETTERS, *({letter: 0.99} for letter in "MAR"), {"T": 0.95, "I": 0.02}, {"A": 0.99})
    listed = Product([Lexicon(["MARIA", "ANNA"])])
    reading = decode_field(comb(5), rows, LETTERS, page=1, kind=Kind.LETTERS, constraint=listed)
    assert (reading.text, reading.status) == ("MARIA", Status.REVIEW)


def test_what_may_be_cut_wrongly_is_for_review():
    boxes = replace(comb(2), doubt="8 cells are printed, not 2 as the template says")
    reading = decode_field(boxes, scores(DIGITS, {"1": 0.999}, {"2": 0.999}), DIGITS, page=1, kind=Kind.DIGITS)
    assert (reading.text, reading.status, reading.detail) == ("12", Status.REVIEW, boxes.doubt)
    assert reading.confidence <= 0.5
    empty = decode_field(replace(comb(1, blank=(0,)), doubt="x"), scores(DIGITS, {}), DIGITS, page=1, kind=Kind.DIGITS)
    assert (empty.text, empty.status, empty.detail) == ("", Status.REVIEW, "x")


def cut_in_two() -> CharBoxes:
    """Two pieces that are one character or two, with a dot that may be left out behind them."""
    return CharBoxes(
        field="f",
        box=(0, 0, 60, 30),
        node_count=4,
        start=np.array([0, 0, 1, 2], np.int32),
        end=np.array([1, 2, 2, 3], np.int32),
        boxes=np.array([[0, 0, 10, 30], [0, 0, 20, 30], [10, 0, 20, 30], [22, 25, 26, 30]], np.float32),
        inks=tuple(np.zeros((30, 20), np.uint8) for _ in range(4)),
        geometry_log_prob=np.zeros(4, np.float32),
        blank=np.zeros(4, bool),
        skip_log_prob=np.array([-8, -np.inf, -8, -0.3], np.float32),
        extent=np.array([[0, 10], [0, 20], [10, 20], [22, 26]], np.float32) / 30,
        cells=False,
        uncut=np.zeros(4, bool),
        marks=np.zeros(4, bool),
    )


def one_before_a_number() -> CharBoxes:
    """Three pieces, of which the first two may be one character."""
    return replace(
        comb(4),
        node_count=4,
        start=np.array([0, 1, 2, 0], np.int32),
        end=np.array([1, 2, 3, 2], np.int32),
        boxes=np.array([[0, 0, 10, 30], [10, 0, 30, 30], [30, 0, 50, 30], [0, 0, 30, 30]], np.float32),
        extent=np.array([[0, 10], [10, 30], [30, 50], [0, 30]], np.float32) / 30,
        cells=False,
    )


@pytest.mark.parametrize(("merged", "contradicts"), [(0.0003, True), (0.003, False)])
def test_a_clear_reading_that_breaks_the_rule_is_not_bent_into_one_that_keeps_it(merged, contradicts):
    rows = scores(DIGITS, *({digit: 0.9998} for digit in "185"), {"8": merged, "?": 0.9999 - merged})
    free = decode_field(one_before_a_number(), rows, DIGITS, page=1, kind=Kind.DIGITS)
    assert (free.text == "185" and free.status is Status.OK) is contradicts
    limits = Product([Range(18, 99)])
    reading = decode_field(one_before_a_number(), rows, DIGITS, page=1, kind=Kind.DIGITS, constraint=limits)
    assert reading.text == "85"
    doubted = reading.detail == 'reads "185", which breaks number at least 18, at most 99'
    assert doubted is contradicts
    if contradicts:
        assert reading.status is Status.REVIEW and reading.confidence <= 0.5
        assert reading.alternatives[0].text == "185" and reading.alternatives[0].confidence >= 0.5


def test_a_clear_date_that_does_not_exist_is_for_review():
    rows = scores(DIGITS, *({digit: 0.9998} for digit in "2902199"), {"7": 0.96, "2": 0.035})
    constraint = Product([dates("DDMMYYYY", date(1900, 1, 1), date(2099, 12, 31))])
    reading = decode_field(comb(8), rows, DIGITS, page=1, kind=Kind.DIGITS, constraint=constraint)
    assert (reading.text, reading.status) == ("29021992", Status.REVIEW)
    assert reading.detail == 'reads "29021997", which breaks date DDMMYYYY'
    listed = decode_field(comb(8), rows, DIGITS, page=1, kind=Kind.DIGITS, constraint=Product([Lexicon(["29021997"])]))
    assert (listed.text, listed.status) == ("29021997", Status.OK)


def test_a_speck_that_is_clearly_none_is_not_forced_to_be_a_character():
    rows = scores(DIGITS, {"?": 0.995, "1": 0.0049})
    only = Lexicon(["1"])
    only.complete = True
    speck = replace(speck_or_character(), skip_log_prob=np.zeros(1, np.float32))
    reading = decode_field(speck, rows, DIGITS, page=1, kind=Kind.DIGITS, constraint=Product([only]))
    assert (reading.status, reading.detail) == (Status.REVIEW, "perhaps blank")


def test_lattice_joins_what_reads_better_joined():
    joined = scores(DIGITS, {"?": 0.9}, {"8": 0.98}, {"?": 0.9}, {"?": 0.98})
    apart = scores(DIGITS, {"1": 0.95}, {"?": 0.95}, {"1": 0.95}, {"?": 0.98})
    read = [decode_field(cut_in_two(), rows, DIGITS, page=1, kind=Kind.DIGITS).text for rows in (joined, apart)]
    assert read == ["8", "11"]


def test_the_whole_line_decides_where_the_cuts_leave_it_open():
    boxes = cut_in_two()
    # Two pieces that may be 1 and 1, or together an 8 or a 3.
    rows = scores(DIGITS, {"1": 0.9}, {"8": 0.45, "3": 0.45}, {"1": 0.9}, {"?": 0.98})
    eight = scores(DIGITS, {"?": 0.9}, {"8": 0.9}, {"8": 0.5, "?": 0.4}, {"?": 0.9})
    ones = scores(DIGITS, {"1": 0.9}, {"?": 0.9}, {"1": 0.9}, {"?": 0.9})
    for columns, text in ((eight, "8"), (ones, "11")):
        reading = decode_field(boxes, rows, DIGITS, page=1, kind=Kind.DIGITS, columns=columns)
        assert reading.text == text and len(reading.characters) == len(text)


def test_texts_of_the_whole_line_are_looked_for_among_the_cuts_and_must_keep_the_constraint():
    rows = scores(DIGITS, {"1": 0.99}, {"8": 0.99}, {"1": 0.99}, {"?": 0.98})
    columns = scores(DIGITS, *({"?": 0.9} if i % 2 else {"7": 0.8, "1": 0.15} for i in range(4)))
    reading = decode_field(cut_in_two(), rows, DIGITS, page=1, kind=Kind.DIGITS, columns=columns)
    assert "77" in {reading.text, *(a.text for a in reading.alternatives)}
    only = Product([Lexicon(["11", "8"])])
    reading = decode_field(cut_in_two(), rows, DIGITS, page=1, kind=Kind.DIGITS, columns=columns, constraint=only)
    assert "77" not in {reading.text, *(a.text for a in reading.alternatives)}


@pytest.mark.parametrize(
    ("sure", "text"),
    [(0.0, "ROOM"), (0.999, "R00M")],
)
def test_what_may_be_letter_or_digit_is_what_the_rest_of_its_word_is(sure, text):
    """O and 0 look the same; where the network is sure that it is a digit, as in a code, it stays one."""
    symbols = tuple("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    zero = {"0": 0.6, "O": 0.39}
    first = zero if sure == 0.0 else {"0": sure, "O": (1 - sure) / 100}
    rows = scores(symbols, {"R": 0.98}, first, zero, {"M": 0.98})
    reading = decode_field(comb(4), rows, symbols, page=1, kind=Kind.ALPHANUMERIC, prior=word_log_odds)
    assert reading.text == text


def test_a_line_with_more_look_alikes_than_the_search_keeps_is_read_in_words():
    symbols = tuple("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    wanted = "POORLYPRESENTEDORINCOMPLETE"
    alike = {"O": "0", "I": "1", "L": "1", "S": "5"}
    rows = scores(symbols, *({alike[c]: 0.6, c: 0.39} if c in alike else {c: 0.98} for c in wanted))
    reading = decode_field(comb(len(wanted)), rows, symbols, page=1, kind=Kind.ALPHANUMERIC, prior=word_log_odds)
    assert reading.text == wanted


def test_a_name_is_found_among_more_readings_than_the_search_keeps():
    wanted, rather = "CELESTIN", "GFIFZIJM"
    rows = scores(LETTERS, *({other: 0.5, letter: 0.45} for letter, other in zip(wanted, rather, strict=True)))
    read = [
        decode_field(comb(len(wanted)), rows, LETTERS, page=1, kind=Kind.LETTERS, prior=prior).text
        for prior in (None, word_log_odds)
    ]
    assert read == [rather, wanted]


def test_confidence_follows_the_characters_and_their_number():
    def confidence(*characters: float) -> float:
        rows = scores(DIGITS, *({"1": p} for p in characters))
        return decode_field(comb(len(characters)), rows, DIGITS, page=1, kind=Kind.DIGITS).confidence

    assert confidence(0.99, 0.99) > confidence(0.99, 0.8) > confidence(0.8, 0.8)
    assert confidence(0.99) > confidence(*[0.99] * 10)


def test_alternatives_are_less_probable_than_the_reading_and_in_order():
    rows = scores(DIGITS, {"1": 0.5, "7": 0.4}, {"8": 0.5, "0": 0.3}, {"1": 0.5, "4": 0.4}, {"?": 0.98})
    reading = decode_field(cut_in_two(), rows, DIGITS, page=1, kind=Kind.DIGITS)
    shares = [alternative.confidence for alternative in reading.alternatives]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) <= 1.0
    assert reading.text not in [alternative.text for alternative in reading.alternatives]


def test_lines_of_a_cell_are_one_reading():
    one, two = reading("c", "AB", confidence=0.95), reading("c", "CD", confidence=0.94, box=(3, 50, 40, 90))
    joined = join_lines([one, two])
    assert (joined.text, joined.confidence, joined.status) == ("AB CD", 0.893, Status.REVIEW)
    assert joined.box == (1, 2, 40, 90) and len(joined.characters) == 4
    assert join_lines([one]) is one
    assert join_lines([one, two], review_below=0.8).status is Status.OK


def test_a_cell_with_an_unreadable_line():
    lost = reading("c", "", status=Status.ILLEGIBLE, confidence=0.0, detail="not readable")
    blank = reading("c", "")
    joined = join_lines([reading("c", "AB"), lost])
    assert (joined.text, joined.status, joined.detail) == ("AB", Status.REVIEW, "not readable")
    assert join_lines([blank, lost]).status is Status.ILLEGIBLE
    assert join_lines([blank, blank]).status is Status.BLANK


@pytest.mark.parametrize(("rule", "in_doubt"), [(None, True), (r"\d{3,4}", True), (r"\d{3}", False)])
def test_digits_with_an_empty_cell_between_them_are_in_doubt_unless_a_rule_says_how_many_there_are(rule, in_doubt):
    digits = tuple("0123456789")
    log_probs = scores(digits, {"1": 0.999}, {"2": 0.999}, {"?": 0.9}, {"3": 0.999})
    constraint = None if rule is None else Product([Pattern(rule, ALPHABETS[Kind.DIGITS])])
    reading = decode_field(comb(4, blank=(2,)), log_probs, digits, page=1, kind=Kind.DIGITS, constraint=constraint)
    assert reading.text == "123"
    assert reading.status is (Status.REVIEW if in_doubt else Status.OK)
    assert ("empty" in reading.detail) == in_doubt
