"""Commands that train and measure networks."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hwtranscribe.cli.app import Debug, app, finite, named_folder, put
from hwtranscribe.errors import DependencyError


class Preset(StrEnum):
    """Networks that can be trained."""

    GLYPHNET = "glyphnet"
    LINENET = "linenet"
    MNIST_433K = "mnist-433k"
    MNIST_2M = "mnist-2m"


@app.command()
def train(
    out: Annotated[
        Path,
        typer.Option(
            metavar="DIR", parser=named_folder, help="Folder of the run; the same command again goes on there."
        ),
    ],
    data_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="TFDS data folder; what is missing in it is downloaded.")
    ] = None,
    preset: Annotated[Preset, typer.Option(help="Which network.")] = Preset.GLYPHNET,
    epochs: Annotated[int | None, typer.Option(min=1, help="Length of the schedule; the preset's by default.")] = None,
    samples_per_epoch: Annotated[
        int | None, typer.Option(min=1, help="Characters, or lines, an epoch; the preset's by default.")
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(callback=finite, help="Peak of the schedule; the preset's by default, with --crops a tenth."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 1,
    mat: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Take the digits from mnist-original.mat instead.")
    ] = None,
    from_checkpoint: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", help="Checkpoint whose weights to start from.")
    ] = None,
    crops: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Your own characters, LABEL/*.png, to fine-tune on; needs --from."),
    ] = None,
    fonts: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Fonts of handwriting; some of the characters are drawn from them."),
    ] = None,
    debug: Debug = False,
) -> None:
    """Train a network, or fine-tune one on your own characters; prints the folder of the checkpoint."""
    with _training_extra():
        from hwtranscribe.training import commands

        folder = commands.train(
            out=out,
            data_dir=data_dir,
            preset=preset,
            epochs=epochs,
            samples_per_epoch=samples_per_epoch,
            learning_rate=learning_rate,
            seed=seed,
            mat=mat,
            from_checkpoint=from_checkpoint,
            crops=crops,
            fonts=fonts,
        )
    put(folder)


@app.command()
def evaluate(
    data_dir: Annotated[
        Path, typer.Option(metavar="DIR", help="TFDS data folder; what is missing in it is downloaded.")
    ],
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Weights; the shipped ones by default.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", parser=named_folder, help="Folder for figures, pictures and a report.")
    ] = None,
    record: Annotated[bool, typer.Option("--record", help="Write the figures into the checkpoint's metadata.")] = False,
    debug: Debug = False,
) -> None:
    """Measure a network on validation and on the test sets; prints the figures as JSON."""
    with _training_extra():
        from hwtranscribe.training import commands

        figures = commands.evaluate(data_dir=data_dir, checkpoint=checkpoint, out=out, record=record)
    put(json.dumps(figures, indent=2))


@contextmanager
def _training_extra() -> Iterator[None]:
    """Explain what to install when a package of the extra `train` is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise DependencyError(
            f"{error.name} is not installed; training needs: pip install 'hwtranscribe[train]'"
        ) from error
