"""Reads the development sets in ../shared/real and prints how much of them is right, and what is wrong by cause."""

import argparse
import csv
import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks._reading import RUNS, SHARED, cer, edits, transcribe
from hwtranscribe.constraint import fold
from hwtranscribe.score import ScoredField, score, threshold_for

_EXAMPLES = 4


@dataclass(frozen=True)
class Set:
    """One development set.

    Attributes:
        name: Its folder in ../shared/real.
        options: For the command line; a set without any has a form.toml.
        document: The one document that counts, or None for all.
        must: What has to be reached.
        aim: What is aimed at.
    """

    name: str
    options: tuple[str, ...]
    document: str | None
    must: str
    aim: str

    @property
    def out(self) -> Path:
        """Where it is read to."""
        return RUNS / "accuracy" / self.name


SETS = (
    Set("letter_grids", (), None, "98.5 % of cells", "99.5 % of cells"),
    Set("sbi", (), "sbi_filled_p2.jpg", "16 of 18", "18 of 18"),
    Set("nist_hsf", (), "hsf_a.png", "27 of 28 digit fields, alphabets <= 3 wrong", "28 of 28, <= 1"),
    Set("quexf", (), "test_filled_1.pdf", "5 of 5", "5 of 5"),
    Set("names", ("--kind", "letters", "--case", "upper"), None, "75 %, CER 0.07", "88 %"),
    Set("cheques", ("--kind", "digits"), None, "80 %, CER 0.07", "92 %"),
)


def main(arguments: list[str]) -> None:
    """Parses, reads the sets and prints the table and the causes."""
    parser = argparse.ArgumentParser(prog="bench accuracy", description=__doc__)
    parser.add_argument("sets", nargs="*", metavar="SET", help="names of sets; all if not given")
    parser.add_argument("--no-read", action="store_true", help="compare what was read before")
    options = parser.parse_args(arguments)
    if not SHARED.is_dir():
        sys.exit(f"bench: the development sets are not here ({SHARED})")
    unknown = set(options.sets) - {one.name for one in SETS}
    if unknown:
        parser.error(f"no such set: {', '.join(sorted(unknown))}")
    chosen = [one for one in SETS if not options.sets or one.name in options.sets]
    if not options.no_read:
        for one in chosen:
            read_set(one)
    scored = {one.name: score(one.out / "truth.csv", one.out) for one in chosen}
    print_table(chosen, scored)
    for name, fields in scored.items():
        print_causes(name, fields)


def read_set(one: Set) -> None:
    """Reads a set with the command line, and puts the truth about what was read beside it."""
    folder = SHARED / "real" / one.name
    form = () if one.options else ("--form", str(folder / "form.toml"))
    transcribe([folder / one.document if one.document else folder], one.out, *one.options, *form)
    with (folder / "truth.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if one.document in (None, row["document"])]
    with (one.out / "truth.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def print_table(chosen: Sequence[Set], scored: dict[str, list[ScoredField]]) -> None:
    """Prints the table of figures as Markdown; fields right and CER are those of the sets' own `score.py`."""
    print("| Set | Fields right | CER | To review for <= 1 % wrong accepted | Must | Aim |")
    print("|---|---|---|---|---|---|")
    tool = [sys.executable, str(SHARED / "tools" / "score.py")]
    for one in chosen:
        command = [*tool, str(one.out / "truth.csv"), str(one.out / "fields.csv"), "--json"]
        result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        right = f"{round(result['exact'] * result['fields'])} of {result['fields']} ({result['exact']:.1%})"
        right += _more(one.name, scored[one.name])
        review = review_needed(scored[one.name], 10)
        print(f"| {one.name} | {right} | {result['cer']:.3f} | {review:.0%} | {one.must} | {one.aim} |")
    forms = [one for one in chosen if not one.options]
    if forms:
        _print_forms(forms, [field for one in forms for field in scored[one.name]])


def _more(name: str, fields: Sequence[ScoredField]) -> str:
    """What a set's goal is stated in besides whole fields."""
    if name == "letter_grids":
        return f", cells {1 - cer(fields):.2%}"
    if name == "nist_hsf":
        digits = [field for field in fields if field.kind == "digits"]
        others = "".join(f", {field.field} {edits([field])} wrong" for field in fields if field.kind != "digits")
        return f", digits {sum(field.right for field in digits)} of {len(digits)}{others}"
    return ""


def _print_forms(forms: Sequence[Set], fields: Sequence[ScoredField]) -> None:
    statuses = {}
    for one in forms:
        with (one.out / "fields.csv").open(newline="", encoding="utf-8") as file:
            statuses |= {(row["document"], row["page"], row["field"]): row["status"] for row in csv.DictReader(file)}
    accepted = [field for field in fields if statuses.get((field.document, str(field.page), field.field)) == "ok"]
    wrong = sum(not field.right for field in accepted)
    print(
        f"\nThe form sets together, {len(fields)} fields: {1 - len(accepted) / len(fields):.1%} for review,"
        f" {wrong} of {len(accepted)} accepted are wrong;"
        f" <= 0.5 % wrong accepted needs {review_needed(fields, 5):.1%} reviewed"
    )


def review_needed(fields: Sequence[ScoredField], wrong_per_1000: float) -> float:
    """Smallest share to send to review, least confident first, for at most so many wrong among 1,000 accepted."""
    threshold = threshold_for(fields, wrong_per_1000)
    return 1.0 if threshold is None else threshold.review_share


def print_causes(name: str, fields: Sequence[ScoredField]) -> None:
    """Prints a line for each cause of the errors that are left."""
    causes: dict[str, list[ScoredField]] = defaultdict(list)
    for field in fields:
        if not field.right:
            causes[cause(field)].append(field)
    if not causes:
        return
    print(f"\n{name}: {sum(map(len, causes.values()))} wrong")
    for title, wrong in sorted(causes.items(), key=lambda item: -len(item[1])):
        examples = "; ".join(
            f"{one.document} {one.field}: {one.text or '-'} is {one.truth}" for one in wrong[:_EXAMPLES]
        )
        print(f"  {len(wrong):4d}  {title}: {examples}")
    confusions = Counter(
        f"{got} for {wanted}" for field in fields for wanted, got in field.pairs if wanted != got != ""
    )
    print("        characters: " + ", ".join(f"{pair} x{count}" for pair, count in confusions.most_common(12)))


def cause(field: ScoredField) -> str:
    """What kind of error a wrong field has."""
    if field.missing:
        return "nothing found"
    if not fold(field.text):
        return "left empty"
    surplus = sum(not wanted for wanted, _ in field.pairs) - sum(not got for _, got in field.pairs)
    if surplus == 0:
        return "one character confused" if edits([field]) == 1 else "several characters confused"
    return ("too many" if surplus > 0 else "too few") + " characters" + " by one" * (abs(surplus) == 1)
