# SPDX-License-Identifier: MIT
"""Lists tests that run without the real network.

usage: meson introspect BUILD --tests --targets | list_tests.py BUILD "SUITE SUITE..." [TEST...]

One a line: the name, a tab, and the files that have to be built for it, as ninja calls them. Those
that are named, or else those of the suites.
"""
import json
import os
import sys


def main():
    build, suites, names = os.path.abspath(sys.argv[1]), sys.argv[2].split(), sys.argv[3:]
    known = json.load(sys.stdin)
    files = {target["id"]: target["filename"] for target in known["targets"]}
    for test in known["tests"]:
        if not test["env"].get("UNETSEG_MODULE_DIR", "/fake").endswith("/fake"):
            continue
        suite = test["suite"][0].split(":")[-1]
        if test["name"] not in names if names else suite not in suites:
            continue
        needed = [os.path.relpath(file, build) for name in test["depends"] for file in files[name]]
        print(test["name"], " ".join(needed), sep="\t")


if __name__ == "__main__":
    sys.exit(main())
