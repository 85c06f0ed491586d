"""Bring a scan into the frame of the template page it belongs to."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float64

from hwtranscribe.imaging.focus import OUT_OF_FOCUS, in_focus
from hwtranscribe.imaging.geometry import project, scaling
from hwtranscribe.imaging.outline import flattened
from hwtranscribe.register.bend import nearest_homography, warp_picture
from hwtranscribe.register.by_size import aligned_by_size, frame_scale
from hwtranscribe.register.clean import ink_with_blank
from hwtranscribe.register.find import MATCHED_LIMIT, Laid, find_pages, residual_limit_px, shows_more
from hwtranscribe.register.prepare import prepared
from hwtranscribe.register.printing import printing_in
from hwtranscribe.register.reference import Reference
from hwtranscribe.register.sheet import Sheet
from hwtranscribe.register.warp import Warp
from hwtranscribe.types import AlignedPage, Box, Page

SHOWS_MORE = "beside the form there is more on the picture, which matches no page of the form: it was not read"
"""A warning of what would be missed otherwise."""


def align(page: Page, references: Sequence[Reference]) -> AlignedPage:
    """Return a page in the frame of the template page that it is: the first of `align_all`."""
    return align_all(page, references)[0]


def align_all(page: Page, references: Sequence[Reference]) -> list[AlignedPage]:
    """Return a picture in the frame of the template page that it shows, or of each of several side by side.

    Args:
        page: As rendered.
        references: One per page of the template, from `prepare_reference`.

    Returns:
        In reading order; at least one, with `registered=False` and a warning when the picture matches no template page.
    """
    ready = prepared(page.pixels)
    pixels, warnings = ready.pixels, ready.warnings
    heights = [one.writing_height_px * max(pixels.shape) / max(one.size) for one in references]
    sharp = in_focus(pixels, min(heights, default=np.inf))
    first, *others = _aligned(replace(page, pixels=sharp), ready.outline, references)
    if sharp is not pixels:
        warnings = (*warnings, OUT_OF_FOCUS)
    return [replace(first, warnings=(*first.warnings, *warnings)), *others]


def _aligned(
    page: Page, outline: Float64[np.ndarray, "4 2"] | None, references: Sequence[Reference]
) -> list[AlignedPage]:
    """A page that is fit to be looked at, in the frames of the template pages it shows.

    Args:
        page: Prepared.
        outline: Of its paper, from `prepared`.
        references: Of the template.
    """
    sheet = Sheet(page.pixels)
    found = find_pages(sheet, references)
    if not any(one.fits for one in found) and any(reference.printing is not None for reference in references):
        pale = Sheet(page.pixels, pale=True)
        in_colour = find_pages(pale, references)
        if any(one.fits for one in in_colour):
            sheet, found = pale, in_colour
    bare = [index for index, reference in enumerate(references) if reference.printing is None]
    if bare and not any(one.fits for one in found):
        index = bare[(page.number - 1) % len(bare)] if len(bare) == len(references) else bare[0]
        flat, page_from_flat = flattened(page.pixels, outline)
        laid = aligned_by_size(replace(page, pixels=flat), references[index], index)
        return [replace(laid, page_from_aligned=page_from_flat @ laid.page_from_aligned)]
    if not found:
        return [unmatched(page)]
    first, *others = [aligned_by(one, page, sheet) for one in found]
    if first.registered and shows_more(sheet, found):
        first = replace(first, warnings=(*first.warnings, SHOWS_MORE))
    return [first, *others]


def aligned_by(laid: Laid, page: Page, sheet: Sheet) -> AlignedPage:
    """Return a page resampled into the frame of a template page with a blank form."""
    warp, reference = laid.warp, laid.reference
    finer = float(np.sqrt(abs(np.linalg.det(warp.page_from_template[:2, :2]))))
    scale = frame_scale(finer, reference.size)
    size = (round(reference.size[0] * scale), round(reference.size[1] * scale))
    template_from_frame = scaling(reference.size[0] / size[0], reference.size[1] / size[1])
    page_from_frame = warp.page_from_template @ template_from_frame
    bend = (warp.bend * scale).astype(np.float32)
    paper = int(np.percentile(page.pixels[::16, ::16], 80))
    pixels = warp_picture(page.pixels, page_from_frame, bend, size, fill=paper)
    warnings: tuple[str, ...] = ()
    if not laid.fits:
        warnings = (
            f"it does not match the blank form: residual {warp.residual_px:.1f} px "
            f"(limit {residual_limit_px(reference):.1f} px), {warp.matched:.0%} of its printing found "
            f"(at least {MATCHED_LIMIT:.0%}); check it by hand",
        )
    doubtful = doubtful_parts(warp, page_from_frame, size, page.pixels.shape)
    if laid.fits and doubtful:
        warnings = ("a part of the form is cut off, covered or too dark: its fields are for review",)
    blank = printing_in(reference, size)
    ink = np.zeros_like(pixels)
    ink[blank.window] = ink_with_blank(sheet.dark_in_frame(pixels, page_from_frame, blank.window), blank)
    return AlignedPage(
        page=page.number,
        template_page=laid.index,
        scale=scale,
        pixels=pixels,
        ink=ink,
        printing=blank.mask_of_frame,
        page_from_aligned=nearest_homography(page_from_frame, bend, size),
        residual_px=warp.residual_px,
        registered=laid.fits,
        warnings=warnings,
        doubtful=doubtful,
    )


def doubtful_parts(
    warp: Warp, page_from_frame: Float64[np.ndarray, "3 3"], size: tuple[int, int], shape: tuple[int, ...]
) -> tuple[Box, ...]:
    """Return the parts of a frame where the form's printing was not found, or that lie off the page.

    Args:
        warp: Of the page.
        page_from_frame: Homography.
        size: Width and height of the frame, px.
        shape: Height and width of the page, px.
    """
    rows, columns = warp.missing.shape
    x, y = np.linspace(0, size[0], columns + 1), np.linspace(0, size[1], rows + 1)
    centres = np.stack(np.meshgrid((x[1:] + x[:-1]) / 2, (y[1:] + y[:-1]) / 2), axis=-1).reshape(-1, 2)
    there = project(page_from_frame, centres)
    off = (there < 0).any(axis=1) | (there[:, 0] > shape[1]) | (there[:, 1] > shape[0])
    doubtful = warp.missing | off.reshape(rows, columns)
    return tuple(
        (round(x[column]), round(y[row]), round(x[column + 1]), round(y[row + 1]))
        for row, column in zip(*np.nonzero(doubtful), strict=True)
    )


def unmatched(page: Page) -> AlignedPage:
    """Return a page that resembles no template page, as it is."""
    return AlignedPage(
        page=page.number,
        template_page=None,
        scale=1.0,
        pixels=page.pixels,
        ink=np.zeros_like(page.pixels),
        printing=None,
        page_from_aligned=np.eye(3),
        residual_px=float("inf"),
        registered=False,
        warnings=("next to nothing of the printing of any template page was found, so there is no residual",),
    )
