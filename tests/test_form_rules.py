"""Rules between fields: groups of checkboxes, equal fields, sums."""

from dataclasses import replace
from pathlib import Path

import pytest

from hwtranscribe.form import FormTemplate, apply_rules
from hwtranscribe.types import CROSSED_OUT, Alternative, CharReading, FieldReading, Kind, Status

FORM = """
schema = 1
name = "order"
[[page]]
size = [1000, 1000]
"""


def template(folder: Path, *fields: str) -> FormTemplate:
    tables = [f"[[page.field]]\nbox = [0, 0, 500, 50]\n{field}\n" for field in fields]
    (folder / "form.toml").write_text(FORM + "\n".join(tables), encoding="utf-8")
    return FormTemplate.load(folder / "form.toml")


def read(field: str, text: str, confidence: float, *alternatives: tuple[str, float]) -> FieldReading:
    status = Status.OK if confidence >= 0.9 else Status.REVIEW
    detail = "" if confidence >= 0.9 else "confidence below 0.9"
    characters = tuple(CharReading(letter, confidence, (0, 0, 1, 1)) for letter in text)
    return FieldReading(
        1, field, Kind.DIGITS, text, confidence, status if text else Status.BLANK, detail if text else "", (0, 0, 9, 9),
        characters, tuple(Alternative(*alternative) for alternative in alternatives),
    )  # fmt: skip


def tick(field: str, probability: float) -> FieldReading:
    confidence = max(probability, 1 - probability)
    reading = read(field, str(int(probability >= 0.5)), confidence)
    return replace(reading, kind=Kind.CHECKBOX, characters=())


def number(name: str, rule: str = "") -> str:
    return f'name = "{name}"\nkind = "digits"\n{rule}'


def box(name: str) -> str:
    return f'name = "{name}"\nkind = "checkbox"\ngroup = "size"'


@pytest.fixture
def sum_form(tmp_path):
    return template(tmp_path, number("one"), number("two"), number("total", 'sum = ["one", "two"]'))


def test_a_sum_settles_which_digit_it_was(sum_form):
    readings = [read("one", "70", 0.6, ("10", 0.4)), read("two", "25", 0.99), read("total", "35", 0.98)]
    one, two, total = apply_rules(sum_form, readings, 0.9)
    assert (one.text, one.status, one.detail) == ("10", Status.OK, "")
    assert one.confidence > 0.95
    assert [character.text for character in one.characters] == ["1", "0"]
    assert (two.text, total.text, two.status, total.status) == ("25", "35", Status.OK, Status.OK)


def test_a_sum_that_agrees_makes_its_fields_more_certain(sum_form):
    readings = [read("one", "10", 0.8), read("two", "25", 0.85), read("total", "35", 0.9)]
    for reading in apply_rules(sum_form, readings, 0.9):
        assert reading.status is Status.OK and reading.confidence > 0.97


def test_a_sum_that_the_writer_got_wrong_is_for_review_as_it_stands(sum_form):
    readings = [read("one", "10", 0.999), read("two", "25", 0.999), read("total", "36", 0.999, ("35", 1e-6))]
    for reading, text in zip(apply_rules(sum_form, readings, 0.9), ("10", "25", "36"), strict=True):
        assert (reading.text, reading.status) == (text, Status.REVIEW)
        assert reading.detail == "total is not the sum of one, two"


def test_blank_parts_count_nothing_and_a_form_without_numbers_breaks_no_rule(sum_form):
    blank = [read(name, "", 0.99) for name in ("one", "two", "total")]
    assert apply_rules(sum_form, blank, 0.9) == tuple(blank)
    filled = apply_rules(sum_form, [read("one", "12", 0.95), blank[1], read("total", "12", 0.95)], 0.9)
    assert [reading.status for reading in filled] == [Status.OK, Status.BLANK, Status.OK]
    missing = apply_rules(sum_form, [read("one", "12", 0.95), blank[1], blank[2]], 0.9)
    assert [reading.status for reading in missing] == [Status.REVIEW] * 3


def test_sums_of_many_uncertain_parts_stay_bounded(tmp_path):
    names = [f"part{index}" for index in range(40)]
    form = template(tmp_path, *map(number, names), number("total", f"sum = {names!r}".replace("'", '"')))
    alternatives = [(str(10**index), 0.1) for index in range(5)]
    readings = [read(name, "7", 0.5, *alternatives) for name in names]
    *_, total = apply_rules(form, [*readings, read("total", "280", 0.9)], 0.9)
    assert total.text == "280"


