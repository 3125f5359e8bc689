#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints what unetseg measures on each frame, as CSV, and reads the pixels of its mask.

usage: measure.py [--source ELEMENTS] [PROPERTY=VALUE ...]

    pipelines/measure.py --source 'filesrc location=film.mp4 ! decodebin' threshold=0.4

ELEMENTS are gst-launch-1.0's (v4l2src: a camera), properties those of unetseg. Needs python3-gi and
gir1.2-gst-plugins-base-1.0, and unetseg installed or the shell that `meson devenv -C build -w "$PWD"`
opens.
"""
import argparse
import csv
import ctypes
import sys

# GStreamer brings a second C++ unwinder, libunwind. Where other C++ libraries came first (torch, OpenCV),
# the next exception would be passed from one to the other, and crash. libgcc's first, for all of them.
ctypes.CDLL("libgcc_s.so.1", mode=ctypes.RTLD_GLOBAL)

import gi  # noqa: E402

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstVideo", "1.0")
from gi.repository import GLib, Gst, GstApp, GstVideo  # noqa: E402,F401 (GstApp gives the appsink its methods)

FIELDS = ["timestamp", "mask-age", "found", "area", "diameter", "asymmetry", "confidence"]


def samples_of(pipeline):
    """The appsink's samples, to the end of the stream. Raises RuntimeError where an element fails."""
    masks, bus = pipeline.get_by_name("masks"), pipeline.get_bus()
    pipeline.set_state(Gst.State.PLAYING)  # where that fails, the bus says why
    try:
        while True:
            sample = masks.try_pull_sample(Gst.SECOND // 10)  # other Python threads run meanwhile
            if sample is not None:
                yield sample
            message = bus.pop_filtered(Gst.MessageType.ERROR)
            if message is not None:
                error, detail = message.parse_error()
                raise RuntimeError(f"{error.message} ({detail})")
            if sample is None and masks.is_eos():
                return
    finally:
        pipeline.set_state(Gst.State.NULL)


def lesion_pixels(sample):
    """How many pixels of the mask are set. Its rows may be longer than the picture is wide."""
    info = GstVideo.VideoInfo.new_from_caps(sample.get_caps())
    buffer = sample.get_buffer()
    mask = buffer.extract_dup(0, buffer.get_size())  # a copy, which may outlive the sample
    rows = range(0, info.height * info.stride[0], info.stride[0])
    return sum(mask.count(255, row, row + info.width) for row in rows)


def row_of(sample):
    """What is known of the mask's frame; None where nothing is, which is not the same as no lesion."""
    buffer = sample.get_buffer()
    meta = buffer.get_custom_meta("unetseg")
    if meta is None or buffer.has_flags(Gst.BufferFlags.GAP):
        return None
    result = meta.get_structure()
    return [result.get_value(field) for field in FIELDS] + [lesion_pixels(sample)]


def launch_error(error):
    """GStreamer's own words, in the language of the system; and what to do, where unetseg is not found."""
    missing = error.matches(Gst.ParseError.quark(), Gst.ParseError.NO_SUCH_ELEMENT)
    if missing and "unetseg" in error.message:
        return f'{error.message}: install it, or run this in the shell that `meson devenv -C build -w "$PWD"` opens'
    return error.message


def main(arguments):
    parser = argparse.ArgumentParser(description="Prints what unetseg measures on each frame, as CSV.")
    parser.add_argument("--source", default="v4l2src", metavar="ELEMENTS", help="of gst-launch-1.0 (v4l2src)")
    parser.add_argument("properties", nargs="*", metavar="PROPERTY=VALUE", help="of unetseg")
    options = parser.parse_args(arguments)

    Gst.init(None)
    table = csv.writer(sys.stdout)
    try:
        pipeline = Gst.parse_launch(
            f"{options.source} ! videoconvert ! unetseg output=mask {' '.join(options.properties)} ! "
            "appsink name=masks max-buffers=2 sync=false"
        )
        table.writerow(FIELDS + ["mask-pixels"])
        for sample in samples_of(pipeline):
            row = row_of(sample)
            if row is not None:
                table.writerow(row)
    except KeyboardInterrupt:
        pass
    except GLib.Error as error:
        print(f"error: {launch_error(error)}", file=sys.stderr)
        return 1
    except RuntimeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
