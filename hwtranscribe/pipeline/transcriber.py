"""The order of the stages: from a document to what was read in it.

render -> register -> segment -> glyph -> classify -> decode. Stages know nothing of one another; only this folder does.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import numpy as np

from hwtranscribe import __version__
from hwtranscribe.assembly import assemble
from hwtranscribe.classify import Classifier
from hwtranscribe.decode import join_lines
from hwtranscribe.errors import DocumentError, OutputError, TemplateError
from hwtranscribe.export import overlay_path
from hwtranscribe.files import write_atomically
from hwtranscribe.form import FieldTemplate, FormTemplate
from hwtranscribe.line_reader import LineReader
from hwtranscribe.marks import read_mark
from hwtranscribe.pipeline.orientation import SOME_LINES, read_upright
from hwtranscribe.pipeline.places import on_rendered_page, scaled
from hwtranscribe.pipeline.targets import Target, field_targets, read_targets
from hwtranscribe.register import Reference, align_all, blank_page, prepare_reference, ways_upright
from hwtranscribe.render import page_count, render_pages
from hwtranscribe.render.pdf import pdf_renderer
from hwtranscribe.segment import BESIDE, CellGrid, cut_off_lines, field_lines, field_place, has_mark_beside, page_lines
from hwtranscribe.types import (
    CROSSED_OUT,
    AlignedPage,
    Alternative,
    Box,
    CharBoxes,
    DocumentJob,
    DocumentPart,
    DocumentResult,
    FieldReading,
    Kind,
    Page,
    PageError,
    PageReadings,
    Provenance,
    ReadOptions,
    Status,
)


def transcribe_document(job: DocumentJob) -> DocumentResult:
    """Read one document.

    Raises:
        DocumentError: The document can't be read at all.
        TemplateError: The template is wrong.
        CheckpointError: The checkpoint is wrong.
    """
    transcriber = _transcriber(job.form_path, job.checkpoint_path, job.options)
    return assemble(job.document, transcriber.form, job.options.review_below, [transcribe_part(job)])


def transcribe_part(job: DocumentJob) -> DocumentPart:
    """Read the pages of a document that a job asks for: what every executor runs.

    Raises:
        DocumentError: The document can't be read at all.
        TemplateError: The template is wrong.
        CheckpointError: The checkpoint is wrong.
        OutputError: An overlay picture can't be written.
    """
    transcriber = _transcriber(job.form_path, job.checkpoint_path, job.options)
    return transcriber.read_part(Path(job.path), job.document, job.pages, overlay_folder=job.overlay_folder)


def describe_run(job: DocumentJob) -> Provenance:
    """What would read a job, without reading it: loads the network and the form.

    Raises:
        TemplateError: The template is wrong.
        CheckpointError: The checkpoint is wrong.
    """
    return _transcriber(job.form_path, job.checkpoint_path, job.options).provenance


@lru_cache(maxsize=2)
def _transcriber(form_path: str | None, checkpoint_path: str | None, options: ReadOptions) -> "Transcriber":
    """One transcriber per process: the network and the blank forms are loaded once."""
    return Transcriber(
        form=FormTemplate.load(Path(form_path)) if form_path else None,
        options=options,
        checkpoint=Path(checkpoint_path) if checkpoint_path else None,
    )


class Transcriber:
    """Reads documents with one template, or page by page without.

    Args:
        form: The template, or None for page mode.
        options: How to read.
        checkpoint: Folder of the network's weights; None for the shipped ones.
    """

    def __init__(
        self, form: FormTemplate | None = None, options: ReadOptions | None = None, checkpoint: Path | None = None
    ) -> None:
        self.form = form
        self.options = options or ReadOptions()
        self.classifier = Classifier.load(checkpoint)
        self.line_reader = LineReader.load(checkpoint)
        self.references = tuple(prepare_references(form)) if form else ()
        self._layouts: dict[tuple[int, str], tuple[Box, CellGrid | None]] = {}
        self.provenance = Provenance(
            version=__version__,
            checkpoint_hash=_hash_of(self.classifier, self.line_reader),
            form_hash=form.hash if form else None,
            options={k: v for k, v in asdict(self.options).items() if k != "password"} | {"pdf": pdf_renderer()},
        )

    def read(
        self, path: Path | str, document: str | None = None, *, overlay_folder: str | None = None
    ) -> DocumentResult:
        """Read one document, page by page.

        Args:
            path: The file.
            document: Its name in the outputs; the file's name by default.
            overlay_folder: Where overlay pictures are written when the options ask for them.

        Raises:
            DocumentError: The document can't be read at all.
            OutputError: An overlay picture can't be written.
        """
        path = Path(path)
        document = document if document is not None else path.name
        part = self.read_part(path, document, overlay_folder=overlay_folder)
        return assemble(document, self.form, self.options.review_below, [part])

    def read_part(
        self, path: Path, document: str, pages: tuple[int, int] | None = None, *, overlay_folder: str | None = None
    ) -> DocumentPart:
        """Read some pages of a document, page by page.

        Args:
            path: The file.
            document: Its name in the outputs.
            pages: First and last page, 1-based, both inclusive; all when None. Pages that there are not are left out.
            overlay_folder: Where overlay pictures are written when the options ask for them.

        Raises:
            DocumentError: The document can't be read at all.
            OutputError: An overlay picture can't be written.
        """
        total = page_count(path, self.options)
        first, last = pages or (1, total)
        errors: list[PageError] = []
        warnings: list[str] = []
        read: list[PageReadings] = []
        for page in render_pages(path, document, self.options, range(first, min(last, total) + 1)):
            if isinstance(page, PageError):
                errors.append(page)
                continue
            there = [
                PageReadings(aligned.page, aligned.template_page, aligned.registered, readings, aligned.warnings)
                for aligned, readings in self._read_shown(page)
            ]
            warnings.extend(f"page {page.number}: {warning}" for one in there for warning in one.warnings)
            read.extend(there)
            if self.options.overlay and overlay_folder is not None:
                _write_overlay(page, [reading for one in there for reading in one.readings], Path(overlay_folder))
        return DocumentPart(total, tuple(read), tuple(errors), tuple(warnings), self.provenance)

    def _read_shown(self, page: Page) -> Iterator[tuple[AlignedPage, tuple[FieldReading, ...]]]:
        """Read the form pages that a picture shows, or a page without a template as it has to lie."""
        if self.form is None:
            yield read_upright(ways_upright(page), self._read_page, self._read_some_lines, self.options.kind)
            return
        for aligned in align_all(page, self.references):
            yield aligned, self._read_page(aligned)

    def _read_page(self, aligned: AlignedPage) -> tuple[FieldReading, ...]:
        """Read the fields of a form page, or the lines of a page and the cells of its tables."""
        if self.form is None:
            return self._with_whole_cells(self._read_lines(aligned))
        if not aligned.registered or aligned.template_page is None:
            return ()
        fields = self.form.pages[aligned.template_page].fields
        boxes = [scaled(f.box, aligned.scale) for f in fields]
        targets = [
            target
            for f in fields
            if f.kind is not Kind.CHECKBOX
            for target in field_targets(f, field_lines(aligned, f.name, *self._layout(aligned, f), boxes))
        ]
        lines = groupby(self._read_targets(aligned, targets), key=lambda line: line.field)
        readings = {name: join_lines(tuple(group), self.options.review_below) for name, group in lines}
        for f in fields:
            if f.kind is Kind.CHECKBOX:
                readings[f.name] = self._read_checkbox(aligned, f, boxes)
            if aligned.doubts(scaled(f.box, aligned.scale)):
                readings[f.name] = replace(
                    readings[f.name],
                    confidence=min(readings[f.name].confidence, 0.5),
                    status=Status.REVIEW,
                    detail="this part of the page does not match the form",
                )
        return tuple(readings[f.name] for f in fields)

    def _layout(self, aligned: AlignedPage, field: FieldTemplate) -> tuple[Box, CellGrid | None]:
        """Where a field is, and its cells; kept where a blank form shows them, for the scans of a stack are alike."""
        if aligned.printing is None or aligned.template_page is None:
            return field_place(aligned, scaled(field.box, aligned.scale), field.cells)
        place = aligned.template_page, field.name
        if place not in self._layouts:
            blank = blank_page(aligned, self.references[aligned.template_page])
            self._layouts[place] = field_place(blank, field.box, field.cells)
        box, grid = self._layouts[place]
        return scaled(box, aligned.scale), None if grid is None else grid.scaled(aligned.scale)

    def _read_lines(self, aligned: AlignedPage) -> tuple[FieldReading, ...]:
        """Read the lines of a page without a template, those that an edge cuts through where nothing else is read."""
        whole = page_lines(aligned)
        readings = self._read_free(aligned, whole)
        if any(reading.text for reading in readings):
            return readings
        return readings + self._read_free(aligned, cut_off_lines(aligned, len(whole) + 1))

    def _read_some_lines(self, aligned: AlignedPage) -> tuple[FieldReading, ...]:
        """Read as many lines of a page without a template as tell whether it lies upright, from top to bottom."""
        written = [line for line in page_lines(aligned) if not line.blank.all()]
        return self._read_free(aligned, written[:: -(-len(written) // SOME_LINES) or 1])

    def _read_free(self, aligned: AlignedPage, lines: Sequence[CharBoxes]) -> tuple[FieldReading, ...]:
        kind, case = self.options.kind, self.options.case
        return self._read_targets(aligned, [Target(boxes, kind, case, None) for boxes in lines])

    def _read_targets(self, aligned: AlignedPage, targets: Sequence[Target]) -> tuple[FieldReading, ...]:
        readings = read_targets(self.classifier, self.line_reader, targets, aligned.page, self.options.review_below)
        return tuple(on_rendered_page(reading, aligned) for reading in readings)

    def _with_whole_cells(self, lines: Sequence[FieldReading]) -> tuple[FieldReading, ...]:
        """Lines with those in one cell of a table joined."""
        return tuple(
            reading
            for cell, group in groupby(lines, key=lambda line: line.cell)
            for reading in ((join_lines(tuple(group), self.options.review_below),) if cell else group)
        )

    def _read_checkbox(self, aligned: AlignedPage, field: FieldTemplate, others: Sequence[Box]) -> FieldReading:
        """`1` for a ticked box, `0` for an empty one.

        One that is crossed out and an empty one with a mark beside it are for review.
        """
        box = scaled(field.box, aligned.scale)
        mark = read_mark(aligned, box)
        confidence = max(mark.ticked, 1.0 - mark.ticked)
        detail = f"confidence below {self.options.review_below:g}" if confidence < self.options.review_below else ""
        if mark.crossed_out > 0.5:
            detail = CROSSED_OUT
        elif mark.ticked < 0.5 and has_mark_beside(aligned, box, others):
            confidence, detail = min(confidence, 0.5), BESIDE
        reading = FieldReading(
            page=aligned.page,
            field=field.name,
            kind=field.kind,
            text="1" if mark.ticked >= 0.5 else "0",
            confidence=round(confidence, 6),
            status=Status.REVIEW if detail else Status.OK,
            detail=detail,
            box=box,
            alternatives=(Alternative(CROSSED_OUT, round(mark.crossed_out, 6)),) if mark.crossed_out > 1e-4 else (),
        )
        return on_rendered_page(reading, aligned)


def _hash_of(classifier: Classifier, line_reader: LineReader) -> str:
    """Short hash of both networks."""
    hashes = classifier.checkpoint_hash + line_reader.checkpoint.hash
    return hashlib.sha256(hashes.encode()).hexdigest()[:16]


def prepare_references(form: FormTemplate) -> Iterator[Reference]:
    """The blank pages of a template, prepared for registration."""
    for number, page in enumerate(form.pages, start=1):
        pixels = None
        if page.reference is not None:
            where = f"{form.path}: page {number}: reference {page.reference}, page {page.reference_page}"
            try:
                total = page_count(page.reference, ReadOptions())
                if page.reference_page > total:
                    raise TemplateError(
                        f"{form.path}: page {number}: reference_page = {page.reference_page}: "
                        f"must be a page of {page.reference}, which has {total}"
                    )
                wanted = range(page.reference_page, page.reference_page + 1)
                blank = next(iter(render_pages(page.reference, page.reference.name, ReadOptions(), wanted)), None)
            except DocumentError as error:
                raise TemplateError(f"{where}: {error}") from error
            if not isinstance(blank, Page):
                raise TemplateError(f"{where}: {blank.detail if blank else 'there is no such page'}")
            pixels = blank.pixels
        heights = [field.box[3] - field.box[1] for field in page.fields if field.kind is not Kind.CHECKBOX]
        boxes = [field.box for field in page.fields]
        yield prepare_reference(pixels, page.size, boxes, float(np.median(heights)) if heights else np.inf)


def _write_overlay(page: Page, readings: Sequence[FieldReading], folder: Path) -> None:
    """A picture of the page with what was read, written aside and renamed."""
    from hwtranscribe.overlay import draw_readings

    target = folder / overlay_path(page.document, page.number)
    picture = draw_readings(page.pixels, readings)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, picture, sync=False)
    except OSError as error:
        raise OutputError(
            f"{target}: can't be written: {error.strerror}; once it can, the same command goes on where it stopped"
        ) from error
