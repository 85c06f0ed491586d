"""The level of the paper, and how dark everything on it is.

The level is the upper envelope of the picture over windows wider than a pen stroke (grey closing), so shadows and
coloured paper fall out of the ratio of picture and level.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float64, Int32, UInt8

MIN_WINDOW_PX = 21
"""Smallest window of the paper level; wider than the strokes of the smallest strips."""

WINDOW_OF_PAGE = 1 / 50
"""Window as a share of the page's long side: 6 mm of an A4 page, more than the broadest marker."""

CUT_OUT_PX = 250
"""Pictures less high or wide than this are no whole pages."""

RIM_SHARE = 0.06
"""A dark area belongs to the surroundings when it lies along this share of one side of the picture."""


STROKE_IN_SHADOW = 0.65
"""Strokes in a shadow are darker than this share of the paper around them; the grain of a table is not."""

DEEPEST_SHADOW = 24
"""Tone of paper in the deepest shadow in which strokes can be told."""

WRITTEN = 0.005
"""Share of strokes from which on a dark area is paper."""

SOLID_SHARE = 0.018
"""Surroundings are dark over squares of this share of the long side: 5 mm of an A4 page."""

PATTERNED = 0.28
"""Ground that reaches this share of the darkness of strokes is patterned."""

PLAIN = 0.22
"""Ground that stays below this share of it is plain paper, however blurred the strokes on it are; some patterns do not
reach `PATTERNED`."""

FAINTEST = 0.08
"""What has less than this share of the darkness of a page's strong strokes is paper."""

HALO = 0.15
"""The same among the strokes around it: their blurred edges are darker than a pencil elsewhere."""

BILEVEL_SIZE_PX = 1500
"""Long side from which bilevel scans are softened; smaller ones have no resolution to give away."""


