"""A page to be registered, at the scales that are asked for."""

from functools import cached_property

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from hwtranscribe.imaging.geometry import scaling
from hwtranscribe.imaging.paper import darkness, level_factor, paper_level, reduced
from hwtranscribe.register.features import Features, page_features


class Sheet:
    """A page at the scales that are asked for.

    Attributes:
        pixels: Grey, 255 paper.
        pale: Whether its print is taken to be far paler than the writing on it.
    """

    def __init__(self, pixels: UInt8[np.ndarray, "height width"], pale: bool = False) -> None:
        self.pixels = pixels
        self.pale = pale
        self._dark: dict[float, UInt8[np.ndarray, "small_height small_width"]] = {}

    @cached_property
    def level(self) -> UInt8[np.ndarray, "small_height small_width"]:
        """The level of its paper, found once, where a blank form is looked for."""
        return paper_level(self.pixels)

    @cached_property
    def features(self) -> Features:
        """Its features, found once, where a form is looked for at any angle."""
        return page_features(self.pixels, pale=self.pale)

    @cached_property
    def fine_features(self) -> Features:
        """More of them, found once, where those do not show a form, or leave room for others."""
        return page_features(self.pixels, fine=True, pale=self.pale)

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
