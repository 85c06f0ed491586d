"""What is to be read, and how."""

from dataclasses import dataclass

from hwtranscribe.types.kinds import Case, Kind


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How documents are read; part of the provenance of every result.

    Attributes:
        dpi: Resolution PDF pages are rendered at.
        kind: What lines hold in page mode (without a template).
        case: Case of the letters in page mode.
        review_below: Fields whose confidence is below this are marked `review`.
        overlay: Whether a picture of every page with what was read is made.
        password: Password for encrypted PDFs; never written to any output.
        max_pixels: Largest page that is decoded, px.
        max_pages: Largest number of pages read of one document.
    """

    dpi: int = 300
    kind: Kind = Kind.ALPHANUMERIC
    case: Case = Case.ANY
    review_below: float = 0.9
    overlay: bool = False
    password: str | None = None
    max_pixels: int = 200_000_000
    max_pages: int = 10_000


@dataclass(frozen=True, slots=True)
class DocumentJob:
    """One document to read: the unit of work of an executor.

    Attributes:
        path: Where the file is.
        document: Its name in the outputs: the path relative to the input, `/` separated.
        form_path: The template, or None for page mode.
        options: How to read it.
        checkpoint_path: Folder of the network's weights, or None for the shipped ones.
        overlay_folder: Where overlay pictures go when `options.overlay` is set.
        pages: First and last page to read, 1-based, both inclusive; all when None.
    """

    path: str
    document: str
    form_path: str | None = None
    options: ReadOptions = ReadOptions()
    checkpoint_path: str | None = None
    overlay_folder: str | None = None
    pages: tuple[int, int] | None = None
