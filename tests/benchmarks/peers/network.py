# SPDX-License-Identifier: MIT
"""The network to compare, written once for all peers, and the picture that they are given."""
import json
import struct

import numpy as np

EPSILON, SLOPE = 1e-5, 0.01


class Weights:
    """A weights file (model/storage/FORMAT.md): its metadata, and its tensors by name as float32."""

    TYPES = {"F16": np.float16, "F32": np.float32}

    def __init__(self, path):
        with open(path, "rb") as file:
            self.bytes = file.read()
        self.begin = 8 + struct.unpack_from("<Q", self.bytes)[0]
        self.header = json.loads(self.bytes[8 : self.begin])
        self.metadata = self.header["__metadata__"]
        if self.metadata["architecture"] != "improved-unet":
            raise SystemExit(f"{path} is a {self.metadata['architecture']}: only improved-unet is compared")
        self.tensors = {name: self._tensor(entry) for name, entry in self.header.items() if name != "__metadata__"}

    def _tensor(self, entry):
        begin, end = (self.begin + offset for offset in entry["data_offsets"])
        values = np.frombuffer(self.bytes[begin:end], self.TYPES[entry["dtype"]])
        return np.ascontiguousarray(values.reshape(entry["shape"]).astype(np.float32))

    def write_for(self, side, path):
        """The same weights for an input of side x side pixels. Their SHA-256 covers the tensors only."""
        self.metadata |= {"input_width": str(side), "input_height": str(side)}
        header = json.dumps(self.header).encode()
        with open(path, "wb") as file:
            file.write(struct.pack("<Q", len(header)) + header + self.bytes[self.begin :])


def improved_unet(ops, x):
    """Probabilities of x, out of whatever `ops` (convolve, normalise, activate, enlarge, concatenate,
    add, probability) makes of each step: tensors that are computed, or the nodes of a graph."""

    def cnl(x, name, stride=1):
        x = ops.convolve(x, f"{name}.conv", stride)
        return ops.activate(ops.normalise(x, f"{name}.norm"))

    skips = []
    for i in range(5):
        x = cnl(x, f"encoder.{i}.down", 2 if i else 1)
        x = ops.add(x, cnl(cnl(x, f"encoder.{i}.context.a"), f"encoder.{i}.context.b"))
        skips.append(x)
    logits = None
    for i in (3, 2, 1, 0):
        x = cnl(ops.concatenate(cnl(ops.enlarge(x), f"decoder.{i}.up"), skips[i]), f"decoder.{i}.merge")
        if i > 0:
            x = cnl(x, f"decoder.{i}.reduce")
        if i < 3:
            segment = ops.convolve(x, f"decoder.{i}.segment", 1)
            logits = segment if logits is None else ops.add(segment, ops.enlarge(logits))
    return ops.probability(logits)


def picture(height, width):
    """RGB, height x width x 3, 0..1: a dark spot with a wavy, soft border on skin, with some grain."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    y, x = (y - height * 0.52) / height, (x - width * 0.47) / width
    radius = 0.26 + 0.03 * np.sin(5 * np.arctan2(y, x))
    spot = 1 / (1 + np.exp((np.hypot(x, 1.2 * y) - radius) * 40))
    skin, lesion = np.array([0.80, 0.62, 0.55]), np.array([0.42, 0.26, 0.22])
    colours = skin + spot[..., None] * (lesion - skin) + 0.05 * x[..., None]
    grain = np.random.default_rng(1).normal(0, 0.02, colours.shape)
    return np.clip(colours + grain, 0, 1).astype(np.float32)


def network_input(side, metadata):
    """3 x side x side float32, normalised as the weights ask for."""
    mean, stddev = (np.array([float(v) for v in metadata[key].split(",")]) for key in ("mean", "stddev"))
    return np.ascontiguousarray(((picture(side, side) - mean) / stddev).transpose(2, 0, 1).astype(np.float32))
