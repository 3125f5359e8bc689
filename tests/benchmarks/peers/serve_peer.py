#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs one peer for compare.py or compare_on_gpu.py, by the same lines as benchmark_serve_engine (../serve_engine.cpp).

A process for each: their thread pools spin beside one another, and their libraries do not always agree.
"""
import argparse
import dataclasses
import pathlib
import sys
import time

import numpy as np

import graphs
from network import Weights


@dataclasses.dataclass
class Job:
    tensors: dict
    picture: np.ndarray  # 3 x H x W float32
    threads: int
    folder: pathlib.Path  # for what a peer writes
    precision: str = "fp32"

    def write_onnx(self):
        path = self.folder / f"improved-unet-{self.picture.shape[1]}.onnx"
        graphs.write_onnx(self.tensors, self.picture.shape[1], path)
        return path


def require_fp32(job):
    if job.precision != "fp32":
        raise SystemExit("computes in fp32 alone on this processor")


class OpenVino:
    def __init__(self, job):
        import openvino

        self.library, self.job = openvino, job
        self.model = openvino.Core().read_model(job.write_onnx())
        self.about = f"OpenVINO {openvino.__version__.split('-')[0]}, {job.precision}"
        self.inputs = {0: job.picture[None]}
        self.request = self.compile("LATENCY").create_infer_request()
        self.streams = None

    def compile(self, hint, **more):
        # Without the precision it may choose bfloat16 by itself.
        precision = {"fp32": "f32", "bf16": "bf16"}[self.job.precision]
        settings = {"PERFORMANCE_HINT": hint, "INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": self.job.threads}
        return self.library.Core().compile_model(self.model, "CPU", settings | more)

    def infer(self):
        return self.request.infer(self.inputs, share_inputs=True)[0][0, 0]

    def throughput(self, n):
        if self.streams is None:
            self.streams = self.library.AsyncInferQueue(self.compile("THROUGHPUT", NUM_STREAMS=self.job.threads))
            self.run_all(2 * self.job.threads)
        begin = time.perf_counter()
        self.run_all(n)
        return f"{n / (time.perf_counter() - begin)} streams"

    def run_all(self, n):
        for _ in range(n):
            self.streams.start_async(self.inputs, share_inputs=True)
        self.streams.wait_all()


class OnnxRuntime:
    def __init__(self, job):
        require_fp32(job)
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = job.threads
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(job.write_onnx(), options, providers=["CPUExecutionProvider"])
        self.inputs = {"input": job.picture[None]}
        self.about = f"ONNX Runtime {onnxruntime.__version__}, all optimisations"

    def infer(self):
        return self.session.run(None, self.inputs)[0][0, 0]


class Ncnn:
    def __init__(self, job):
        require_fp32(job)
        import ncnn

        self.library = ncnn
        param, binary = (str(job.folder / f"improved-unet.{end}") for end in ("param", "bin"))
        graphs.write_ncnn(job.tensors, param, binary)
        self.network = ncnn.Net()
        for precision in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage"):
            setattr(self.network.opt, f"use_{precision}", False)
        self.network.opt.num_threads = job.threads
        if self.network.load_param(param) or self.network.load_model(binary):
            raise RuntimeError("ncnn does not load its model")
        self.input = ncnn.Mat(job.picture)
        self.about = f"ncnn {ncnn.__version__}, Winograd"

    def infer(self):
        extractor = self.network.create_extractor()
        extractor.input("input", self.input)
        return np.array(extractor.extract("output")[1])[0]


def torch_peer(name, *arguments):
    def make(job):
        import torch

        import torch_peers

        torch.set_num_threads(job.threads)
        return getattr(torch_peers, name)(job, *(getattr(torch, argument) for argument in arguments))

    return make


def gpu_peer(form, memory_format):
    def make(job):
        import torch

        import gpu_peers

        return getattr(gpu_peers, form)(job, getattr(torch, memory_format))

    return make


PEERS = {
    "reference": torch_peer("Reference"),
    "convolutions": torch_peer("Convolutions"),
    "torch-eager": torch_peer("eager", "contiguous_format"),
    "torch-eager-nhwc": torch_peer("eager", "channels_last"),
    "torch-compile": torch_peer("compiled", "contiguous_format"),
    "torch-compile-nhwc": torch_peer("compiled", "channels_last"),
    "onnxruntime": OnnxRuntime,
    "openvino": OpenVino,
    "ncnn": Ncnn,
    "gpu-eager": gpu_peer("Eager", "contiguous_format"),
    "gpu-eager-nhwc": gpu_peer("Eager", "channels_last"),
    "gpu-graphed": gpu_peer("Graphed", "contiguous_format"),
    "gpu-graphed-nhwc": gpu_peer("Graphed", "channels_last"),
    "gpu-compile": gpu_peer("Compiled", "contiguous_format"),
    "gpu-compile-nhwc": gpu_peer("Compiled", "channels_last"),
}


def milliseconds(peer):
    if peer.infer is None:
        return peer.time()
    begin = time.perf_counter()
    peer.infer()
    return 1e3 * (time.perf_counter() - begin)


def serve(peer):
    print(peer.about, flush=True)
    for line in sys.stdin:
        verb, _, argument = line.strip().partition(" ")
        if verb == "output":
            np.ascontiguousarray(peer.infer(), np.float32).tofile(argument)
            answer = "ok"
        elif verb == "time":
            answer = " ".join(str(milliseconds(peer)) for _ in range(int(argument)))
        elif verb == "batches":
            size, n = map(int, argument.split())
            answer = " ".join(str(peer.milliseconds(size)) for _ in range(n))
        elif verb == "throughput":
            answer = peer.throughput(int(argument))
        elif verb == "quit":
            return
        else:
            raise SystemExit(f"cannot do: {line}")
        print(answer, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--input", required=True, help="3 x S x S float32, planar")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="for the models that peers read")
    parser.add_argument("--precision", choices=["fp32", "fp16", "bf16"], default="fp32")
    options = parser.parse_args()
    picture = np.fromfile(options.input, np.float32)
    side = round((picture.size / 3) ** 0.5)
    job = Job(Weights(options.weights).tensors, picture.reshape(3, side, side), options.threads, options.folder,
              options.precision)
    serve(PEERS[options.peer](job))


if __name__ == "__main__":
    main()
