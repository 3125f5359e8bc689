#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whole pipelines on NV12 frames at 1080p and 4K: the element, overlay drawn, against GStreamer's own
conversion to a small RGB picture and OpenVINO in Python, which draws nothing. README.md."""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

import environment
import machine

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
CONVERSIONS = {"as many write it": "videoconvert ! videoscale", "scaled first": "videoscale ! videoconvert"}


def arguments():
    cores = len(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=pathlib.Path, default=ROOT / "model/weights/unetseg-fast.safetensors")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="build folder (%(default)s)")
    parser.add_argument("--element", action="append", metavar="TEXT",
                        help="the element with its properties; may be given again (unetseg mode=every-frame)")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32", help="of the network (%(default)s)")
    parser.add_argument("--environment", type=pathlib.Path, metavar="DIR", help="as of compare.py")
    parser.add_argument("--no-install", action="store_true", help="take the environment as it is")
    parser.add_argument("--heights", default="1080,2160", help="of 16:9 frames (%(default)s)")
    parser.add_argument("--threads", type=int, default=cores, help="of the network (all cores: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="(%(default)s)")
    parser.add_argument("--frames", type=int, default=60, help="of a run (%(default)s)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write everything that was measured here too")
    return parser.parse_args()


def write_nv12(width, height, path):
    """The picture in BT.709 at video range, chroma averaged over 2 x 2."""
    import numpy

    from network import picture

    red, green, blue = numpy.moveaxis(picture(height, width), 2, 0)
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    chroma = numpy.stack([(blue - luma) / 1.8556, (red - luma) / 1.5748], axis=-1)
    chroma = chroma.reshape(height // 2, 2, width // 2, 2, 2).mean(axis=(1, 3))
    with open(path, "wb") as file:
        for values, offset, scale in ((luma, 16, 219), (chroma, 128, 224)):
            file.write(numpy.rint(offset + scale * values).astype(numpy.uint8).tobytes())


def competitors(options, folder):
    """Names of the rows, and what run_pipeline.py is told for each."""
    import graphs
    from network import Weights

    weights = Weights(options.weights)
    if {weights.metadata["mean"], weights.metadata["stddev"]} != {"0,0,0", "1,1,1"}:
        raise SystemExit(f"{options.weights}: the peer's side knows only pictures of 0..1")
    side = int(weights.metadata["input_width"])
    model = folder / "pipeline.onnx"
    graphs.write_onnx(weights.tensors, side, model)
    rows = {}
    for element in options.element or ["unetseg mode=every-frame"]:
        text = f"{element} model-file={options.weights} threads={options.threads} precision={options.precision}"
        rows[element] = ["--element", text]
    for name, conversion in CONVERSIONS.items():
        for hint in ("LATENCY", "THROUGHPUT"):
            rows[f"OpenVINO {hint}, {name}"] = ["--model", model, "--side", side, "--convert", conversion, "--hint", hint,
                                                "--threads", options.threads, "--precision", options.precision]
    return rows


def run(words, height, frame, options, folder):
    variables = {"GST_PLUGIN_PATH": options.build / "plugin", "UNETSEG_MODULE_DIR": options.build / "model/backend",
                 "GST_REGISTRY": folder / "registry.bin"}
    command = [sys.executable, HERE / "run_pipeline.py", "--frame", frame, "--width", height * 16 // 9, "--height", height,
               "--frames", options.frames, *words]
    done = subprocess.run([str(word) for word in command], text=True, stdout=subprocess.PIPE,
                          env=os.environ | {name: str(value) for name, value in variables.items()})
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, words))} failed")
    return json.loads(done.stdout.splitlines()[-1])


def print_table(height, precision, results):
    print(f"\n{height * 16 // 9} x {height} NV12, every frame inferred, {precision}")
    print(f"{'':42} {'frames/s':>9} {'CPU ms/frame':>13} {'lesion':>7}")
    for name, runs in results.items():
        fps, cpu, lesion = (statistics.median(run[key] for run in runs) for key in ("fps", "cpu_ms", "lesion"))
        print(f"{name:42} {fps:9.1f} {cpu:13.1f} {100 * lesion:5.1f} %", flush=True)


def main():
    options = arguments()
    folder = options.build / "tests/benchmarks/peers"
    folder.mkdir(parents=True, exist_ok=True)
    environment.enter(options.environment or folder / "environment", not options.no_install)
    about = machine.describe()
    print(f"{about['processor']}, {about['cores']} cores, {' '.join(about['extensions'])}; commit {about['commit']}; "
          f"median of {options.rounds} runs of {options.frames} frames, in turn")
    rows = competitors(options, folder)
    tables = {}
    for height in map(int, options.heights.split(",")):
        frame = folder / f"frame-{height}.nv12"
        write_nv12(height * 16 // 9, height, frame)
        results = {name: [] for name in rows}
        print(f"{height}: measuring", file=sys.stderr, flush=True)
        for _ in range(options.rounds):
            for name, words in rows.items():
                results[name].append(run(words, height, frame, options, folder))
        print(f"{height}: measured", file=sys.stderr, flush=True)
        print_table(height, options.precision, results)
        tables[height] = results
    if options.json:
        options.json.write_text(json.dumps({"machine": about, "precision": options.precision, "tables": tables}, indent=1))


if __name__ == "__main__":
    main()
