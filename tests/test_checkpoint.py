import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from hwtranscribe import checkpoint as checkpoints
from hwtranscribe.checkpoint import METADATA_NAME, WEIGHTS_NAME, load_checkpoint, save_checkpoint
from hwtranscribe.errors import CheckpointError, ExitCode
from hwtranscribe.model import DIGITS, NetworkSpec

NETWORK = NetworkSpec("glyphnet", 10, {"features": [4, 4, 8], "hidden": 8})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shapes = jax.eval_shape(NETWORK.build().init, jax.random.key(0), jnp.zeros((1, 28, 28, 1)))
    variables = jax.tree.map(lambda leaf: np.full(leaf.shape, 0.5, np.float32), shapes)
    save_checkpoint(tmp_path / "net", NETWORK, variables, DIGITS, 1.25, {"seed": 1})
    return tmp_path / "net"


def edit_metadata(folder: Path, **changes: object) -> None:
    metadata = json.loads((folder / METADATA_NAME).read_text())
    (folder / METADATA_NAME).write_text(json.dumps({**metadata, **changes}))


def test_what_was_saved_is_loaded(folder: Path) -> None:
    loaded = load_checkpoint(folder)
    assert loaded.labels == DIGITS
    assert loaded.temperature == 1.25
    assert loaded.metadata["seed"] == 1
    assert loaded.variables["params"]["Dense_1"]["kernel"].shape == (8, 10)
    assert loaded.hash == load_checkpoint(folder).hash


def test_hash_follows_what_changes_scores(folder: Path) -> None:
    before = load_checkpoint(folder).hash
    edit_metadata(folder, seed=2)
    assert load_checkpoint(folder).hash == before
    edit_metadata(folder, temperature=2.0)
    assert load_checkpoint(folder).hash != before


def test_another_glyph_version_is_refused(folder: Path) -> None:
    edit_metadata(folder, glyph_version=999)
    with pytest.raises(CheckpointError, match="glyph_version is 999") as raised:
        load_checkpoint(folder)
    assert raised.value.exit_code == ExitCode.TEMPLATE_OR_CHECKPOINT


def test_leaf_of_another_shape_is_named(folder: Path) -> None:
    leaves = load_file(folder / WEIGHTS_NAME)
    leaves["params/Conv_1/kernel"] = np.zeros((3, 3, 4, 5), np.float16)
    save_file(leaves, folder / WEIGHTS_NAME)
    with pytest.raises(CheckpointError, match=r"params/Conv_1/kernel.*\(3, 3, 4, 5\).*\(3, 3, 4, 4\)"):
        load_checkpoint(folder)


@pytest.mark.parametrize("change", ["missing", "extra", "infinite"])
def test_wrong_leaves_are_named(folder: Path, change: str) -> None:
    leaves = load_file(folder / WEIGHTS_NAME)
    name = "params/Dense_1/bias"
    if change == "missing":
        del leaves[name]
    elif change == "extra":
        name = "params/Dense_9/bias"
        leaves[name] = np.zeros(3, np.float16)
    else:
        leaves[name] = np.full(10, np.inf, np.float16)
    save_file(leaves, folder / WEIGHTS_NAME)
    with pytest.raises(CheckpointError, match=name):
        load_checkpoint(folder)


@pytest.mark.parametrize("name", [WEIGHTS_NAME, METADATA_NAME])
def test_missing_and_damaged_files_are_named(folder: Path, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes()[:30])
    with pytest.raises(CheckpointError, match=name):
        load_checkpoint(folder)
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=name):
        load_checkpoint(folder)


def test_labels_must_fit_the_network(folder: Path) -> None:
    edit_metadata(folder, labels=["0"])
    with pytest.raises(CheckpointError, match="1 labels for a network of 10"):
        load_checkpoint(folder)


def test_shipped_checkpoint_is_found_in_an_installed_package(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "hwtranscribe"
    (package / "checkpoints" / "default").mkdir(parents=True)
    monkeypatch.setattr(checkpoints, "__file__", str(package / "checkpoint.py"))
    assert checkpoints.default_checkpoint_path() == package / "checkpoints" / "default"
    (package / "checkpoints" / "default").rmdir()
    with pytest.raises(CheckpointError, match="no shipped checkpoint"):
        checkpoints.default_checkpoint_path()


def test_shipped_checkpoint_is_small_and_says_where_it_is_from() -> None:
    folder = checkpoints.default_checkpoint_path()
    assert sum(path.stat().st_size for path in folder.iterdir()) < 8 * 2**20
    metadata = load_checkpoint(folder).metadata
    assert {"command", "data", "labels", "glyph_version", "recipe", "log"} <= metadata.keys()
