"""Damaged files end as pages or as one of the known error codes; scripts/fuzz goes on for longer, and reads them."""

import random
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwtranscribe.batch.pool import WorkerPool
from hwtranscribe.errors import DocumentError
from hwtranscribe.render import render_pages
from hwtranscribe.types import Page, ReadOptions

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from fuzzing.damage import damaged
from fuzzing.seeds import seeds

CODES = {
    "corrupt",
    "empty_file",
    "encrypted",
    "no_pages",
    "too_large",
    "too_many_pages",
    "truncated",
    "unsupported_type",
}
WHOLE = seeds()


def render(path: Path) -> set[str]:
    """Error codes of a file; runs in a worker, where a crash of a decoder ends no test."""
    codes = set()
    try:
        for page in render_pages(path, "scan", ReadOptions(dpi=50, max_pixels=10_000_000, max_pages=20)):
            if isinstance(page, Page):
                assert page.pixels.ndim == 2 and page.pixels.dtype == "uint8" and page.pixels.size
            else:
                codes.add(page.error)
    except DocumentError as error:
        codes.add(error.code)
    return codes


@pytest.fixture(scope="module")
def pool():
    with WorkerPool(1, timeout_s=60) as made:
        yield made


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(WHOLE)), st.sampled_from(sorted(WHOLE)), st.integers(0, 2**32))
def test_damaged_files(pool, tmp_path_factory, name, other, seed):
    path = tmp_path_factory.getbasetemp() / f"damaged.{name.rpartition('.')[2]}"
    path.write_bytes(damaged(WHOLE[name], WHOLE[other], random.Random(seed)))
    assert pool.submit(render, path).result() <= CODES


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_whole_files(pool, tmp_path, name):
    (tmp_path / name).write_bytes(WHOLE[name])
    assert pool.submit(render, tmp_path / name).result() <= {"encrypted", "corrupt", "too_many_pages"}
