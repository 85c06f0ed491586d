"""Sheets that were photographed aslant on something darker."""

import cv2
import numpy as np
import pytest
from drawn_forms import as_page

from hwtranscribe.imaging.geometry import project
from hwtranscribe.imaging.outline import flattened, paper_outline
from hwtranscribe.register import upright

CORNERS = np.array([[210.0, 160.0], [1390.0, 240.0], [1500.0, 1990.0], [120.0, 1900.0]])


def sheet() -> np.ndarray:
    page = np.full((1600, 1100), 240, np.uint8)
    for row in range(100, 1560, 80):
        cv2.putText(page, "WRITTEN WITH A BROAD PEN", (60, row), cv2.FONT_HERSHEY_SIMPLEX, 1.8, 40, 6, cv2.LINE_AA)
    return page


def photographed(page: np.ndarray, corners: np.ndarray = CORNERS) -> np.ndarray:
    height, width = page.shape
    rng = np.random.default_rng(0)
    table = cv2.GaussianBlur(rng.normal(95, 60, (2100, 1600)), (0, 0), 3).clip(0, 255).astype(np.uint8)
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - 0.5
    transform = cv2.getPerspectiveTransform(flat, corners.astype(np.float32))
    cv2.warpPerspective(page, transform, (1600, 2100), dst=table, borderMode=cv2.BORDER_TRANSPARENT)
    return cv2.GaussianBlur(table, (0, 0), 1.0)


def test_the_corners_of_a_sheet_are_found_also_in_uneven_light():
    photo = photographed(sheet())
    shaded = (photo * np.linspace(1, 0.7, photo.shape[1])).astype(np.uint8)
    for picture in photo, shaded:
        outline = paper_outline(picture)
        assert outline is not None and np.abs(outline - CORNERS).max() < 12


def test_a_flattened_sheet_is_the_sheet_again():
    flat, page_from_flat = flattened(photographed(sheet()), CORNERS)
    # Somewhat less than the sheet: its rim is left out.
    page = sheet()[5:-5, 3:-3]
    likeness = np.corrcoef(cv2.resize(flat, page.shape[::-1]).ravel(), page.ravel())[0, 1]
    assert likeness > 0.95
    height, width = flat.shape
    corners = project(page_from_flat, np.array([[0, 0], [width, 0], [width, height], [0, height]]) - 0.5)
    assert np.abs(corners - CORNERS).max() < 12
    same, nothing = flattened(flat, None)
    assert same is flat and (nothing == np.eye(3)).all()


def with_shadow(photo: np.ndarray) -> np.ndarray:
    light = np.ones(photo.shape)
    light[:, 800:] = 0.4
    return (photo * light).astype(np.uint8)


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(sheet(), id="a scan"),
        pytest.param(
            cv2.copyMakeBorder(sheet(), 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=20), id="a scan with a black border"
        ),
        pytest.param(photographed(sheet())[:, :1350], id="a sheet that is cut off"),
        pytest.param(with_shadow(photographed(sheet())), id="a sheet that goes on in a shadow"),
        pytest.param(photographed(np.full((1600, 1100), 90, np.uint8)), id="nothing that stands out"),
        pytest.param(np.where(np.hypot(*np.mgrid[-1000:1000, -800:800]) < 700, 240, 60).astype(np.uint8), id="a plate"),
        pytest.param(np.full((20, 1500), 30, np.uint8), id="a strip"),
    ],
)
def test_no_outline_where_there_is_no_whole_sheet_seen_aslant(picture):
    assert paper_outline(picture) is None


def test_a_page_that_was_photographed_aslant_is_level_and_its_places_are_those_of_the_photograph():
    photo = photographed(sheet())
    aligned = upright(as_page(photo))
    # Every row of letters stands on one level again.
    rows = (aligned.ink > 128).any(axis=1)
    assert np.count_nonzero(np.diff(rows.astype(np.int8)) == 1) == len(range(100, 1560, 80))
    ys, xs = np.nonzero(aligned.ink > 128)
    there = project(aligned.page_from_aligned, np.column_stack([xs, ys])[::50])
    tones = photo[there[:, 1].round().astype(int), there[:, 0].round().astype(int)]
    assert np.median(tones) < 100
