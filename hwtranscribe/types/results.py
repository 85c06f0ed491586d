"""What was read; small."""

from dataclasses import dataclass, field

from hwtranscribe.types.kinds import Box, Kind, Status
from hwtranscribe.types.pages import Cell


@dataclass(frozen=True, slots=True)
class CharReading:
    """One character of a reading.

    Attributes:
        text: The character.
        confidence: Probability that it is right, 0 to 1.
        box: In px of the rendered page.
    """

    text: str
    confidence: float
    box: Box


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another way to read a field, with its probability."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class FieldReading:
    """What was read in one field.

    Attributes:
        page: 1-based page of the document.
        field: Name of the field; in page mode `line001`..., or `table1_r1_c1`... for the cells of drawn tables.
        kind: What the field may hold.
        text: The reading; empty when blank or illegible.
        confidence: Probability that the whole field is right, 0 to 1.
        status: `ok`, `review`, `blank` or `illegible`.
        detail: Why it is not `ok`; empty otherwise.
        box: In px of the rendered page.
        characters: One per character of `text` except spaces.
        alternatives: Other readings, most probable first; of a checkbox only `CROSSED_OUT`, where it may be.
        cell: The cell of a drawn table, in page mode; None outside tables.
    """

    page: int
    field: str
    kind: Kind
    text: str
    confidence: float
    status: Status
    detail: str
    box: Box
    characters: tuple[CharReading, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    cell: Cell | None = None


@dataclass(frozen=True, slots=True)
class PageError:
    """Why a document, or one page of it, could not be read: a row of `errors.csv`.

    Attributes:
        page: 1-based, or None for the whole document.
        error: Stable code.
        detail: For a person.
    """

    page: int | None
    error: str
    detail: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """What made a result: enough to tell whether it would come out the same again."""

    version: str
    checkpoint_hash: str
    form_hash: str | None
    options: dict[str, object]


@dataclass(frozen=True, slots=True)
class PageReadings:
    """What was read on one page.

    Attributes:
        page: 1-based.
        template_page: 0-based page of the template it is, or None.
        registered: False when it matches no page of the template.
        readings: Of its fields, or its lines in reading order.
        warnings: What a person should know of it, such as the residual when it matches no page.
    """

    page: int
    template_page: int | None
    registered: bool
    readings: tuple[FieldReading, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentPart:
    """What was read on some pages of a document; parts in order make its result.

    Attributes:
        page_total: Pages of the whole document.
        pages: That could be rendered.
        errors: Pages that could not.
        warnings: What a person should know.
        provenance: What made it.
    """

    page_total: int
    pages: tuple[PageReadings, ...]
    errors: tuple[PageError, ...]
    warnings: tuple[str, ...]
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class FilledForm:
    """One filled form in a document.

    Attributes:
        number: 1-based within the document.
        name: Of the template.
        pages: 1-based pages of the document it is made of.
        fields: In the order of the template.
    """

    number: int
    name: str
    pages: tuple[int, ...]
    fields: tuple[FieldReading, ...]


@dataclass(frozen=True, slots=True)
class DocumentResult:
    """Everything that became of one document.

    Attributes:
        document: Its name in the outputs.
        page_count: Pages that were rendered.
        forms: Filled forms, with a template; empty in page mode.
        lines: Lines in reading order, in page mode; empty with a template.
        errors: What could not be read.
        warnings: What a person should know, such as a page that matches no template page.
        provenance: What made this result.
    """

    document: str
    page_count: int
    forms: tuple[FilledForm, ...]
    lines: tuple[FieldReading, ...]
    errors: tuple[PageError, ...]
    provenance: Provenance
    warnings: tuple[str, ...] = field(default=())

    @property
    def readings(self) -> tuple[FieldReading, ...]:
        """All field readings: of the forms in order, or the lines."""
        return tuple(reading for form in self.forms for reading in form.fields) or self.lines
