#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a program under GStreamer's leaks tracer and fails where it leaves an object behind.

usage: leaks.py SYSTEM_PLUGINS EXPECTED PROGRAM [ARGUMENT...]

SYSTEM_PLUGINS is the folder of GStreamer's own plugins, of which only those below are used: to scan
all takes seconds. Or it is "all", for all that the environment and its registry name. EXPECTED is
"ok", "failure" for a program that must exit with another code than 0 and yet leave nothing, or "leak"
for one that must be caught: it shows that the tracer works. Exits with 77 where the program does.
"""
import os
import subprocess
import sys
import tempfile

PLUGINS = ["coreelements", "coretracers", "videotestsrc"]


def run(system_plugins, command):
    environment = dict(
        os.environ,
        GST_TRACERS="leaks(check-refs=true)",
        GST_DEBUG="GST_TRACER:7",
        GST_DEBUG_NO_COLOR="1",
        CK_FORK="no",  # the tracer reports at the very end, which a forked test never reaches
    )
    with tempfile.TemporaryDirectory(prefix="unetseg-") as folder:
        if system_plugins != "all":
            for name in PLUGINS:
                file = f"libgst{name}.so"
                os.symlink(os.path.join(system_plugins, file), os.path.join(folder, file))
            environment.update(
                GST_PLUGIN_PATH_1_0=os.environ["GST_PLUGIN_PATH_1_0"] + ":" + folder,
                GST_PLUGIN_SYSTEM_PATH_1_0="",
                GST_REGISTRY_1_0=os.path.join(folder, "registry.bin"),
            )
        return subprocess.run(command, env=environment, capture_output=True, text=True)


def main():
    system_plugins, expected, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    result = run(system_plugins, command)
    if result.returncode == 77:
        print(result.stdout)
        return 77
    # The tracer also logs how it is going to say it.
    leaks = [line for line in result.stderr.splitlines() if "object-alive, " in line and "%s" not in line]
    good = bool(leaks) == (expected == "leak") and (result.returncode != 0) == (expected == "failure")
    if not good:
        print(result.stdout, "\n".join(leaks) or result.stderr[-4000:], sep="\n")
        print(f"exit code {result.returncode}, {len(leaks)} objects left")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
