"""The lines that are written in one cell of a table, or in one field, as one reading."""

import math
from collections.abc import Sequence
from dataclasses import replace

from hwtranscribe.types import FieldReading, Status


def join_lines(lines: Sequence[FieldReading], review_below: float = 0.9) -> FieldReading:
    """Put the readings of lines together, with spaces between; as likely right as all of them are.

    Args:
        lines: Top to bottom; at least one.
        review_below: Confidence under which a reading is for review.
    """
    if len(lines) == 1:
        return lines[0]
    text = " ".join(line.text for line in lines if line.text)
    confidence = math.prod(line.confidence for line in lines)
    detail = "; ".join(dict.fromkeys(line.detail for line in lines if line.detail))
    if not detail and confidence < review_below:
        detail = f"confidence below {review_below:g}"
    statuses = {line.status for line in lines}
    status = Status.REVIEW if detail else Status.OK
    if not text:
        # Nothing is sure to be written there only when every line says so.
        status = next(s for s in (Status.ILLEGIBLE, Status.REVIEW, Status.BLANK) if s in statuses)
    left, top, right, bottom = zip(*(line.box for line in lines), strict=True)
    return replace(
        lines[0],
        text=text,
        confidence=round(confidence, 6),
        status=status,
        detail=detail,
        box=(min(left), min(top), max(right), max(bottom)),
        characters=tuple(character for line in lines for character in line.characters),
        alternatives=(),
    )
