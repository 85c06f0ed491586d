"""Which pages of a template a picture shows, and where they lie on it."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64

from hwtranscribe.imaging.geometry import project, scaling
from hwtranscribe.imaging.masks import above, widened
from hwtranscribe.register.features import COARSE_PX, Features, match_features
from hwtranscribe.register.reference import Reference
from hwtranscribe.register.sheet import Sheet
from hwtranscribe.register.warp import BESIDE_PX, LEAST_PRINTED_PX, PRINTED, Sight, Warp, lay, refine, sights

RESIDUAL_LIMIT = 0.0012
"""Largest residual, as a share of the template's long side: 0.35 mm of an A4 page."""

MATCHED_LIMIT = 0.3
"""Least share of the printed corners that must be found."""

STRAIGHT_SHARE = 0.45
"""Share of the printed corners that must agree on how a page lies where no other way to lay it is looked for."""

STRAIGHT_ASPECT = 0.05
"""By how much the shape of such a page may differ from the form's."""

WHOLE = 0.6
"""Share of a picture from which on what lies on it leaves no room for more."""

MORE = 0.3
"""Share of a picture's features beside the pages found on it from which on it shows something else as well."""

MOST = 16
"""Pages that are looked for on one picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """A page of the template, and where it lies on a picture.

    Attributes:
        warp: From the template page onto the picture.
        index: 0-based page of the template.
        reference: That page.
    """

    warp: Warp
    index: int
    reference: Reference

    @property
    def fits(self) -> bool:
        """Whether the picture shows this page, and not just one that is a little like it."""
        return self.warp.residual_px <= residual_limit_px(self.reference) and self.warp.matched >= MATCHED_LIMIT

    @property
    def corners(self) -> Float64[np.ndarray, "4 2"]:
        """Of the page on the picture, px."""
        width, height = self.reference.size
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
        return project(self.warp.page_from_template, corners)

    def holds(self, points: Float32[np.ndarray, "n 2"]) -> Bool[np.ndarray, " n"]:
        """Return which points of the picture lie on the page."""
        there = project(np.linalg.inv(self.warp.page_from_template), points)
        inside: Bool[np.ndarray, " n"] = np.all((there >= 0) & (there <= self.reference.size), axis=1)
        return inside


def find_pages(sheet: Sheet, references: Sequence[Reference]) -> list[Laid]:
    """Return the template pages that a picture shows, in reading order.

    Where it shows none, that which it resembles most; empty when it resembles none. Pages without a blank form are not
    found.

    Args:
        sheet: The picture.
        references: Of the template.
    """
    guesses = _guesses(sheet, references)
    found = [guess for guess in guesses if guess.fits]
    if found:
        found = [_likeliest(sheet, found)]
    if _has_room(sheet, found):
        found += _further(sheet, references, found)
    if not found:
        return [max(guesses, key=lambda guess: guess.warp.matched)] if guesses else []
    return _in_reading_order(found)


def shows_more(sheet: Sheet, found: Sequence[Laid]) -> bool:
    """Return whether much is printed or written beside the pages that were found on a picture."""
    if not _has_room(sheet, found):
        return False
    points = sheet.fine_features.points
    beside = ~np.any([one.holds(points) for one in found], axis=0)
    return bool(len(points)) and float(beside.mean()) >= MORE


def _has_room(sheet: Sheet, found: Sequence[Laid]) -> bool:
    """Whether the picture is so much larger than what was found on it that there may be more."""
    areas = [cv2.contourArea(one.corners.astype(np.float32)) for one in found]
    return sum(areas) < WHOLE * sheet.pixels.size


def _guesses(sheet: Sheet, references: Sequence[Reference]) -> list[Laid]:
    """Where each template page may lie on a page, those left out that are not found or have no blank form.

    Most scans lie nearly as the form does. Only where none of the forms is found so, it is looked for at any angle and
    scale.
    """
    straight = [_straight(sheet, reference) for reference in references]
    if not any(straight):
        return _at_any_angle(sheet, references)
    return [
        Laid(warp, index, reference)
        for index, (warp, reference) in enumerate(zip(straight, references, strict=True))
        if warp is not None
    ]


def _at_any_angle(sheet: Sheet, references: Sequence[Reference], among: Features | None = None) -> list[Laid]:
    """Where template pages may lie by the features of a picture.

    Args:
        sheet: The picture.
        references: Of the template.
        among: Fine features of the picture, among which there may be several of one page; None for one of each page.
    """
    tolerance_px = 4 * max(sheet.pixels.shape) / COARSE_PX
    result = []
    for index, reference in enumerate(references):
        if reference.features is None or reference.fine_features is None:
            continue
        if among is None:
            match = match_features(reference.features, sheet.features, tolerance_px)
        else:
            match = match_features(reference.fine_features, among, tolerance_px)
        warp = None if match is None else _laid(sheet, reference, match[0], 0.0)
        if warp is not None:
            result.append(Laid(warp, index, reference))
    return result


def _further(sheet: Sheet, references: Sequence[Reference], found: Sequence[Laid]) -> list[Laid]:
    """The template pages that a picture shows beside those that were found, the clearest first."""
    result: list[Laid] = []
    while len(result) < MOST:
        points = sheet.fine_features.points
        free = np.ones(len(points), bool)
        for one in (*found, *result):
            free &= ~one.holds(points)
        among = Features(points[free], sheet.fine_features.descriptors[free])
        more = [guess for guess in _at_any_angle(sheet, references, among) if guess.fits]
        # What lies over a page that is known is that page once more.
        more = [one for one in more if not any(other.holds(_middle(one)).any() for other in (*found, *result))]
        if not more:
            break
        result.append(_likeliest(sheet, more))
    return result


def _likeliest(sheet: Sheet, found: Sequence[Laid]) -> Laid:
    """Which of several template pages it is that fit in one place: they may differ in a word."""
    best, *others = sorted(found, key=lambda one: -one.warp.matched)
    for other in others:
        if best.holds(_middle(other)).all():
            shares = _share_of_its_own(sheet, best, other), _share_of_its_own(sheet, other, best)
            best = other if shares[1] > shares[0] else best
    return best


def _share_of_its_own(sheet: Sheet, one: Laid, other: Laid) -> float:
    """How much of the printing that a template page has and another has not is on the picture; 0 where it has none."""
    sight = _sights(sheet, one.reference, one.warp.page_from_template)[1]
    rival = other.reference.track
    if rival is None or rival.shape != sight.reference.shape:
        return one.warp.matched
    own = above(sight.reference, PRINTED) & ~widened(above(rival, PRINTED), BESIDE_PX)
    if own.sum() < LEAST_PRINTED_PX:
        return 0.0
    there = sight.warped(one.warp.page_from_template, one.warp.bend)[own > 0]
    return float(np.minimum(there, sight.reference[own > 0]).sum() / sight.reference[own > 0].sum(dtype=float))


def _in_reading_order(found: Sequence[Laid]) -> list[Laid]:
    """Pages on one picture, top to bottom, and those that lie side by side left to right."""
    rows: list[list[Laid]] = []
    for one in sorted(found, key=lambda one: float(_middle(one)[0, 1])):
        # Beside the one before it when its middle is above the lower quarter of that.
        if rows and _middle(one)[0, 1] < np.quantile(rows[-1][-1].corners[[0, 2], 1], 0.75):
            rows[-1].append(one)
        else:
            rows.append([one])
    return [one for row in rows for one in sorted(row, key=lambda one: float(_middle(one)[0, 0]))]


def _middle(one: Laid) -> Float32[np.ndarray, "1 2"]:
    """The middle of a page on its picture."""
    return one.corners.mean(axis=0, keepdims=True).astype(np.float32)


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
    return warp if warp is not None and Laid(warp, 0, reference).fits and not warp.missing.any() else None


def _laid(
    sheet: Sheet, reference: Reference, page_from_template: Float64[np.ndarray, "3 3"], least_share: float
) -> Warp | None:
    """Where a template page lies on a page, by a guess; None where fewer of its printed corners agree."""
    coarse, fine = _sights(sheet, reference, page_from_template)
    homography, share = lay(coarse, page_from_template)
    if homography is None and not least_share:
        # In a noisy scan there is more to follow at the finer scale.
        homography, share = lay(fine, page_from_template)
    if homography is None or share < least_share:
        return None
    return refine(coarse, fine, homography)


def _sights(sheet: Sheet, reference: Reference, page_from_template: Float64[np.ndarray, "3 3"]) -> tuple[Sight, Sight]:
    """A page beside a blank form, coarse and fine, at the scale at which points are followed."""
    page_px_per_template_px = float(np.sqrt(abs(np.linalg.det(page_from_template[:2, :2]))))
    dark_scale = min(1.0, reference.track_scale / page_px_per_template_px)
    return sights(reference, sheet.dark(dark_scale), dark_scale, sheet.pale)


def residual_limit_px(reference: Reference) -> float:
    """Return the largest residual that counts as registered, px of the template."""
    return RESIDUAL_LIMIT * max(reference.size)
