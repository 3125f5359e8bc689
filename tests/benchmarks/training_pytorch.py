#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Training rate of unetseg-trainer against PyTorch: same network, batch, threads and loss.

    python3 tests/benchmarks/training_pytorch.py build/tests/benchmarks/benchmark_training
    python3 tests/benchmarks/training_pytorch.py --device cuda --precision bf16 --compile \
        --size 256 --width 24 build/tests/benchmarks/benchmark_training

needs torch of the version that the build links (meson setup -Dlibtorch:root=DIR with DIR the torch
folder of this very Python). Rounds alternate between the two; PyTorch is given its own best of the
memory formats, and its batch ready made, while the trainer also draws and augments its own. On a GPU
PyTorch does not wait for its losses either, and --compile adds torch.compile, which takes a minute.
"""
import argparse
import re
import statistics
import subprocess
import time

import torch
from torch import nn


class Cnl(nn.Sequential):
    def __init__(self, inside, outside, kernel=3, stride=1):
        super().__init__(
            nn.Conv2d(inside, outside, kernel, stride, kernel // 2, bias=False),
            nn.InstanceNorm2d(outside, affine=True),
            nn.LeakyReLU(0.01),
        )


class ImprovedUnet(nn.Module):
    def __init__(self, width):
        super().__init__()
        c = [width * 2**i for i in range(5)]
        self.down = nn.ModuleList(
            Cnl(c[i - 1] if i else 3, c[i], stride=2 if i else 1) for i in range(5)
        )
        self.context = nn.ModuleList(
            nn.Sequential(Cnl(c[i], c[i]), nn.Dropout2d(0.3), Cnl(c[i], c[i])) for i in range(5)
        )
        self.up = nn.ModuleList(Cnl(c[i + 1], c[i]) for i in range(4))
        self.merge = nn.ModuleList(Cnl(2 * c[i], 2 * c[i]) for i in range(4))
        self.reduce = nn.ModuleList(Cnl(2 * c[i], c[i], kernel=1) if i else nn.Identity() for i in range(4))
        self.segment = nn.ModuleList(nn.Conv2d(c[i] if i else 2 * c[i], 1, 1) for i in range(3))
        self.enlarge = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, x):
        skips = []
        for down, context in zip(self.down, self.context):
            x = down(x)
            x = x + context(x)
            skips.append(x)
        logits = [None] * 3
        for i in (3, 2, 1, 0):
            x = self.reduce[i](self.merge[i](torch.cat([self.up[i](self.enlarge(x)), skips[i]], 1)))
            if i < 3:
                logits[i] = self.segment[i](x)
        return logits[0] + self.enlarge(logits[1] + self.enlarge(logits[2]))


def dice_bce(logits, target):
    p, t = torch.sigmoid(logits).flatten(1), target.flatten(1)
    dice = (2 * (p * t).sum(1) + 1) / (p.sum(1) + t.sum(1) + 1)
    return (1 - dice).mean() + nn.functional.binary_cross_entropy_with_logits(logits, target)


class PyTorch:
    """One way of training; run() gives the seconds of a step."""

    def __init__(self, options, memory_format, compiled=False):
        self.name = f"PyTorch {'compiled' if compiled else 'eager'}, {str(memory_format).split('.')[-1]}"
        self.device, self.bf16 = options.device, options.precision == "bf16"
        self.network = ImprovedUnet(options.width).to(self.device, memory_format=memory_format)
        self.average = torch.optim.swa_utils.AveragedModel(
            self.network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.99)
        )
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=2e-3, fused=True)
        shape = (options.batch, 3, options.size, options.size)
        self.images = torch.rand(shape, device=self.device).to(memory_format=memory_format)
        self.target = (torch.rand(shape[0], 1, *shape[2:], device=self.device) > 0.8).float()
        self.loss = torch.compile(self.plain_loss) if compiled else self.plain_loss

    def plain_loss(self, images, target):
        with torch.autocast(self.device, torch.bfloat16, enabled=self.bf16):
            logits = self.network(images)
        return dice_bce(logits.float(), target)

    def step(self):
        loss = self.loss(self.images, self.target)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5)
        self.optimizer.step()
        self.average.update_parameters(self.network)
        return loss

    def run(self, steps):
        if self.device == "cpu":
            self.step().item()
            return statistics.median(self.seconds(1) for _ in range(steps))
        for _ in range(5):
            self.step().item()
        return self.seconds(steps) / steps

    def seconds(self, steps):
        begin = time.perf_counter()
        for _ in range(steps):
            loss = self.step()
        loss.item()
        return time.perf_counter() - begin


def run_trainer(options):
    what = [options.device, options.precision, options.size, options.width, options.batch]
    command = [options.program] + [str(word) for word in what]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    version = re.search(r"LibTorch ([0-9.]+)", text).group(1)
    if not torch.__version__.startswith(version):
        raise SystemExit(f"the program links LibTorch {version} and this is torch {torch.__version__}: build against this one")
    return options.batch / float(re.search(r"([0-9.]+) images/s", text).group(1)), text


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="benchmark_training of the build")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--compile", action="store_true", help="torch.compile too")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, help="of PyTorch in a round, after the first; 6, on a GPU 100")
    options = parser.parse_args()
    steps = options.steps or (6 if options.device == "cpu" else 100)
    if options.device == "cuda":  # as the trainer has it
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    peers = [PyTorch(options, f) for f in (torch.contiguous_format, torch.channels_last)]
    if options.compile:
        peers.append(PyTorch(options, torch.channels_last, compiled=True))
    seconds = {peer.name: [] for peer in peers}
    own = []
    for _ in range(options.rounds):
        step, text = run_trainer(options)
        own.append(step)
        for peer in peers:
            seconds[peer.name].append(peer.run(steps))
    print(text)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {options.device}, {options.precision}, "
          f"width {options.width}, {options.size} x {options.size}, batch {options.batch}")
    print(f"{'':32} {'step, ms':>9} {'images/s':>9}")
    for name, values in [("unetseg-trainer, data included", own)] + list(seconds.items()):
        step = statistics.median(values)
        print(f"{name:32} {1e3 * step:9.2f} {options.batch / step:9.1f}")
    best = min(statistics.median(values) for values in seconds.values())
    print(f"ratio to PyTorch's best: {best / statistics.median(own):.2f} times its images a second")


if __name__ == "__main__":
    main()
