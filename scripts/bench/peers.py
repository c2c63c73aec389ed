"""Who is measured beside us: found, installed when missing, or not there for a reason."""

import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGES = {"jq": "jq", "mlr": "miller", "zstd": "zstd", "kcat": "kcat", "rclone": "rclone"}


WHEELS = {"psycopg": "psycopg[binary]"}  # where it is not the module's name
VERSION = {"kcat": "-V"}  # of the others --version tells it


def _last_line(done):
    text = (done.stderr or done.stdout or "").strip().splitlines()
    return text[-1] if text else "no reason given"


def _run(argv):
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def version(argv):
    found = re.search(r"\d+(\.\d+)+", _run(argv).stdout)
    return found.group() if found else "?"


class Peers:
    """Tools by name; `absent` has the reasons for those that are not there."""

    def __init__(self, work):
        self.venv = os.path.join(work, "venv")
        self.python = os.path.join(self.venv, "bin", "python")
        self.names, self.absent = {}, {}
        for command, label in (("jq", "jq"), ("mlr", "Miller"), ("zstd", "zstd"), ("kcat", "kcat"), ("rclone", "rclone")):
            self._command(command, label)
        for module, label in (("duckdb", "DuckDB"), ("polars", "Polars"), ("psycopg", "psycopg")):
            self._module(module, label)
        self.loop = os.path.join(work, "simdjson_loop")
        self._build_loop()

    def _command(self, command, label):
        if not shutil.which(command) and os.geteuid() == 0 and shutil.which("apt-get"):
            _run(["apt-get", "install", "-qq", "-y", "--no-install-recommends", PACKAGES[command]])
        if shutil.which(command):
            self.names[command] = f"{label} {version([command, VERSION.get(command, '--version')])}"
        else:
            self.absent[command] = f"{label}: not installed (package {PACKAGES[command]})"

    def _module(self, module, label):
        ask = [self.python, "-c", f"import {module}; print({module}.__version__)"]
        if not os.path.exists(self.python):
            done = _run([sys.executable, "-m", "venv", self.venv])
            if done.returncode:
                self.absent[module] = f"{label}: no virtual environment: {_last_line(done)}"
                return
        if _run(ask).returncode:
            done = _run([self.python, "-m", "pip", "install", "-q", WHEELS.get(module, module)])
            if done.returncode or _run(ask).returncode:
                self.absent[module] = f"{label}: pip cannot install it: {_last_line(done)}"
                return
        self.names[module] = f"{label} {version(ask)}"

    def _build_loop(self):
        """A program around simdjson, by its package."""
        source = os.path.join(HERE, "simdjson_loop.cpp")
        if not os.path.exists("/usr/include/simdjson.h") and os.geteuid() == 0 and shutil.which("apt-get"):
            _run(["apt-get", "install", "-qq", "-y", "--no-install-recommends", "libsimdjson-dev"])
        if not shutil.which("g++") or not os.path.exists("/usr/include/simdjson.h"):
            self.absent["simdjson"] = "simdjson: not installed (packages g++, libsimdjson-dev)"
            return
        done = _run(["g++", "-O3", "-o", self.loop, source, "-lsimdjson"])
        if done.returncode:
            self.absent["simdjson"] = f"simdjson: cannot be built: {_last_line(done)}"
            return
        with open("/usr/include/simdjson.h", encoding="utf-8") as header:
            found = re.search(r"SIMDJSON_VERSION \"?([0-9.]+)", header.read())
        self.names["simdjson"] = f"simdjson {found.group(1) if found else '?'}"

    def script(self, module, *args):
        """The command line of by_MODULE.py."""
        return [self.python, os.path.join(HERE, f"by_{module}.py"), *args]
