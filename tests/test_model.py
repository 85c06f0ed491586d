import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hwtranscribe.checkpoint import default_checkpoint_path, load_checkpoint
from hwtranscribe.errors import CheckpointError
from hwtranscribe.model import LABELS, NetworkSpec, folded, parameter_count


def parameters_of(preset: str, class_count: int) -> int:
    module = NetworkSpec(preset, class_count, {}).build()
    glyphs = jax.ShapeDtypeStruct((1, 28, 28, 1), jnp.float32)
    return parameter_count(jax.eval_shape(module.init, jax.random.key(0), glyphs)["params"])


def test_presets_have_exactly_the_parameters_they_began_with() -> None:
    assert parameters_of("mnist-433k", 26) == 433_018
    assert parameters_of("mnist-2m", 10) == 2_380_938


@pytest.mark.parametrize("preset", ["glyphnet", "mnist-433k", "mnist-2m"])
def test_logits_are_one_per_class(preset: str) -> None:
    module = NetworkSpec(preset, 63, {}).build()
    logits = jax.eval_shape(lambda: module.init_with_output(jax.random.key(0), jnp.zeros((3, 28, 28, 1)))[0])
    assert logits.shape == (3, 63)


def test_a_network_for_reading_gives_the_scores_of_the_trained_one() -> None:
    checkpoint = load_checkpoint(default_checkpoint_path())
    network = checkpoint.network.build()
    glyphs = np.random.default_rng(0).random((4, 28, 28, 1), np.float32)
    reading, variables = folded(network, checkpoint.variables)
    trained = jax.jit(network.apply)(checkpoint.variables, glyphs)
    np.testing.assert_allclose(jax.jit(reading.apply)(variables, glyphs), trained, atol=1e-3)


def test_a_small_network_is_read_with_as_it_was_trained() -> None:
    network = NetworkSpec("mnist-433k", 26, {}).build()
    assert folded(network, {"params": {}}) == (network, {"params": {}})


def test_labels_are_digits_both_cases_and_garbage() -> None:
    assert len(LABELS) == 63
    assert LABELS[-1] == ""
    assert len(set(LABELS)) == 63


def test_unknown_network_is_named() -> None:
    with pytest.raises(CheckpointError, match="resnet"):
        NetworkSpec("resnet", 10, {}).build()
    with pytest.raises(CheckpointError, match="depth"):
        NetworkSpec("glyphnet", 10, {"depth": 3}).build()
