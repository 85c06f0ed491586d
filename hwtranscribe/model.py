"""The networks: `GlyphNet`, which is shipped, and the two small ones that the project began from.

All take glyphs `Float32["n 28 28 1"]` and give logits `Float32["n classes"]`, one per label.
"""

from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from hwtranscribe.errors import CheckpointError

DIGITS = tuple("0123456789")
UPPER = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
LOWER = tuple("abcdefghijklmnopqrstuvwxyz")
GARBAGE = ""
LABELS = (*DIGITS, *UPPER, *LOWER, GARBAGE)
"""Classes of `GlyphNet`: case-aware characters, and last the things that are no character."""


class GlyphNet(nn.Module):
    """Five convolutions with a residual, shaped for what XLA does well on a CPU: dense 3 x 3, reshape-max pooling.

    The first layer sees 2 x 2 pixel cells as channels: full-size feature maps are where a CPU loses its time.

    Attributes:
        class_count: Length of the output.
        features: Channels at 14 x 14 (two layers) and at 7 x 7.
        hidden: Width of the dense layer.
        dropout_rate: Before both dense layers.
    """

    class_count: int
    features: tuple[int, int, int] = (32, 64, 128)
    hidden: int = 192
    dropout_rate: float = 0.3

    @nn.compact
    def __call__(self, glyphs: Float[Array, "n 28 28 1"], train: bool = False) -> Float[Array, "n classes"]:
        """Return logits."""

        def convolve(x: Array, features: int) -> Array:
            return _batch_norm(nn.Conv(features, (3, 3), use_bias=False)(x), train)

        first, second, third = self.features
        x = _pixels_to_channels(glyphs)
        x = nn.relu(convolve(x, first))
        x = _max_pool(nn.relu(convolve(x, second)))
        x = nn.relu(convolve(x, third))
        x = nn.relu(x + convolve(nn.relu(convolve(x, third)), third))
        x = x.reshape(x.shape[0], -1)
        x = nn.Dropout(self.dropout_rate, deterministic=not train)(x)
        x = nn.relu(_batch_norm(nn.Dense(self.hidden, use_bias=False)(x), train))
        x = nn.Dropout(self.dropout_rate, deterministic=not train)(x)
        return nn.Dense(self.class_count)(x)


class SmallNet(nn.Module):
    """The networks the project began from: unpadded convolutions, one dense layer.

    Attributes:
        class_count: Length of the output.
        preset: `mnist-433k` or `mnist-2m`.
    """

    class_count: int
    preset: str

    @nn.compact
    def __call__(self, glyphs: Float[Array, "n 28 28 1"], train: bool = False) -> Float[Array, "n classes"]:
        """Return logits."""
        if self.preset == "mnist-433k":
            x = _max_pool(nn.relu(nn.Conv(32, (3, 3), padding="VALID")(glyphs)))
            x = _max_pool(nn.relu(nn.Conv(32, (3, 3), padding="VALID")(x)))
            x = nn.relu(nn.Dense(512)(x.reshape(x.shape[0], -1)))
        else:
            x = nn.relu(nn.Conv(32, (3, 3), padding="VALID")(glyphs))
            x = _max_pool(nn.relu(nn.Conv(64, (3, 3), padding="VALID")(x)))
            x = nn.Dropout(0.25, deterministic=not train)(x)
            x = nn.relu(nn.Dense(256)(x.reshape(x.shape[0], -1)))
            x = nn.Dropout(0.5, deterministic=not train)(x)
        return nn.Dense(self.class_count)(x)


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """What a checkpoint stores to build its network again.

    Attributes:
        preset: `glyphnet`, `mnist-433k` or `mnist-2m`.
        class_count: Length of the output.
        options: Further attributes of the module, plain JSON values.
    """

    preset: str
    class_count: int
    options: dict[str, Any]

    def build(self) -> nn.Module:
        """Return the module.

        Raises:
            CheckpointError: Unknown preset or option.
        """
        if self.preset == "glyphnet":
            options = {k: tuple(v) if isinstance(v, list) else v for k, v in self.options.items()}
            try:
                return GlyphNet(self.class_count, **options)
            except TypeError as error:
                raise CheckpointError(f"network options {self.options!r} of preset 'glyphnet': {error}") from error
        if self.preset in ("mnist-433k", "mnist-2m"):
            return SmallNet(self.class_count, self.preset)
        raise CheckpointError(f"network preset {self.preset!r}; allowed: glyphnet, mnist-433k, mnist-2m")


def _batch_norm(x: Array, train: bool) -> Array:
    return nn.BatchNorm(use_running_average=not train, momentum=0.95)(x)


def _pixels_to_channels(x: Array) -> Array:
    n, height, width, _ = x.shape
    cells = x.reshape(n, height // 2, 2, width // 2, 2)
    return cells.transpose(0, 1, 3, 2, 4).reshape(n, height // 2, width // 2, 4)


def _max_pool(x: Array) -> Array:
    """2 x 2 maximum; an odd last row or column is dropped. Reshaping beats `nn.max_pool` on XLA:CPU."""
    n, height, width, channels = x.shape
    x = x[:, : height // 2 * 2, : width // 2 * 2]
    return jnp.max(x.reshape(n, height // 2, 2, width // 2, 2, channels), axis=(2, 4))


def parameter_count(params: Any) -> int:
    """Number of trained values in a parameter tree."""
    return sum(leaf.size for leaf in jax.tree.leaves(params))
