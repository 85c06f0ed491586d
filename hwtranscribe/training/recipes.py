"""What is trained how: one recipe per preset. A recipe and a seed decide a run."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from hwtranscribe.errors import UsageError
from hwtranscribe.model import DIGITS, LABELS, UPPER, NetworkSpec


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides a training run, apart from the data.

    Attributes:
        preset: Network.
        network_options: Its further attributes.
        labels: Classes; small letters count as capitals where only those are there.
        epochs: Length of the schedule.
        samples_per_epoch: Characters drawn an epoch, garbage included, or lines; 0 is as many as there are.
        batch_size: Of a step.
        learning_rate: Peak.
        warmup_epochs: Linear rise at the start, then constant.
        decay_epochs: Linear fall to 0 at the end; 0 keeps the rate. A run may be given other `epochs` until it begins.
        weight_decay: Of AdamW; 0 is Adam.
        label_smoothing: Share of the target spread over all classes.
        ema_decay: Of the average of weights that is kept; 0 keeps the last weights.
        augment: Whether characters are varied.
        garbage_share: Share of things that are no character.
        seed: Of everything random.
    """

    preset: str
    network_options: dict[str, Any]
    labels: tuple[str, ...]
    epochs: int
    samples_per_epoch: int
    batch_size: int
    learning_rate: float
    warmup_epochs: float
    decay_epochs: int
    weight_decay: float
    label_smoothing: float
    ema_decay: float
    augment: bool
    garbage_share: float
    seed: int

    def network(self) -> NetworkSpec:
        """Return what builds the network."""
        return NetworkSpec(self.preset, len(self.labels), self.network_options)

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "labels": list(self.labels)}


def make_recipe(
    preset: str, epochs: int | None, samples_per_epoch: int | None, seed: int, learning_rate: float | None = None
) -> Recipe:
    """Return the recipe of a preset, with other values where they are given.

    Raises:
        UsageError: Unknown preset, a length below 1, or a rate that is not above 0 or is above 1.
    """
    for name, value in (("--epochs", epochs), ("--samples-per-epoch", samples_per_epoch)):
        if value is not None and value < 1:
            raise UsageError(f"{name} {value}: must be 1 or more")
    if learning_rate is not None and not 0 < learning_rate <= 1:
        raise UsageError(f"--learning-rate {learning_rate:g}: must be above 0 and at most 1")
    if preset == "glyphnet":
        return Recipe(
            preset=preset,
            network_options={"features": [32, 64, 128], "hidden": 192, "dropout_rate": 0.25},
            labels=LABELS,
            epochs=epochs or 26,
            samples_per_epoch=samples_per_epoch or 81_920,
            batch_size=32,
            learning_rate=learning_rate or 1.5e-3,
            warmup_epochs=1.0,
            decay_epochs=14,
            weight_decay=0.05,
            label_smoothing=0.05,
            ema_decay=0.999,
            augment=True,
            garbage_share=0.15,
            seed=seed,
        )
    if preset == "linenet":
        return Recipe(
            preset=preset,
            network_options={"features": [32, 64, 128], "hidden": 192, "dropout_rate": 0.2},
            labels=LABELS,
            epochs=epochs or 16,
            samples_per_epoch=samples_per_epoch or 9_600,
            batch_size=16,
            learning_rate=learning_rate or 1e-3,
            warmup_epochs=0.5,
            decay_epochs=10,
            weight_decay=0.03,
            label_smoothing=0.0,
            ema_decay=0.999,
            augment=True,
            garbage_share=0.0,
            seed=seed,
        )
    if preset in ("mnist-433k", "mnist-2m"):
        return Recipe(
            preset=preset,
            network_options={},
            labels=UPPER if preset == "mnist-433k" else DIGITS,
            epochs=epochs or 5,
            samples_per_epoch=samples_per_epoch or 0,
            batch_size=64,
            learning_rate=learning_rate or 1e-3,
            warmup_epochs=0.0,
            decay_epochs=0,
            weight_decay=0.0,
            label_smoothing=0.0,
            ema_decay=0.0,
            augment=False,
            garbage_share=0.0,
            seed=seed,
        )
    raise UsageError(f"--preset {preset!r}: allowed are glyphnet, linenet, mnist-433k, mnist-2m")


def fine_tuning_recipe(
    base: Recipe, network: NetworkSpec, epochs: int | None, learning_rate: float | None = None
) -> Recipe:
    """Return a short schedule at a small rate, for weights that are already good."""
    return replace(
        base,
        network_options=network.options,
        epochs=epochs or 4,
        samples_per_epoch=base.samples_per_epoch,
        learning_rate=learning_rate or base.learning_rate / 10,
        decay_epochs=epochs or 4,
    )