def test_equal_fields_settle_each_other(tmp_path):
    form = template(tmp_path, number("code"), number("again", 'equals = "code"'))
    code, again = apply_rules(form, [read("code", "17", 0.55, ("11", 0.45)), read("again", "11", 0.9)], 0.9)
    assert (code.text, again.text, code.status, again.status) == ("11", "11", Status.OK, Status.OK)
    code, again = apply_rules(form, [read("code", "17", 0.99), read("again", "23", 0.99)], 0.9)
    assert {code.detail, again.detail} == {"again does not equal code"}
    assert {code.status, again.status} == {Status.REVIEW}


def test_what_is_for_review_for_another_reason_stays_so(tmp_path):
    form = template(tmp_path, number("code"), number("again", 'equals = "code"'))
    broken = replace(read("code", "17", 0.5), detail="breaks date DDMMYYYY")
    code, _ = apply_rules(form, [broken, read("again", "17", 0.99)], 0.9)
    assert (code.status, code.detail) == (Status.REVIEW, "breaks date DDMMYYYY")


@pytest.mark.parametrize("doubt", ["crossed out", "there is writing beside it that belongs to no field"])
def test_a_field_in_doubt_is_not_changed_and_makes_no_other_one_certain(sum_form, doubt):
    in_doubt = replace(read("one", "70", 0.5, ("10", 0.4)), detail=doubt)
    one, two, total = apply_rules(sum_form, [in_doubt, read("two", "25", 0.85), read("total", "35", 0.98)], 0.9)
    assert (one.text, two.text, total.text) == ("70", "25", "35")
    assert {reading.status for reading in (one, two, total)} == {Status.REVIEW}
    assert one.confidence <= 0.5 and two.confidence <= 0.85
    assert one.detail == f"{doubt}; total is not the sum of one, two"
    held = [replace(in_doubt, text="10", confidence=0.97), read("two", "25", 0.85), read("total", "35", 0.98)]
    one, two, total = apply_rules(sum_form, held, 0.9)
    assert (one.status, one.detail, one.confidence) == (Status.REVIEW, doubt, 0.5)
    why = f"another field of the sum total is {'crossed out' if doubt == 'crossed out' else 'in doubt'}"
    assert (two.status, two.detail) == (Status.REVIEW, f"confidence below 0.9; {why}")
    assert (total.status, total.detail) == (Status.REVIEW, why)


def test_an_empty_box_with_a_mark_beside_it_is_not_ticked_by_its_group(tmp_path):
    form = template(tmp_path, box("small"), box("large"))
    beside = replace(tick("small", 0.001), confidence=0.5, status=Status.REVIEW, detail="a mark beside it")
    small, large = apply_rules(form, [beside, tick("large", 0.001)], 0.9)
    assert (small.text, large.text) == ("0", "0")
    assert small.status is large.status is Status.REVIEW
    assert small.detail == "a mark beside it; none of the group size is ticked"
    small, large = apply_rules(form, [beside, tick("large", 0.999)], 0.9)
    assert (small.text, large.text, large.status) == ("0", "1", Status.REVIEW)
    assert large.detail == "another box of the group size is in doubt"


def test_an_illegible_field_stays_so(sum_form):
    illegible = replace(read("one", "", 0.0, ("10", 0.3)), status=Status.ILLEGIBLE, detail="not readable")
    one, two, _ = apply_rules(sum_form, [illegible, read("two", "25", 0.99), read("total", "35", 0.98)], 0.9)
    assert (one.text, one.status, one.detail, two.status) == ("", Status.ILLEGIBLE, "not readable", Status.REVIEW)


def test_rules_that_contradict_each_other_make_no_field_certain(tmp_path):
    form = template(tmp_path, number("code"), number("b", 'equals = "code"'), number("c", 'equals = "code"'))
    fields = [read("code", "17", 0.8, ("11", 0.05)), read("b", "17", 0.85), read("c", "11", 0.99)]
    code, b, c = apply_rules(form, fields, 0.9)
    assert (code.text, b.text, c.text) == ("17", "17", "11")
    assert {reading.status for reading in (code, b, c)} == {Status.REVIEW}
    assert code.detail == c.detail == "c does not equal code"
    assert b.detail == "another field of the same value is in doubt"
    *_, b, c = apply_rules(form, [fields[0], read("b", "17", 0.95), fields[2]], 0.9)
    assert (b.text, b.status, c.status) == ("17", Status.OK, Status.REVIEW)  # it was certain by itself


