"""Commands that train and measure networks."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hwtranscribe.cli.app import Debug, app
from hwtranscribe.errors import DependencyError

DataDir = Annotated[
    Path, typer.Option(metavar="DIR", help="TFDS data folder; data sets that are missing are downloaded into it.")
]


class Preset(StrEnum):
    """Networks that can be trained."""

    GLYPHNET = "glyphnet"
    MNIST_433K = "mnist-433k"
    MNIST_2M = "mnist-2m"


@app.command()
def train(
    data_dir: DataDir,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the run; the same command again goes on there.")],
    preset: Annotated[Preset, typer.Option(help="Which network.")] = Preset.GLYPHNET,
    epochs: Annotated[int | None, typer.Option(min=1, help="Length of the schedule; the preset's by default.")] = None,
    samples_per_epoch: Annotated[
        int | None, typer.Option(min=1, help="Characters an epoch; the preset's by default.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 1,
    debug: Debug = False,
) -> None:
    """Train a network on MNIST and EMNIST; prints the folder of the checkpoint."""
    with _training_extra():
        from hwtranscribe.training import commands

        folder = commands.train(
            data_dir=data_dir,
            out=out,
            preset=preset,
            epochs=epochs,
            samples_per_epoch=samples_per_epoch,
            seed=seed,
        )
    typer.echo(folder)


@contextmanager
def _training_extra() -> Iterator[None]:
    """Explain what to install when a package of the extra `train` is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise DependencyError(
            f"{error.name} is not installed; training needs: pip install 'hwtranscribe[train]'"
        ) from error
