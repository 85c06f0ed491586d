"""The train step: loss, optimizer, the moving average of the weights."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int

from hwtranscribe.training.recipes import Recipe


class TrainState(flax.struct.PyTreeNode):
    """All that a run is made of between two steps."""

    step: Array
    params: Any
    batch_stats: Any
    average: Any
    optimizer: Any


Step = Callable[..., tuple[TrainState, Array]]
"""From a state, inputs, and what the loss needs besides, to the next state and the loss."""


def make_optimizer(recipe: Recipe, steps_per_epoch: int) -> optax.GradientTransformation:
    """AdamW (plain Adam where the recipe has no decay of weights) under the recipe's schedule."""
    if recipe.weight_decay == 0:
        return optax.adam(recipe.learning_rate)
    warmup, decay = recipe.warmup_epochs * steps_per_epoch, recipe.decay_epochs * steps_per_epoch
    total = recipe.epochs * steps_per_epoch

    def schedule(step: Array) -> Array:
        rise, fall = (step + 1) / max(warmup, 1), (total - step) / max(decay, 1)
        return recipe.learning_rate * jnp.clip(jnp.minimum(rise, fall), 0, 1)

    decays = lambda params: jax.tree.map(lambda leaf: leaf.ndim > 1, params)  # noqa: E731
    return optax.adamw(schedule, weight_decay=recipe.weight_decay, mask=decays)


def start_state(
    module: nn.Module,
    optimizer: optax.GradientTransformation,
    seed: int,
    example: np.ndarray,
    variables: Any | None = None,
) -> TrainState:
    """Initialise for inputs like an example, from given variables where there are any."""
    if variables is None:
        variables = jax.jit(module.init)(jax.random.key(seed), example)
    variables = jax.tree.map(jnp.asarray, variables)
    params, stats = variables["params"], variables.get("batch_stats", {})
    # Copies: the step gives its old state's memory away, and a buffer can be given away only once.
    average = jax.tree.map(jnp.copy, {"params": params, "batch_stats": stats})
    return TrainState(jnp.zeros((), jnp.int32), params, stats, average, optimizer.init(params))


def set_loss(
    logits: Float[Array, "n classes"],
    classes: Int[Array, " n"],
    other_case: Int[Array, " n"],
    smoothing: float,
) -> Float[Array, ""]:
    """Cross-entropy, where an unknown case asks only for the sum of both cases to be large."""
    log_probs = jax.nn.log_softmax(logits)
    one = jnp.take_along_axis(log_probs, classes[:, None], axis=1)[:, 0]
    two = jnp.take_along_axis(log_probs, other_case[:, None], axis=1)[:, 0]
    right = jnp.where(classes == other_case, one, jnp.logaddexp(one, two))
    return -jnp.mean((1 - smoothing) * right + smoothing * log_probs.mean(axis=1))


def make_step(
    module: nn.Module, optimizer: optax.GradientTransformation, recipe: Recipe, loss_of_logits: Callable[..., Array]
) -> Step:
    """Return the compiled step; the old state's memory is reused for the new one."""
    dropout_key = jax.random.key(recipe.seed + 1)

    def step(state: TrainState, inputs: Array, *targets: Array) -> tuple[TrainState, Array]:
        def loss_of(params: Any) -> tuple[Array, Any]:
            logits, changed = module.apply(
                {"params": params, "batch_stats": state.batch_stats},
                inputs,
                True,
                mutable=["batch_stats"],
                rngs={"dropout": jax.random.fold_in(dropout_key, state.step)},
            )
            return loss_of_logits(logits, *targets), changed.get("batch_stats", {})

        (loss, stats), gradient = jax.value_and_grad(loss_of, has_aux=True)(state.params)
        updates, optimizer_state = optimizer.update(gradient, state.optimizer, state.params)
        params = optax.apply_updates(state.params, updates)
        # Early on the average follows closely, or it would remember the random start.
        decay = jnp.minimum(recipe.ema_decay, (1.0 + state.step) / (10.0 + state.step))
        average = jax.tree.map(
            lambda old, new: decay * old + (1 - decay) * new,
            state.average,
            {"params": params, "batch_stats": stats},
        )
        return TrainState(state.step + 1, params, stats, average, optimizer_state), loss

    return jax.jit(step, donate_argnums=0)
