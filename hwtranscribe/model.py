"""The networks: `GlyphNet` and `LineNet`, which are shipped, and the two small ones that the project began from.

`LineNet` takes strips of writing and gives logits for every 4 px of them; the others take glyphs `Float32["n 28 28 1"]`
and give logits `Float32["n classes"]`, one per label.

For reading, `folded` puts batch normalisation into the kernels and transforms those of the small maps, where most of
the work is (`winograd.py`).
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hwtranscribe.errors import CheckpointError
from hwtranscribe.winograd import FoldedConv, transformed_kernel

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
        for_reading: Whether the variables are those that `folded` makes; such a network can't be trained.
    """

    class_count: int
    features: tuple[int, int, int] = (32, 64, 128)
    hidden: int = 192
    dropout_rate: float = 0.3
    for_reading: bool = False

    @nn.compact
    def __call__(self, glyphs: Float[Array, "n 28 28 1"], train: bool = False) -> Float[Array, "n classes"]:
        """Return logits."""

        def connect(x: Array, features: int) -> Array:
            if self.for_reading:
                return nn.Dense(features)(x)
            return _batch_norm(nn.Dense(features, use_bias=False)(x), train)

        x = _trunk(glyphs, self.features, train, self.for_reading)
        x = x.reshape(x.shape[0], -1)
        x = nn.Dropout(self.dropout_rate, deterministic=not train)(x)
        x = nn.relu(connect(x, self.hidden))
        x = nn.Dropout(self.dropout_rate, deterministic=not train)(x)
        return nn.Dense(self.class_count)(x)


class LineNet(nn.Module):
    """Reads a line of writing without cutting it: the convolutions of `GlyphNet` over the whole line.

    What `GlyphNet` flattens for its dense layer is here a window of columns that moves along the line, as in a space
    displacement network (Matan et al. 1992); another layer sees what stands beside a character. The logits of a column
    are those of the character read there, or of the last class where none is: connectionist temporal classification
    makes a text of them (Graves et al. 2006).

    Attributes:
        class_count: Length of the output; the last class is the blank.
        features: Channels, as of `GlyphNet`.
        hidden: Width of the two layers along the line.
        dropout_rate: Before the first and after the second of them.
        for_reading: Whether the variables are those that `folded` makes; such a network can't be trained.
    """

    class_count: int
    features: tuple[int, int, int] = (32, 64, 128)
    hidden: int = 192
    dropout_rate: float = 0.2
    for_reading: bool = False

    @nn.compact
    def __call__(self, strips: Float[Array, "n 32 w 1"], train: bool = False) -> Float[Array, "n columns classes"]:
        """Return the logits of every column, `COLUMN_PX` wide."""

        def along(x: Array, width: int) -> Array:
            x = _Along(self.hidden, width, self.for_reading)(x)
            return x if self.for_reading else _batch_norm(x, train)

        x = _trunk(strips, self.features, train, self.for_reading)
        x = x.transpose(0, 2, 1, 3).reshape(x.shape[0], x.shape[2], -1)
        x = nn.Dropout(self.dropout_rate, deterministic=not train)(x)
        x = nn.relu(along(x, _GLYPH_COLUMNS))
        x = nn.relu(x + along(x, _CONTEXT_COLUMNS))
        x = nn.Dropout(self.dropout_rate, deterministic=not train)(x)
        return nn.Dense(self.class_count)(x)


COLUMN_PX = 4
"""Width of what `LineNet` gives one row of logits for."""
_GLYPH_COLUMNS, _CONTEXT_COLUMNS = 7, 5
"""Columns that the two layers along the line see: a glyph's 28 px, and the characters beside it."""


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
        preset: `glyphnet`, `linenet`, `mnist-433k` or `mnist-2m`.
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
        if self.preset in ("glyphnet", "linenet"):
            options = {k: tuple(v) if isinstance(v, list) else v for k, v in self.options.items()}
            try:
                return (GlyphNet if self.preset == "glyphnet" else LineNet)(self.class_count, **options)
            except TypeError as error:
                raise CheckpointError(f"network options {self.options!r} of {self.preset}: {error}") from error
        if self.preset in ("mnist-433k", "mnist-2m"):
            return SmallNet(self.class_count, self.preset)
        raise CheckpointError(f"network preset {self.preset!r}; allowed: glyphnet, linenet, mnist-433k, mnist-2m")


