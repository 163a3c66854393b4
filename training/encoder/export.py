"""Writes layers of the encoder as an ONNX graph with weights of eight bits. Nothing of torch is needed to read it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

Array = npt.NDArray[np.float32]
Weights = Mapping[str, Array]

HEADS, WIDTH = 12, 384
OPSET = 20


class Graph:
    """A graph under construction; every method adds nodes and returns the name of their result."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.arrays: list[onnx.TensorProto] = []
        self.count = 0

    def add(self, operator: str, *inputs: str, name: str = "", **attributes: object) -> str:
        """One node."""
        self.count += 1
        result = name or f"{operator}_{self.count}"
        self.nodes.append(helper.make_node(operator, list(inputs), [result], **attributes))
        return result

    def constant(self, value: npt.NDArray[np.generic]) -> str:
        """An array that is part of the graph."""
        self.count += 1
        name = f"constant_{self.count}"
        self.arrays.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def split(self, x: str, count: int) -> list[str]:
        """Equal parts along the last axis."""
        self.count += 1
        names = [f"Split_{self.count}_{i}" for i in range(count)]
        self.nodes.append(helper.make_node("Split", [x], names, axis=-1, num_outputs=count))
        return names

    def linear(self, x: str, weights: Weights, name: str) -> str:
        """x · Wᵀ + b."""
        product = self.add("MatMul", x, self.constant(weights[f"{name}.weight"].T))
        return self.add("Add", product, self.constant(weights[f"{name}.bias"]))

    def normalised(self, x: str, weights: Weights, name: str) -> str:
        """Layer normalisation over the last axis."""
        scale, shift = self.constant(weights[f"{name}.weight"]), self.constant(weights[f"{name}.bias"])
        return self.add("LayerNormalization", x, scale, shift, axis=-1, epsilon=1e-12)

    def bias(self, mask: str) -> str:
        """What attention adds where there is no token: shape (batch, 1, 1, tokens)."""
        wide = self.add("Unsqueeze", mask, self.constant(np.array([1, 2], np.int64)))
        absent = self.add("Sub", self.constant(np.array(1.0, np.float32)), wide)
        return self.add("Mul", absent, self.constant(np.array(-1e9, np.float32)))

    def layer(self, x: str, bias: str, weights: Weights, name: str) -> str:
        """One transformer layer, normalised after each part (Devlin et al. 2019)."""
        split = self.constant(np.array([0, 0, HEADS, WIDTH // HEADS], np.int64))
        # One product for all three, so that the input is turned into eight bits once; the scale of attention goes into the query.
        scale = np.float32((WIDTH // HEADS) ** -0.5)
        joined = {
            f"qkv.{kind}": np.concatenate([weights[f"{name}.q.{kind}"] * scale, *(weights[f"{name}.{p}.{kind}"] for p in "kv")])
            for kind in ("weight", "bias")
        }
        parts = self.split(self.linear(x, joined, "qkv"), 3)
        query = self.add("Transpose", self.add("Reshape", parts[0], split), perm=[0, 2, 1, 3])
        key = self.add("Transpose", self.add("Reshape", parts[1], split), perm=[0, 2, 3, 1])
        value = self.add("Transpose", self.add("Reshape", parts[2], split), perm=[0, 2, 1, 3])
        share = self.add("Softmax", self.add("Add", self.add("MatMul", query, key), bias), axis=-1)
        heard = self.add("Transpose", self.add("MatMul", share, value), perm=[0, 2, 1, 3])
        heard = self.add("Reshape", heard, self.constant(np.array([0, 0, WIDTH], np.int64)))
        x = self.normalised(self.add("Add", x, self.linear(heard, weights, f"{name}.o")), weights, f"{name}.n1")
        inner = self.add("Gelu", self.linear(x, weights, f"{name}.i"))
        return self.normalised(self.add("Add", x, self.linear(inner, weights, f"{name}.u")), weights, f"{name}.n2")

    def save(self, path: Path, inputs: Mapping[str, Sequence[int | str]], outputs: Mapping[str, Sequence[int | str]]) -> None:
        """Write the graph, matrices of weights in eight bits, one scale a column."""
        whole = path.with_suffix(".float.onnx")
        onnx.save(self.model(inputs, outputs), whole)
        quantize_dynamic(
            whole, path, per_channel=True, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul"],
            extra_options={"MatMulConstBOnly": True},
        )  # fmt: skip
        whole.unlink()

    def model(self, inputs: Mapping[str, Sequence[int | str]], outputs: Mapping[str, Sequence[int | str]]) -> onnx.ModelProto:
        """The graph as a model; inputs and outputs are arrays of floats."""
        values = [[helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in told.items()] for told in (inputs, outputs)]
        graph = helper.make_graph(self.nodes, "holdfast", values[0], values[1], self.arrays)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
        onnx.checker.check_model(model)
        return model
