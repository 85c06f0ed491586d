"""File -> Pages: PDF and images of any colour, depth and orientation become grey pages.

A page is rendered when it is asked for and none is kept: a 1,000-page PDF costs the memory of one page.
"""

from collections.abc import Iterator
from pathlib import Path

from hwtranscribe.errors import DocumentError
from hwtranscribe.render.formats import SUFFIXES, identify
from hwtranscribe.types import Page, PageError, ReadOptions

__all__ = ["SUFFIXES", "page_count", "render_pages"]


def render_pages(
    path: Path, document: str, options: ReadOptions, pages: range | None = None
) -> Iterator[Page | PageError]:
    """Render the pages of a document, one at a time, in order.

    Args:
        path: The file.
        document: Its name in the outputs, put into each `Page`.
        options: `dpi`, `password`, `max_pixels` and `max_pages` are used here.
        pages: 1-based numbers of the pages to render; all when None.

    Yields:
        A `Page`, or a `PageError` for a page that can't be rendered; the pages after it still come.

    Raises:
        DocumentError: The whole document can't be read. Codes: `not_found`, `not_a_file`, `unreadable`, `empty_file`,
            `unsupported_type`, `truncated`, `encrypted`, `corrupt`, `no_pages`, `too_large`, `too_many_pages`.
    """
    with _open(path, options) as source:
        for number in pages or range(1, len(source) + 1):
            try:
                yield source.render(number, document)
            except DocumentError as error:
                if len(source) == 1:
                    raise
                yield PageError(number, error.code, error.detail)


def page_count(path: Path, options: ReadOptions) -> int:
    """Number of pages of a document, without rendering any.

    Raises:
        DocumentError: As in `render_pages`.
    """
    with _open(path, options) as source:
        return len(source)


def _open(path: Path, options: ReadOptions):
    if identify(path) == "pdf":
        from hwtranscribe.render.pdf import PdfSource

        return PdfSource(path, options)
    from hwtranscribe.render.image import ImageSource

    return ImageSource(path, options)
