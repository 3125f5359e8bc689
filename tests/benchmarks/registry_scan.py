#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a plugin adds to GStreamer's first start: a scan with an empty registry and nothing but that
plugin, interleaved with the same scan of another plugin and of none.

Usage: registry_scan.py PLUGIN.so REFERENCE.so [ROUNDS]"""
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time


def environment(folder):
    env = {key: value for key, value in os.environ.items() if not key.startswith("GST_")}
    env["GST_PLUGIN_SYSTEM_PATH"] = ""
    env["GST_PLUGIN_PATH"] = str(folder)
    env["GST_REGISTRY"] = str(folder / "registry.bin")
    return env


def inspect(folder, *arguments):
    run = subprocess.run(["gst-inspect-1.0", *arguments], env=environment(folder), check=True,
                         capture_output=True, text=True)
    return run.stdout


def clocks():
    """Wall clock, and processor time of the programs that were run, in ms."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1e3 * time.perf_counter(), 1e3 * (used.ru_utime + used.ru_stime)


def scan(folder):
    """What a start takes that has to make its registry, by both clocks."""
    (folder / "registry.bin").unlink(missing_ok=True)
    before = clocks()
    inspect(folder, "--print-blacklist")
    return tuple(after - start for after, start in zip(clocks(), before))


def counts(folder):
    return inspect(folder).splitlines()[-1]  # "Total count: 2 plugins, 8 features"


def machine():
    with open("/proc/cpuinfo") as info:
        names = [line.split(":", 1)[1].strip() for line in info if line.startswith("model name")]
    here = pathlib.Path(__file__).parent
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=here, text=True,
                            capture_output=True).stdout.strip() if shutil.which("git") else ""
    version = subprocess.run(["gst-inspect-1.0", "--version"], capture_output=True, text=True,
                             check=True).stdout.splitlines()[1]
    return "%s, %d cores, load %.2f; %s; commit %s" % (
        names[0] if names else "unknown processor", os.cpu_count(), os.getloadavg()[0], version,
        commit or "unknown")


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    plugins = [None, pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])]
    rounds = int(sys.argv[3]) if len(sys.argv) == 4 else 21
    print(machine())
    with tempfile.TemporaryDirectory() as root:
        folders = []
        for number, plugin in enumerate(plugins):
            folder = pathlib.Path(root, str(number))
            folder.mkdir()
            if plugin:
                shutil.copy(plugin, folder)
            folders.append(folder)
            scan(folder)  # brings the files into the cache
            # A plugin that the scan refuses is quick to scan.
            if plugin and counts(folder) == counts(folders[0]):
                sys.exit(f"{plugin} was not accepted by the scan")
        times = [[] for _ in plugins]
        for _ in range(rounds):
            for folder, taken in zip(folders, times):
                taken.append(scan(folder))
    for clock, name in enumerate(("wall clock", "processor time")):
        medians = [statistics.median(taken[clock] for taken in scans) for scans in times]
        print(f"{name}, median of {rounds} scans")
        for plugin, scans, median in zip(plugins, times, medians):
            label = plugin.name if plugin else "no plugin"
            least, most = min(t[clock] for t in scans), max(t[clock] for t in scans)
            print(f"  {label:24} {median:7.1f} ms  [{least:.1f} .. {most:.1f}]")
        print(f"  {plugins[1].name} takes {medians[1] - medians[2]:+.1f} ms against "
              f"{plugins[2].name}, {medians[1] - medians[0]:+.1f} ms against none")


main()
