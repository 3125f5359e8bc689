# SPDX-License-Identifier: MIT
"""PyTorch on a GPU as a peer: eager, captured as a CUDA graph, compiled. As our engine does, each takes pictures from
the host's memory and leaves probabilities there, by way of pinned memory."""
import time

import torch

from torch_peers import ImprovedUnet

TYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
WARM_UPS = 3


class Staged:
    """For one batch size: pinned memory and the GPU's, at addresses that stay."""

    def __init__(self, picture, size):
        self.source = torch.from_numpy(picture)
        self.pictures_here = torch.empty(size, *picture.shape, pin_memory=True)
        self.pictures = torch.empty(size, *picture.shape, device="cuda")
        self.result = torch.empty(size, 1, *picture.shape[1:], device="cuda")
        self.result_here = torch.empty(size, 1, *picture.shape[1:], pin_memory=True)


class Eager:
    about = "eager"

    def __init__(self, job, memory_format):
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.benchmark = True
        self.picture, self.type, self.memory_format = job.picture, TYPES[job.precision], memory_format
        self.network = ImprovedUnet(job.tensors).eval().to("cuda", self.type).to(memory_format=memory_format)
        name = torch.cuda.get_device_name()
        self.about = f"torch {torch.__version__}, {self.about}, {job.precision} on {name}"
        self.staged = {}

    def forward(self, pictures):
        return self.network(pictures.to(self.type, memory_format=self.memory_format)).float()

    def prepare(self, size):
        staged = Staged(self.picture, size)
        for _ in range(WARM_UPS):
            self.run(staged)
        return staged

    def run(self, staged):
        staged.result.copy_(self.forward(staged.pictures))

    @torch.inference_mode()
    def infer_batch(self, size):
        if size not in self.staged:
            self.staged[size] = self.prepare(size)
        staged = self.staged[size]
        staged.pictures_here.copy_(staged.source)
        staged.pictures.copy_(staged.pictures_here, non_blocking=True)
        self.run(staged)
        staged.result_here.copy_(staged.result, non_blocking=True)
        torch.cuda.synchronize()
        return staged.result_here

    def infer(self):
        return self.infer_batch(1)[0, 0].numpy()

    def milliseconds(self, size):
        begin = time.perf_counter()
        self.infer_batch(size)
        return 1e3 * (time.perf_counter() - begin)


class Graphed(Eager):
    about = "eager, as a CUDA graph"

    def prepare(self, size):
        staged = Staged(self.picture, size)
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UPS):
                Eager.run(self, staged)
        torch.cuda.current_stream().wait_stream(stream)
        staged.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(staged.graph):
            Eager.run(self, staged)
        return staged

    def run(self, staged):
        staged.graph.replay()


class Compiled(Eager):
    about = "compile, max-autotune"  # which captures CUDA graphs too

    def __init__(self, job, memory_format):
        super().__init__(job, memory_format)
        self.network = torch.compile(self.network, mode="max-autotune")
