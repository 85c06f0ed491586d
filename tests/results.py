"""Results made by hand, for tests of what comes after reading."""

import dataclasses

from hwtranscribe.types import (
    Alternative,
    Cell,
    CharReading,
    DocumentResult,
    FieldReading,
    FilledForm,
    Kind,
    PageError,
    Provenance,
    Status,
)

PROVENANCE = Provenance("0.1.0", "c0ffee", "f00d", {"dpi": 300, "kind": "digits"})


def reading(field: str, text: str, page: int = 1, confidence: float = 0.987654321, **changes) -> FieldReading:
    characters = tuple(CharReading(c, confidence, (i, 0, i + 1, 9)) for i, c in enumerate(text) if c != " ")
    made = FieldReading(
        page=page,
        field=field,
        kind=Kind.ALPHANUMERIC,
        text=text,
        confidence=confidence,
        status=Status.OK if text else Status.BLANK,
        detail="",
        box=(1, 2, 30, 40),
        characters=characters,
        alternatives=(Alternative("OTHER", 0.01),),
    )
    return dataclasses.replace(made, **changes)


def form_result(document: str, *forms: dict[str, str]) -> DocumentResult:
    """A document of one-page forms; an empty text is a blank field, one that ends in `?` is for review."""
    filled = []
    for number, texts in enumerate(forms, 1):
        fields = [
            reading(name, text.removesuffix("?"), number, **({"status": Status.REVIEW} if text.endswith("?") else {}))
            for name, text in texts.items()
        ]
        filled.append(FilledForm(number, "card", (number,), tuple(fields)))
    return DocumentResult(document, len(forms), tuple(filled), (), (), PROVENANCE)


def page_result(document: str, *lines: tuple[int, str]) -> DocumentResult:
    """A document read in page mode, from pairs of page and text."""
    readings = tuple(reading(f"line{i:03d}", text, page) for i, (page, text) in enumerate(lines, 1))
    return DocumentResult(document, max((page for page, _ in lines), default=1), (), readings, (), PROVENANCE)


def table_result(document: str, *rows: tuple[str | None, ...]) -> DocumentResult:
    """A document read in page mode: a line and a table; None is a place that a merged cell covers."""
    cells = [Cell(1, r, c) for r, row in enumerate(rows, 1) for c, text in enumerate(row, 1) if text is not None]
    texts = [text for row in rows for text in row if text is not None]
    table = tuple(reading(cell.field, text, cell=cell) for cell, text in zip(cells, texts, strict=True))
    result = page_result(document, (1, "LINE"))
    return dataclasses.replace(result, lines=result.lines + table)


def failed_result(document: str, error: str = "corrupt", detail: str = "damaged") -> DocumentResult:
    return DocumentResult(document, 0, (), (), (PageError(None, error, detail),), PROVENANCE)
