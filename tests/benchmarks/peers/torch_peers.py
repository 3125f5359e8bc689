# SPDX-License-Identifier: MIT
"""PyTorch as a peer, as the reference in float64, and as the way to oneDNN's convolutions alone."""
import time

import torch
import torch.nn.functional as F
from torch import nn

from network import EPSILON, SLOPE, improved_unet


class ImprovedUnet(nn.Module):
    def __init__(self, tensors):
        super().__init__()
        values = {name.replace(".", "_"): torch.from_numpy(value.copy()) for name, value in tensors.items()}
        self.values = nn.ParameterDict({name: nn.Parameter(value, requires_grad=False) for name, value in values.items()})

    def forward(self, x):
        return improved_unet(self, x)

    def parameter(self, name):
        name = name.replace(".", "_")
        return self.values[name] if name in self.values else None

    def convolve(self, x, name, stride):
        weight = self.parameter(f"{name}.weight")
        return F.conv2d(x, weight, self.parameter(f"{name}.bias"), stride, weight.shape[2] // 2)

    def normalise(self, x, name):
        return F.instance_norm(x, weight=self.parameter(f"{name}.weight"), bias=self.parameter(f"{name}.bias"), eps=EPSILON)

    def activate(self, x):
        return F.leaky_relu(x, SLOPE)

    def enlarge(self, x):
        return F.interpolate(x, scale_factor=2, mode="nearest")

    def concatenate(self, a, b):
        return torch.cat([a, b], 1)

    def add(self, a, b):
        return a + b

    def probability(self, x):
        return torch.sigmoid(x)


class Torch:
    """A network that takes and gives tensors, as a peer."""

    def __init__(self, about, network, picture, memory_format):
        self.type = next(network.parameters()).dtype
        self.about, self.network = f"torch {torch.__version__}, {about}, {self.type}", network
        self.x = torch.from_numpy(picture)[None].to(memory_format=memory_format)

    @torch.inference_mode()
    def infer(self):
        return self.network(self.x.to(self.type))[0, 0].float().numpy()


def network_for(job, memory_format):
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[job.precision]
    return ImprovedUnet(job.tensors).eval().to(dtype=dtype, memory_format=memory_format)


def eager(job, memory_format):
    return Torch("eager", network_for(job, memory_format), job.picture, memory_format)


def compiled(job, memory_format):
    import torch._inductor.config as inductor

    inductor.freezing = True
    network = network_for(job, memory_format)
    peer = Torch("compile, max-autotune, freezing", network, job.picture, memory_format)
    peer.network = torch.compile(network, mode="max-autotune")
    return peer


class Reference:
    """The values that every other is held against: float64, rounded to float32 at the end."""

    def __init__(self, job):
        self.about = f"torch {torch.__version__}, float64"
        self.network = ImprovedUnet(job.tensors).double()
        self.x = torch.from_numpy(job.picture)[None].double()

    def infer(self):
        return self.network(self.x)[0, 0].float().numpy()


class Shapes:
    """Goes through the network with shapes alone, (channels, side), and notes each convolution."""

    def __init__(self, tensors):
        self.tensors, self.convolutions = tensors, []

    def convolve(self, x, name, stride):
        weight = self.tensors[f"{name}.weight"]
        self.convolutions.append((x, weight, stride))
        return weight.shape[0], x[1] // stride

    def enlarge(self, x):
        return x[0], x[1] * 2

    def concatenate(self, a, b):
        return a[0] + b[0], a[1]

    def normalise(self, x, _name):
        return x

    def activate(self, x):
        return x

    def add(self, a, _b):
        return a

    def probability(self, x):
        return x


class Convolutions:
    """oneDNN's direct convolutions of all layers and nothing else, with weights packed beforehand. Each
    layer counts with the faster of its forms: rows of channels, planes, or oneDNN's own blocks."""

    infer = None  # there is no result

    def __init__(self, job):
        self.about = f"oneDNN of torch {torch.__version__}"
        shapes = Shapes(job.tensors)
        improved_unet(shapes, (3, job.picture.shape[1]))
        with torch.inference_mode():
            self.layers = [self.forms(*convolution) for convolution in shapes.convolutions]

    @staticmethod
    def packed(weight, stride, shape):
        padding = weight.shape[2] // 2
        weight = torch.from_numpy(weight.copy()).to_mkldnn()
        return torch._C._nn.mkldnn_reorder_conv2d_weight(weight, [padding] * 2, [stride] * 2, [1, 1], 1, shape)

    @classmethod
    def forms(cls, x, weight, stride):
        channels, side = x
        padding = weight.shape[2] // 2
        x = torch.rand(1, channels, side, side)
        unit = torch.eye(channels)[:, :, None, None].numpy()
        blocked = F.conv2d(x.to_mkldnn(), cls.packed(unit, 1, x.shape))  # its result lies as oneDNN likes it
        weight = cls.packed(weight, stride, x.shape)

        def dense(x):
            return lambda: torch.ops.mkldnn._convolution_pointwise(
                x, weight, None, [padding] * 2, [stride] * 2, [1, 1], 1, "none", [], ""
            )

        def in_blocks():
            return F.conv2d(blocked, weight, None, stride, padding)

        return [dense(x), dense(x.to(memory_format=torch.channels_last)), in_blocks]

    @torch.inference_mode()
    def time(self):
        total = 0
        for forms in self.layers:
            seconds = []
            for form in forms:
                begin = time.perf_counter()
                form()
                seconds.append(time.perf_counter() - begin)
            total += min(seconds)
        return 1e3 * total
