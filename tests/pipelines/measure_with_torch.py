# SPDX-License-Identifier: MIT
"""The real network in a process that also has Python's torch: both libraries do their work as alone.

usage: measure_with_torch.py MEASURE first|last

MEASURE is pipelines/measure.py. torch is imported before the element loads its own LibTorch, or after
it. Exits with 77 where Python has no torch.
"""
import importlib.util
import io
import subprocess
import sys
from contextlib import redirect_stdout

# One thread: those of LibTorch wait for each other busily, which takes ages on a busy machine.
ARGUMENTS = ["--source", "videotestsrc num-buffers=2 pattern=ball ! video/x-raw,width=64,height=48"]
ARGUMENTS += ["device=cpu", "threads=1"]


def measured(program):
    spec = importlib.util.spec_from_file_location("measure", program)
    measure = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(measure)
    output = io.StringIO()
    with redirect_stdout(output):
        assert measure.main(ARGUMENTS) == 0
    return output.getvalue().splitlines()


def learned():
    """A step of learning with the operators that the element's network uses."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(1)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.InstanceNorm2d(8), torch.nn.LeakyReLU())
    loss = net(torch.linspace(0, 1, 3 * 64 * 64).reshape(1, 3, 64, 64)).square().mean()
    loss.backward()
    return loss.item(), net[0].weight.grad.norm().item()


def main():
    program, order = sys.argv[1:]
    for module in ("gi", "torch"):
        if importlib.util.find_spec(module) is None:
            print(f"skipped: {sys.executable} has no module {module}")
            return 77
    alone = subprocess.run([sys.executable, program, *ARGUMENTS], check=True, capture_output=True, text=True)
    expected = alone.stdout.splitlines()
    assert len(expected) == 3, expected

    before = learned() if order == "first" else None
    for _ in range(2):
        rows = measured(program)
        assert rows == expected, (rows, expected)
        after = learned()
        assert before in (None, after), (before, after)
        before = after
    return 0


if __name__ == "__main__":
    sys.exit(main())
