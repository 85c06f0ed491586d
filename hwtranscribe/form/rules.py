"""Rules that tie fields of a form together: `group`, `equals` and `sum`.

Each rule weighs the joint readings of its fields: those that keep it by their probability, those that break it by that
and by how rarely people break such rules. The most probable joint reading is taken; it may have an alternative of some
field in the place of what that field alone seemed to say.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from hwtranscribe.constraint import fold
from hwtranscribe.form.template import FormTemplate
from hwtranscribe.types import CROSSED_OUT, CharReading, FieldReading, Kind, Status

BROKEN_SHARE = 0.01
"""How often people break such a rule: sums that do not add up, two boxes ticked."""

CORRECTED = 0.85
"""Most that a group is sure of in which a box is crossed out; a judgement, for some people blacken what they mean."""

MAX_SUMS = 2_000


@dataclass(frozen=True, slots=True)
class _Joint:
    """One reading of several fields at once."""

    texts: tuple[str, ...]
    probability: float


def apply_rules(form: FormTemplate, readings: Sequence[FieldReading], review_below: float) -> tuple[FieldReading, ...]:
    """The readings of one filled form, after the rules between its fields.

    Args:
        form: Its template.
        readings: One per field.
        review_below: Readings whose confidence is below this are for review.

    Returns:
        The readings in the same order; those of a rule that is broken are for review and name it in their detail.
    """
    settled = {reading.field: reading for reading in readings}
    groups: dict[str, list[str]] = {}
    for page in form.pages:
        for field in page.fields:
            if field.group is not None:
                groups.setdefault(field.group, []).append(field.name)
            if field.equals is not None:
                pair = [settled[field.name], settled[field.equals]]
                problem = f"{field.name} does not equal {field.equals}"
                settled |= _settle(pair, _equal(*pair), problem, review_below)
            if field.sum_of is not None:
                terms = [settled[name] for name in (*field.sum_of, field.name)]
                problem = f"{field.name} is not the sum of {', '.join(field.sum_of)}"
                settled |= _settle(terms, _adding_up(terms[:-1], terms[-1]), problem, review_below)
    for group, names in groups.items():
        boxes = [settled[name] for name in names]
        ticked = sum(box.text == "1" for box in boxes)
        problem = f"{'more than one' if ticked > 1 else 'none'} of the group {group} is ticked"
        settled |= _settle(boxes, _one_of(boxes), problem, review_below)
        settled |= _corrected(group, boxes, [settled[name] for name in names])
    return tuple(settled[reading.field] for reading in readings)


def _choices(reading: FieldReading) -> list[tuple[str, float]]:
    """What a field may say, with probabilities."""
    if reading.kind is Kind.CHECKBOX:
        other = "0" if reading.text == "1" else "1"
        return [(reading.text, reading.confidence), (other, 1 - reading.confidence)]
    own = [] if reading.status is Status.ILLEGIBLE else [(reading.text, reading.confidence)]
    return own + [(alternative.text, alternative.confidence) for alternative in reading.alternatives]


def _equal(one: FieldReading, other: FieldReading) -> list[_Joint]:
    return [_Joint((a, b), p * q) for (a, p), (b, q) in product(_choices(one), _choices(other)) if fold(a) == fold(b)]


def _adding_up(parts: Sequence[FieldReading], total: FieldReading) -> list[_Joint]:
    """The most probable reading of the parts for each sum that the total may say."""
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


def _one_of(boxes: Sequence[FieldReading]) -> list[_Joint]:
    ticked = [dict(_choices(box))["1"] for box in boxes]
    return [
        _Joint(
            tuple(str(int(other == index)) for other in range(len(boxes))),
            math.prod(p if other == index else 1 - p for other, p in enumerate(ticked)),
        )
        for index in range(len(boxes))
    ]


def _corrected(group: str, boxes: Sequence[FieldReading], settled: Sequence[FieldReading]) -> dict[str, FieldReading]:
    """The readings of a group in which one box is ticked and another was, and is crossed out: for review.

    Args:
        group: Its name.
        boxes: As they were read, one by one.
        settled: As the rule has them.
    """
    taken_back = {box.field for box, now in zip(boxes, settled, strict=True) if now.text == "0" and _crossed_out(box)}
    if not taken_back or all(now.text != "1" for now in settled):
        return {}
    found = {}
    for now in settled:
        if now.field in taken_back or now.text == "1":
            why = CROSSED_OUT if now.field in taken_back else f"another box of the group {group} is crossed out"
            detail = "; ".join(dict.fromkeys(filter(None, [now.detail, why])))
            confidence = min(now.confidence, CORRECTED)
            found[now.field] = replace(now, confidence=confidence, status=Status.REVIEW, detail=detail)
    return found


def _crossed_out(box: FieldReading) -> bool:
    """Whether a checkbox, if it does not count as ticked, is more likely crossed out than empty."""
    unticked = dict(_choices(box))["0"]
    return any(2 * a.confidence > unticked for a in box.alternatives if a.text == CROSSED_OUT)


def _number(text: str) -> int | None:
    """What a field says; a blank one counts nothing."""
    return int(text or "0") if not text or (text.isascii() and text.isdigit()) else None


def _settle(
    readings: Sequence[FieldReading], keeping: Sequence[_Joint], problem: str, review_below: float
) -> dict[str, FieldReading]:
    """The readings as the most probable joint reading has them, whether it keeps the rule or not.

    Args:
        readings: Of the fields of the rule.
        keeping: The joint readings that keep it.
        problem: What to say when it is broken.
        review_below: Readings whose confidence is below this are for review.
    """
    if all(reading.status is Status.BLANK for reading in readings):
        return {}
    if any(not (reading.text or reading.confidence or reading.alternatives) for reading in readings):
        return {}  # a page is missing or a field illegible: nothing to weigh, and it is for review already
    as_read = tuple(reading.text for reading in readings)
    as_read_probability = BROKEN_SHARE * math.prod(reading.confidence for reading in readings)
    kept = sum(joint.probability for joint in keeping)
    evidence = kept + BROKEN_SHARE * max(0.0, 1 - kept)
    best = max(keeping, key=lambda joint: joint.probability, default=None)
    if best is not None and (best.texts == as_read or best.probability >= as_read_probability):
        confidence = best.probability / evidence
        doubt = f"confidence below {review_below:g}"
        if best.texts != as_read:
            doubt += f"; as first read, {problem}"
        pairs = zip(readings, best.texts, strict=True)
        return {reading.field: _taken(reading, text, confidence, review_below, doubt) for reading, text in pairs}
    confidence = as_read_probability / evidence
    return {reading.field: _doubted(reading, problem, confidence) for reading in readings}


def _taken(reading: FieldReading, text: str, confidence: float, review_below: float, doubt: str) -> FieldReading:
    """A reading whose text and confidence follow from the rule; `doubt` is its detail where that is not sure."""
    confidence = round(confidence, 6)
    unsure = f"confidence below {review_below:g}"
    if text == reading.text and (
        reading.status in (Status.BLANK, Status.ILLEGIBLE) or reading.detail not in ("", unsure)
    ):
        return replace(reading, confidence=min(confidence, reading.confidence))
    doubtful = confidence < review_below
    return replace(
        reading,
        text=text,
        confidence=confidence,
        status=Status.REVIEW if doubtful else Status.OK if text else Status.BLANK,
        detail=doubt if doubtful else "",
        characters=reading.characters if text == reading.text else _respelled(reading.characters, text, confidence),
    )


def _respelled(characters: Sequence[CharReading], text: str, confidence: float) -> tuple[CharReading, ...]:
    """The characters of another text in the same boxes; none where it has more or fewer of them."""
    letters = text.replace(" ", "")
    if len(letters) != len(characters):
        return ()
    return tuple(
        character if character.text == letter else replace(character, text=letter, confidence=confidence)
        for character, letter in zip(characters, letters, strict=True)
    )


def _doubted(reading: FieldReading, problem: str, confidence: float) -> FieldReading:
    """A reading of a rule that is broken."""
    return replace(
        reading,
        confidence=round(min(confidence, reading.confidence), 6),
        status=Status.ILLEGIBLE if reading.status is Status.ILLEGIBLE else Status.REVIEW,
        detail="; ".join(filter(None, [reading.detail, problem])),
    )
