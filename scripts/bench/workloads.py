"""What is measured: each workload with its data, its tools, what their results
must have in common, and the targets."""

import atexit
import functools
import glob
import json
import os
import shlex
import shutil
import sqlite3
import subprocess

from digest import Digest, digest, digest_file
from measure import Tool

LIMIT_MIB = 64  # resident, of each of ours, whatever the size of the input


# Its verb stats1 takes as long and has no first and last.
MILLER_BARS = """
bar = $symbol . " " . $ts[1:16];
if (is_absent(@open[bar])) {
  @open[bar] = $price; @high[bar] = $price; @low[bar] = $price; @volume[bar] = 0; @trades[bar] = 0
}
@high[bar] = max(@high[bar], $price); @low[bar] = min(@low[bar], $price); @close[bar] = $price;
@volume[bar] += $size; @trades[bar] += 1;
end { emit (@open, @high, @low, @close, @volume, @trades), "bar" }"""


class Workload:
    """The tools come ours first.

    fields    of which the results' sums are compared
    expected  the name of the tool that says what is right, or a function of a
              tool's name that does; None: nobody does
    targets   functions of {name: Tool} that give (good, text), or None where a
              tool is missing
    results   a function giving {name: Digest}, where that is not what the tools
              write to standard output
    """

    def __init__(self, name, about, data, tools, fields, targets, expected=None, results=None):
        self.name, self.about, self.data, self.tools = name, about, data, tools
        self.fields, self.targets, self.expected, self.results = fields, targets, expected, results


class Skipped(Exception):
    """A workload cannot be run here, for the reason given."""


def _find(tools, prefix):
    return next((t for name, t in tools.items() if name.startswith(prefix)), None)


def share(ours, peer, part):
    """Ours takes at most 1/part of the peer's CPU time."""
    def target(tools):
        us, them = tools[ours], _find(tools, peer)
        if not them:
            return None
        ratio = them.cpu / us.cpu
        return ratio >= part, (f"CPU of {us.name} is 1/{ratio:.1f} of {them.name}'s, "
                               f"at most {'as much' if part == 1 else f'1/{part}'} wanted")
    return target


def cheaper(ours, peer, most):
    """Ours takes at most `most` of the peer's CPU time."""
    def target(tools):
        us, them = tools[ours], _find(tools, peer)
        if not them:
            return None
        ratio = us.cpu / them.cpu
        return ratio <= most, f"CPU of {us.name} is {ratio:.2f} of {them.name}'s, at most {most} wanted"
    return target


class Bench:
    """The data and the commands that workloads are made of."""

    def __init__(self, work, bin_dir, peers, lines):
        self.work, self.bin, self.peers, self.lines = work, bin_dir, peers, lines

    def ours(self, command, *args):
        return [os.path.join(self.bin, command), *args]

    def path(self, name):
        return os.path.join(self.work, name)

    def generator(self, lines, kind, *options):
        return [self.path("gen_ticks"), "-n", str(lines), *options, kind]

    def data(self, name, lines, kind, *options):
        """A generated file, made once: the same options give the same bytes."""
        path = self.path(f"{name}-{lines}.{'csv' if kind == 'daily' else 'ndjson'}")
        if not os.path.exists(path):
            with open(path + ".new", "wb") as out:
                subprocess.run(self.generator(lines, kind, *options), stdout=out, check=True)
            os.rename(path + ".new", path)
        return path

    def has(self, *argv):
        """Can the command do that? Raises Skipped with what it says."""
        if not os.path.exists(argv[0]):
            raise Skipped(f"{os.path.basename(argv[0])} is not there yet")
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Skipped(((done.stderr or "").strip().splitlines() or ["no reason given"])[0])

    def remove(self, pattern):
        def before():
            for path in glob.glob(self.path(pattern)):
                shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
        return before

    def tools(self, *wanted):
        """Those whose command there is: (command, make a Tool of its name)."""
        return [make(self.peers.names[c]) for c, make in wanted if c in self.peers.names]


