"""Compares what was read with what is true: how much is right, and how far the confidences can be trusted.

The truth is a CSV with the columns `document,page,field,text` and, if wanted, `kind`; other columns are ignored. Fields
are joined on document, page and field; of the document the base name is enough where only one has it. Where the truth
has one field on a page that was read in page mode, the lines of the page are joined. Case, accents, spaces and
punctuation are folded away; whether words are apart as in the truth is counted by itself.

What is for review for another reason than its confidence is never counted as accepted.
"""

import contextlib
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwtranscribe.constraint import fold
from hwtranscribe.errors import UsageError
from hwtranscribe.score_tables import document_name, names_in_readings, read_fields, read_rows

_LINE = re.compile(r"line\d+")
_KEPT_SHARES = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0)
_BIN_EDGES = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0)
_Z_95 = 1.959964  # of the normal distribution, two-sided


@dataclass(frozen=True, slots=True)
class ScoredField:
    """A field of the truth and what was read.

    Attributes:
        document: As the truth names it.
        page: 1-based.
        field: Name.
        kind: As the truth says, or empty.
        truth: Folded.
        text: As read, not folded; empty where nothing was.
        confidence: 0 where nothing was read.
        missing: Whether the reading has no such field.
        pairs: Characters of truth and reading side by side, `""` where one has none.
        words_apart: Whether there are several words, in truth or reading.
        same_words: Whether the reading is divided into words as the truth is; where the truth has a mark, such as a
            hyphen, it may be or not.
        always_reviewed: Whether no threshold accepts it, for it is for review for another reason than its confidence.
    """

    document: str
    page: int
    field: str
    kind: str
    truth: str
    text: str
    confidence: float
    missing: bool
    pairs: tuple[tuple[str, str], ...]
    words_apart: bool
    same_words: bool
    always_reviewed: bool = False

    @property
    def right(self) -> bool:
        """Whether the whole field is right."""
        return all(wanted == got for wanted, got in self.pairs)


@dataclass(frozen=True, slots=True)
class Threshold:
    """What accepting every field of at least this confidence means.

    Attributes:
        confidence: Lowest accepted.
        accepted: Number of fields accepted.
        wrong: How many of them are wrong.
        total: Number of fields.
    """

    confidence: float
    accepted: int
    wrong: int
    total: int

    @property
    def review_share(self) -> float:
        """Share of the fields that a person looks at."""
        return 1 - self.accepted / self.total

    @property
    def wrong_per_1000(self) -> tuple[float, float, float]:
        """Wrong fields per 1,000 accepted, and the 95 % interval (Wilson 1927) of what that may be in the long run."""
        low, high = wilson_interval(self.wrong, self.accepted)
        return 1000 * self.wrong / max(self.accepted, 1), 1000 * low, 1000 * high


def score(truth_path: Path, readings_path: Path, kind: str | None = None) -> list[ScoredField]:
    """Join a truth with readings.

    Args:
        truth_path: CSV of what is true.
        readings_path: `fields.csv`, or the output folder that has it.
        kind: Only fields of this kind.

    Raises:
        UsageError: A file can't be read or has no such columns, or there is nothing to compare.
    """
    with contextlib.suppress(OSError):  # opening it says what is wrong
        if readings_path.is_dir():
            readings_path /= "fields.csv"
    readings = read_fields(readings_path)
    rows = list(read_rows(truth_path, ("document", "page", "field", "text")))
    named_as = names_in_readings(truth_path, rows, {document for document, _ in readings})
    truths = [row for _, row in rows]
    per_page = Counter((row["document"], row["page"]) for row in truths)
    scored = []
    for row in truths:
        if kind is not None and row.get("kind", kind) != kind:
            continue
        document, page_number = document_name(row["document"]), int(row["page"])
        fields = readings.get((named_as.get(document, document), page_number), {})
        found = fields.get(row["field"])
        lines = sorted(name for name in fields if _LINE.fullmatch(name))
        if found is None and lines and per_page[row["document"], row["page"]] == 1:
            texts, confidences, always = zip(*(fields[name] for name in lines), strict=True)
            found = " ".join(texts), min(confidences), any(always)
        text, confidence, always_reviewed = found or ("", 0.0, False)
        truth = fold(row["text"])
        (spaces, marks), (read_spaces, read_marks) = _breaks(row["text"]), _breaks(text)
        scored.append(
            ScoredField(
                document=document,
                page=page_number,
                field=row["field"],
                kind=row.get("kind") or "",
                truth=truth,
                text=text,
                confidence=confidence,
                missing=found is None,
                pairs=tuple(align(truth, fold(text))),
                words_apart=bool(spaces or read_spaces),
                same_words=spaces <= read_spaces | read_marks and read_spaces <= spaces | marks,
                always_reviewed=always_reviewed,
            )
        )
    if not scored:
        raise UsageError(f"{truth_path}: no field to compare{f' of kind {kind!r}' if kind else ''}")
    return scored


