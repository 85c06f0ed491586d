"""In which directions the lines of a page may run, whichever way the page lies."""

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

LONG_SIDE_PX = 450
"""Pages are looked at in this size."""

INK = 60
"""Darkness from which on something counts as ink."""

LEAST_INK_PX = 400
"""Less of it, px of the small page, tells nothing."""

OBLIQUE_DEG = 15.0
"""Lines that are farther from level and from upright run obliquely: scanners seldom skew more."""

OBLIQUE = 1.1
"""How much more oblique lines must stand out than straight ones: up to 1.0 on pages that lie straight, 1.25 and more on
others."""

AS_LIKELY = 0.1
"""Lines may also run across the likeliest direction where that stands out by at least this share of the likeliest:
columns of short numbers and the rules of tables do as much as lines of text."""


def line_directions_deg(dark: UInt8[np.ndarray, "height width"]) -> list[float]:
    """Return by how much a page may have to be turned clockwise for its lines to be level, the likeliest first.

    The profile of a level page jumps from row to row, as in `skew_deg`; here all directions are tried, and what is
    level may also stand on its head.

    Args:
        dark: Darkness of the page.

    Returns:
        Degrees, from about -90 to 270: two or four, or none where there is too little on the page.
    """
    factor = min(1.0, LONG_SIDE_PX / max(dark.shape))
    small = cv2.resize(dark, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) if factor < 1 else dark
    ys, xs = np.nonzero(small > INK)
    if len(ys) < LEAST_INK_PX:
        return []
    values = small[ys, xs].astype(np.float64)

    def stand_out(angle_deg: float) -> float:
        angle = np.deg2rad(angle_deg)
        return _jumps(ys * np.cos(angle) + xs * np.sin(angle), values)

    coarse = np.arange(-90.0, 90.0)
    strengths = np.array([stand_out(angle_deg) for angle_deg in coarse])
    straight = np.array([not is_oblique(angle_deg) for angle_deg in coarse])
    slanting = strengths.max() >= OBLIQUE * strengths[straight].max()
    best = int(np.argmax(strengths if slanting else strengths * straight))
    across = (best + np.arange(75, 106)) % len(coarse)
    second = int(across[strengths[across].argmax()])
    directions: list[float] = []
    for at in (best, second) if strengths[second] >= AS_LIKELY * strengths[best] else (best,):
        fine = coarse[at] + np.arange(-1.0, 1.01, 0.1)
        angle_deg = float(max(fine, key=stand_out))
        directions += [angle_deg, angle_deg + 180]
    return directions


def is_oblique(angle_deg: float) -> bool:
    """Return whether a direction is neither nearly level nor nearly upright."""
    return abs((angle_deg + 45) % 90 - 45) > OBLIQUE_DEG


def _jumps(rows: Float64[np.ndarray, " n"], values: Float64[np.ndarray, " n"]) -> float:
    """Sum of the squared jumps of a profile.

    Args:
        rows: Where px lie across the direction, not in whole px.
        values: What they add to the profile.
    """
    rows = rows - rows.min()
    whole = rows.astype(int)
    part = rows - whole
    # Shared between two rows: rounded, the px grid itself makes for jumps at 45 degrees, as large as those of lines.
    profile = np.bincount(whole, weights=values * (1 - part), minlength=int(whole.max()) + 2)
    profile[1:] += np.bincount(whole, weights=values * part, minlength=int(whole.max()) + 1)
    return float((np.diff(profile[1:] + profile[:-1]) ** 2).sum())
