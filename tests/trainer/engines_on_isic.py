#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Scores the shipped weights on ISIC 2017's validation images by every engine: no image's Dice may differ.

    engines_on_isic.py unetseg-trainer WEIGHTS DATA

Skipped (77) where there is no DATA.
"""
import csv
import os
import subprocess
import sys
import tempfile

MOST = 0.0005


def scores(program, weights, data, engine, folder):
    path = os.path.join(folder, engine + ".csv")
    subprocess.run(
        [program, "evaluate", "--quiet", "--engine", engine, "--weights", weights, "--data", data, "--csv", path],
        check=True, stdout=subprocess.DEVNULL,
    )
    with open(path, newline="") as file:
        return {row["id"]: float(row["dice"]) for row in csv.DictReader(file)}


def main():
    program, weights, data = sys.argv[1:]
    if not os.path.isdir(data):
        print("no data set at", data)
        return 77
    with tempfile.TemporaryDirectory() as folder:
        reference = scores(program, weights, data, "libtorch", folder)
        fused = scores(program, weights, data, "fused-cpu", folder)
    worst = max(reference, key=lambda name: abs(reference[name] - fused[name]))
    apart = abs(reference[worst] - fused[worst])
    print(f"{len(reference)} images, Dice of {worst} differs most: by {apart:.2g}")
    return 0 if len(reference) == len(fused) >= 100 and apart <= MOST else 1


sys.exit(main())
