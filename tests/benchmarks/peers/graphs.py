# SPDX-License-Identifier: MIT
"""The network as an ONNX graph and as a model of ncnn's. Neither is exported through another library,
so each is in the form that its peer likes."""
import numpy as np

from network import EPSILON, SLOPE, improved_unet


class OnnxOps:
    def __init__(self, tensors):
        from onnx import helper

        self.helper, self.tensors = helper, tensors
        self.nodes = []
        self.constants = {"scales": np.array([1, 1, 2, 2], np.float32)}

    def node(self, kind, inputs, **attributes):
        output = f"x{len(self.nodes)}"
        self.nodes.append(self.helper.make_node(kind, inputs, [output], **attributes))
        return output

    def parameters(self, name):
        names = [f"{name}.{part}" for part in ("weight", "bias") if f"{name}.{part}" in self.tensors]
        self.constants |= {name: self.tensors[name] for name in names}
        return names

    def convolve(self, x, name, stride):
        kernel = self.tensors[f"{name}.weight"].shape[2]
        return self.node("Conv", [x, *self.parameters(name)], kernel_shape=[kernel] * 2, strides=[stride] * 2,
                         pads=[kernel // 2] * 4)

    def normalise(self, x, name):
        return self.node("InstanceNormalization", [x, *self.parameters(name)], epsilon=EPSILON)

    def activate(self, x):
        return self.node("LeakyRelu", [x], alpha=SLOPE)

    def enlarge(self, x):
        return self.node("Resize", [x, "", "scales"], mode="nearest", nearest_mode="floor",
                         coordinate_transformation_mode="asymmetric")

    def concatenate(self, a, b):
        return self.node("Concat", [a, b], axis=1)

    def add(self, a, b):
        return self.node("Add", [a, b])

    def probability(self, x):
        return self.node("Sigmoid", [x])


def write_onnx(tensors, side, path):
    """One picture of side x side pixels an inference."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    ops = OnnxOps(tensors)
    output = improved_unet(ops, "input")
    graph = helper.make_graph(
        ops.nodes,
        "improved-unet",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, side, side])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, [1, 1, side, side])],
        [numpy_helper.from_array(value, name) for name, value in ops.constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


class NcnnOps:
    """Lines of a .param file and bytes of its .bin. ncnn wants a blob that is read twice split in two."""

    def __init__(self, tensors):
        self.tensors = tensors
        self.layers = []  # (kind, inputs, parameters)
        self.values = []

    def layer(self, kind, inputs, *parameters):
        self.layers.append((kind, inputs, parameters))
        return len(self.layers) - 1

    def convolve(self, x, name, stride):
        weight, bias = self.tensors[f"{name}.weight"], self.tensors.get(f"{name}.bias")
        kernel = weight.shape[2]
        self.values += [np.zeros(1, np.float32), weight]  # 0: float32
        if bias is not None:
            self.values.append(bias)
        return self.layer("Convolution", [x], f"0={weight.shape[0]}", f"1={kernel}", f"3={stride}", f"4={kernel // 2}",
                          f"5={int(bias is not None)}", f"6={weight.size}")

    def normalise(self, x, name):
        weight, bias = self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"]
        self.values += [weight, bias]
        return self.layer("InstanceNorm", [x], f"0={weight.size}", f"1={EPSILON:e}", "2=1")

    def activate(self, x):
        return self.layer("ReLU", [x], f"0={SLOPE:e}")

    def enlarge(self, x):
        return self.layer("Interp", [x], "0=1", "1=2.0", "2=2.0")

    def concatenate(self, a, b):
        return self.layer("Concat", [a, b], "0=0")

    def add(self, a, b):
        return self.layer("BinaryOp", [a, b], "0=0")

    def probability(self, x):
        return self.layer("Sigmoid", [x])


def write_ncnn(tensors, param, binary):
    """Writes both files; the blobs are called "input" and "output"."""
    ops = NcnnOps(tensors)
    last = improved_unet(ops, ops.layer("Input", []))
    readers = [sum(inputs.count(i) for _, inputs, _ in ops.layers) for i in range(len(ops.layers))]
    names = ["output" if i == last else "input" if i == 0 else f"x{i}" for i in range(len(ops.layers))]
    unread = [[name] if count < 2 else [f"{name}_{k}" for k in range(count)] for name, count in zip(names, readers)]
    copies = [list(blobs) for blobs in unread]
    lines, blobs = [], 0
    for i, (kind, inputs, parameters) in enumerate(ops.layers):
        read = [unread[source].pop(0) for source in inputs]
        lines.append(" ".join([kind, f"layer{i}", str(len(read)), "1", *read, names[i], *parameters]))
        blobs += 1
        if readers[i] > 1:
            lines.append(" ".join(["Split", f"split{i}", "1", str(readers[i]), names[i], *copies[i]]))
            blobs += readers[i]
    with open(param, "w") as file:
        file.write("\n".join(["7767517", f"{len(lines)} {blobs}", *lines, ""]))
    with open(binary, "wb") as file:
        for value in ops.values:
            file.write(np.ascontiguousarray(value, np.float32).tobytes())
