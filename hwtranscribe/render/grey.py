"""Colour, palettes, transparency and deep pixels -> 8-bit grey with paper light and every pen dark."""

import cv2
import numpy as np
from jaxtyping import Shaped, UInt8
from PIL import Image

_PAPER_STEP = 8  # px between the samples that the colour of the paper is taken from
_PAPER_PERCENTILE = 90
_MAX_GAIN = 2.0
_MARKER_STEP = 4
_VIVID, _BRIGHT = 90, 190
"""Least difference of the channels of a highlighter's colour, and least tone of its brightest channel."""
_MOST = 0.15
"""A colour on more of the page than this is printed: what is written on it is told by the tone of paper there."""
_BROAD = 1 / 90
"""Least breadth of a highlighter's stroke, as a share of the picture's long side: 3.3 mm of A4, more than a pen's."""


def grey_from_rgb(rgb: UInt8[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "height width"]:
    """Grey in which pens of any colour are dark and tinted paper is light.

    Luminance alone makes a red or light blue pen pale; the darkest channel alone makes yellow or pink paper dark. So
    the channels are first brought to the tint of the paper (a white balance that leaves its brightness as it is), and
    the result is the mean of luminance and darkest channel: red ink keeps about three quarters of the contrast of
    black, while JPEG's colour noise, which the darkest channel picks up, is halved. Where a highlighter went over the
    paper, it is made paper.
    """
    samples = rgb[::_PAPER_STEP, ::_PAPER_STEP].reshape(-1, 3)
    paper = np.maximum(np.percentile(samples, _PAPER_PERCENTILE, axis=0), 1)
    gains = np.minimum(paper.max() / paper, _MAX_GAIN)
    if (gains > 1).any():
        table = np.clip(np.arange(256)[:, None] * gains + 0.5, 0, 255).astype(np.uint8)
        rgb = cv2.LUT(rgb, table[None])
    darkest = cv2.min(cv2.min(rgb[..., 0], rgb[..., 1]), rgb[..., 2])
    grey = cv2.addWeighted(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), 0.5, darkest, 0.5, 0)
    marked = _highlighted(rgb)
    if marked is not None:
        # Its brightest channel is as bright as the paper, and dark where a pen is.
        brightest = cv2.max(cv2.max(rgb[..., 0], rgb[..., 1]), rgb[..., 2])
        grey = np.where(marked > 0, brightest, grey)
    return grey


def _highlighted(rgb: UInt8[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "height width"] | None:
    """1 where a highlighter went over the paper, or a little of it is printed in such a colour; None where nowhere."""
    small = rgb[::_MARKER_STEP, ::_MARKER_STEP]
    brightest = cv2.max(cv2.max(small[..., 0], small[..., 1]), small[..., 2])
    darkest = cv2.min(cv2.min(small[..., 0], small[..., 1]), small[..., 2])
    vivid = ((brightest >= _BRIGHT) & (cv2.subtract(brightest, darkest) >= _VIVID)).view(np.uint8)
    if not vivid.any():
        return None
    broad_px = max(6, round(_BROAD * max(small.shape)))
    # Pens leave gaps in it that are narrower than it is.
    solid = cv2.morphologyEx(vivid, cv2.MORPH_CLOSE, np.ones((broad_px // 2 | 1,) * 2, np.uint8))
    solid = cv2.morphologyEx(solid, cv2.MORPH_OPEN, np.ones((broad_px, broad_px), np.uint8))
    if not 0 < np.count_nonzero(solid) < _MOST * solid.size:
        return None
    return cv2.resize(cv2.dilate(solid, np.ones((5, 5), np.uint8)), rgb.shape[1::-1], interpolation=cv2.INTER_NEAREST)


def grey_from_deep(values: Shaped[np.ndarray, "height width"]) -> UInt8[np.ndarray, "height width"]:
    """8-bit grey from 16- or 32-bit integers or floats.

    Integers are shifted by whole bits until the largest fits: scanners store 10 or 12 bits in 16 as they are.
    """
    values = np.nan_to_num(values)
    largest = values.max(initial=0)
    if np.issubdtype(values.dtype, np.floating):
        return np.clip(values * (255 / largest if largest > 255 else 255 if largest <= 1 else 1), 0, 255).astype(
            np.uint8
        )
    return np.clip(values >> max(int(largest).bit_length() - 8, 0), 0, 255).astype(np.uint8)


def grey_from_image(image: Image.Image) -> UInt8[np.ndarray, "height width"]:
    """Grey of a decoded image of any Pillow mode; transparency lies over white."""
    if image.mode in ("1", "L"):
        if "transparency" not in image.info:
            return np.array(image.convert("L"))
        image = image.convert("LA")
    if image.mode == "F" or image.mode.startswith("I"):
        return grey_from_deep(np.asarray(image))
    if image.mode == "LAB":
        return np.array(image.getchannel(0))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        rgba = np.asarray(image.convert("RGBA"))
        alpha = rgba[..., 3:].astype(np.uint16)
        if alpha.min(initial=255) < 255:
            over_white = (rgba[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255
            return grey_from_rgb(over_white.astype(np.uint8))
        return grey_from_rgb(np.ascontiguousarray(rgba[..., :3]))
    return grey_from_rgb(np.asarray(image.convert("RGB")))
