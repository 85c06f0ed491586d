"""Rules that tie fields of a form together: `group`, `equals` and `sum`.

Each rule weighs the joint readings of its fields: those that keep it by their probability, those that break it by that
and by how rarely people break such rules. The most probable joint reading is taken; it may have an alternative of some
field in the place of what that field alone seemed to say. The confidence of a field in doubt is no probability: its
rules change nothing, and all of their fields are for review.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

from hwtranscribe.constraint import fold
from hwtranscribe.form.template import FormTemplate
from hwtranscribe.types import CROSSED_OUT, Alternative, CharReading, FieldReading, Kind, Status

BROKEN_SHARE = 0.01
"""How often people break such a rule: sums that do not add up, two boxes ticked."""

DOUBTED = 0.5
"""Most that is left of the confidence of a field in doubt."""

TIED_TO_DOUBTED = 0.85
"""Most that is left where another field of the rule is in doubt; a judgement: some people blacken what they mean."""

MAX_SUMS = 2_000


@dataclass(frozen=True, slots=True)
class _Joint:
    """One reading of several fields at once."""

    texts: tuple[str, ...]
    probability: float


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule of a form.

    Attributes:
        fields: Names of its fields; of a sum, the sum is the last.
        another: What messages about one of them call another one.
        keeping: The joint readings of its fields that keep it.
        problem: What to say of texts of its fields that break it; empty for those that keep it.
    """

    fields: tuple[str, ...]
    another: str
    keeping: Callable[[Sequence[FieldReading]], list[_Joint]]
    problem: Callable[[Sequence[str]], str]


def apply_rules(form: FormTemplate, readings: Sequence[FieldReading], review_below: float) -> tuple[FieldReading, ...]:
    """The readings of one filled form, after the rules between its fields.

    Args:
        form: Its template.
        readings: One per field.
        review_below: Readings whose confidence is below this are for review.

    Returns:
        The readings in the same order; those of a rule that is broken are for review and name it in their detail, and
        so are those of a rule one of whose fields is in doubt for another reason than its probability.
    """
    first = {reading.field: reading for reading in readings}
    settled = dict(first)
    doubted = {reading.field for reading in readings if reading.detail not in ("", _unsure(review_below))}
    broken: set[str] = set()
    rules = [rule for rule in _rules(form) if _weighable([settled[name] for name in rule.fields])]
    for rule in rules:
        if (doubted | broken).isdisjoint(rule.fields):
            now = _settle(rule, [settled[name] for name in rule.fields], review_below)
            settled |= {reading.field: reading for reading in now}
            doubted |= {reading.field for reading in now if reading.detail == CROSSED_OUT}
            if rule.problem([reading.text for reading in now]):
                broken.update(rule.fields)
    changed = {name for name in first if _outcome(first[name]) != _outcome(settled[name])}
    # Checked at the end, for a rule may have changed what one before it had settled.
    for rule in rules:
        problem = _problem(rule, [settled[name] for name in rule.fields])
        if problem:
            broken.update(rule.fields)
            settled |= {name: _for_review(settled[name], problem, DOUBTED) for name in rule.fields}
    for rule in rules:
        in_doubt = (doubted | broken).intersection(rule.fields)
        if not in_doubt:
            continue
        # Where only another rule is broken, what a field said by itself still stands.
        tied = changed if doubted.isdisjoint(rule.fields) else set(rule.fields)
        crossed_out = any(CROSSED_OUT in settled[name].detail.split("; ") for name in in_doubt)
        why = f"{rule.another} is {CROSSED_OUT if crossed_out else 'in doubt'}"
        for name in rule.fields:
            if name in in_doubt:
                settled[name] = _for_review(settled[name], "", DOUBTED)
            elif name in tied:
                settled[name] = _for_review(settled[name], why, TIED_TO_DOUBTED)
    return tuple(settled[reading.field] for reading in readings)


def _outcome(reading: FieldReading) -> tuple[str, Status]:
    return reading.text, reading.status