def clean(bench):
    """jq, Miller and Polars stop at the first broken line: they get as many
    without one. fl-clean and DuckDB get the dirty file."""
    dirty = bench.data("dirty", bench.lines, "quotes")
    whole = bench.data("clean", bench.lines, "quotes", "-b", "0")
    script = bench.peers.script
    tools = [
        Tool("fl-clean --dedup 0", bench.ours("fl-clean", "--dedup", "0"), dirty, ours=True, good=(0, 1)),
        Tool("fl-clean", bench.ours("fl-clean"), dirty, ours=True, good=(0, 1)),
    ] + bench.tools(
        ("simdjson", lambda name: Tool(f"{name} loop", [bench.peers.loop, dirty])),
        ("jq", lambda name: Tool(name, ["jq", "-c", "select(.price > 0 and .symbol != null)"], whole, slow=True)),
        ("mlr", lambda name: Tool(name, ["mlr", "--ijsonl", "--ojsonl", "filter",
                                         "is_present($symbol) && $price > 0"], whole, slow=True)),
        ("duckdb", lambda name: Tool(name, script("duckdb", "clean", dirty))),
        ("duckdb", lambda name: Tool(f"{name} distinct", script("duckdb", "distinct", dirty))),
        ("polars", lambda name: Tool(name, script("polars", "clean", whole))),
        ("polars", lambda name: Tool(f"{name} distinct", script("polars", "distinct", whole))))
    fields = ("price", "size")

    def good(options, distinct):
        with subprocess.Popen(bench.generator(bench.lines, "quotes", *options), stdout=subprocess.PIPE) as source:
            return digest(source.stdout, fields, distinct)

    def expected(name):
        if name.startswith(("jq", "Miller", "Polars")):
            return good(("-b", "0"), "distinct" in name)
        return good(("-g",), "distinct" in name or name == "fl-clean")

    targets = [share(us, peer, part) for us, peer, part in (
        ("fl-clean --dedup 0", "jq", 15), ("fl-clean --dedup 0", "Miller", 40),
        ("fl-clean", "jq", 15), ("fl-clean", "Miller", 40))]
    targets.append(cheaper("fl-clean --dedup 0", "simdjson", 0.7))
    for us, them in (("fl-clean --dedup 0", ""), ("fl-clean", " distinct")):
        if "duckdb" in bench.peers.names:
            targets.append(share(us, bench.peers.names["duckdb"] + them, 2))
    return Workload("clean", "check each line, pass the good ones on", dirty, tools, fields, targets, expected)


def bars(bench):
    """By symbol and minute, of ticks in the order of time."""
    ticks = bench.data("sorted", bench.lines, "quotes", "-b", "0", "-d", "0", "-j", "0")
    bench.has(*bench.ours("fl-agg", "bars", "1m"))
    script = bench.peers.script
    one = "DuckDB, 1 thread"
    tools = [
        Tool("fl-agg bars 1m", bench.ours("fl-agg", "bars", "1m", "--session", "all"), ticks, ours=True),
    ] + bench.tools(
        ("mlr", lambda name: Tool(name, ["mlr", "--ijsonl", "--ojsonl", "put", "-q", MILLER_BARS], ticks, slow=True)),
        ("duckdb", lambda _: Tool(one, script("duckdb", "bars", ticks, "1"))),
        ("duckdb", lambda name: Tool(name, script("duckdb", "bars", ticks))),
        ("polars", lambda name: Tool(name, script("polars", "bars", ticks))))
    return Workload("bars", "one-minute bars of ticks", ticks, tools, ("open", "high", "low", "close", "volume"),
                    [share("fl-agg bars 1m", "Miller", 60), share("fl-agg bars 1m", one, 1)],
                    expected=next((t.name for t in tools if t.name in (one,) or t.name.startswith("Miller")), None))


def csv(bench):
    """Daily bars, all symbols of a day together, a fifth of a percent quoted."""
    daily = bench.data("daily", bench.lines, "daily")
    script = bench.peers.script
    tools = [
        Tool("fl-fetch csv", bench.ours("fl-fetch", "csv", daily), ours=True),
    ] + bench.tools(
        ("mlr", lambda name: Tool(name, ["mlr", "--icsv", "--ojsonl", "rename", "Close,close,Volume,volume", daily],
                                  slow=True)),
        ("duckdb", lambda name: Tool(name, script("duckdb", "csv", daily))),
        ("polars", lambda name: Tool(name, script("polars", "csv", daily))))
    targets = [share("fl-fetch csv", bench.peers.names[peer], part)
               for peer, part in (("duckdb", 4), ("polars", 3)) if peer in bench.peers.names]
    return Workload("csv", "daily bars from CSV to NDJSON", daily, tools, ("close", "volume"), targets,
                    expected=next((t.name for t in tools if not t.ours), None))


