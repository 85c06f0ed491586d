"""Reading documents in tests: their pages, or the code that they are refused with."""

from pathlib import Path

import pytest

from hwtranscribe.errors import DocumentError
from hwtranscribe.render import render_pages
from hwtranscribe.types import Page, PageError, ReadOptions

BAR = (40, 20, 120, 60)


def read(path: Path, **options) -> list[Page | PageError]:
    return list(render_pages(path, "scan", ReadOptions(**options)))


def read_page(path: Path, **options) -> Page:
    (page,) = read(path, **options)
    assert isinstance(page, Page)
    return page


def refusal(path: Path, **options) -> str:
    with pytest.raises(DocumentError) as caught:
        read(path, **options)
    assert caught.value.detail
    return caught.value.code
