"""Checkpoints: a folder with `weights.safetensors` (no pickle, half precision) and `metadata.json`."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from hwtranscribe.errors import CheckpointError
from hwtranscribe.files import write_atomically
from hwtranscribe.glyph import GLYPH_SIZE_PX, GLYPH_VERSION
from hwtranscribe.model import LineNet, NetworkSpec
from hwtranscribe.strip import STRIP_HEIGHT_PX, STRIP_VERSION

FORMAT = 1
WEIGHTS_NAME = "weights.safetensors"
METADATA_NAME = "metadata.json"
DEFAULT_NAME = "default"
LINES_NAME = "lines"
"""Folder within a checkpoint: the network that reads whole lines."""


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A trained network.

    Attributes:
        network: How to build the module.
        variables: `params` and `batch_stats`, float32.
        labels: One per class.
        temperature: Logits are divided by it; fitted on validation.
        metadata: Everything of `metadata.json`: data, seed, command, figures.
        hash: Of the weights and of what changes scores.
    """

    network: NetworkSpec
    variables: dict[str, Any]
    labels: tuple[str, ...]
    temperature: float
    metadata: dict[str, Any]
    hash: str


def default_checkpoint_path() -> Path:
    """Return the shipped checkpoint: inside an installed wheel, or beside the package in a clone."""
    package = Path(__file__).parent
    for folder in (package / "checkpoints" / DEFAULT_NAME, package.parent / "checkpoints" / DEFAULT_NAME):
        if folder.is_dir():
            return folder
    raise CheckpointError(
        f"no shipped checkpoint in {package / 'checkpoints'} or {package.parent / 'checkpoints'}; "
        "install hwtranscribe again, or give --checkpoint FOLDER"
    )


def line_checkpoint_path(folder: Path | None) -> Path:
    """Return the network for lines that goes with a checkpoint: in its folder, or the shipped one."""
    if folder is not None and (Path(folder) / LINES_NAME).is_dir():
        return Path(folder) / LINES_NAME
    return default_checkpoint_path() / LINES_NAME


def save_checkpoint(
    folder: Path,
    network: NetworkSpec,
    variables: dict[str, Any],
    labels: tuple[str, ...],
    temperature: float,
    about: dict[str, Any],
) -> None:
    """Write a checkpoint; each file is written aside and renamed.

    Args:
        folder: Made if missing.
        network: How to build the module.
        variables: `params` and, where there are any, `batch_stats`.
        labels: One per class.
        temperature: Fitted on validation.
        about: Further JSON values: data, seed, command, figures.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # safetensors writes an array's memory as it lies there, also that of a transposed view.
    leaves = {name: np.ascontiguousarray(leaf, np.float16) for name, leaf in flatten_dict(variables, sep="/").items()}
    metadata = {
        "format": FORMAT,
        **input_version(network.preset),
        "network": {"preset": network.preset, "class_count": network.class_count, "options": network.options},
        "labels": list(labels),
        "temperature": temperature,
        **about,
    }
    write_atomically(folder / WEIGHTS_NAME, save_tensors(leaves))
    write_atomically(folder / METADATA_NAME, (json.dumps(metadata, indent=2) + "\n").encode())


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read a checkpoint and check that it fits this version.

    Raises:
        CheckpointError: It is missing, damaged, of another format or glyph version, or a leaf does not fit.
    """
    metadata = _read_metadata(folder / METADATA_NAME)
    stored = metadata.get("network")
    preset = stored.get("preset") if isinstance(stored, dict) else None
    for key, here in {"format": FORMAT, **input_version(preset)}.items():
        if metadata.get(key) != here:
            raise CheckpointError(
                f"{folder / METADATA_NAME}: {key} is {metadata.get(key)!r}, this version reads {here}; "
                "train again, or use the release that wrote it"
            )
    try:
        network = NetworkSpec(**metadata["network"])
        labels, temperature = tuple(metadata["labels"]), float(metadata["temperature"])
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{folder / METADATA_NAME}: damaged, {type(error).__name__}: {error}") from error
    if len(labels) != network.class_count:
        raise CheckpointError(
            f"{folder / METADATA_NAME}: {len(labels)} labels for a network of {network.class_count} classes"
        )
    weights = _read_bytes(folder / WEIGHTS_NAME)
    try:
        leaves = load_tensors(weights)
    except (SafetensorError, ValueError) as error:
        raise CheckpointError(f"{folder / WEIGHTS_NAME}: damaged, {error}; fetch or train it again") from error
    check_leaves(network.build(), leaves, folder / WEIGHTS_NAME)
    digest = hashlib.sha256(weights + repr((metadata["network"], labels, temperature)).encode()).hexdigest()
    variables = unflatten_dict({k: v.astype(np.float32) for k, v in leaves.items()}, sep="/")
    return Checkpoint(network, variables, labels, temperature, metadata, digest[:16])


def input_version(preset: object) -> dict[str, int]:
    """What a network is shown, by its version: glyphs, or strips."""
    return {"strip_version": STRIP_VERSION} if preset == "linenet" else {"glyph_version": GLYPH_VERSION}


def check_leaves(module: nn.Module, leaves: dict[str, np.ndarray], source: Path) -> None:
    """Compare stored leaves with what a network needs.

    Raises:
        CheckpointError: Names the first leaf that is missing, too many, or of another shape.
    """
    side = STRIP_HEIGHT_PX if isinstance(module, LineNet) else GLYPH_SIZE_PX
    shown = jax.ShapeDtypeStruct((1, side, side, 1), jnp.float32)
    needed = flatten_dict(jax.eval_shape(module.init, jax.random.key(0), shown), sep="/")
    for name, leaf in needed.items():
        if name not in leaves:
            raise CheckpointError(f"{source}: leaf {name!r} of shape {leaf.shape} is missing")
        if leaves[name].shape != leaf.shape:
            raise CheckpointError(f"{source}: leaf {name!r} has shape {leaves[name].shape}, needed is {leaf.shape}")
        if not np.isfinite(leaves[name]).all():
            raise CheckpointError(f"{source}: leaf {name!r} holds values that are no numbers")
    for name in leaves:
        if name not in needed:
            raise CheckpointError(f"{source}: leaf {name!r} is not part of the network")


def _read_metadata(path: Path) -> dict[str, Any]:
    try:
        metadata = json.loads(_read_bytes(path))
    except ValueError as error:
        raise CheckpointError(f"{path}: not JSON, {error}") from error
    if not isinstance(metadata, dict):
        raise CheckpointError(f"{path}: expected a JSON object")
    return metadata


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"{path}: can't be read ({error.strerror}); "
            f"a checkpoint is a folder with {WEIGHTS_NAME} and {METADATA_NAME}"
        ) from error
