# SPDX-License-Identifier: MIT
"""What the machine is, and how much of it others used while something was measured."""
import os
import pathlib
import platform
import subprocess

EXTENSIONS = ("avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "asimd", "sve")


def describe():
    info = pathlib.Path("/proc/cpuinfo").read_text()
    fields = {}
    for line in info.splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    flags = fields.get("flags", fields.get("Features", "")).split()
    caches = [
        f"L{(cache / 'level').read_text().strip()} {(cache / 'size').read_text().strip()}"
        for cache in sorted(pathlib.Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"))
        if (cache / "type").read_text().strip() != "Instruction"
    ]
    here = pathlib.Path(__file__).parent
    describe_commit = ["git", "describe", "--always", "--dirty"]
    commit = subprocess.run(describe_commit, cwd=here, capture_output=True, text=True).stdout.strip()
    return {
        "processor": fields.get("model name", platform.machine()),
        "family": f"{fields.get('cpu family', '?')}, model {fields.get('model', '?')}",
        "cores": len(os.sched_getaffinity(0)),
        "extensions": [flag for flag in EXTENSIONS if flag in flags],
        "caches": caches,
        "system": platform.platform(),
        "commit": commit or "unknown",
    }


class Others:
    """The share of the cores' time that processes other than ours (and the machine's host) took."""

    def __init__(self, processes):
        self.processes = processes  # ids
        self.start = self.read()

    def read(self):
        user, nice, system, idle, iowait, irq, softirq, steal = map(
            int, pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
        )
        own = 0
        for process in self.processes:
            fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
            own += int(fields[11]) + int(fields[12])
        busy = user + nice + system + irq + softirq + steal
        return busy, busy + idle + iowait, own

    def share(self):
        busy, total, own = (now - before for now, before in zip(self.read(), self.start))
        return max(0.0, (busy - own) / total) if total else 0.0
