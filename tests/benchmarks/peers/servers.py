# SPDX-License-Identifier: MIT
"""The processes that hold what is compared, and how they are asked (the lines: ../serve_engine.cpp)."""
import contextlib
import os
import subprocess
import time


class Failed(Exception):
    """A process ended or did not answer as it should; the message ends with its own last words."""


class Process:
    def __init__(self, name, command, threads, folder):
        self.name, self.log = name, folder / f"{name.replace(' ', '-')}.log"
        environment = os.environ | {"OMP_NUM_THREADS": str(threads), "TORCHINDUCTOR_CACHE_DIR": str(folder / "inductor")}
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([str(word) for word in command], env=environment, text=True, bufsize=1,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)

    def tell(self, line):
        with contextlib.suppress(OSError):  # it has ended, which heard() tells
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

    def heard(self):
        line = self.process.stdout.readline()
        if not line:
            words = self.log.read_text(errors="replace").strip().splitlines()
            raise Failed(f"{self.name}: {words[-1] if words else 'ended without a word'}")
        return line.strip()

    def ask(self, line):
        self.tell(line)
        return self.heard()

    def close(self):
        self.tell("quit")
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Server:
    """One thing that is compared, in one process; or, to run several frames at once where it cannot do so
    by itself, in as many processes of one thread as it may use threads."""

    def __init__(self, name, command, threads, folder, split=False):
        self.name, self.processes, self.split = name, [], split
        count, threads = (threads, 1) if split else (1, threads)
        try:
            for i in range(count):
                own_name = f"{name} {i}" if split else name
                self.processes.append(Process(own_name, command(threads), threads, folder))
                self.about = self.processes[-1].heard()
        except Failed:
            self.close()
            raise

    def ids(self):
        return [process.process.pid for process in self.processes]

    def write_output(self, path):
        for process in self.processes:
            process.ask(f"output {path}")

    def times(self, n, warm_up):
        """Milliseconds of n inferences, one after the other, after some that do not count."""
        answer = self.processes[0].ask(f"time {warm_up + n}").split()
        return [float(word) for word in answer[warm_up:]]

    def batch_times(self, size, n, warm_up):
        """Milliseconds of n inferences of so many pictures at once."""
        answer = self.processes[0].ask(f"batches {size} {warm_up + n}").split()
        return [float(word) for word in answer[warm_up:]]

    def frames_per_second(self, n):
        if not self.split:
            return float(self.processes[0].ask(f"throughput {n}").split()[0])
        each = -(-n // len(self.processes))
        begin = time.perf_counter()
        for process in self.processes:
            process.tell(f"time {each}")
        for process in self.processes:
            process.heard()
        return each * len(self.processes) / (time.perf_counter() - begin)

    def close(self):
        for process in self.processes:
            process.close()
