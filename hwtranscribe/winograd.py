"""Convolutions of networks that only read: by Winograd's minimal filtering where maps are small.

F(4 x 4, 3 x 3) takes a third of the multiplications of the plain sum (Lavin and Gray, arXiv 1509.09308).
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


class FoldedConv(nn.Module):
    """3 x 3 convolution with a bias; by Winograd's algorithm where its kernel is transformed for it."""

    @nn.compact
    def __call__(self, x: Float[Array, "n h w c"]) -> Float[Array, "n h w d"]:
        """Return maps of the same size."""
        kernel, bias = self.get_variable("params", "kernel"), self.get_variable("params", "bias")
        if kernel.ndim == 3:
            return _winograd(x, kernel) + bias
        layout = ("NHWC", "HWIO", "NHWC")
        return jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=layout) + bias


def transformed_kernel(kernel: Float[np.ndarray, "3 3 c d"]) -> Float[np.ndarray, "36 c d"]:
    """Return a kernel as `FoldedConv` takes it for Winograd's algorithm."""
    transformed = np.einsum("ia,jb,abcd->ijcd", _KERNEL, _KERNEL, kernel)
    return transformed.reshape(36, *transformed.shape[2:])


_INPUT = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
_KERNEL = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24
_OUTPUT = np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]])
"""The transforms of F(4, 3): of six inputs, of three weights, and from six products to four outputs."""


def _winograd(x: Float[Array, "n h w c"], kernel: Float[Array, "36 c d"]) -> Float[Array, "n h w d"]:
    """3 x 3 convolution that keeps the size of the map, by F(4 x 4, 3 x 3); the kernel is transformed already."""
    n, height, width, channels = x.shape
    down, across = -(-height // 4), -(-width // 4)
    x = jnp.pad(x, ((0, 0), (1, 4 * down - height + 1), (1, 4 * across - width + 1), (0, 0)))
    rows = _combined(_INPUT, [x[:, i : i + 4 * down - 3 : 4] for i in range(6)])
    tiles = [
        tile.reshape(-1, channels)
        for row in rows
        for tile in _combined(_INPUT, [row[:, :, j : j + 4 * across - 3 : 4] for j in range(6)])
    ]
    products = jnp.einsum("ptc,pcd->ptd", jnp.stack(tiles), kernel).reshape(6, 6, n, down, across, -1)
    outputs = [_combined(_OUTPUT, list(row)) for row in _combined(_OUTPUT, list(products))]
    whole = jnp.stack([jnp.stack(row, axis=3) for row in outputs], axis=2)
    return whole.reshape(n, 4 * down, 4 * across, -1)[:, :height, :width]


def _combined(weights: np.ndarray, parts: list[Array]) -> list[Array]:
    """Sums of arrays with whole weights, most of which are 0: matrix products of this size would cost more."""
    return [
        sum((float(weight) * part for weight, part in zip(row, parts, strict=True) if weight), start=jnp.float32(0))
        for row in weights
    ]