def folded(network: nn.Module, variables: Any) -> tuple[nn.Module, Any]:
    """Return a network and its variables as they are read with: the same scores for less work.

    Args:
        network: As trained; `SmallNet` is returned as it is.
        variables: Of it.
    """
    if not isinstance(network, GlyphNet | LineNet):
        return network, variables
    params, statistics = variables["params"], variables["batch_stats"]

    def without_norm(kernel: Any, number: int) -> dict[str, np.ndarray]:
        norm, running = params[f"BatchNorm_{number}"], statistics[f"BatchNorm_{number}"]
        gain = np.asarray(norm["scale"], np.float64) / np.sqrt(np.asarray(running["var"], np.float64) + _NORM_EPSILON)
        bias = np.asarray(norm["bias"]) - np.asarray(running["mean"]) * gain
        return {"kernel": np.asarray(kernel) * gain, "bias": bias}

    layers: dict[str, dict[str, np.ndarray]] = {}
    for number in range(_CONVOLUTIONS):
        layer = without_norm(params[f"Conv_{number}"]["kernel"], number)
        if number >= _FIRST_SMALL:
            layer["kernel"] = transformed_kernel(layer["kernel"])
        layers[f"FoldedConv_{number}"] = layer
    names = ("Dense_0",) if isinstance(network, GlyphNet) else ("_Along_0", "_Along_1")
    for number, name in enumerate(names, start=_CONVOLUTIONS):
        layers[name] = without_norm(params[name]["kernel"], number)
    last = "Dense_1" if isinstance(network, GlyphNet) else "Dense_0"
    layers[last] = params[last]
    single = jax.tree.map(lambda values: np.asarray(values, np.float32), layers)
    return network.clone(for_reading=True), {"params": single}


def _trunk(x: Array, features: tuple[int, int, int], train: bool, for_reading: bool) -> Array:
    """The convolutions: of n maps of h x w px to maps of h / 4 x w / 4; layers of the network that calls it."""

    def convolve(x: Array, features: int) -> Array:
        if for_reading:
            return FoldedConv()(x)
        return _batch_norm(nn.Conv(features, (3, 3), use_bias=False)(x), train)

    first, second, third = features
    x = _pixels_to_channels(x)
    x = nn.relu(convolve(x, first))
    x = _max_pool(nn.relu(convolve(x, second)))
    x = nn.relu(convolve(x, third))
    return nn.relu(x + convolve(nn.relu(convolve(x, third)), third))


class _Along(nn.Module):
    """A dense layer over a window of columns that moves along the line; one matrix product, which beats a convolution.

    Attributes:
        features: Width of the output.
        width: Columns of the window, odd.
        use_bias: Whether a bias is added.
    """

    features: int
    width: int
    use_bias: bool

    @nn.compact
    def __call__(self, x: Float[Array, "n columns c"]) -> Float[Array, "n columns d"]:
        count, columns, channels = x.shape
        shape = (self.width, channels, self.features)
        kernel = self.param("kernel", nn.initializers.lecun_normal(in_axis=(0, 1)), shape)
        flat = kernel.transpose(1, 0, 2).reshape(channels, -1)
        products = (x.reshape(-1, channels) @ flat).reshape(count, columns, self.width, self.features)
        reach = self.width // 2
        products = jnp.pad(products, ((0, 0), (reach, reach), (0, 0), (0, 0)))
        y = sum((products[:, i : i + columns, i] for i in range(self.width)), start=jnp.float32(0))
        return y + self.param("bias", nn.initializers.zeros, (self.features,)) if self.use_bias else y


_CONVOLUTIONS, _FIRST_SMALL = 5, 2
"""How many there are, and from which on maps are a quarter of the image. On larger ones Winograd's gains nothing."""

_NORM_EPSILON = 1e-5


def _batch_norm(x: Array, train: bool) -> Array:
    return nn.BatchNorm(use_running_average=not train, momentum=0.95, epsilon=_NORM_EPSILON)(x)


def _pixels_to_channels(x: Array) -> Array:
    n, height, width, _ = x.shape
    cells = x.reshape(n, height // 2, 2, width // 2, 2)
    return cells.transpose(0, 1, 3, 2, 4).reshape(n, height // 2, width // 2, 4)


def _max_pool(x: Array) -> Array:
    """2 x 2 maximum; an odd last row or column is dropped. Reshaping beats `nn.max_pool` on XLA:CPU."""
    n, height, width, channels = x.shape
    x = x[:, : height // 2 * 2, : width // 2 * 2]
    return jnp.max(x.reshape(n, height // 2, 2, width // 2, 2, channels), axis=(2, 4))


def keep_compiled_programs() -> None:
    """Keep compiled programs on disk: compiling takes most of the start otherwise."""
    if jax.config.jax_compilation_cache_dir is None:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        jax.config.update("jax_compilation_cache_dir", str(base / "hwtranscribe" / "xla"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def parameter_count(params: Any) -> int:
    """Number of trained values in a parameter tree."""
    return sum(leaf.size for leaf in jax.tree.leaves(params))
