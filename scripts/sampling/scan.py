"""What a scanner or a camera makes of a sheet of paper."""

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Scan:
    """How a sheet is scanned; the defaults are a clean scan.

    Attributes:
        angle_deg: Turned counter-clockwise.
        scale: Size of the image relative to the sheet.
        shift_px: Moved right and down, in px of the image.
        shear: Horizontal shift per px downwards.
        perspective: How far the far edge is narrowed, as a share of the width.
        blur_px: Standard deviation of a Gaussian blur.
        noise: Standard deviation of the sensor's noise, grey levels.
        specks: Dark specks per million px.
        paper: Grey level of the paper.
        shadow: Darkest point of a shadow, as a share of the light that is missing.
        border: Grey level beside the sheet (0 for a black scan border).
        bilevel: Whether the scanner keeps black and white only.
        jpeg_quality: 1 to 100, or 0 without JPEG's traces.
        ink_rgb: Colour of the ink, or None for a grey scan.
        seed: Of all that is random.
    """

    angle_deg: float = 0.0
    scale: float = 1.0
    shift_px: tuple[float, float] = (0.0, 0.0)
    shear: float = 0.0
    perspective: float = 0.0
    blur_px: float = 0.0
    noise: float = 0.0
    specks: float = 0.0
    paper: int = 255
    shadow: float = 0.0
    border: int = 255
    bilevel: bool = False
    jpeg_quality: int = 0
    ink_rgb: tuple[int, int, int] | None = None
    seed: int = 0

    def take(self, printing: np.ndarray, ink: np.ndarray, darkness: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Scans a printed sheet with ink on it.

        Args:
            printing: Grey, 255 paper ("height width").
            ink: 255 full ink ("height width").
            darkness: Of full ink, 0 to 1.

        Returns:
            The image (grey, or RGB with coloured ink) and the homography from the sheet to the image ("3 3").
        """
        rng = np.random.default_rng(self.seed)
        cover = (ink.astype(np.float32) * (darkness / 255))[..., None]
        colour = np.array(self.ink_rgb if self.ink_rgb else (20,), np.float32)
        page = printing.astype(np.float32)[..., None] * (self.paper / 255)
        page = page * (1 - cover) + np.minimum(page, colour) * cover
        matrix = self._homography(printing.shape)
        width, height = self._size(printing.shape)
        page = cv2.warpPerspective(
            page, matrix, (width, height), flags=cv2.INTER_AREA, borderValue=(self.border,) * 3
        ).reshape(height, width, -1)
        page = self._develop(page, rng)
        image = np.clip(np.round(page), 0, 255).astype(np.uint8)
        if self.jpeg_quality:
            _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, self.jpeg_quality])
            image = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
        return (image if self.ink_rgb else image.reshape(height, width)), matrix

    def _develop(self, page: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Light, optics and sensor."""
        height, width = page.shape[:2]
        if self.shadow:
            y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
            edge = (x - rng.uniform(0.3, 0.7)) * rng.choice([-1, 1]) + (y - 0.5) * rng.uniform(-0.8, 0.8)
            page = page * (1 - self.shadow / (1 + np.exp(-edge * rng.uniform(4, 12))))[..., None]
        if self.blur_px:
            page = cv2.GaussianBlur(page, (0, 0), self.blur_px).reshape(page.shape)
        if self.specks:
            count = rng.poisson(self.specks * height * width / 1e6)
            spots = rng.integers((width, height), size=(count, 2)).tolist()
            for spot, radius in zip(spots, rng.integers(1, 3, count).tolist(), strict=True):
                page = cv2.circle(page, spot, radius, (40,) * page.shape[2], -1).reshape(page.shape)
        if self.noise:
            page = page + rng.normal(0, self.noise, page.shape[:2]).astype(np.float32)[..., None]
        if self.bilevel:
            page = np.where(page.mean(2, keepdims=True) < 0.7 * self.paper, 0.0, 255.0)
        return page

    def _size(self, shape: tuple[int, ...]) -> tuple[int, int]:
        height, width = shape[:2]
        quarter_turns = round(self.angle_deg / 90)
        if quarter_turns % 2:
            width, height = height, width
        return round(width * self.scale), round(height * self.scale)

    def _homography(self, shape: tuple[int, ...]) -> np.ndarray:
        height, width = shape[:2]
        out_width, out_height = self._size(shape)
        angle = np.radians(self.angle_deg)
        centre = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
        tilt = np.array([[1, 0, 0], [0, 1, 0], [0, -self.perspective / height, 1]])
        turn = np.array([[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
        shear = np.array([[1, self.shear, 0], [0, 1, 0], [0, 0, 1]])
        dx, dy = self.shift_px
        back = np.array([[self.scale, 0, out_width / 2 + dx], [0, self.scale, out_height / 2 + dy], [0, 0, 1]])
        return back @ turn @ shear @ tilt @ centre


def box_in_image(box: tuple[float, float, float, float], matrix: np.ndarray) -> tuple[int, int, int, int]:
    """The upright box around a box of the sheet, in px of the image."""
    left, top, right, bottom = box
    corners = np.array([[left, top, 1], [right, top, 1], [right, bottom, 1], [left, bottom, 1]]) @ matrix.T
    corners = corners[:, :2] / corners[:, 2:]
    (x0, y0), (x1, y1) = np.floor(corners.min(0)).astype(int), np.ceil(corners.max(0)).astype(int)
    return int(x0), int(y0), int(x1), int(y1)
