"""Shows what a template means: its boxes and cells on the blank form, or on a scan as it was registered."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hwtranscribe.errors import DocumentError
from hwtranscribe.export import output_path
from hwtranscribe.form import FormTemplate, PageTemplate
from hwtranscribe.overlay import draw_template
from hwtranscribe.pipeline import prepare_references
from hwtranscribe.pipeline.places import scaled
from hwtranscribe.register import Reference, align, blank_page
from hwtranscribe.render import render_pages
from hwtranscribe.segment import field_place
from hwtranscribe.types import Box, Kind, Page, PageError, ReadOptions


@dataclass(frozen=True, slots=True)
class CheckedPage:
    """A picture of a page with the boxes of its fields.

    Attributes:
        name: For the file of the picture, relative.
        message: What was found, for a person.
        picture: PNG.
        fits: Whether the page is as the template says.
    """

    name: Path
    message: str
    picture: bytes
    fits: bool


def check_form(form_path: Path, scan: Path | None, options: ReadOptions) -> Iterator[CheckedPage]:
    """Check a template, and draw its boxes.

    Args:
        form_path: The template.
        scan: A document to draw on; the blank form when None, or white paper where there is none.
        options: How the scan is rendered.

    Raises:
        TemplateError: The template is wrong.
        DocumentError: The scan can't be read.
    """
    form = FormTemplate.load(form_path)
    references = tuple(prepare_references(form))
    if scan is not None:
        for page in render_pages(scan, _name(scan.name), options):
            yield _checked(form, references, page)
        return
    for number, template in enumerate(form.pages, 1):
        if template.reference is None:
            yield _on_white(_name(form_path.stem), number, template)
            continue
        wanted = range(template.reference_page, template.reference_page + 1)
        for page in render_pages(template.reference, _name(template.reference.name), options, wanted):
            yield _checked(form, references, page)


def _name(name: str) -> str:
    """The name of a document; bytes that are not UTF-8 are written as escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


def _checked(form: FormTemplate, references: Sequence[Reference], page: Page | PageError) -> CheckedPage:
    if isinstance(page, PageError):
        raise DocumentError(page.error, page.detail, page.page)
    aligned = align(page, references)
    name = Path(output_path(page.document, f".page{page.number:04d}.png"))
    where = f"{page.document} page {page.number}"
    if not aligned.registered or aligned.template_page is None:
        message = f"{where} matches no page of the form: {'; '.join(aligned.warnings)}"
        return CheckedPage(name, message, draw_template(aligned.pixels, {}, note=message), False)
    template = form.pages[aligned.template_page]
    reference = references[aligned.template_page]
    blank = blank_page(aligned, reference) if reference.printing is not None else None
    boxes: dict[str, Box] = {}
    cells: dict[str, list[float]] = {}
    problems, notes = [], []
    for field in template.fields:
        boxes[field.name] = scaled(field.box, aligned.scale)
        if field.kind is Kind.CHECKBOX:
            continue
        if blank is None:
            _, grid = field_place(aligned, boxes[field.name], field.cells)
        else:
            place, grid = field_place(blank, field.box, field.cells)
            boxes[field.name] = scaled(place, aligned.scale)
            if place != field.box:
                notes.append(f'field "{field.name}": its box lies on print below a rule; {list(place)} is read')
            grid = None if grid is None else grid.scaled(aligned.scale)
        if grid is None:
            continue
        cells[field.name] = grid.edges.tolist()
        if field.cells is not None and grid.found not in (None, field.cells):
            problems.append(f'field "{field.name}": cells = {field.cells}, but {grid.found} are printed')
    message = (
        f"{where} is page {aligned.template_page + 1} of the form, {len(template.fields)} fields, "
        f"residual {aligned.residual_px:.2f} px"
    )
    lines = [message, *aligned.warnings, *notes, *problems]
    return CheckedPage(
        name, "\n  ".join(lines), draw_template(aligned.pixels, boxes, cells, "; ".join(problems)), not problems
    )


def _on_white(stem: str, number: int, template: PageTemplate) -> CheckedPage:
    width, height = template.size
    cells = {
        field.name: np.linspace(field.box[0], field.box[2], field.cells + 1).tolist()
        for field in template.fields
        if field.cells
    }
    picture = draw_template(
        np.full((height, width), 255, np.uint8), {field.name: field.box for field in template.fields}, cells
    )
    message = f"page {number} of the form has no blank form, {len(template.fields)} fields"
    return CheckedPage(Path(output_path(stem, f".page{number:04d}.png")), message, picture, True)