def _rows(path):
    db = sqlite3.connect(path)
    try:
        rows, price, size = db.execute("SELECT count(*), sum(CAST(price AS REAL)), sum(size) FROM quote").fetchone()
    finally:
        db.close()
    return Digest(rows, {"price": round(price, 2), "size": round(size, 2)})


def sqlite(bench):
    """The bare loop holds all rows in memory, hence not all of the lines."""
    ticks = bench.data("clean", min(bench.lines, 1_000_000), "quotes", "-b", "0")
    ours, bare = bench.path("ours.db"), bench.path("bare.db")
    remove = bench.remove("bare.db*")

    def make():
        remove()
        subprocess.run(bench.ours("fl-load", "-q", "--migrate", bare), check=True)

    tools = [
        Tool("fl-load FILE.db", bench.ours("fl-load", ours), ticks, ours=True, before=bench.remove("ours.db*")),
        Tool("bare loop", [bench.path("sqlite_load"), bare, ticks], before=make, clocked=True),
    ]

    def target(by_name):
        ratio = by_name["bare loop"].cpu / by_name["fl-load FILE.db"].cpu
        return ratio >= 0.85, f"fl-load stores {ratio:.2f} of the bare loop's rows per CPU second, at least 0.85 wanted"

    return Workload("sqlite", "load ticks into SQLite", ticks, tools, ("price", "size"), [target],
                    expected="bare loop", results=lambda: {t.name: _rows(p) for t, p in zip(tools, (ours, bare))})


@functools.cache
def once(ticks):
    """A store holds equal ticks once."""
    return digest_file(ticks, ("price", "size"), distinct=True)


def lake_write(bench):
    ticks = bench.data("unique", bench.lines, "quotes", "-b", "0", "-d", "0")
    lake, packed = bench.path("lake/"), bench.path("packed.zst")
    bench.remove("lake")()
    bench.has(*bench.ours("fl-load", "-q", lake))
    tools = [
        Tool("fl-load DIR/", bench.ours("fl-load", lake), ticks, ours=True, before=bench.remove("lake")),
        Tool("fl-clean", bench.ours("fl-clean"), ticks, ours=True),
    ] + bench.tools(
        ("zstd", lambda _: Tool("zstd -3", ["zstd", "-3", "-q", "-f", "-T1", "-o", packed], ticks)))

    def target(by_name):
        if "zstd -3" not in by_name:
            return None
        both = by_name["zstd -3"].cpu + by_name["fl-clean"].cpu
        ratio = by_name["fl-load DIR/"].cpu / both
        return ratio <= 1.15, f"CPU of fl-load DIR/ is {ratio:.2f} of zstd -3's and fl-clean's, at most 1.15 wanted"

    def results():
        with subprocess.Popen(bench.ours("fl-fetch", "store", lake, "--unordered"),
                              stdout=subprocess.PIPE) as source:
            return {"fl-load DIR/": digest(source.stdout, ("price", "size"))}

    return Workload("lake write", "load ticks into a folder", ticks, tools, ("price", "size"), [target],
                    expected=lambda _: once(ticks), results=results)


def lake_read(bench):
    ticks = bench.data("unique", bench.lines, "quotes", "-b", "0", "-d", "0")
    lake, packed = bench.path("lake/"), bench.path("packed.zst")
    bench.has(*bench.ours("fl-fetch", "store", lake, "--last", "1"))
    tools = [
        Tool("fl-fetch store --unordered", bench.ours("fl-fetch", "store", lake, "--unordered"), ours=True),
        Tool("fl-fetch store", bench.ours("fl-fetch", "store", lake), ours=True),
    ] + bench.tools(
        ("zstd", lambda _: Tool("zstd -dc", ["zstd", "-dcq", "-T1", packed])))
    return Workload("lake read", "ticks of a folder", ticks, tools, ("price", "size"),
                    [as_fast("fl-fetch store --unordered", "zstd", 0.9), as_fast("fl-fetch store", "zstd", 0.6)],
                    expected=lambda name: once(ticks) if name.startswith("fl-") else None)


