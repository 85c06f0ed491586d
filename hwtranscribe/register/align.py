"""Bring a scan into the frame of the template page it belongs to."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from hwtranscribe.imaging.focus import OUT_OF_FOCUS, in_focus
from hwtranscribe.imaging.geometry import project, scaling
from hwtranscribe.imaging.outline import flattened
from hwtranscribe.imaging.paper import darkness, level_factor, paper_level, reduced
from hwtranscribe.register.bend import nearest_homography, warp_picture
from hwtranscribe.register.by_size import aligned_by_size, frame_scale
from hwtranscribe.register.clean import ink_with_blank
from hwtranscribe.register.features import match_features, page_features
from hwtranscribe.register.prepare import prepared
from hwtranscribe.register.printing import printing_in
from hwtranscribe.register.reference import Reference
from hwtranscribe.register.warp import Warp, lay, refine, sights
from hwtranscribe.types import AlignedPage, Box, Page

RESIDUAL_LIMIT = 0.0012
"""Largest residual, as a share of the template's long side: 0.35 mm of an A4 page."""

MATCHED_LIMIT = 0.3
"""Least share of the printed corners that must be found."""

STRAIGHT_SHARE = 0.45
"""Share of the printed corners that must agree on how a page lies where no other way to lay it is looked for."""

STRAIGHT_ASPECT = 0.05
"""By how much the shape of such a page may differ from the form's."""


def align(page: Page, references: Sequence[Reference]) -> AlignedPage:
    """Return a page in the frame of the template page it matches best.

    Args:
        page: As rendered.
        references: One per page of the template, from `prepare_reference`.

    Returns:
        With `registered=False` and a warning when the page matches no template page.
    """
    ready = prepared(page.pixels)
    pixels, warnings = ready.pixels, ready.warnings
    heights = [one.writing_height_px * max(pixels.shape) / max(one.size) for one in references]
    sharp = in_focus(pixels, min(heights, default=np.inf))
    aligned = _aligned(replace(page, pixels=sharp), ready.outline, references)
    if sharp is not pixels:
        warnings = (*warnings, OUT_OF_FOCUS)
    return replace(aligned, warnings=(*aligned.warnings, *warnings))


def _aligned(page: Page, outline: Float64[np.ndarray, "4 2"] | None, references: Sequence[Reference]) -> AlignedPage:
    """A page that is fit to be looked at, in the frame of the template page it matches best.

    Args:
        page: Prepared.
        outline: Of its paper, from `prepared`.
        references: Of the template.
    """
    sheet = Sheet(page.pixels)
    found = [(warp, index) for index, warp in enumerate(warps(sheet, references)) if warp is not None]
    if found:
        warp, index = max(found, key=lambda entry: entry[0].matched)
        if fits(warp, references[index]) or all(reference.printing is not None for reference in references):
            return aligned_by(warp, page, sheet, references[index], index)
    bare = [index for index, reference in enumerate(references) if reference.printing is None]
    if bare:
        index = bare[(page.number - 1) % len(bare)] if len(bare) == len(references) else bare[0]
        flat, page_from_flat = flattened(page.pixels, outline)
        laid = aligned_by_size(replace(page, pixels=flat), references[index], index)
        return replace(laid, page_from_aligned=page_from_flat @ laid.page_from_aligned)
    return unmatched(page)


