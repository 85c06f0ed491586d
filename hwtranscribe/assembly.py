"""Pages -> the result of a document: filled forms out of pages that were read, settled by the form's rules."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from hwtranscribe.form import FormTemplate, apply_rules
from hwtranscribe.types import DocumentPart, DocumentResult, FieldReading, FilledForm, PageError, PageReadings, Status


def assemble(
    document: str, form: FormTemplate | None, review_below: float, parts: Sequence[DocumentPart]
) -> DocumentResult:
    """Put the parts of a document together.

    Args:
        document: Its name in the outputs.
        form: The template, or None in page mode.
        review_below: Fields whose confidence falls below this are for review.
        parts: In order of their pages; at least one.
    """
    pages = [page for part in parts for page in part.pages]
    errors = [error for part in parts for error in part.errors]
    forms: tuple[FilledForm, ...] = ()
    if form is not None:
        forms, unmatched = _forms(form, pages, review_below)
        errors.extend(unmatched)
    return DocumentResult(
        document=document,
        page_count=parts[0].page_total,
        forms=forms,
        lines=() if form is not None else tuple(reading for page in pages for reading in page.readings),
        errors=tuple(errors),
        provenance=parts[0].provenance,
        warnings=tuple(warning for part in parts for warning in part.warnings),
    )


def _forms(
    form: FormTemplate, pages: Sequence[PageReadings], review_below: float
) -> tuple[tuple[FilledForm, ...], list[PageError]]:
    """Put the pages of a document together to filled forms.

    A new form begins where a page of the template comes that is not behind the one before. Pages that match no page of
    the template are reported; when none matches at all, every field of the template is for review.
    """
    stacks: list[list[PageReadings]] = []
    unmatched: list[PageError] = []
    for page in pages:
        if not page.registered or page.template_page is None:
            why = "; ".join(page.warnings) or "it does not look like any of its pages"
            detail = f"the page does not match the form {form.name!r}: {why}; nothing was read on it"
            unmatched.append(PageError(page.page, "no_match", detail))
            continue
        before = stacks[-1][-1].template_page if stacks else None
        if before is None or page.template_page <= before:
            stacks.append([])
        stacks[-1].append(page)
    if not stacks and pages:
        stacks.append([])
    doubt = _backwards(form, stacks) or _several_on_one(form, pages)
    forms = tuple(
        _filled_form(form, i, stack, pages, review_below, doubt or _not_in_a_row(stack))
        for i, stack in enumerate(stacks, start=1)
    )
    return forms, unmatched


def _backwards(form: FormTemplate, stacks: Sequence[Sequence[PageReadings]]) -> str:
    """Why the pages of a stack may belong together otherwise, as where it was laid face down, or an empty text."""
    if len(stacks) < 2 or not stacks[0][0].template_page or stacks[-1][-1].template_page == len(form.pages) - 1:
        return ""
    return "the stack begins in the middle of a form and ends in one: its pages may be in reverse order"


def _several_on_one(form: FormTemplate, pages: Sequence[PageReadings]) -> str:
    """Why pages may belong together otherwise, where pictures show pages of several forms, or an empty text."""
    shown = Counter((page.page, page.template_page) for page in pages if page.registered)
    if len(form.pages) < 2 or max(shown.values(), default=1) < 2:
        return ""
    return "several forms lie on one picture: which of their pages belong together is not known"


def _not_in_a_row(stack: Sequence[PageReadings]) -> str:
    """Why the pages of a form may not belong together, or an empty text."""
    for one, other in pairwise(stack):
        # One alone is mostly the empty back of a sheet; the end of one form and the beginning of another are two.
        if other.page > one.page + 2:
            return f"between its pages {one.page} and {other.page} there are others: they may belong to two forms"
    return ""


def _filled_form(
    form: FormTemplate,
    number: int,
    stack: Sequence[PageReadings],
    pages: Sequence[PageReadings],
    review_below: float,
    doubt: str,
) -> FilledForm:
    """One filled form, settled by the rules between its fields; fields of pages that are not there are for review.

    All are where there is a doubt that its pages belong together.
    """
    read = {reading.field: reading for page in stack for reading in page.readings}
    fallback = stack[-1].page if stack else pages[0].page
    fields = []
    for index, template_page in enumerate(form.pages):
        for field in template_page.fields:
            missing = f"page {index + 1} of the form was not found in the document"
            fields.append(
                read.get(field.name)
                or FieldReading(fallback, field.name, field.kind, "", 0.0, Status.REVIEW, missing, (0, 0, 0, 0))
            )
    settled = apply_rules(form, fields, review_below)
    if doubt:
        settled = tuple(_doubted(reading, doubt) for reading in settled)
    return FilledForm(number, form.name, tuple(dict.fromkeys(page.page for page in stack)), settled)


def _doubted(reading: FieldReading, why: str) -> FieldReading:
    """A reading that is for review whatever else is known of it."""
    detail = "; ".join(filter(None, [reading.detail, why]))
    status = Status.ILLEGIBLE if reading.status is Status.ILLEGIBLE else Status.REVIEW
    return replace(reading, confidence=min(reading.confidence, 0.5), status=status, detail=detail)