def pipe(bench):
    """Four commands from a CSV file to a database, and each of them alone, from
    a file and to nowhere."""
    ticks = bench.data("pipe", bench.lines, "quotes", "-b", "0", "-d", "0")
    csv_file, records = bench.path("pipe.csv"), bench.path("pipe-records.ndjson")
    made, db = bench.path("pipe-bars.ndjson"), bench.path("pipe.db")
    for path, argv, source in ((csv_file, ["fl-clean", "-q", "--as", "csv", "--dedup", "0"], ticks),
                               (records, ["fl-fetch", "csv", "-q", csv_file], None),
                               (made, ["fl-agg", "bars", "1m", "-q"], records)):
        with open(path, "wb") as out, open(source or os.devnull, "rb") as stdin:
            subprocess.run(bench.ours(*argv), stdin=stdin, stdout=out, check=True)
    fetch, agg = bench.ours("fl-fetch", "csv", "-q", csv_file), bench.ours("fl-agg", "bars", "1m", "-q")
    clean_, load = bench.ours("fl-clean", "-q"), bench.ours("fl-load", "-q", db)
    whole = " | ".join(shlex.join(argv) for argv in (fetch, clean_, agg, load))
    before = bench.remove("pipe.db*")
    tools = [
        Tool("the pipe", ["bash", "-c", "set -o pipefail; " + whole], ours=True, before=before),
        Tool("fl-fetch csv alone", fetch, ours=True),
        Tool("fl-clean alone", clean_, records, ours=True),
        Tool("fl-agg bars alone", agg, records, ours=True),
        Tool("fl-load alone", load, made, ours=True, before=before),
    ]

    def target(by_name):
        alone = [tool for name, tool in by_name.items() if name.endswith("alone")]
        bound = max(max(tool.median("wall") for tool in alone), sum(tool.cpu for tool in alone) / os.cpu_count())
        ratio = by_name["the pipe"].median("wall") / bound
        return ratio <= 1.15, (f"the pipe takes {ratio:.2f} of the larger of its slowest command's time and their CPU "
                               "time over the cores, at most 1.15 wanted")
    return Workload("pipe", "ticks of a CSV file into bars of a database", csv_file, tools, (), [target], results=dict)