def align(truth: str, text: str) -> list[tuple[str, str]]:
    """Characters side by side with the fewest edits (Wagner & Fischer 1974)."""
    costs = [list(range(len(text) + 1))]
    for i, wanted in enumerate(truth, 1):
        row = [i]
        for j, got in enumerate(text, 1):
            row.append(min(costs[-1][j] + 1, row[-1] + 1, costs[-1][j - 1] + (wanted != got)))
        costs.append(row)
    pairs, i, j = [], len(truth), len(text)
    while i or j:
        if i and j and costs[i][j] == costs[i - 1][j - 1] + (truth[i - 1] != text[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((truth[i], text[j]))
        elif i and costs[i][j] == costs[i - 1][j] + 1:
            i -= 1
            pairs.append((truth[i], ""))
        else:
            j -= 1
            pairs.append(("", text[j]))
    return pairs[::-1]


def figures(scored: Sequence[ScoredField], wrong_per_1000: float = 5.0) -> dict[str, Any]:
    """Everything that is known of a comparison, as JSON values.

    Args:
        scored: From `score`.
        wrong_per_1000: Wrong fields per 1,000 accepted that are allowed, for the recommended threshold.
    """
    edits = sum(wanted != got for one in scored for wanted, got in one.pairs)
    characters = sum(len(one.truth) for one in scored)
    of_words = [one.same_words for one in scored if one.right and one.words_apart]
    confusions = Counter(pair for one in scored for pair in one.pairs if pair[0] != pair[1])
    chosen = threshold_for(scored, wrong_per_1000)
    return {
        "fields": len(scored),
        "missing": sum(one.missing for one in scored),
        "always_reviewed": sum(one.always_reviewed for one in scored),
        "exact": sum(one.right for one in scored) / len(scored),
        "cer": edits / max(characters, 1),
        "words": {"fields": len(of_words), "divided_right": sum(of_words)},
        "confusions": [[wanted, got, count] for (wanted, got), count in confusions.most_common()],
        "reject_curve": [list(point) for point in reject_curve(scored)],
        "reliability": [list(row) for row in reliability(scored)],
        "calibration_error": calibration_error(scored),
        "threshold": None
        if chosen is None
        else {
            "wrong_per_1000_wanted": wrong_per_1000,
            "confidence": chosen.confidence,
            "accepted": chosen.accepted,
            "wrong": chosen.wrong,
            "review_share": chosen.review_share,
            "wrong_per_1000": chosen.wrong_per_1000[0],
            "wrong_per_1000_95": chosen.wrong_per_1000[1:],
        },
    }


def reject_curve(scored: Sequence[ScoredField]) -> Iterator[tuple[float, float]]:
    """Share of fields kept, most confident first, and the share of those that is wrong.

    Shares that no threshold keeps, since too many fields are always for review, are left out.
    """
    ordered = _most_confident_first(scored)
    for share in _KEPT_SHARES:
        count = max(1, round(len(scored) * share))
        if count <= len(ordered):
            yield share, sum(not one.right for one in ordered[:count]) / count


def reliability(scored: Sequence[ScoredField]) -> Iterator[tuple[float, float, int, float, float]]:
    """Rows of a reliability diagram: range of confidence, fields in it, their mean confidence, share that is right."""
    for low, high in zip(_BIN_EDGES, _BIN_EDGES[1:], strict=False):
        inside = [one for one in scored if low <= one.confidence < high or high == one.confidence == 1.0]
        if inside:
            mean = sum(one.confidence for one in inside) / len(inside)
            yield low, high, len(inside), mean, sum(one.right for one in inside) / len(inside)


def calibration_error(scored: Sequence[ScoredField]) -> float:
    """Mean distance of confidence from the share that is right, over the ranges of the diagram (Naeini 2015)."""
    return sum(count * abs(mean - right) for _, _, count, mean, right in reliability(scored)) / len(scored)


def threshold_for(scored: Sequence[ScoredField], wrong_per_1000: float) -> Threshold | None:
    """The lowest confidence from which on at most so many of 1,000 accepted fields are wrong; None if there is none."""
    ordered = _most_confident_first(scored)
    best, wrong = None, 0
    for accepted, one in enumerate(ordered, 1):
        wrong += not one.right
        # Fields of equal confidence are accepted together or not at all.
        ends_here = accepted == len(ordered) or ordered[accepted].confidence < one.confidence
        if ends_here and 1000 * wrong <= wrong_per_1000 * accepted:
            best = Threshold(one.confidence, accepted, wrong, len(scored))
    return best


def _most_confident_first(scored: Sequence[ScoredField]) -> list[ScoredField]:
    """Those that a threshold may accept."""
    return sorted((one for one in scored if not one.always_reviewed), key=lambda one: -one.confidence)


def wilson_interval(hits: int, count: int) -> tuple[float, float]:
    """95 % interval of a share."""
    if not count:
        return 0.0, 1.0
    share, z2 = hits / count, _Z_95**2
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = _Z_95 / (1 + z2 / count) * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def report_lines(scored: Sequence[ScoredField], wrong_per_1000: float = 5.0, worst: int = 0) -> Iterator[str]:
    """The figures for a person, line by line.

    Args:
        scored: From `score`.
        wrong_per_1000: See `figures`.
        worst: Number of wrong fields to list, most confident first.
    """
    facts = figures(scored, wrong_per_1000)
    yield f"{facts['fields']} fields, {facts['missing']} not read at all"
    if facts["always_reviewed"]:
        yield f"{facts['always_reviewed']} are for review for another reason than their confidence"
    yield f"whole field right {facts['exact']:.1%}, character error rate {facts['cer']:.3f}"
    if facts["words"]["fields"]:
        divided, several = facts["words"]["divided_right"], facts["words"]["fields"]
        yield f"of {several} fields of several words whose letters are right, {divided} have their spaces right"
    confusions = [f"{wanted or '-'}>{got or '-'} {count}" for wanted, got, count in facts["confusions"][:20]]
    yield "characters taken for others (- is nothing): " + (", ".join(confusions) or "none")
    yield "error among the most confident:"
    for share, error in facts["reject_curve"]:
        yield f"  {share:6.0%} kept  {error:7.2%} wrong"
    yield f"confidence and truth (calibration error {facts['calibration_error']:.3f}):"
    for low, high, count, mean, right in facts["reliability"]:
        bar = ("#" * round(20 * right)).ljust(20)
        yield f"  {low:4.2f}-{high:4.2f}  {count:5} fields  confidence {mean:.3f}  right {right:.3f}  |{bar}|"
    chosen = facts["threshold"]
    if chosen is None:
        yield f"no threshold keeps the wrong fields at {wrong_per_1000:g} per 1,000 accepted or below"
    else:
        low, high = chosen["wrong_per_1000_95"]
        yield (
            f"--review-below {chosen['confidence']:.4f} accepts {chosen['accepted']} of {facts['fields']} fields "
            f"and sends {chosen['review_share']:.1%} to review"
        )
        yield (
            f"  {chosen['wrong']} accepted are wrong: {chosen['wrong_per_1000']:.1f} per 1,000 "
            f"(95 % interval {low:.1f} to {high:.1f}; wanted {wrong_per_1000:g})"
        )
    wrong = sorted((one for one in scored if not one.right), key=lambda one: -one.confidence)
    for one in wrong[:worst]:
        yield f"  {one.confidence:.3f}  {one.document} page {one.page} {one.field}: read {one.text!r}, is {one.truth!r}"


def _breaks(text: str) -> tuple[set[int], set[int]]:
    """Numbers of the characters, folded, before which there is a space, and before which there is another mark."""
    spaces: set[int] = set()
    marks: set[int] = set()
    length = 0
    for character in text:
        folded = fold(character)
        if not folded:
            (spaces if character.isspace() else marks).add(length)
        length += len(folded)
    return spaces - {0, length}, marks - {0, length}
