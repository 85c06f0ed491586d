"""Bring a scan into the frame of the template page it belongs to."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float64

from hwtranscribe.imaging.geometry import project, scaling
from hwtranscribe.imaging.paper import darkness, reduced, softened, without_surroundings
from hwtranscribe.register.bend import nearest_homography, warp_picture
from hwtranscribe.register.by_size import aligned_by_size, frame_scale
from hwtranscribe.register.clean import ink_with_blank
from hwtranscribe.register.features import match_features, page_features
from hwtranscribe.register.printing import printing_in
from hwtranscribe.register.reference import Reference
from hwtranscribe.register.warp import Warp, refine
from hwtranscribe.types import AlignedPage, Box, Page

RESIDUAL_LIMIT = 0.0012
"""Largest residual, as a share of the template's long side: 0.35 mm of an A4 page."""

MATCHED_LIMIT = 0.3
"""Least share of the printed corners that must be found."""


def align(page: Page, references: Sequence[Reference]) -> AlignedPage:
    """Return a page in the frame of the template page it matches best.

    Args:
        page: As rendered.
        references: One per page of the template, from `prepare_reference`.

    Returns:
        With `registered=False` and a warning when the page matches no template page.
    """
    page = replace(page, pixels=softened(without_surroundings(page.pixels)))
    found = [(warp, index) for index, warp in enumerate(warps(page, references)) if warp is not None]
    if found:
        warp, index = max(found, key=lambda entry: entry[0].matched)
        if fits(warp, references[index]) or all(reference.printing is not None for reference in references):
            return aligned_by(warp, page, references[index], index)
    bare = [index for index, reference in enumerate(references) if reference.printing is None]
    if bare:
        index = bare[(page.number - 1) % len(bare)] if len(bare) == len(references) else bare[0]
        return aligned_by_size(page, references[index], index)
    return unmatched(page)


def warps(page: Page, references: Sequence[Reference]) -> list[Warp | None]:
    """Return where each template page lies on a page, None where it is not found or has no blank form."""
    if all(reference.features is None for reference in references):
        return [None] * len(references)
    features = page_features(page.pixels)
    tolerance_px = 4 * max(page.pixels.shape) / 1100
    result: list[Warp | None] = []
    for reference in references:
        match = None if reference.features is None else match_features(reference.features, features, tolerance_px)
        if match is None:
            result.append(None)
            continue
        page_from_template, _ = match
        page_px_per_template_px = float(np.sqrt(abs(np.linalg.det(page_from_template[:2, :2]))))
        dark_scale = min(1.0, reference.track_scale / page_px_per_template_px)
        dark = darkness(reduced(page.pixels, dark_scale))
        result.append(refine(reference, dark, dark_scale, page_from_template))
    return result


def residual_limit_px(reference: Reference) -> float:
    """Return the largest residual that counts as registered, px of the template."""
    return RESIDUAL_LIMIT * max(reference.size)


def fits(warp: Warp, reference: Reference) -> bool:
    """Return whether a scan is the template page it was compared with."""
    return warp.residual_px <= residual_limit_px(reference) and warp.matched >= MATCHED_LIMIT


def aligned_by(warp: Warp, page: Page, reference: Reference, index: int) -> AlignedPage:
    """Return a page resampled into the frame of a template page with a blank form."""
    finer = float(np.sqrt(abs(np.linalg.det(warp.page_from_template[:2, :2]))))
    scale = frame_scale(finer, reference.size)
    size = (round(reference.size[0] * scale), round(reference.size[1] * scale))
    template_from_frame = scaling(reference.size[0] / size[0], reference.size[1] / size[1])
    page_from_frame = warp.page_from_template @ template_from_frame
    bend = (warp.bend * scale).astype(np.float32)
    paper = int(np.percentile(page.pixels[::16, ::16], 80))
    pixels = warp_picture(page.pixels, page_from_frame, bend, size, fill=paper)
    registered = fits(warp, reference)
    warnings: tuple[str, ...] = ()
    if not registered:
        warnings = (
            f"it does not match the blank form: residual {warp.residual_px:.1f} px "
            f"(limit {residual_limit_px(reference):.1f} px), {warp.matched:.0%} of its printing found "
            f"(at least {MATCHED_LIMIT:.0%}); check it by hand",
        )
    doubtful = doubtful_parts(warp, page_from_frame, size, page.pixels.shape)
    if registered and doubtful:
        warnings = ("a part of the form is cut off, covered or too dark: its fields are for review",)
    blank = printing_in(reference, size)
    ink = np.zeros_like(pixels)
    ink[blank.window] = ink_with_blank(np.ascontiguousarray(darkness(pixels)[blank.window]), blank)
    return AlignedPage(
        page=page.number,
        template_page=index,
        scale=scale,
        pixels=pixels,
        ink=ink,
        printing=blank.mask_of_frame,
        page_from_aligned=nearest_homography(page_from_frame, bend, size),
        residual_px=warp.residual_px,
        registered=registered,
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
