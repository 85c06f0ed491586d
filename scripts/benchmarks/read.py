"""Times reading: characters per second against ONNX Runtime on the same weights, and how long the start takes."""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks._peer import Peer, take_turns
from benchmarks._reading import RUNS, measure

_SECONDS = 2.0
_EPSILON = 1e-5
_FIRST_CHARACTER = """
import numpy as np
from hwtranscribe import Classifier
crop = np.full((60, 40), 255, np.uint8)
crop[10:50, 18:23] = 0
print(Classifier.load().read_crops([crop], "digits"))
"""


def main(arguments: list[str]) -> None:
    """Parses and measures."""
    parser = argparse.ArgumentParser(prog="bench read", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each, taking turns")
    options = parser.parse_args(arguments)
    startup()

    from hwtranscribe.classify import BATCH_SIZE, Classifier

    classifier = Classifier.load()
    glyphs = np.random.default_rng(0).random((BATCH_SIZE, 28, 28, 1), np.float32)
    path = RUNS / "read" / "weights.npz"
    export(classifier, glyphs, path)

    def ours() -> float:
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < _SECONDS:
            classifier.score(glyphs)
            count += len(glyphs)
        return count / (time.perf_counter() - start)

    peer = Peer("onnx", ("onnx", "onnxruntime", "numpy"), "_peer_onnx.py", str(path), str(BATCH_SIZE), str(_SECONDS))
    try:
        difference = peer.measure()["difference"]
        mine, theirs, ratio = take_turns(ours, peer, options.rounds)
    finally:
        peer.close()
    print(f"largest difference of log-probabilities between the two: {difference:.1e}")
    print(f"characters per second, batches of {BATCH_SIZE}:")
    print(f"JAX {mine:,.0f}, ONNX Runtime {theirs:,.0f}, ratio {ratio:.2f}")


def startup() -> None:
    """Prints CPU time of a fresh process: help, and the first character with a warm cache of compiled programs."""
    commands = {"--help": ["-m", "hwtranscribe", "--help"], "first character": ["-c", _FIRST_CHARACTER]}
    for name, command in commands.items():
        cost = min((measure([sys.executable, *command]) for _ in range(3)), key=lambda one: one.cpu_s)
        print(f"fresh process, {name}: {cost.cpu_s:.2f} s of CPU time, {cost.wall_s:.2f} s")


def export(classifier: "object", glyphs: np.ndarray, path: Path) -> None:
    """Writes the weights of a GlyphNet, batch normalisation and temperature folded in, and scores to compare."""
    from hwtranscribe.classify import Classifier
    from hwtranscribe.model import LABELS

    assert isinstance(classifier, Classifier)
    checkpoint = classifier.checkpoint
    params, stats = checkpoint.variables["params"], checkpoint.variables["batch_stats"]
    out: dict[str, np.ndarray] = {"glyphs": glyphs}

    def folded(kernel: np.ndarray, index: int) -> tuple[np.ndarray, np.ndarray]:
        norm, stat = params[f"BatchNorm_{index}"], stats[f"BatchNorm_{index}"]
        gain = np.asarray(norm["scale"]) / np.sqrt(np.asarray(stat["var"]) + _EPSILON)
        return np.asarray(kernel) * gain, np.asarray(norm["bias"]) - np.asarray(stat["mean"]) * gain

    for index in range(5):
        kernel, bias = folded(params[f"Conv_{index}"]["kernel"], index)
        out[f"conv{index}_kernel"], out[f"conv{index}_bias"] = kernel, bias
    out["dense0_kernel"], out["dense0_bias"] = folded(params["Dense_0"]["kernel"], 5)
    for key in ("kernel", "bias"):
        out[f"dense1_{key}"] = np.asarray(params["Dense_1"][key]) / checkpoint.temperature
    columns = [LABELS.index(label) for label in checkpoint.labels]
    out["scores"] = classifier.score(glyphs).log_probs[:, columns]
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **{key: np.ascontiguousarray(value, np.float32) for key, value in out.items()})
