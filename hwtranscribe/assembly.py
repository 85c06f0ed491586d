"""Pages -> the result of a document: filled forms out of pages that were read, settled by the form's rules."""

from collections.abc import Sequence

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
    forms = tuple(_filled_form(form, i, stack, pages, review_below) for i, stack in enumerate(stacks, start=1))
    return forms, unmatched


def _filled_form(
    form: FormTemplate,
    number: int,
    stack: Sequence[PageReadings],
    pages: Sequence[PageReadings],
    review_below: float,
) -> FilledForm:
    """One filled form, settled by the rules between its fields; fields of pages that are not there are for review."""
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
    return FilledForm(number, form.name, tuple(page.page for page in stack), settled)
