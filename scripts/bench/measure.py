"""One command measured: CPU of all its threads, the clock, peak memory."""

import json
import os
import statistics
import subprocess
import time


class Failed(RuntimeError):
    """A command ended as it should not."""


class Run:
    """One finished command."""

    def __init__(self, argv, stdin, stdout, good=(0,)):
        env = dict(os.environ, FL_STATS="none", FL_RUNS="", MLR_NO_COLOR="1", POLARS_VERBOSE="0")
        start = time.monotonic()
        child = subprocess.Popen(argv, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, env=env)
        said = child.stderr.read().decode(errors="replace").strip()
        _, status, usage = os.wait4(child.pid, 0)
        self.wall = time.monotonic() - start
        self.cpu = usage.ru_utime + usage.ru_stime
        self.rss = usage.ru_maxrss / 1024  # KiB on Linux, here MiB
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in good:
            raise Failed(f"{argv[0]} ended with {child.returncode}: {said[-300:]}")


class Tool:
    """A command that takes part in a workload.

    reads    its standard input; None: it opens the file itself
    before   is called before each run, to put away what the last one made
    slow     takes minutes: fewer runs of it will do when one is in a hurry
    clocked  it says itself, in one line of JSON, what of its time counts
    """

    def __init__(self, name, argv, reads=None, ours=False, good=(0,), before=None, slow=False, clocked=False):
        self.name, self.argv, self.reads, self.ours, self.good = name, argv, reads, ours, good
        self.before, self.slow, self.clocked = before, slow, clocked
        self.runs = []

    def go(self, stdout):
        if self.before:
            self.before()
        with open(self.reads or os.devnull, "rb") as stdin:
            return Run(self.argv, stdin, stdout, self.good)

    def measure(self, scratch):
        if not self.clocked:
            self.runs.append(self.go(subprocess.DEVNULL))
            return
        with open(scratch, "wb") as out:
            run = self.go(out)
        with open(scratch, encoding="ascii") as out:
            said = json.load(out)
        run.cpu, run.wall = said["cpu_s"], said["wall_s"]
        self.runs.append(run)

    def keep_output(self, path):
        """A run that is not measured, for its result."""
        with open(path, "wb") as out:
            self.go(out)

    def median(self, what):
        return statistics.median(getattr(r, what) for r in self.runs)

    @property
    def cpu(self):
        return max(self.median("cpu"), 1e-3)

    @property
    def rss(self):
        return max(r.rss for r in self.runs)


def alternate(tools, runs, slow_runs, scratch):
    """All tools in turn, every other round backwards, so that what else the
    machine does hits all alike."""
    for i in range(runs):
        for tool in tools if i % 2 == 0 else reversed(tools):
            if not tool.slow or i < slow_runs:
                tool.measure(scratch)
