#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What an inference costs the GPU alone in PyTorch, pictures and probabilities in its memory: the counterpart of
tests/gpu/network_speed. Each form is checked against PyTorch in float64 on the CPU first.

    gpu_times.py [--weights FILE] [--cases 128x1,256x1,128x64] [--forms eager,graphed,compile] [--layouts nchw,nhwc]
"""
import argparse
import pathlib
import statistics

import numpy
import torch

import gpu_peers
from network import Weights, network_input
from torch_peers import ImprovedUnet

ROOT = pathlib.Path(__file__).resolve().parents[3]
FORMS = {"eager": gpu_peers.Eager, "graphed": gpu_peers.Graphed, "compile": gpu_peers.Compiled}
LAYOUTS = {"nchw": torch.contiguous_format, "nhwc": torch.channels_last}
TIMES, CALLS = 9, 30


class Job:
    precision = "fp16"

    def __init__(self, tensors, picture):
        self.tensors, self.picture = tensors, picture


@torch.inference_mode()
def reference(tensors, picture):
    network = ImprovedUnet(tensors).double().eval()
    return network(torch.from_numpy(picture[None]).double())[0, 0]


@torch.inference_mode()
def microseconds(form, size):
    """The median of several times, in microseconds an inference of `size` pictures."""
    form.infer_batch(size)
    staged, times = form.staged[size], []
    for _ in range(TIMES):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        for _ in range(CALLS):
            form.run(staged)
        end.record()
        end.synchronize()
        times.append(1e3 * begin.elapsed_time(end) / CALLS)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=pathlib.Path, default=ROOT / "model/weights/unetseg-fast.safetensors")
    parser.add_argument("--cases", default="128x1,256x1,128x64", help="side x batch (%(default)s)")
    parser.add_argument("--forms", default="eager,graphed,compile", help="(%(default)s)")
    parser.add_argument("--layouts", default="nchw,nhwc", help="(%(default)s)")
    options = parser.parse_args()
    cases = [tuple(map(int, case.split("x"))) for case in options.cases.split(",")]
    weights = Weights(options.weights)
    print(f"fp16, on the GPU alone; torch {torch.__version__}, {torch.cuda.get_device_name()}")
    for side in dict.fromkeys(side for side, _ in cases):
        picture = network_input(side, weights.metadata)
        expected = reference(weights.tensors, picture)
        for name in options.forms.split(","):
            for layout in options.layouts.split(","):
                memory_format = LAYOUTS[layout]
                form = FORMS[name](Job(weights.tensors, picture), memory_format)
                error = abs(numpy.asarray(form.infer()) - expected.numpy()).max()
                for batch in [batch for its_side, batch in cases if its_side == side]:
                    time = microseconds(form, batch)
                    print(f"{name} {layout}, {side}x{side}, {batch} at once: {time:.1f} us, {1e6 * batch / time:.0f} frames/s; "
                          f"a probability is off by {error:.1e}", flush=True)


if __name__ == "__main__":
    main()
