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
OPSET = 23
"""The first one with attention as one operator."""


class Graph:
    """A graph under construction; every method adds nodes and returns the name of their result."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.arrays: list[onnx.TensorProto] = []
        self.floats: list[str] = []
        """Names of the products whose weights stay floats."""
        self.count = 0

    def add(self, operator: str, *inputs: str, name: str = "", **attributes: object) -> str:
        """One node."""
        self.count += 1
        result = name or f"{operator}_{self.count}"
        self.nodes.append(helper.make_node(operator, list(inputs), [result], name=result, **attributes))
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

    def head(self, x: str, weights: Array) -> str:
        """x · Wᵀ by floats: the few outputs of a head cost next to nothing."""
        product = self.add("MatMul", x, self.constant(weights.T))
        self.floats.append(product)
        return product

    def normalised(self, x: str, weights: Weights, name: str) -> str:
        """Layer normalisation over the last axis."""
        scale, shift = self.constant(weights[f"{name}.weight"]), self.constant(weights[f"{name}.bias"])
        return self.add("LayerNormalization", x, scale, shift, axis=-1, epsilon=1e-12)

    def layer(self, x: str, weights: Weights, name: str) -> str:
        """One transformer layer, normalised after each part (Devlin et al. 2019). No token is padding, so there is no mask.

        Three products over the same input: it is turned into eight bits once, and what attention takes need not be cut apart.
        """
        scale = np.float32((WIDTH // HEADS) ** -0.5)
        scaled = {f"q.{kind}": weights[f"{name}.q.{kind}"] * scale for kind in ("weight", "bias")}
        query, key, value = (
            self.linear(x, scaled, "q"),
            self.linear(x, weights, f"{name}.k"),
            self.linear(x, weights, f"{name}.v"),
        )
        heard = self.add("Attention", query, key, value, q_num_heads=HEADS, kv_num_heads=HEADS, scale=1.0)
        x = self.normalised(self.add("Add", x, self.linear(heard, weights, f"{name}.o")), weights, f"{name}.n1")
        inner = self.add("Gelu", self.linear(x, weights, f"{name}.i"))
        return self.normalised(self.add("Add", x, self.linear(inner, weights, f"{name}.u")), weights, f"{name}.n2")

    def save(self, path: Path, inputs: Mapping[str, Sequence[int | str]], outputs: Mapping[str, Sequence[int | str]]) -> None:
        """Write the graph, matrices of weights in eight bits, one scale a column."""
        whole = path.with_suffix(".float.onnx")
        onnx.save(self.model(inputs, outputs), whole)
        quantize_dynamic(
            whole, path, per_channel=True, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul"],
            nodes_to_exclude=self.floats, extra_options={"MatMulConstBOnly": True},
        )  # fmt: skip
        whole.unlink()

    def model(self, inputs: Mapping[str, Sequence[int | str]], outputs: Mapping[str, Sequence[int | str]]) -> onnx.ModelProto:
        """The graph as a model; inputs and outputs are arrays of floats."""
        values = [[helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in told.items()] for told in (inputs, outputs)]
        graph = helper.make_graph(self.nodes, "holdfast", values[0], values[1], self.arrays)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=11)
        onnx.checker.check_model(model)
        return model