def growth(bench):
    """A fifth, all and four times the usual lines."""
    counts = [bench.lines // 5, bench.lines, 4 * bench.lines]
    tools = []
    for count in counts:
        make = shlex.join(bench.generator(count, "quotes", "-b", "0", "-d", "0"))
        for name, *argv in (("fl-clean", "fl-clean", "-q"), ("fl-agg bars 1m", "fl-agg", "bars", "1m", "-q")):
            # The generator's time is its own: only the command's is clocked.
            command = shlex.join(bench.ours(*argv))
            clock = (f"{make} | {{ TIMEFORMAT='{{\"cpu_s\": %U, \"sys_s\": %S, \"wall_s\": %R}}'; time {command} >/dev/null; }} 2>&1 | "
                     "jq -c '{cpu_s: (.cpu_s + .sys_s), wall_s}'")
            tools.append(Tool(f"{name}, {count:,} lines", ["bash", "-c", clock], ours=True, clocked=True))

    def target(by_name):
        worst = 0
        for name in ("fl-clean", "fl-agg bars 1m"):
            each = [by_name[f"{name}, {count:,} lines"].cpu / count for count in counts]
            worst = max(worst, max(each) / min(each))
        return worst <= 1.1, f"a line costs {worst:.2f} times as much in a long file as in a short one, at most 1.1 wanted"
    if "jq" not in bench.peers.names:
        raise Skipped("jq is not installed")
    return Workload("growth", "a fifth, all and four times the lines", bench.data("pipe", bench.lines, "quotes", "-b", "0", "-d", "0"),
                    tools, (), [target], results=dict)


DAYS = 30


def read_by(argv):
    """How many bytes the command reads, those of its own loading among them."""
    counted = "count() { while read -r name value; do [ \"$name\" != rchar: ] || echo \"$value\"; done </proc/$$/io; }; " \
        "before=$(count); \"$@\" >/dev/null; echo $(($(count) - before))"
    return int(subprocess.run(["bash", "-c", counted, "bash", *argv], stdout=subprocess.PIPE, check=True).stdout)


def lake_pick(bench):
    """Three times the usual ticks, of 500 symbols in 30 days, compacted."""
    lake, days = bench.path("days/"), []
    bench.remove("days")()
    for day in range(1, DAYS + 1):
        ticks = bench.path("day.ndjson")
        with open(ticks, "wb") as out:
            source = subprocess.Popen(bench.generator(3 * bench.lines // DAYS, "quotes", "-k", "500", "-b", "0", "-d", "0",
                                                      "-s", str(day)), stdout=subprocess.PIPE)
            subprocess.run(["sed", f"s/2026-11-20/2026-09-{day:02}/"], stdin=source.stdout, stdout=out, check=True)
            source.wait()
        subprocess.run(bench.ours("fl-load", "-q", lake, ticks), check=True)
        if day == 15:
            os.rename(ticks, bench.path("one-day.ndjson"))
    subprocess.run(bench.ours("fl-load", "-q", "--compact", "--older-than", "0s", lake), check=True)
    days = glob.glob(lake + "quote/*/*.zst")
    one = glob.glob(lake + "quote/dt=2026-09-15/*.zst")
    with open(bench.path("one-day.ndjson"), encoding="ascii") as lines:
        symbol = sorted({json.loads(line)["symbol"] for line in lines})[250]
    ask = bench.ours("fl-fetch", "store", lake, "--symbol", symbol, "--from", "2026-09-15", "--to", "2026-09-16")
    tools = [Tool("fl-fetch store --symbol", ask, ours=True)] + bench.tools(
        ("zstd", lambda _: Tool("zstd -dc | grep", ["bash", "-c", f"zstd -dcq {one[0]} | grep '\"symbol\":\"{symbol}\"'"])))

    def target(_):
        share_read = read_by(ask) / sum(os.path.getsize(path) for path in days)
        return share_read <= 0.005, (f"a symbol's day reads {100 * share_read:.2f} % of the bytes of {DAYS} days, "
                                     "at most 0.5 % wanted")

    def expected(_):
        with open(bench.path("one-day.ndjson"), encoding="ascii") as lines, \
                open(bench.path("one-symbol.ndjson"), "w", encoding="ascii") as out:
            out.writelines(line for line in lines if f'"symbol":"{symbol}"' in line)
        return digest_file(bench.path("one-symbol.ndjson"), ("price", "size"))
    return Workload("lake pick", f"a symbol's day of {DAYS} days", one[0], tools, ("price", "size"), [target],
                    expected=expected)


def chart(bench):
    """The program makes the answer itself and clocks the decoding alone."""
    def decode(how):
        return [bench.path("chart_decode"), "-n", "400", how]

    data = bench.path("chart.json")
    with open(data, "wb") as out:
        subprocess.run(decode("answer"), stdout=out, check=True)
    tools = [
        Tool("fl-fetch yahoo", decode("records"), clocked=True),
        Tool("rows only", decode("parse"), clocked=True),
        Tool("yyjson alone", decode("yyjson"), clocked=True),
    ]

    def target(by_name):
        ratio = by_name["fl-fetch yahoo"].cpu / by_name["yyjson alone"].cpu
        return ratio <= 3, f"decoding a chart costs {ratio:.2f} of yyjson's bare parse, at most 3 wanted"

    return Workload("chart", "400 times ten years of daily bars, from Yahoo's answer to records", data, tools, (), [target],
                    results=dict)


STARTS = 200


def start(bench):
    """A command that needs no network must not pay for the libraries of one
    that does."""
    often = f"for ((i = 0; i < {STARTS}; i++)); do \"$@\"; done"
    one = bench.data("one", 1, "quotes", "-b", "0")
    tools = [
        Tool("fl-fetch sim -n 1", ["bash", "-c", often, "bash", *bench.ours("fl-fetch", "sim", "-n", "1")], ours=True),
        Tool("cat", ["bash", "-c", often, "bash", "cat", one]),
    ]

    def target(by_name):
        more = (by_name["fl-fetch sim -n 1"].median("wall") - by_name["cat"].median("wall")) / STARTS * 1e3
        return more <= 3, f"fl-fetch sim -n 1 takes {more:.1f} ms more than cat, at most 3 wanted"

    return Workload("start", f"{STARTS} times a command that gives one record", one, tools, (), [target], results=dict)


BROKER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "services", "kafka")
KAFKA_LINES = 2_000_000


