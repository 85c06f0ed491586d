"""The state of an interrupted run: one file, written aside and renamed after every epoch."""

import json
from pathlib import Path
from typing import Any

import jax
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as save_tensors

from hwtranscribe.errors import CheckpointError, OutputError
from hwtranscribe.files import write_atomically
from hwtranscribe.training.step import TrainState

STATE_NAME = "state.safetensors"


def save_state(folder: Path, state: TrainState, run: dict[str, Any], log: list[dict[str, Any]]) -> None:
    """Write the state after an epoch, with what the run is and its log so far."""
    leaves = {name: np.asarray(leaf) for name, leaf in _named_leaves(state)}
    metadata = {"run": json.dumps(run, sort_keys=True), "log": json.dumps(log)}
    write_atomically(folder / STATE_NAME, save_tensors(leaves, metadata))


def restore_state(folder: Path, fresh: TrainState, run: dict[str, Any]) -> tuple[TrainState, list[dict[str, Any]]]:
    """Return where the run in this folder stands; the fresh state and an empty log where there is none.

    Raises:
        OutputError: The folder holds another run.
        CheckpointError: The state is damaged or of another shape.
    """
    path = folder / STATE_NAME
    if not path.exists():
        return fresh, []
    try:
        with safe_open(path, "np") as file:
            metadata = file.metadata()
            leaves = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        log, there = json.loads(metadata["log"]), json.loads(metadata["run"])
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: damaged ({error}); delete it to start the run again") from error
    here = json.loads(json.dumps(run, sort_keys=True))
    different = sorted(key for key in here.keys() | there.keys() if here.get(key) != there.get(key))
    if different == ["epochs"] and len(log) <= min(here["epochs"], there["epochs"]) - here["decay_epochs"]:
        # The rate falls at the end only: up to there, runs of different lengths are the same run.
        different = []
    if different:
        changes = ", ".join(f"{key} {there.get(key)!r} there, {here.get(key)!r} now" for key in different[:3])
        raise OutputError(f"{folder}: holds another training run ({changes}); give another --out")
    restored = []
    for name, leaf in _named_leaves(fresh):
        if name not in leaves or leaves[name].shape != leaf.shape:
            raise CheckpointError(f"{path}: leaf {name!r} of shape {leaf.shape} is missing or of another shape")
        restored.append(jax.numpy.asarray(leaves[name]))
    return jax.tree.unflatten(jax.tree.structure(fresh), restored), log


def _named_leaves(state: TrainState) -> list[tuple[str, Any]]:
    return [(jax.tree_util.keystr(path), leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(state)]
