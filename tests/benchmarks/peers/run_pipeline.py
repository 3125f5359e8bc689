#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One run of one pipeline for pipelines.py: prints frames a second, CPU seconds a frame and what share of
the frame was found to be lesion, as JSON."""
import argparse
import ctypes
import json
import resource
import sys
import time

# As in pipelines/measure.py: of the two C++ unwinders this one must come first.
ctypes.CDLL("libgcc_s.so.1", mode=ctypes.RTLD_GLOBAL)
sys.path.append("/usr/lib/python3/dist-packages")  # Debian's python3-gi, from a virtual environment

import gi  # noqa: E402

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402


def samples_of(pipeline):
    """The appsink's samples, to the end of the stream. Raises RuntimeError where an element fails."""
    sink, bus = pipeline.get_by_name("sink"), pipeline.get_bus()
    pipeline.set_state(Gst.State.PLAYING)
    while True:
        sample = sink.emit("try-pull-sample", Gst.SECOND)
        message = bus.pop_filtered(Gst.MessageType.ERROR)
        if message is not None:
            error, detail = message.parse_error()
            raise RuntimeError(f"{error.message} ({detail})")
        if sample is not None:
            yield sample
        elif sink.get_property("eos"):
            return


class Element:
    """Nothing is left to do: the frames come out with the overlay drawn."""

    def __init__(self, options):
        self.middle = f"{options.element} name=own"
        self.sample = None

    def take(self, sample):
        self.sample = sample

    def finish(self, pipeline, frames):
        inferred = pipeline.get_by_name("own").get_property("stats").get_value("inferred")
        if inferred != frames:
            raise RuntimeError(f"{inferred} of {frames} frames were inferred")

    def lesion(self):
        return self.sample.get_buffer().get_custom_meta("unetseg").get_structure().get_value("area-fraction")


class OpenVino:
    """Small RGB pictures come out; the network and the threshold are done here, and nothing is drawn."""

    def __init__(self, options):
        import numpy
        import openvino

        self.numpy, self.side = numpy, options.side
        self.middle = f"{options.convert} ! video/x-raw,format=RGB,width={self.side},height={self.side}"
        core = openvino.Core()
        precision = {"fp32": "f32", "bf16": "bf16"}[options.precision]
        settings = {"PERFORMANCE_HINT": options.hint, "INFERENCE_PRECISION_HINT": precision,
                    "INFERENCE_NUM_THREADS": options.threads}
        self.queue = openvino.AsyncInferQueue(core.compile_model(core.read_model(options.model), "CPU", settings))
        self.queue.set_callback(self.threshold)
        self.mask = None

    def take(self, sample):
        buffer = sample.get_buffer()
        pixels = self.numpy.frombuffer(buffer.extract_dup(0, buffer.get_size()), self.numpy.uint8)
        planes = pixels.reshape(self.side, self.side, 3).transpose(2, 0, 1).astype(self.numpy.float32)
        planes *= self.numpy.float32(1 / 255)
        self.queue.start_async({0: planes[None]})

    def threshold(self, request, _):
        self.mask = request.get_output_tensor(0).data > 0.5

    def finish(self, _pipeline, _frames):
        self.queue.wait_all()

    def lesion(self):
        return float(self.mask.mean())


def clocks():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), used.ru_utime + used.ru_stime


def run(options):
    worker = OpenVino(options) if options.model else Element(options)
    # The same frame again and again: a source that costs nothing, of buffers that nobody may write to.
    pipeline = Gst.parse_launch(
        f"filesrc location={options.frame} blocksize={options.width * options.height * 3 // 2} ! "
        f"rawvideoparse format=nv12 width={options.width} height={options.height} framerate=60/1 ! "
        f"imagefreeze num-buffers={options.frames + options.warm_up} ! {worker.middle} ! "
        "appsink name=sink sync=false max-buffers=4"
    )
    start, taken = None, 0
    for sample in samples_of(pipeline):
        worker.take(sample)
        taken += 1
        if taken == options.warm_up:
            start = clocks()
    worker.finish(pipeline, taken)
    seconds, processor = (end - begin for begin, end in zip(start, clocks()))
    lesion = worker.lesion()
    pipeline.set_state(Gst.State.NULL)
    return {"fps": options.frames / seconds, "cpu_ms": 1e3 * processor / options.frames, "lesion": lesion}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frame", required=True, help="NV12 without padding")
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--height", type=int, required=True)
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--warm-up", type=int, default=8, help="frames that do not count")
    parser.add_argument("--element", help="unetseg with its properties")
    parser.add_argument("--model", help="or: an ONNX file for OpenVINO")
    parser.add_argument("--side", type=int, help="of that model's input")
    parser.add_argument("--convert", help="elements that make its pictures")
    parser.add_argument("--hint", choices=["LATENCY", "THROUGHPUT"])
    parser.add_argument("--threads", type=int)
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    Gst.init(None)
    print(json.dumps(run(parser.parse_args())))


if __name__ == "__main__":
    main()
