#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Our inference engines against PyTorch, ONNX Runtime, OpenVINO and ncnn on this machine's cores: float32, or
bfloat16 where the processor multiplies that; each checked against PyTorch in float64 before it is timed, in turn,
with the same threads. README.md."""
import argparse
import json
import math
import os
import pathlib
import statistics
import sys
import time

import environment
import machine
from servers import Failed, Server

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PEERS = ["torch-eager", "torch-eager-nhwc", "torch-compile", "torch-compile-nhwc", "onnxruntime", "openvino", "ncnn"]
BF16_PEERS = [peer for peer in PEERS if peer not in ("onnxruntime", "ncnn")]  # those two have none on x86
FLOOR = "convolutions"  # of all layers alone: what no engine that multiplies as often can go below
OWN_STREAMS = ("unetseg ", "openvino")  # these run several frames at once by themselves
# Of a probability; float32 gives 1e-6 to 1e-5. Bfloat16 is held against what eager PyTorch itself loses by it.
WORST_ERROR = 1e-4
TIMES_EAGER = 2
WARM_UP = 2  # inferences in each round that do not count
PAUSE = 0.03  # seconds, in which the threads of the one before go to sleep


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=pathlib.Path, default=ROOT / "model/weights/unetseg-fast.safetensors")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/tests/benchmarks/benchmark_serve_engine",
                        help="benchmark_serve_engine of a build (%(default)s)")
    parser.add_argument("--engines", default="libtorch,fused-cpu", help="of that program, with commas between them (%(default)s)")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32", help="of all (%(default)s)")
    parser.add_argument("--peers", help=f"with commas between them ({','.join(PEERS)}; those that have the precision)")
    parser.add_argument("--environment", type=pathlib.Path, metavar="DIR",
                        help="virtual environment for the peers, made where there is none (beside the program)")
    parser.add_argument("--no-install", action="store_true", help="take the environment as it is")
    parser.add_argument("--sizes", default="128,256", help="sides of the input in pixels (%(default)s)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="for each (all cores: %(default)s)")
    parser.add_argument("--seconds", type=float, default=60, help="that each table may take (%(default)s)")
    parser.add_argument("--each-round", type=int, default=5, help="inferences of each in a round (%(default)s)")
    parser.add_argument("--no-throughput", action="store_true", help="one picture at a time only")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write everything that was measured here too")
    options = parser.parse_args()
    if options.peers is None:
        options.peers = ",".join(PEERS if options.precision == "fp32" else BF16_PEERS)
    return options


def say(text):
    print(text, file=sys.stderr, flush=True)


class Comparison:
    """All at one size of the input."""

    def __init__(self, options, side, folder):
        from network import Weights, network_input

        self.options, self.folder, self.side = options, folder, side
        self.left_out, self.worst_error = [], WORST_ERROR
        weights = Weights(options.weights)
        self.weights, self.input = folder / f"weights-{side}.safetensors", folder / f"input-{side}.raw"
        network_input(side, weights.metadata).tofile(self.input)
        weights.write_for(side, self.weights)
        reference = self.start("reference")
        self.reference = self.result_of(reference)
        reference.close()
        if options.precision != "fp32":
            self.worst_error = math.inf
            eager = self.start("torch-eager")
            self.worst_error = WORST_ERROR + TIMES_EAGER * self.error_of(eager)
            eager.close()

    def command(self, name):
        common = ["--weights", self.weights, "--input", self.input, "--precision", self.options.precision]
        if name.startswith("unetseg "):
            return lambda threads: [self.options.program, *common, "--threads", threads, "--engine", name.split()[1]]
        peer = [sys.executable, HERE / "serve_peer.py", name, *common, "--folder", self.folder]
        return lambda threads: [*peer, "--threads", threads]

    def start(self, name, split=False):
        say(f"{self.side}: starting {name}")
        return Server(name, self.command(name), self.options.threads, self.folder, split)

    def result_of(self, server):
        import numpy

        path = self.folder / "output.raw"
        server.write_output(path)
        return numpy.fromfile(path, numpy.float32).astype(numpy.float64)

    def start_checked(self, names, streams=False):
        """Those of `names` that can be started and compute the right thing, and their errors."""
        servers, errors = [], {}
        for name in names:
            server = None
            try:
                server = self.start(name, split=streams and not name.startswith(OWN_STREAMS))
                if name != FLOOR:
                    errors[name] = self.error_of(server)
                servers.append(server)
            except (Failed, OSError) as failed:
                self.left_out.append(f"{self.side} x {self.side}: {failed}")
                if server is not None:
                    server.close()
        return servers, errors

    def error_of(self, server):
        result = self.result_of(server)
        worst = abs(result - self.reference).max() if result.size == self.reference.size else math.inf
        if not worst <= self.worst_error:
            raise Failed(f"{server.name} computes something else, a probability is off by {worst:.1e}")
        return worst

    def rounds(self, servers, measure):
        """Calls measure(server) in turn until the time is over; every server has had as many turns."""
        for server in servers:
            measure(server)  # not counted
        results = {server.name: [] for server in servers}
        others = machine.Others([i for server in servers for i in server.ids()])
        begin = time.monotonic()
        while not all(results.values()) or time.monotonic() - begin < self.options.seconds:
            for server in servers:
                time.sleep(PAUSE)
                results[server.name].append(measure(server))
        return results, others.share()

    def latency(self, names):
        servers, errors = self.start_checked(names)
        say(f"{self.side}: measuring, one picture at a time")
        rounds, others = self.rounds(servers, lambda server: server.times(self.options.each_round, WARM_UP))
        say(f"{self.side}: measured")
        rows = []
        for server in servers:
            times = sorted(time for taken in rounds[server.name] for time in taken)
            rows.append({"name": server.name, "about": server.about, "error": errors.get(server.name), "n": len(times),
                         "median_ms": statistics.median(times), "least_ms": times[0],
                         "p99_ms": times[math.ceil(0.99 * len(times)) - 1]})
            server.close()
        return {"side": self.side, "kind": "latency", "rows": rows, "others": others, "left_out": self.left_out}

    def throughput(self, latencies):
        """Of all our engines and of each peer in the form that was the fastest with single pictures."""
        best = {}
        for row in sorted(latencies, key=lambda row: row["median_ms"]):
            best.setdefault(row["name"].removesuffix("-nhwc"), row)
        self.left_out = []
        names = [row["name"] for row in best.values() if row["name"] != FLOOR]
        frames = {row["name"]: self.frames_for(row["median_ms"]) for row in latencies}
        servers, _ = self.start_checked(names, streams=True)
        say(f"{self.side}: measuring, {self.options.threads} streams")
        rounds, others = self.rounds(servers, lambda server: server.frames_per_second(frames[server.name]))
        say(f"{self.side}: measured")
        rows = [{"name": server.name, "about": server.about, "n": len(rounds[server.name]),
                 "frames_per_second": statistics.median(rounds[server.name])} for server in servers]
        for server in servers:
            server.close()
        return {"side": self.side, "kind": "throughput", "rows": rows, "others": others, "left_out": self.left_out}

    def frames_for(self, milliseconds):
        """As many frames as fill about half a second."""
        return self.options.threads * max(4, round(500 / milliseconds))


def print_table(table, threads, precision):
    side, rows = table["side"], table["rows"]
    latency = table["kind"] == "latency"
    peers = [row for row in rows if not row["name"].startswith("unetseg ") and row["name"] != FLOOR]
    figure = "median_ms" if latency else "frames_per_second"
    rows.sort(key=lambda row: row[figure], reverse=not latency)
    best = (min if latency else max)((row[figure] for row in peers), default=None)
    what = "one picture at a time" if latency else f"{threads} streams"
    print(f"\n{side} x {side}, {precision}, {what}, {threads} threads; others used {100 * table['others']:.0f} % of the cores")
    columns = f"{'median':>9} {'p99':>9} {'least':>9} {'error':>8}" if latency else f"{'frames/s':>9}"
    print(f"{'':20} {columns} {'of best peer':>13} {'n':>5}")
    for row in rows:
        label = "convolutions alone" if row["name"] == FLOOR else row["name"]
        ratio = f"{row[figure] / best:.2f}" if best else ""
        if latency:
            error = "" if row["error"] is None else f"{row['error']:.1e}"
            values = f"{row['median_ms']:6.2f} ms {row['p99_ms']:6.2f} ms {row['least_ms']:6.2f} ms {error:>8}"
        else:
            values = f"{row['frames_per_second']:9.1f}"
        print(f"{label:20} {values} {ratio:>13} {row['n']:5}")
    for line in table["left_out"]:
        print(f"left out: {line}")
    sys.stdout.flush()


def main():
    options = arguments()
    folder = options.program.parent / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    environment.enter(options.environment or folder / "environment", not options.no_install)
    about = machine.describe()
    print(f"{about['processor']} (family {about['family']}), {about['cores']} cores, {' '.join(about['caches'])}; "
          f"{' '.join(about['extensions'])}; {about['system']}; commit {about['commit']}")
    own = [f"unetseg {engine}" for engine in options.engines.split(",")]
    names = own + [peer for peer in options.peers.split(",") if peer]
    if options.precision == "fp32":
        names.append(FLOOR)
    tables, versions = [], {}
    for side in map(int, options.sizes.split(",")):
        comparison = Comparison(options, side, folder)
        table = comparison.latency(names)
        tables.append(table)
        print_table(table, options.threads, options.precision)
        if not options.no_throughput:
            tables.append(comparison.throughput(table["rows"]))
            print_table(tables[-1], options.threads, options.precision)
        versions |= {row["name"]: row["about"] for row in table["rows"]}
    print()
    for name, version in versions.items():
        print(f"{name}: {version}")
    if options.json:
        options.json.write_text(json.dumps({"machine": about, "threads": options.threads, "precision": options.precision, "tables": tables},
                       indent=1))
    return 0 if all(name in versions for name in own) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failed:
        sys.exit(str(failed))
