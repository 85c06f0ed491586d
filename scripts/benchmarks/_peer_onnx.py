"""Runs the shipped network in ONNX Runtime; started by `bench read` in its own environment.

Arguments: an .npz with the weights (see `benchmarks.read.export`), the batch size, the seconds of a round.
"""

import json
import sys
import time

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def build(weights: dict[str, np.ndarray]) -> bytes:
    """The network as an ONNX graph: NCHW inside, batch normalisation folded into the layers before."""
    nodes, constants = [], []

    def constant(name: str, value: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(value, name))
        return name

    def node(kind: str, inputs: list[str], **attributes: object) -> str:
        output = f"t{len(nodes)}"
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def convolve(x: str, index: int) -> str:
        kernel = constant(f"k{index}", weights[f"conv{index}_kernel"].transpose(3, 2, 0, 1).copy())
        bias = constant(f"b{index}", weights[f"conv{index}_bias"])
        return node("Conv", [x, kernel, bias], pads=[1, 1, 1, 1])

    cells = node("Reshape", ["glyphs", constant("cells", np.array([-1, 14, 2, 14, 2]))])
    x = node("Transpose", [cells], perm=[0, 2, 4, 1, 3])
    x = node("Reshape", [x, constant("grid", np.array([-1, 4, 14, 14]))])
    x = node("Relu", [convolve(x, 0)])
    x = node("MaxPool", [node("Relu", [convolve(x, 1)])], kernel_shape=[2, 2], strides=[2, 2])
    x = node("Relu", [convolve(x, 2)])
    inner = convolve(node("Relu", [convolve(x, 3)]), 4)
    x = node("Relu", [node("Add", [x, inner])])
    x = node("Flatten", [node("Transpose", [x], perm=[0, 2, 3, 1])])
    for index in (0, 1):
        kernel = constant(f"d{index}", weights[f"dense{index}_kernel"])
        x = node("Gemm", [x, kernel, constant(f"e{index}", weights[f"dense{index}_bias"])])
        x = node("Relu", [x]) if index == 0 else node("LogSoftmax", [x], axis=1)
    graph = helper.make_graph(
        nodes,
        "glyphnet",
        [helper.make_tensor_value_info("glyphs", TensorProto.FLOAT, ["n", 28, 28, 1])],
        [helper.make_tensor_value_info(x, TensorProto.FLOAT, ["n", None])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def main() -> None:
    """Reports a rate for every line on stdin, with the first scores for comparison."""
    with np.load(sys.argv[1]) as file:
        weights = dict(file)
    batch_size, seconds = int(sys.argv[2]), float(sys.argv[3])
    session = onnxruntime.InferenceSession(build(weights), providers=["CPUExecutionProvider"])
    batch = weights["glyphs"][:batch_size]
    first = session.run(None, {"glyphs": batch})[0]
    for _ in sys.stdin:
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            session.run(None, {"glyphs": batch})
            count += batch_size
        rate = count / (time.perf_counter() - start)
        print(json.dumps({"rate": rate, "difference": float(np.abs(first - weights["scores"]).max())}), flush=True)


main()
