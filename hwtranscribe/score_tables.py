"""The tables that a score compares: what is true, and what was read.

What is for review for another reason than its confidence is looked at whatever the threshold. `fields.csv` does not say
why; `results.jsonl` beside it does.
"""

import csv
import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from hwtranscribe.errors import UsageError
from hwtranscribe.types import Status

_BY_CONFIDENCE = ("confidence below", "as first read", "perhaps not blank")
"""How the reasons begin that a lower threshold would take away."""
_PAGE = re.compile(r"[0-9]{1,9}")


def read_fields(path: Path) -> dict[tuple[str, int], dict[str, tuple[str, float, bool]]]:
    """Return for each document and page its fields: text, confidence, and whether it is always for review.

    Args:
        path: `fields.csv`; what lies beside it is read, too.

    Raises:
        UsageError: A file can't be read, or a row is no reading.
    """
    rows = [
        (document_name(row["document"]), int(row["page"]), row, _confidence(path, line, row["confidence"]))
        for line, row in read_rows(path, ("document", "page", "field", "text", "confidence"))
    ]
    details = _details(path.with_name("results.jsonl"))
    lowest_accepted = min((confidence for *_, row, confidence in rows if row.get("status") == Status.OK), default=2.0)
    readings: dict[tuple[str, int], dict[str, tuple[str, float, bool]]] = defaultdict(dict)
    for document, page, row, confidence in rows:
        detail = details.get((document, page, row["field"]))
        if detail is None:  # then only those are known whose confidence was not too low
            always = row.get("status") == Status.ILLEGIBLE or (
                row.get("status") == Status.REVIEW and confidence >= lowest_accepted
            )
        else:
            always = any(reason and not reason.startswith(_BY_CONFIDENCE) for reason in detail.split("; "))
        readings[document, page][row["field"]] = row["text"], confidence, always
    return readings


def _details(path: Path) -> dict[tuple[str, int, str], str]:
    """Why fields, by document, page and name, are not `ok`; empty where the file is not there."""
    details = {}
    try:
        with path.open(encoding="utf-8") as file:
            for result in map(json.loads, file):
                filled = [reading for form in result["forms"] for reading in form["fields"]]
                for reading in filled or result["lines"]:
                    details[result["document"], reading["page"], reading["field"]] = reading["detail"]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: can't be read: {getattr(error, 'strerror', None) or error}") from error
    return details


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a CSV with the line that each ends on.

    Args:
        path: Of the file.
        columns: That each row must have.

    Raises:
        UsageError: The file can't be read, or has no such columns.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise UsageError(f"{path}: has no column {', '.join(missing)}")
            for row in reader:
                line = reader.line_num
                cut_off = [name for name in columns if row[name] is None]
                if cut_off:
                    raise UsageError(f"{path}: line {line}: has no {', '.join(cut_off)}; each row needs all columns")
                if not _PAGE.fullmatch(row["page"]):
                    page = row["page"] if len(row["page"]) <= 40 else row["page"][:40] + "..."
                    raise UsageError(f"{path}: line {line}: page is {page!r}, a whole number is needed")
                yield line, row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: can't be read: {getattr(error, 'strerror', None) or error}") from error


def _confidence(path: Path, line: int, text: str) -> float:
    try:
        value = float(text or 0)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise UsageError(f"{path}: line {line}: confidence is {text[:40]!r}, a number from 0 to 1 is needed")
    return value


def names_in_readings(truth_path: Path, rows: Sequence[tuple[int, dict[str, str]]], read: set[str]) -> dict[str, str]:
    """Return what the readings call documents of the truth, where it is not the same.

    The whole path counts. Where truth and readings have different folders, the base name does, if nothing else has it.

    Raises:
        UsageError: Several documents may be meant.
    """
    wanted = {document_name(row["document"]): line for line, row in rows}
    of_truth, of_readings = defaultdict(list), defaultdict(list)
    for document in wanted.keys() - read:
        of_truth[PurePosixPath(document).name].append(document)
    for document in read - wanted.keys():
        of_readings[PurePosixPath(document).name].append(document)
    named_as = {}
    for name, documents in of_truth.items():
        found = of_readings[name]
        if found and len(documents) + len(found) > 2:
            first = min(documents, key=lambda document: wanted[document])
            several = ", ".join(map(repr, sorted(found)[:3] if len(found) > 1 else sorted(documents)[:3]))
            whose = "the readings have" if len(found) > 1 else "the truth has"
            raise UsageError(
                f"{truth_path}: line {wanted[first]}: document {first!r}: {whose} {several}; "
                "write each with its folders, as in fields.csv"
            )
        if found:
            named_as[documents[0]] = found[0]
    return named_as


def document_name(document: str) -> str:
    """Return a name with `/` and without the apostrophe that keeps a spreadsheet from running it."""
    name = document.replace("\\", "/")
    return name[1:] if re.match(r"'[=+\-@]", name) else name
