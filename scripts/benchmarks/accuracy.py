"""Reads the development sets in ../shared/real and prints how much of them is right, and what is wrong by cause."""

import argparse
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass

from benchmarks._reading import RUNS, SHARED, Comparison, cer, compare, exact, review_needed, transcribe

_EXAMPLES = 4


@dataclass(frozen=True)
class Set:
    """One development set.

    Attributes:
        name: Its folder in ../shared/real.
        options: For the command line.
        document: The one document that counts, or None for all.
        must: What has to be reached.
        aim: What is aimed at.
    """

    name: str
    options: tuple[str, ...]
    document: str | None
    must: str
    aim: str


SETS = (
    Set("letter_grids", ("--form",), None, "98.5 % of cells", "99.5 % of cells"),
    Set("sbi", ("--form",), "sbi_filled_p2.jpg", "16 of 18", "18 of 18"),
    Set("nist_hsf", ("--form",), "hsf_a.png", "27 of 28 digit fields", "28 of 28"),
    Set("quexf", ("--form",), "test_filled_1.pdf", "5 of 5", "5 of 5"),
    Set("names", ("--kind", "letters", "--case", "upper"), None, "75 %, CER 0.07", "88 %"),
    Set("cheques", ("--kind", "digits"), None, "80 %, CER 0.07", "92 %"),
)
_FORM_SETS = {"letter_grids", "sbi", "nist_hsf", "quexf"}


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
    compared = {
        one.name: read_set(one, again=not options.no_read)
        for one in SETS
        if not options.sets or one.name in options.sets
    }
    print_table(compared)
    for name, fields in compared.items():
        print_causes(name, fields)


def read_set(one: Set, again: bool) -> list[Comparison]:
    """Reads a set with the command line and compares it with its truth."""
    folder = SHARED / "real" / one.name
    out = RUNS / "accuracy" / one.name
    form = (str(folder / "form.toml"),) if one.options == ("--form",) else ()
    if again:
        transcribe([folder / one.document if one.document else folder], out, *one.options, *form)
    return compare(folder / "truth.csv", out / "fields.csv", one.document)


def print_table(compared: dict[str, list[Comparison]]) -> None:
    """Prints the table of figures as Markdown."""
    print("| Set | Fields right | CER | To review for <= 1 % wrong accepted | Must | Aim |")
    print("|---|---|---|---|---|---|")
    for one in SETS:
        fields = compared.get(one.name)
        if not fields:
            continue
        right = f"{sum(field.right for field in fields)} of {len(fields)} ({exact(fields):.1%})"
        if one.name == "letter_grids":
            right += f", cells {cells_right(fields):.2%}"
        if one.name == "nist_hsf":
            digits = [field for field in fields if field.kind == "digits"]
            others = ", ".join(f"{field.field} {field.distance} wrong" for field in fields if field.kind != "digits")
            right += f", digits {sum(field.right for field in digits)} of {len(digits)}, {others}"
        print(
            f"| {one.name} | {right} | {cer(fields):.3f} | {review_needed(fields, 0.01):.0%} | {one.must} | {one.aim} |"
        )
    forms = [field for name in _FORM_SETS for field in compared.get(name, [])]
    if forms:
        accepted = [field for field in forms if field.status == "ok"]
        wrong = sum(not field.right for field in accepted)
        needed = review_needed(forms, 0.005)
        print(
            f"\nThe form sets together, {len(forms)} fields: {1 - len(accepted) / len(forms):.1%} for review,"
            f" {wrong} of {len(accepted)} accepted are wrong; <= 0.5 % wrong accepted needs {needed:.1%} reviewed"
        )


def cells_right(fields: list[Comparison]) -> float:
    """Share of cells that are right; a cell that is missing or too many counts as wrong."""
    return 1 - sum(field.distance for field in fields) / sum(len(field.truth) for field in fields)


def print_causes(name: str, fields: list[Comparison]) -> None:
    """Prints a line for each cause of the errors that are left."""
    causes: dict[str, list[Comparison]] = defaultdict(list)
    confusions: Counter[str] = Counter()
    for field in fields:
        if field.right:
            continue
        causes[cause(field)].append(field)
        if len(field.read) == len(field.truth):
            confusions.update(f"{b} for {a}" for a, b in zip(field.truth, field.read, strict=True) if a != b)
    if not causes:
        return
    print(f"\n{name}: {sum(map(len, causes.values()))} wrong")
    for title, wrong in sorted(causes.items(), key=lambda item: -len(item[1])):
        examples = "; ".join(
            f"{one.document} {one.field}: {one.read or '-'} is {one.truth}" for one in wrong[:_EXAMPLES]
        )
        print(f"  {len(wrong):4d}  {title}: {examples}")
    if confusions:
        print("        confusions: " + ", ".join(f"{pair} x{count}" for pair, count in confusions.most_common(12)))


def cause(field: Comparison) -> str:
    """What kind of error a wrong field has."""
    if not field.status:
        return "nothing found"
    if not field.read:
        return f"left empty ({field.status})"
    if len(field.read) == len(field.truth):
        return "one character confused" if field.distance == 1 else "several characters confused"
    longer, shorter = ("too many", "too few")
    return f"{longer if len(field.read) > len(field.truth) else shorter} characters" + " by one" * (
        abs(len(field.read) - len(field.truth)) == 1
    )
