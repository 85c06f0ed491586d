"""Times the training step of `mnist-2m` against the same network in Keras 3 with TensorFlow: same data, same batch."""

import argparse
import time
from functools import partial

import numpy as np

from benchmarks._peer import Peer, take_turns
from benchmarks._reading import RUNS


def main(arguments: list[str]) -> None:
    """Parses and measures."""
    parser = argparse.ArgumentParser(prog="bench train", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each, taking turns")
    parser.add_argument("--batch", type=int, nargs="+", default=[32, 64, 128], help="batch sizes")
    parser.add_argument("--images", type=int, default=6_400, help="images of a round")
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(0)
    images = rng.random((options.images, 28, 28, 1), np.float32)
    labels = rng.integers(10, size=options.images).astype(np.int32)
    path = RUNS / "train" / "images.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, images=images, labels=labels)
    print("| Batch | JAX, images/s | Keras with TensorFlow, images/s | Ratio |\n|---|---|---|---|", flush=True)
    for batch_size in options.batch:
        ours = OurStep(images, labels, batch_size)
        peer = Peer("keras", ("keras", "tensorflow"), "_peer_keras.py", str(path), str(batch_size))
        try:
            same = peer.measure()["parameters"] == ours.parameter_count
            assert same, "the two networks differ"
            mine, theirs, ratio = take_turns(ours.rate, peer, options.rounds)
        finally:
            peer.close()
        print(f"| {batch_size} | {mine:,.0f} | {theirs:,.0f} | {ratio:.2f} |", flush=True)


class OurStep:
    """The step that `hwtranscribe train` runs, over images in memory."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, batch_size: int) -> None:
        from hwtranscribe.model import parameter_count
        from hwtranscribe.training.heap import keep_freed_memory
        from hwtranscribe.training.recipes import make_recipe
        from hwtranscribe.training.step import make_optimizer, make_step, set_loss, start_state

        keep_freed_memory()
        recipe = make_recipe("mnist-2m", None, None, seed=0)
        module = recipe.network().build()
        optimizer = make_optimizer(recipe, len(images) // batch_size)
        self.images, self.labels, self.batch_size = images, labels, batch_size
        loss = partial(set_loss, smoothing=recipe.label_smoothing)
        self.step = make_step(module, optimizer, recipe, loss)
        self.state = start_state(module, optimizer, 0, np.zeros((1, *images.shape[1:]), np.float32))
        self.parameter_count = parameter_count(self.state.params)

    def rate(self) -> float:
        """Images per second of one pass."""
        start, count = time.perf_counter(), 0
        for begin in range(0, len(self.images) - self.batch_size + 1, self.batch_size):
            batch = slice(begin, begin + self.batch_size)
            self.state, loss = self.step(self.state, self.images[batch], self.labels[batch], self.labels[batch])
            count += self.batch_size
        loss.block_until_ready()
        return count / (time.perf_counter() - start)
