"""The fields and lines of a page: from their lattices to what is read in them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32

from hwtranscribe.class_scores import (
    count_letters_as_digits,
    count_lost_parts,
    in_small_letters,
    lean_on_case,
    log_odds_of_a_number,
    share_of_capitals,
    share_of_digits,
    symbol_log_probs,
)
from hwtranscribe.classify import Classifier
from hwtranscribe.decode import decode_field, likely_edges
from hwtranscribe.form import FieldTemplate
from hwtranscribe.language import word_log_odds
from hwtranscribe.line_reader import LineReader
from hwtranscribe.pipeline.characters import score_characters
from hwtranscribe.types import Case, CharBoxes, FieldReading, Kind, Status

LETTERS_AMONG_DIGITS = 0.8
"""Share of letters from which on a line is not read as digits."""
NUMBER_AMONG_WORDS = -2.0
"""Log-odds of being a number from which on a line is not read as words; names come no nearer than -5."""
_MIN_CHARACTERS = 4
SEVERAL_LINES = "several lines are written where one is expected"
"""Why a number, or a field with rules for its value, is for review."""


@dataclass(frozen=True, slots=True)
class Target:
    """A field, one of its lines, or a line of a page to read.

    Attributes:
        boxes: Its lattice.
        kind: What it may hold.
        case: Of its letters.
        field: That it is, or is a line of; None in page mode.
        alone: Whether it is all that the field holds, and so must keep the field's rules.
    """

    boxes: CharBoxes
    kind: Kind
    case: Case
    field: FieldTemplate | None
    alone: bool = True

    @property
    def case_of_letters(self) -> Case | None:
        """Case of its letters, or None where it holds none."""
        return None if self.kind is Kind.DIGITS else self.case


def field_targets(field: FieldTemplate, lines: Sequence[CharBoxes]) -> list[Target]:
    """The lines of a field, to be read one by one; for review where it is for one line only."""
    alone = len(lines) == 1
    if not alone and (field.kind is Kind.DIGITS or field.constraint is not None):
        doubt = "; ".join(filter(None, [lines[0].doubt, SEVERAL_LINES]))
        lines = [replace(lines[0], doubt=doubt), *lines[1:]]
    return [Target(line, field.kind, field.case, field, alone) for line in lines]


def read_targets(
    classifier: Classifier, line_reader: LineReader, targets: Sequence[Target], page: int, review_below: float
) -> Iterator[FieldReading]:
    """Yield what is read in the fields or lines of a page, boxes in aligned px.

    All characters of a page go through the network together; how many are capitals, a page tells better than a field.

    Args:
        classifier: Reads single characters.
        line_reader: Reads lines that are not divided into cells.
        targets: All that is to be read on the page.
        page: 1-based, for the readings.
        review_below: Confidence under which a reading is for review.
    """
    lattices, scored = score_characters(classifier, [t.boxes for t in targets], [t.kind for t in targets])
    targets = [replace(target, boxes=boxes) for target, boxes in zip(targets, lattices, strict=True)]
    shares = _shares_of_capitals(targets, scored)
    for target, mine in zip(targets, scored, strict=True):
        share = shares[target.case_of_letters]
        symbols, scores, columns = _scores(target, mine, share, line_reader)
        reading = decode_field(
            target.boxes,
            scores,
            symbols,
            page=page,
            kind=target.kind,
            columns=columns,
            constraint=target.field.constraint if target.field and target.alone else None,
            prior=_prior(target),
            required=target.field.required if target.field else False,
            review_below=review_below,
        )
        if target.field is None and len(mine):
            reading = _of_its_kind(reading, target.boxes, mine)
        yield replace(_spelled(reading, target.field), cell=target.boxes.in_table)


def _shares_of_capitals(
    targets: Sequence[Target], scored: Sequence[Float32[np.ndarray, "_n 63"]]
) -> dict[Case | None, float]:
    """Share of capitals in all that is to be in one case, by that case."""
    cases = {target.case_of_letters for target in targets}
    return {
        case: share_of_capitals(
            np.concatenate([mine for t, mine in zip(targets, scored, strict=True) if t.case_of_letters == case])
        )
        for case in cases
    }


def _scores(
    target: Target, log_probs: Float32[np.ndarray, "n 63"], share_of_capitals: float, line_reader: LineReader
) -> tuple[tuple[str, ...], Float32[np.ndarray, "n symbols_1"], Float32[np.ndarray, "t symbols_1"] | None]:
    """The symbols that a target may hold, their scores for its hypotheses of characters, and along its whole line."""
    case = target.case_of_letters
    log_probs = count_lost_parts(log_probs, target.boxes.on_rule, target.boxes.under_rule)
    if case is Case.UPPER and in_small_letters(log_probs, share_of_capitals):
        case = Case.ANY
    symbols, scores = _allowed(log_probs, target.kind, case, share_of_capitals)
    # The network for lines knows no slashes: among digits it would speak for ones.
    if target.boxes.strip is None or (target.kind is Kind.DIGITS and target.boxes.slashes):
        return symbols, scores, None
    along = line_reader.score(target.boxes.strip)
    return symbols, scores, _allowed(along, target.kind, case, share_of_capitals)[1]


def _allowed(
    log_probs: Float32[np.ndarray, "n 63"], kind: Kind, case: Case | None, share_of_capitals: float
) -> tuple[tuple[str, ...], Float32[np.ndarray, "n symbols_1"]]:
    """The symbols that a field may hold, and log-probabilities of them and of being none."""
    if case is None:
        log_probs = count_letters_as_digits(log_probs)
    elif case is Case.ANY:
        log_probs = lean_on_case(log_probs, share_of_capitals)
    return symbol_log_probs(log_probs, kind, case or Case.ANY)


def _prior(target: Target) -> Callable[[str], float] | None:
    """What is known of a text before it is seen; in a table one or two letters are as often a mark as a word."""
    if target.kind is Kind.DIGITS:
        return None
    if target.boxes.in_table is None:
        return word_log_odds
    return lambda text: word_log_odds(text) if len(text) > 2 else 0.0


def _spelled(reading: FieldReading, field: FieldTemplate | None) -> FieldReading:
    """The reading as the field's lexicon spells it."""
    if field is None or field.values is None:
        return reading
    spell = field.values.value_of
    alternatives = tuple(replace(a, text=spell(a.text) or a.text) for a in reading.alternatives)
    return replace(reading, text=spell(reading.text) or reading.text, alternatives=alternatives)


def _of_its_kind(reading: FieldReading, boxes: CharBoxes, log_probs: np.ndarray) -> FieldReading:
    """The reading of a line; not forced where the line is clearly of another kind, such as a number among names."""
    edges = likely_edges(boxes, log_probs)
    if len(edges) < _MIN_CHARACTERS:
        return reading
    if reading.kind is Kind.LETTERS:
        # Many names look like numbers (LOIC, SIMON), but few words do.
        foreign = log_odds_of_a_number(log_probs[edges]) - word_log_odds(reading.text) > NUMBER_AMONG_WORDS
        detail = "reads as digits, not letters"
    elif reading.kind is Kind.DIGITS:
        # A 0 in a line of digits is no O that would tell of letters.
        foreign = 1 - share_of_digits(count_letters_as_digits(log_probs[edges])) >= LETTERS_AMONG_DIGITS
        detail = "reads as letters, not digits"
    else:
        return reading
    if not foreign:
        return reading
    return replace(reading, text="", confidence=0.0, status=Status.ILLEGIBLE, detail=detail, characters=())