def test_a_rule_that_a_later_one_breaks_is_named(tmp_path):
    form = template(tmp_path, number("a", 'equals = "b"'), number("b"), number("c", 'equals = "b"'))
    fields = [read("a", "17", 0.6), read("b", "17", 0.6, ("11", 0.39)), read("c", "11", 0.999999)]
    for reading in apply_rules(form, fields, 0.9):
        assert reading.status is Status.REVIEW and reading.confidence <= 0.85
        assert "does not equal" in reading.detail or "in doubt" in reading.detail


def test_alternatives_are_what_the_rule_leaves_to_the_others(sum_form):
    readings = [read("one", "70", 0.6, ("10", 0.3), ("40", 0.1)), read("two", "25", 0.99), read("total", "35", 0.98)]
    one, *_ = apply_rules(sum_form, readings, 0.9)
    assert (one.text, [other.text for other in one.alternatives]) == ("10", ["70", "40"])
    first, second = (other.confidence for other in one.alternatives)
    assert first == pytest.approx(6 * second, rel=1e-3)
    assert one.confidence + first + second == pytest.approx(1, abs=1e-5)


def test_a_group_has_one_ticked_box(tmp_path):
    form = template(tmp_path, box("small"), box("large"))
    small, large = apply_rules(form, [tick("small", 0.99), tick("large", 0.3)], 0.9)
    assert (small.text, large.text, large.status) == ("1", "0", Status.OK)
    assert large.confidence > 0.98


@pytest.mark.parametrize(
    ("ticked", "problem"),
    [
        ((0.999, 0.999), "more than one of the group size is ticked"),
        ((0.001, 0.001), "none of the group size is ticked"),
    ],
)
def test_a_doubtful_group_is_for_review(tmp_path, ticked, problem):
    form = template(tmp_path, box("small"), box("large"))
    for reading in apply_rules(form, [tick("small", ticked[0]), tick("large", ticked[1])], 0.9):
        assert (reading.status, reading.detail) == (Status.REVIEW, problem)


def taken_back(field: str, ticked: float, crossed_out: float) -> FieldReading:
    detail = CROSSED_OUT if crossed_out > 0.5 else ""
    status = Status.REVIEW if detail else Status.OK
    return replace(
        tick(field, ticked), status=status, detail=detail, alternatives=(Alternative(CROSSED_OUT, crossed_out),)
    )


def test_a_box_that_is_crossed_out_leaves_the_other_one(tmp_path):
    form = template(tmp_path, box("small"), box("large"), box("huge"))
    # Dense as a box filled in, the second alone would count as ticked.
    for crossed_out in (taken_back("large", 0.03, 0.96), taken_back("large", 0.95, 0.05)):
        small, large, huge = apply_rules(form, [tick("small", 0.99), crossed_out, tick("huge", 0.001)], 0.9)
        assert (small.text, large.text, huge.text) == ("1", "0", "0")
        assert small.status is large.status is huge.status is Status.REVIEW
        assert small.detail.endswith("another box of the group size is crossed out")
        assert large.detail.endswith(CROSSED_OUT)
        assert 0.4 < small.confidence <= 0.85


def test_a_box_crossed_out_alone_leaves_none(tmp_path):
    form = template(tmp_path, box("small"), box("large"))
    for reading in apply_rules(form, [tick("small", 0.001), taken_back("large", 0.003, 0.99)], 0.9):
        assert (reading.text, reading.status) == ("0", Status.REVIEW)
        assert reading.detail.endswith("none of the group size is ticked")


def test_what_a_rule_changes_without_being_sure_says_why(tmp_path):
    form = template(tmp_path, box("small"), box("large"))
    _, large = apply_rules(form, [tick("small", 0.99), tick("large", 0.95)], 0.9)
    assert (large.text, large.status) == ("0", Status.REVIEW)
    assert large.detail == "confidence below 0.9; as first read, more than one of the group size is ticked"


def test_a_field_that_could_not_be_read_breaks_no_rule(tmp_path):
    form = template(tmp_path, box("small"), box("large"))
    missing = replace(read("large", "", 0.0), kind=Kind.CHECKBOX, status=Status.REVIEW, detail="page 1 was not found")
    readings = (tick("small", 0.99), missing)
    assert apply_rules(form, readings, 0.9) == readings


def test_a_form_without_rules_is_left_as_it_is(tmp_path):
    form = template(tmp_path, number("one"), number("two"))
    readings = (read("one", "1", 0.5), read("two", "2", 0.99))
    assert apply_rules(form, readings, 0.9) == readings