def _rules(form: FormTemplate) -> Iterator[_Rule]:
    """The rules of a form, groups last."""
    groups: dict[str, list[str]] = {}
    for page in form.pages:
        for field in page.fields:
            if field.group is not None:
                groups.setdefault(field.group, []).append(field.name)
            if field.equals is not None:
                problem = f"{field.name} does not equal {field.equals}"
                pair = (field.name, field.equals)
                yield _Rule(pair, "another field of the same value", _equal, partial(_if_unequal, problem))
            if field.sum_of is not None:
                problem = f"{field.name} is not the sum of {', '.join(field.sum_of)}"
                terms = (*field.sum_of, field.name)
                yield _Rule(terms, f"another field of the sum {field.name}", _adding_up, partial(_if_wrong, problem))
    for group, names in groups.items():
        yield _Rule(tuple(names), f"another box of the group {group}", _one_of, partial(_unless_one, group))


def _weighable(readings: Sequence[FieldReading]) -> bool:
    """Whether there is something to weigh: not where nothing was read, in one field or in all."""
    unread = any(not (reading.text or reading.confidence or reading.alternatives) for reading in readings)
    return not unread and any(reading.text for reading in readings)


def _choices(reading: FieldReading) -> list[tuple[str, float]]:
    """What a field may say, with probabilities."""
    if reading.kind is Kind.CHECKBOX:
        other = "0" if reading.text == "1" else "1"
        return [(reading.text, reading.confidence), (other, 1 - reading.confidence)]
    return [(reading.text, reading.confidence), *((other.text, other.confidence) for other in reading.alternatives)]


def _equal(pair: Sequence[FieldReading]) -> list[_Joint]:
    return [_Joint((a, b), p * q) for (a, p), (b, q) in product(*map(_choices, pair)) if fold(a) == fold(b)]


def _if_unequal(problem: str, texts: Sequence[str]) -> str:
    return problem if fold(texts[0]) != fold(texts[1]) else ""


def _adding_up(terms: Sequence[FieldReading]) -> list[_Joint]:
    """The most probable reading of the parts for each sum that the total, which is last, may say."""
    *parts, total = terms
    sums = {0: _Joint((), 1.0)}
    for part in parts:
        following: dict[int, _Joint] = {}
        for (before, joint), (text, probability) in product(sums.items(), _choices(part)):
            value = _number(text)
            if value is None:
                continue
            longer = _Joint((*joint.texts, text), joint.probability * probability)
            if before + value not in following or longer.probability > following[before + value].probability:
                following[before + value] = longer
        sums = dict(sorted(following.items(), key=lambda item: -item[1].probability)[:MAX_SUMS])
    joints = []
    for text, probability in _choices(total):
        value = _number(text)
        if value is not None and value in sums:
            joints.append(_Joint((*sums[value].texts, text), sums[value].probability * probability))
    return joints


def _if_wrong(problem: str, texts: Sequence[str]) -> str:
    *parts, total = map(_number, texts)
    return problem if None in parts or total != sum(filter(None, parts)) else ""


def _one_of(boxes: Sequence[FieldReading]) -> list[_Joint]:
    ticked = [dict(_choices(box))["1"] for box in boxes]
    return [
        _Joint(
            tuple(str(int(other == index)) for other in range(len(boxes))),
            math.prod(p if other == index else 1 - p for other, p in enumerate(ticked)),
        )
        for index in range(len(boxes))
    ]


def _unless_one(group: str, texts: Sequence[str]) -> str:
    ticked = texts.count("1")
    return "" if ticked == 1 else f"{'more than one' if ticked else 'none'} of the group {group} is ticked"


def _number(text: str) -> int | None:
    """What a field says; a blank one counts nothing."""
    return int(text or "0") if not text or (text.isascii() and text.isdigit()) else None


def _problem(rule: _Rule, readings: Sequence[FieldReading]) -> str:
    """What is wrong with the fields of a rule, as far as they could be read; empty where they keep it."""
    illegible = any(reading.status is Status.ILLEGIBLE for reading in readings)
    return "" if illegible else rule.problem([reading.text for reading in readings])