class Sheet:
    """A page at the scales that are asked for.

    Attributes:
        pixels: Grey, 255 paper.
    """

    def __init__(self, pixels: UInt8[np.ndarray, "height width"]) -> None:
        self.pixels = pixels
        self._dark: dict[float, UInt8[np.ndarray, "small_height small_width"]] = {}

    @cached_property
    def level(self) -> UInt8[np.ndarray, "small_height small_width"]:
        """The level of its paper, found once, where a blank form is looked for."""
        return paper_level(self.pixels)

    def dark(self, scale: float) -> UInt8[np.ndarray, "small_height small_width"]:
        """Return its darkness at a scale of at most 1."""
        if scale not in self._dark:
            self._dark[scale] = darkness(reduced(self.pixels, scale), self.level)
        return self._dark[scale]

    def dark_in_frame(
        self,
        pixels: UInt8[np.ndarray, "frame_height frame_width"],
        page_from_frame: Float64[np.ndarray, "3 3"],
        window: tuple[slice, slice],
    ) -> UInt8[np.ndarray, "height width"]:
        """Return the darkness of the page in a window of a frame that it was resampled into.

        Args:
            pixels: The page in the frame.
            page_from_frame: Homography; a bend moves the level of the paper by next to nothing.
            window: Rows and columns of the frame.
        """
        rows, columns = window
        size = (columns.stop - columns.start, rows.stop - rows.start)
        factor = level_factor(pixels.shape)
        small = (max(1, size[0] // factor), max(1, size[1] // factor))
        corner = np.array([[1, 0, columns.start], [0, 1, rows.start], [0, 0, 1.0]])
        page_from_small = page_from_frame @ corner @ scaling(size[0] / small[0], size[1] / small[1])
        level_from_page = scaling(
            self.level.shape[1] / self.pixels.shape[1], self.level.shape[0] / self.pixels.shape[0]
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        level = cv2.warpPerspective(
            self.level, level_from_page @ page_from_small, small, flags=flags, borderMode=cv2.BORDER_REPLICATE
        )
        return darkness(np.ascontiguousarray(pixels[window]), level)


def warps(sheet: Sheet, references: Sequence[Reference]) -> list[Warp | None]:
    """Return where each template page lies on a page, None where it is not found or has no blank form.

    Most scans lie nearly as the form does. Only where none of the forms is found so, it is looked for at any angle and
    scale.

    Args:
        sheet: The page.
        references: Of the template.
    """
    straight = [_straight(sheet, reference) for reference in references]
    if any(straight) or all(reference.features is None for reference in references):
        return straight
    features = page_features(sheet.pixels)
    tolerance_px = 4 * max(sheet.pixels.shape) / 1100
    result: list[Warp | None] = []
    for reference in references:
        match = None if reference.features is None else match_features(reference.features, features, tolerance_px)
        result.append(None if match is None else _laid(sheet, reference, match[0], 0.0))
    return result


def _straight(sheet: Sheet, reference: Reference) -> Warp | None:
    """Where a template page lies on a page, if nearly as on paper of its own size."""
    if reference.features is None:
        return None
    height, width = sheet.pixels.shape
    across, down = width / reference.size[0], height / reference.size[1]
    if abs(across / down - 1) > STRAIGHT_ASPECT:
        return None
    warp = _laid(sheet, reference, scaling(across, down), STRAIGHT_SHARE)
    # A form that is mostly a grid fits upside down as well, but then its headings are missing.
    return warp if warp is not None and fits(warp, reference) and not warp.missing.any() else None


def _laid(
    sheet: Sheet, reference: Reference, page_from_template: Float64[np.ndarray, "3 3"], least_share: float
) -> Warp | None:
    """Where a template page lies on a page, by a guess; None where fewer of its printed corners agree."""
    page_px_per_template_px = float(np.sqrt(abs(np.linalg.det(page_from_template[:2, :2]))))
    dark_scale = min(1.0, reference.track_scale / page_px_per_template_px)
    coarse, fine = sights(reference, sheet.dark(dark_scale), dark_scale)
    homography, share = lay(coarse, page_from_template)
    if homography is None and not least_share:
        # In a noisy scan there is more to follow at the finer scale.
        homography, share = lay(fine, page_from_template)
    if homography is None or share < least_share:
        return None
    return refine(coarse, fine, homography)


def residual_limit_px(reference: Reference) -> float:
    """Return the largest residual that counts as registered, px of the template."""
    return RESIDUAL_LIMIT * max(reference.size)


def fits(warp: Warp, reference: Reference) -> bool:
    """Return whether a scan is the template page it was compared with."""
    return warp.residual_px <= residual_limit_px(reference) and warp.matched >= MATCHED_LIMIT


def aligned_by(warp: Warp, page: Page, sheet: Sheet, reference: Reference, index: int) -> AlignedPage:
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
    ink[blank.window] = ink_with_blank(sheet.dark_in_frame(pixels, page_from_frame, blank.window), blank)
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
