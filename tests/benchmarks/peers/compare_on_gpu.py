#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Our engines on a GPU against PyTorch there: eager, as a CUDA graph, compiled; each checked against PyTorch in float64
on the CPU before it is timed, in turn. README.md."""
import argparse
import json
import math
import pathlib
import statistics
import sys
import time

import environment
import machine
from servers import Failed, Server

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
ENGINES = ["libtorch", "fused-cuda"]
PEERS = [f"gpu-{form}{layout}" for form in ("eager", "graphed", "compile") for layout in ("", "-nhwc")]
# Of a probability. Narrow formats are held against what eager PyTorch itself loses by them.
WORST_ERROR = 1e-3
TIMES_EAGER = 2
WARM_UP = 5  # inferences in each round that do not count


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=pathlib.Path, default=ROOT / "model/weights/unetseg-fast.safetensors")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/tests/benchmarks/benchmark_serve_engine",
                        help="benchmark_serve_engine of a build with CUDA (%(default)s)")
    parser.add_argument("--environment", type=pathlib.Path, metavar="DIR",
                        help="virtual environment that has torch and numpy (this Python's own)")
    parser.add_argument("--engines", default=",".join(ENGINES), help="of that program (%(default)s)")
    parser.add_argument("--peers", default=",".join(PEERS), help="with commas between them (%(default)s)")
    parser.add_argument("--precisions", default="fp32,fp16", help="with commas between them (%(default)s)")
    parser.add_argument("--cases", default="128x1,256x1,128x64", help="side x batch, with commas between them (%(default)s)")
    parser.add_argument("--seconds", type=float, default=10, help="that each table may take (%(default)s)")
    parser.add_argument("--each-round", type=int, default=20, help="inferences of each in a round (%(default)s)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write everything that was measured here too")
    return parser.parse_args()


def say(text):
    print(text, file=sys.stderr, flush=True)


class Comparison:
    """All at one size of the input in one number format."""

    def __init__(self, options, side, precision, folder):
        from network import Weights, network_input

        self.options, self.folder, self.side, self.precision = options, folder, side, precision
        self.left_out = []
        weights = Weights(options.weights)
        self.weights, self.input = folder / f"weights-{side}.safetensors", folder / f"input-{side}.raw"
        network_input(side, weights.metadata).tofile(self.input)
        weights.write_for(side, self.weights)
        reference = self.start("reference")
        self.reference = self.result_of(reference)
        reference.close()
        self.servers, self.errors = self.start_checked()

    def command(self, name):
        common = ["--weights", self.weights, "--input", self.input, "--precision", self.precision]
        if name.startswith("unetseg "):
            return lambda _: [self.options.program, *common, "--device", "cuda", "--engine", name.split()[1]]
        return lambda threads: [sys.executable, HERE / "serve_peer.py", name, *common, "--folder", self.folder,
                                "--threads", threads]

    def start(self, name):
        say(f"{self.side}, {self.precision}: starting {name}")
        return Server(name, self.command(name), 1, self.folder)

    def result_of(self, server):
        import numpy

        path = self.folder / "output.raw"
        server.write_output(path)
        return numpy.fromfile(path, numpy.float32).astype(numpy.float64)

    def error_of(self, server):
        result = self.result_of(server)
        return abs(result - self.reference).max() if result.size == self.reference.size else math.inf

    def start_checked(self):
        """Those that can be started and compute the right thing, and their errors."""
        servers, errors = [], {}
        for name in [f"unetseg {engine}" for engine in self.options.engines.split(",")] + self.options.peers.split(","):
            try:
                server = self.start(name)
                errors[name] = self.error_of(server)
                servers.append(server)
            except (Failed, OSError) as failed:
                self.left_out.append(str(failed))
        eager = max((error for name, error in errors.items() if name.startswith("gpu-eager")), default=0)
        worst = WORST_ERROR if self.precision == "fp32" else WORST_ERROR + TIMES_EAGER * eager
        for server in [server for server in servers if not errors[server.name] <= worst]:
            self.left_out.append(f"{server.name} computes something else, a probability is off by {errors[server.name]:.1e}")
            servers.remove(server)
            server.close()
        return servers, errors

    def measure(self, batch):
        times = {server.name: [] for server in self.servers}
        begin = time.monotonic()
        while not all(times.values()) or time.monotonic() - begin < self.options.seconds:
            for server in list(self.servers):
                try:
                    times[server.name] += server.batch_times(batch, self.options.each_round, WARM_UP)
                except Failed as failed:  # too large a batch for this GPU, say
                    self.left_out.append(str(failed))
                    self.servers.remove(server)
                    del times[server.name]
        rows = [{"name": server.name, "about": server.about, "error": self.errors[server.name],
                 "n": len(times[server.name]), "median_ms": statistics.median(times[server.name]),
                 "least_ms": min(times[server.name])} for server in self.servers]
        return {"side": self.side, "batch": batch, "precision": self.precision,
                "rows": sorted(rows, key=lambda row: row["median_ms"]), "left_out": self.left_out}

    def close(self):
        for server in self.servers:
            server.close()


def print_table(table):
    rows, batch = table["rows"], table["batch"]
    best = min((row["median_ms"] for row in rows if not row["name"].startswith("unetseg ")), default=None)
    print(f"\n{table['side']} x {table['side']}, {table['precision']}, batches of {batch}, from and to the host's memory")
    print(f"{'':20} {'median':>11} {'least':>11} {'frames/s':>10} {'error':>8} {'of best peer':>13} {'n':>6}")
    for row in rows:
        ratio = f"{row['median_ms'] / best:.2f}" if best else ""
        print(f"{row['name']:20} {row['median_ms']:8.3f} ms {row['least_ms']:8.3f} ms {1e3 * batch / row['median_ms']:10.0f} "
              f"{row['error']:8.1e} {ratio:>13} {row['n']:6}")
    for line in table["left_out"]:
        print(f"left out: {line}")
    sys.stdout.flush()


def main():
    options = arguments()
    folder = options.program.parent / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    if options.environment:
        environment.enter(options.environment, install=False)
    about = machine.describe()
    print(f"{about['processor']}, {about['cores']} cores; {about['system']}; commit {about['commit']}")
    cases = [tuple(map(int, case.split("x"))) for case in options.cases.split(",")]
    tables, versions = [], {}
    for precision in options.precisions.split(","):
        for side in dict.fromkeys(side for side, _ in cases):
            comparison = Comparison(options, side, precision, folder)
            for batch in [batch for its_side, batch in cases if its_side == side]:
                tables.append(comparison.measure(batch))
                print_table(tables[-1])
                versions |= {row["name"]: row["about"] for row in tables[-1]["rows"]}
            comparison.close()
    print()
    for name, version in versions.items():
        print(f"{name}: {version}")
    if options.json:
        options.json.write_text(json.dumps({"machine": about, "tables": tables}, indent=1))
    return 0 if all(f"unetseg {engine}" in versions for engine in options.engines.split(",")) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failed:
        sys.exit(str(failed))