@functools.cache
def broker(bench):
    """A throw-away broker for the run. Raises Skipped with what it says."""
    where = bench.path("kafka")

    def ask(*argv):
        done = subprocess.run([BROKER, *argv, "--dir", where], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=False)
        if done.returncode:
            raise Skipped((done.stderr.strip().splitlines() or ["no broker"])[-1])
        return done.stdout
    ask("start")
    atexit.register(subprocess.run, [BROKER, "stop", "--dir", where], check=False, stdout=subprocess.DEVNULL)
    os.environ["FL_BROKERS"] = ask("env").partition("=")[2].strip().strip("'")
    ask("topic", "produced", "6")
    ask("topic", "plain", "6")
    ask("topic", "consumed", "1")


def kcat(*argv):
    return ["kcat", "-b", os.environ["FL_BROKERS"], "-q", *argv]


def as_fast(ours, peer, least):
    """Ours has at least that much of the peer's throughput."""
    def target(tools):
        us, them = tools[ours], _find(tools, peer)
        if not them:
            return None
        ratio = them.median("wall") / us.median("wall")
        return ratio >= least, f"{us.name} has {ratio:.2f} of {them.name}'s throughput, at least {least} wanted"
    return target


def kafka_produce(bench):
    """kcat twice: lines as they are, and the messages that fl-produce makes of
    them, with their key and headers, which it is given."""
    ticks = bench.data("kafka", min(bench.lines, KAFKA_LINES), "quotes", "-b", "0")
    keyed = bench.path("kafka-keyed.tsv")
    broker(bench)
    with open(ticks, encoding="ascii") as lines, open(keyed, "w", encoding="ascii") as out:
        for line in lines:
            tick = json.loads(line)
            out.write(f"{tick['provider']}/{tick['symbol']}\t{line}")
    same = ["-P", "-t", "plain", "-X", "enable.idempotence=true", "-z", "zstd"]
    tools = [
        Tool("fl-produce", bench.ours("fl-produce", "--topic", "produced", ticks), ours=True),
    ] + bench.tools(
        ("kcat", lambda name: Tool(name, kcat(*same, "-l", ticks))),
        ("kcat", lambda name: Tool(f"{name}, the same messages", kcat(
            *same, "-K", "\t", "-H", "type=quote", "-H", "provider=sim", "-l", keyed))))
    return Workload("kafka produce", "ticks into a topic of six partitions, idempotent, zstd", ticks, tools, (),
                    [as_fast("fl-produce", "kcat", 0.95), cheaper("fl-produce", "kcat", 1.2)], results=dict)


def kafka_consume(bench):
    ticks = bench.data("kafka", min(bench.lines, KAFKA_LINES), "quotes", "-b", "0")
    broker(bench)
    subprocess.run(bench.ours("fl-produce", "-q", "--topic", "consumed", ticks), check=True)
    tools = [
        Tool("fl-consume", bench.ours("fl-consume", "--to", "end", "consumed"), ours=True),
    ] + bench.tools(
        ("kcat", lambda name: Tool(name, kcat("-C", "-e", "-t", "consumed"))))
    return Workload("kafka consume", "ticks of a topic", ticks, tools, ("price", "size"),
                    [as_fast("fl-consume", "kcat", 0.95), cheaper("fl-consume", "kcat", 1.2)],
                    expected=lambda _: digest_file(ticks, ("price", "size")))


# In this order: a folder is read after it was written.
ALL = {"clean": clean, "bars": bars, "csv": csv, "sqlite": sqlite, "lake write": lake_write, "lake read": lake_read,
       "lake pick": lake_pick, "pipe": pipe, "growth": growth, "chart": chart, "start": start,
       "kafka produce": kafka_produce, "kafka consume": kafka_consume}
