"""Homographies between pictures."""

import cv2
import numpy as np
from jaxtyping import Float32, Float64


def scaling(x_scale: float, y_scale: float | None = None) -> Float64[np.ndarray, "3 3"]:
    """Return where px centres go when a picture is resized: px 0 of the small picture covers several of the large one.

    Args:
        x_scale: px of the result per px of the picture.
        y_scale: The same downwards, if it differs.
    """
    y_scale = x_scale if y_scale is None else y_scale
    return np.array([[x_scale, 0, (x_scale - 1) / 2], [0, y_scale, (y_scale - 1) / 2], [0, 0, 1.0]])


def project(
    transform: Float64[np.ndarray, "3 3"], points: Float32[np.ndarray, "n 2"] | Float64[np.ndarray, "n 2"]
) -> Float64[np.ndarray, "n 2"]:
    """Return points moved by a homography."""
    return cv2.perspectiveTransform(points.reshape(-1, 1, 2).astype(np.float64), transform).reshape(-1, 2)