def paper_level(pixels: UInt8[np.ndarray, "height width"]) -> UInt8[np.ndarray, "small_height small_width"]:
    """Return how bright the empty paper is, at reduced scale: it changes slowly.

    Args:
        pixels: Grey picture, 255 paper.
    """
    long_px = max(pixels.shape)
    factor = level_factor(pixels.shape)
    small = shrunk(pixels, factor)
    # A little blur first: the envelope of a noisy or patterned ground lies above the ground.
    small = cv2.GaussianBlur(small, (3, 3), 0)
    least_px = max(MIN_WINDOW_PX, round(long_px * WINDOW_OF_PAGE)) // factor
    window_px = max(least_px, min(broadest_stroke_px(small, least_px), 4 * least_px)) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (window_px, window_px))
    level = cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel, borderType=cv2.BORDER_REPLICATE)
    return cv2.blur(level, (least_px // 2 | 1, least_px // 2 | 1), borderType=cv2.BORDER_REPLICATE)


def is_cut_out(shape: tuple[int, ...]) -> bool:
    """Return whether a picture is too small for a page: a line or two, such as a field with its label, were cut out."""
    return min(shape) < CUT_OUT_PX


def level_factor(shape: tuple[int, ...]) -> int:
    """Return px of a picture per px of its paper level."""
    return max(1, max(shape) // 900)


def shrunk(pixels: UInt8[np.ndarray, "height width"], factor: int) -> UInt8[np.ndarray, "small_height small_width"]:
    """Return a picture with every square of `factor` px made one; what is left over at the far rims is dropped.

    Whole squares: OpenCV takes their mean ten times faster than that of parts of px.
    """
    if factor == 1:
        return pixels
    height, width = (max(1, side // factor) for side in pixels.shape)
    whole = pixels[: height * factor, : width * factor]
    return cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)


def reduced(pixels: UInt8[np.ndarray, "height width"], scale: float) -> UInt8[np.ndarray, "small_height small_width"]:
    """Return a picture at a scale of at most 1: by whole squares first, for that is where most of the px go.

    Args:
        pixels: Grey picture.
        scale: px of the result per px.
    """
    factor = int(1 / scale)
    # Less than halved again, every px still counts when neighbours are interpolated, and eight times faster.
    small, rest = shrunk(pixels, factor), scale * factor
    return cv2.resize(small, None, fx=rest, fy=rest, interpolation=cv2.INTER_LINEAR) if rest < 1 else small


def tone_counts(pixels: UInt8[np.ndarray, "height width"]) -> Float64[np.ndarray, "256"]:
    """Return how many px have each of the 256 tones."""
    return cv2.calcHist([pixels], [0], None, [256], [0, 256]).ravel().astype(float)


def broadest_stroke_px(pixels: UInt8[np.ndarray, "height width"], usual_px: int) -> int:
    """Return how wide a window must be to hold paper also where the broadest strokes meet.

    Args:
        pixels: Grey picture, 255 paper.
        usual_px: Window that ordinary pens need.
    """
    scale = min(1.0, 450 / max(pixels.shape))
    pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
    wide_px = round(4 * usual_px * scale) | 1
    wide = np.ones((wide_px, wide_px), np.uint8)
    level = cv2.morphologyEx(pixels, cv2.MORPH_CLOSE, wide, borderType=cv2.BORDER_REPLICATE)
    ink = (pixels < 0.65 * level).astype(np.uint8)
    if not ink.any():
        return 0
    distance = cv2.distanceTransform(ink, cv2.DIST_L2, 3)
    ridge = distance[(ink > 0) & (distance >= cv2.dilate(distance, np.ones((3, 3), np.uint8)) - 1e-6)]
    return round(4 * float(np.percentile(ridge, 99)) / scale)


def without_surroundings(pixels: UInt8[np.ndarray, "height width"]) -> UInt8[np.ndarray, "height width"]:
    """Return a picture with what is dark around the paper (scan borders, a table top, a folded corner) made paper.

    Dark areas count that lie along the picture's rim for a good part of a side; a stroke that ends at the rim does not,
    nor does paper in a deep shadow, on which there is print or writing.

    Args:
        pixels: Grey picture, 255 paper.
    """
    height, width = pixels.shape
    small = shrunk(pixels, max(1, max(height, width) // 900))
    brighter = np.cumsum(tone_counts(small))
    bright = float(np.searchsorted(brighter, 0.75 * brighter[-1]))
    dark = (small < 0.45 * bright).astype(np.uint8)
    if not (dark[0].any() or dark[-1].any() or dark[:, 0].any() or dark[:, -1].any()):
        return pixels
    # Padded, so that a border counts double: what is solid over this much is no stroke that ends at the rim.
    solid_px = max(9, round(SOLID_SHARE * max(small.shape)))
    pad = (solid_px,) * 4
    padded = cv2.copyMakeBorder(dark, *pad, cv2.BORDER_REPLICATE)
    opened = cv2.morphologyEx(padded, cv2.MORPH_OPEN, np.ones((solid_px, solid_px), np.uint8))
    solid = opened[solid_px:-solid_px, solid_px:-solid_px]
    count, labels = cv2.connectedComponents(solid)
    outside = np.zeros(count, bool)
    for rim in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        outside |= np.bincount(rim, minlength=count) >= max(12, RIM_SHARE * len(rim))
    outside[0] = False
    # Whether something is a shadow takes longer to see: most scans have nothing dark at the rim.
    if outside.any():
        outside &= ~in_shadow(small, labels, count)
    if not outside.any():
        return pixels
    grown = cv2.dilate(outside[labels].astype(np.uint8), np.ones((7, 7), np.uint8))
    mask = cv2.resize(grown, (width, height), interpolation=cv2.INTER_NEAREST).astype(bool)
    return np.where(mask, np.uint8(np.median(small[small >= 0.7 * bright])), pixels)


def in_shadow(
    small: UInt8[np.ndarray, "height width"], labels: Int32[np.ndarray, "height width"], count: int
) -> Bool[np.ndarray, " n"]:
    """Return which dark areas have strokes on them, thin and far darker than what is around them.

    Args:
        small: Grey picture, 255 paper.
        labels: Number of the area that each px belongs to.
        count: Of areas.
    """
    smooth = cv2.GaussianBlur(small, (3, 3), 0)
    level = cv2.morphologyEx(smooth, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    # A scanner's black differs from itself as much as ink from shadowed paper, but only by a tone or two.
    strokes = (smooth < STROKE_IN_SHADOW * level) & (level >= DEEPEST_SHADOW)
    size = np.maximum(np.bincount(labels.ravel(), minlength=count), 1)
    return np.bincount(labels[strokes], minlength=count) >= WRITTEN * size


def softened(pixels: UInt8[np.ndarray, "height width"]) -> UInt8[np.ndarray, "height width"]:
    """Return a bilevel scan with soft edges, so that strokes frayed by its threshold hold together; others as they are.

    Args:
        pixels: Grey picture, 255 paper.
    """
    step = max(1, max(pixels.shape) // 500)
    sample = pixels[::step, ::step]
    sharp = max(pixels.shape) >= BILEVEL_SIZE_PX and ((sample < 24) | (sample > 231)).mean() > 0.985
    if not sharp:
        return pixels
    # The darker of both: blur alone would lose strokes of a single px.
    return cv2.min(pixels, cv2.GaussianBlur(pixels, (0, 0), max(pixels.shape) / BILEVEL_SIZE_PX * 0.3))


def darkness(
    pixels: UInt8[np.ndarray, "height width"], level: UInt8[np.ndarray, "small_height small_width"] | None = None
) -> UInt8[np.ndarray, "height width"]:
    """Return how much darker than the paper every pixel is: 0 paper, 255 black.

    Args:
        pixels: Grey picture, 255 paper.
        level: Of the same paper at any scale, if known; `paper_level` takes longest.
    """
    level = paper_level(pixels) if level is None else level
    if level.shape != pixels.shape:
        level = cv2.resize(level, pixels.shape[::-1], interpolation=cv2.INTER_LINEAR)
    dark = cv2.bitwise_not(cv2.divide(pixels, level, scale=255))
    # Where all is black there is no paper to be darker than.
    return np.where(level < 16, np.uint8(0), dark) if level.min() < 16 else dark


def noise_and_stroke(dark: UInt8[np.ndarray, "height width"]) -> tuple[float, float]:
    """Return the darkness that the ground reaches by itself, and that of strong strokes.

    Args:
        dark: From `darkness`.

    Returns:
        Noise and stroke level, 0 to 255; the stroke level is at least 24 above the noise.
    """
    step = max(1, int(np.sqrt(dark.size / 1e6)))
    counts = tone_counts(dark[::step, ::step])
    levels = np.arange(256)
    split = _otsu(counts)
    ground = counts[: split + 1]
    count = max(ground.sum(), 1.0)  # a page of one darkness has no ground
    mean = float((ground * levels[: split + 1]).sum() / count)
    spread = float(np.sqrt((ground * (levels[: split + 1] - mean) ** 2).sum() / count))
    noise = mean + 2 * spread
    strong = np.cumsum(np.where(levels > split, counts, 0))
    stroke = float(np.searchsorted(strong / strong[-1], 0.85)) if strong[-1] else 0.0
    return noise, max(stroke, noise + 24)


def has_plain_ground(dark: UInt8[np.ndarray, "height width"]) -> bool:
    """Return whether the ground has no pattern that sharpening would bring out, such as that of cheques.

    Args:
        dark: From `darkness`.
    """
    noise, stroke = noise_and_stroke(dark)
    return noise <= PLAIN * stroke


def full_contrast(dark: UInt8[np.ndarray, "height width"], pale: bool = False) -> UInt8[np.ndarray, "height width"]:
    """Return darkness stretched so that strong strokes are near black: faint scans then look like any other.

    Args:
        dark: From `darkness`.
        pale: Whether the strokes that matter are far paler than the strongest: print in a light colour, under a pen.
    """
    if pale:
        counts = tone_counts(dark)
        ground = counts[: _otsu(counts) + 1]
        split = _otsu(ground)
        strong = np.cumsum(np.where(np.arange(len(ground)) > split, ground, 0))
        stroke = float(np.searchsorted(strong, 0.85 * strong[-1])) if strong[-1] else 255.0
    else:
        _, stroke = noise_and_stroke(dark)
    return cv2.convertScaleAbs(dark, alpha=230 / stroke) if 0 < stroke < 200 else dark


def _otsu(counts: Float64[np.ndarray, " levels"]) -> int:
    """Otsu's threshold of a histogram: the last level of the ground (Otsu 1979)."""
    levels = np.arange(len(counts), dtype=float)
    weight = np.cumsum(counts)
    mass = np.cumsum(counts * levels)
    total = weight[-1]
    between = (mass[-1] / total * weight - mass) ** 2 / np.maximum(weight * (total - weight), 1e-9)
    between[weight >= total] = 0
    return int(np.argmax(between))


def normalise_ink(dark: UInt8[np.ndarray, "height width"], long_px: int) -> UInt8[np.ndarray, "height width"]:
    """Stretch darkness so that the paper is 0 and pen strokes are near 255, also where the pen is faint.

    The stroke level is followed locally (over about two characters), because one page may hold black printing and
    pencil.

    Args:
        dark: From `darkness`, what is not writing already set to 0; a page or a part of one.
        long_px: Long side of the page.
    """
    noise, stroke = noise_and_stroke(dark)
    if noise > PATTERNED * stroke:
        # The hair lines of security paper are as dark as a pen, but far thinner.
        dark = cv2.GaussianBlur(dark, (0, 0), 1.0)
        noise, stroke = noise_and_stroke(dark)
    height, width = dark.shape
    least_low = max(1.2 * noise, FAINTEST * stroke)
    factor = max(1, long_px // 900)
    weight = shrunk(cv2.threshold(dark, int(least_low), 255, cv2.THRESH_TOZERO)[1], factor).astype(np.float32)
    sigma_px = max(8.0, long_px / 120) / factor
    # So wide a blur needs no finer grid than this.
    coarse = (max(1, round(weight.shape[1] * 3 / sigma_px)), max(1, round(weight.shape[0] * 3 / sigma_px)))
    first, second = (
        cv2.GaussianBlur(cv2.resize(moment, coarse, interpolation=cv2.INTER_AREA), (0, 0), 3.0)
        for moment in (weight, weight * weight)
    )
    # Where nobody wrote, a patterned ground must not be taken for faint writing.
    least = max(0.3 * stroke, min(2 * noise, 0.9 * stroke), least_low + 16)
    local = np.clip(second / np.maximum(first, 1e-3), least, 255)
    low = np.maximum(least_low, HALO * local)
    low, span = (
        cv2.resize(tones.astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
        for tones in (np.round(low), np.clip(0.9 * local - low, 16, 255))
    )
    return cv2.divide(cv2.subtract(dark, low), span, scale=255)
