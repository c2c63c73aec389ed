"""What NDJSON says, in a few figures that do not depend on how it is written.

    digest.py [--distinct] FIELD,... < NDJSON

prints rows and the sum of each field as one line of JSON. The sums are
exact and rounded once, at the end. With --distinct the first of equal lines
counts. It is a process of its own: the memory it takes would be counted as that
of whatever is started after it.
"""

import hashlib
import json
import math
import os
import re
import subprocess
import sys


class Digest:
    def __init__(self, rows, sums):
        self.rows, self.sums = rows, sums

    def __eq__(self, other):
        return self.rows == other.rows and self.sums == other.sums

    def __str__(self):
        return ", ".join([f"{self.rows:,} rows"] + [f"{k} {v:,.2f}" for k, v in self.sums.items()])


def digest(stream, fields, distinct=False):
    """Of an open file or pipe, in a process of its own."""
    argv = [sys.executable, os.path.abspath(__file__), *(["--distinct"] if distinct else []), ",".join(fields)]
    said = subprocess.run(argv, stdin=stream, stdout=subprocess.PIPE, check=True).stdout
    return Digest(**json.loads(said))


def digest_file(path, fields, distinct=False):
    with open(path, "rb") as stream:
        return digest(stream, fields, distinct)


def _blocks(stream):
    rest = b""
    while chunk := stream.read(1 << 22):
        chunk = rest + chunk
        end = chunk.rfind(b"\n") + 1
        rest = chunk[end:]
        yield chunk[:end]
    if rest:
        yield rest + b"\n"


def _fresh(block, seen):
    for line in block.splitlines(keepends=True):
        name = hashlib.blake2b(line, digest_size=8).digest()
        if name not in seen:
            seen.add(name)
            yield line


def _digest(stream, fields, distinct):
    patterns = [re.compile(b'"' + f.encode() + rb'" ?: ?"?(-?[0-9][0-9.eE+-]*)') for f in fields]
    parts = [[] for _ in fields]
    seen, rows = set(), 0
    for block in _blocks(stream):
        if distinct:
            block = b"".join(_fresh(block, seen))
        rows += block.count(b"\n")
        for part, pattern in zip(parts, patterns):
            part.append(math.fsum(map(float, pattern.findall(block))))
    return {"rows": rows, "sums": {f: round(math.fsum(p), 2) for f, p in zip(fields, parts)}}


if __name__ == "__main__":
    json.dump(_digest(sys.stdin.buffer, sys.argv[-1].split(","), "--distinct" in sys.argv), sys.stdout)