def _settle(rule: _Rule, readings: Sequence[FieldReading], review_below: float) -> list[FieldReading]:
    """The readings as the most probable joint reading has them; as they are where that breaks the rule.

    Args:
        rule: The rule.
        readings: Of its fields, in its order, none of them in doubt.
        review_below: Readings whose confidence is below this are for review.
    """
    keeping = rule.keeping(readings)
    as_read = tuple(reading.text for reading in readings)
    as_read_probability = BROKEN_SHARE * math.prod(reading.confidence for reading in readings)
    best = max(keeping, key=lambda joint: joint.probability, default=None)
    if best is None or (best.texts != as_read and best.probability < as_read_probability):
        return list(readings)
    kept = sum(joint.probability for joint in keeping)
    confidence = best.probability / (kept + BROKEN_SHARE * max(0.0, 1 - kept))
    problem = rule.problem(as_read)
    doubt = _unsure(review_below) + (f"; as first read, {problem}" if problem else "")
    return [
        _taken(reading, text, confidence, review_below, doubt)
        for reading, text in zip(readings, best.texts, strict=True)
    ]


def _taken(reading: FieldReading, text: str, confidence: float, review_below: float, doubt: str) -> FieldReading:
    """A reading whose text and confidence follow from the rule; `doubt` is its detail where that is not sure."""
    confidence = round(confidence, 6)
    if reading.kind is Kind.CHECKBOX and text == "0" and _crossed_out(reading):
        return _for_review(replace(reading, text=text, detail=""), CROSSED_OUT, min(confidence, DOUBTED))
    if text == reading.text and reading.status is Status.BLANK:
        return replace(reading, confidence=min(confidence, reading.confidence))
    doubtful = confidence < review_below
    return replace(
        reading,
        text=text,
        confidence=confidence,
        status=Status.REVIEW if doubtful else Status.OK if text else Status.BLANK,
        detail=doubt if doubtful else "",
        characters=reading.characters if text == reading.text else _respelled(reading.characters, text, confidence),
        alternatives=_left_over(reading, text, confidence),
    )


def _left_over(reading: FieldReading, taken: str, confidence: float) -> tuple[Alternative, ...]:
    """The alternatives of a field when one of its readings was taken: the others, which share what it leaves them."""
    if reading.kind is Kind.CHECKBOX:
        return reading.alternatives
    choices = dict(reversed(_choices(reading)))
    before = choices.pop(taken)
    scale = (1 - confidence) / max(1 - before, sum(choices.values()), 1e-6)
    others = sorted(choices.items(), key=lambda choice: -choice[1])
    return tuple(Alternative(text, round(scale * share, 6)) for text, share in others)


def _crossed_out(box: FieldReading) -> bool:
    """Whether a checkbox, if it does not count as ticked, is more likely crossed out than empty."""
    unticked = dict(_choices(box))["0"]
    return any(2 * a.confidence > unticked for a in box.alternatives if a.text == CROSSED_OUT)


def _unsure(review_below: float) -> str:
    """The detail of a reading about which there is no other doubt than its probability."""
    return f"confidence below {review_below:g}"


def _respelled(characters: Sequence[CharReading], text: str, confidence: float) -> tuple[CharReading, ...]:
    """The characters of another text in the same boxes; none where it has more or fewer of them."""
    letters = text.replace(" ", "")
    if len(letters) != len(characters):
        return ()
    return tuple(
        character if character.text == letter else replace(character, text=letter, confidence=confidence)
        for character, letter in zip(characters, letters, strict=True)
    )


def _for_review(reading: FieldReading, why: str, at_most: float) -> FieldReading:
    """A reading that is for review also for this reason, or for those that it has already where it is empty."""
    return replace(
        reading,
        confidence=min(reading.confidence, at_most),
        status=Status.ILLEGIBLE if reading.status is Status.ILLEGIBLE else Status.REVIEW,
        detail="; ".join(dict.fromkeys(filter(None, [reading.detail, why]))),
    )
