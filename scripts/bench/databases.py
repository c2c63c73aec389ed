"""Loading into databases and reading from them, beside their own clients; the
servers wait for the disk at each commit, and the tables have their keys. And the
same with a bucket of S3."""

import atexit
import functools
import itertools
import os
import subprocess

from digest import Digest
from measure import Tool
from workloads import Skipped, Workload, _find, as_fast, once

HERE = os.path.dirname(os.path.abspath(__file__))
SERVICES = os.path.join(os.path.dirname(HERE), "services")
COLUMNS = ("ts", "ts_ns", "provider", "symbol", "price", "size", "currency", "exchange", "tick_id")
NAMES = ", ".join(COLUMNS)
ONE = ('{"type":"quote","ts":"2026-11-20T14:30:00.000Z","provider":"yahoo","symbol":"ZZZT","price":1}')


@functools.cache
def service(bench, name, *options):
    """A throw-away server for the run; its variables go into the environment.
    Raises Skipped with what it says."""
    script = os.path.join(SERVICES, name)
    # Its account must reach it.
    where = f"/tmp/financelake-bench-{name}-{os.getuid()}"

    def ask(*argv):
        done = subprocess.run([script, *argv, "--dir", where], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=False)
        if done.returncode:
            raise Skipped((done.stderr.strip().splitlines() or ["no server"])[-1])
        return done.stdout
    ask("start", *options)
    atexit.register(subprocess.run, [script, "stop", "--dir", where], check=False, stdout=subprocess.DEVNULL)
    said = subprocess.run(["bash", "-c", 'eval "$1"; env -0', "bash", ask("env")], capture_output=True, check=True)
    for pair in said.stdout.split(b"\0"):
        key, _, value = pair.decode().partition("=")
        if key.startswith(("FL_", "PG", "AWS_")):
            os.environ[key] = value
    return bench


def run(*argv, **more):
    return subprocess.run(argv, check=True, capture_output=True, text=True, **more).stdout


def faster(ours, peer, most, what="wall time"):
    """Ours takes at most `most` of the peer's wall time."""
    def target(tools):
        us, them = tools[ours], _find(tools, peer)
        if not them:
            return None
        ratio = us.median("wall") / them.median("wall")
        return ratio <= most, f"{us.name} takes {ratio:.2f} of {them.name}'s {what}, at most {most} wanted"
    return target


def shell(script, *args):
    return ["bash", "-c", "set -o pipefail; " + script, "bash", *args]


# --- PostgreSQL ---------------------------------------------------------------


def psql(*commands):
    return run("psql", "-qAtX", "-v", "ON_ERROR_STOP=1", os.environ["FL_PG_TEST"],
               *(word for command in commands for word in ("-c", command)))


def empty_postgres(bench):
    """The tables anew, and what of them a load would make before its rows."""
    def before():
        place = os.environ["FL_PG_TEST"]
        psql("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
        run(*bench.ours("fl-load", "-q", place), input=ONE)
        psql("DELETE FROM quote", "CHECKPOINT")
    return before


def postgres_write(bench):
    ticks = bench.data("unique", bench.lines, "quotes", "-b", "0", "-d", "0")
    service(bench, "postgres", "--durable")
    place, ready = os.environ["FL_PG_TEST"], bench.path(f"ticks-{bench.lines}.csv")
    before = empty_postgres(bench)
    before()
    run(*bench.ours("fl-load", "-q", place, ticks))
    rows = psql("SELECT count(*), sum(price), sum(size) FROM quote").split("|")
    psql(f"\\copy (SELECT {NAMES} FROM quote) TO '{ready}' CSV")
    copy = f'psql -qX "$1" -c "\\copy quote ({NAMES}) FROM STDIN CSV"'
    row = ", ".join("0" if c == "ts_ns" else "input_line_number" if c == "tick_id" else f".{c}" for c in COLUMNS)
    tools = [
        Tool("fl-load postgres://", bench.ours("fl-load", place), ticks, ours=True, before=before),
        Tool("psql \\copy of a ready CSV", shell(copy, place), ready, before=before),
    ] + bench.tools(
        ("jq", lambda name: Tool(f"{name} | psql", shell(f"jq -r '[{row}] | @csv' | {copy}", place), ticks,
                                 before=before, slow=True)),
        ("mlr", lambda name: Tool(f"{name} | psql", shell(
            "mlr --ijsonl --ocsv --headerless-csv-output put '$ts_ns = 0; $tick_id = NR' then cut -o -f "
            f"{','.join(COLUMNS)} | {copy}", place), ticks, before=before, slow=True)),
        ("psycopg", lambda name: Tool(f"{name} COPY", bench.peers.script("psycopg", place), ticks, before=before,
                                      slow=True)))
    targets = [faster("fl-load postgres://", "psql", 1.1)] + [
        faster("fl-load postgres://", peer, 0.5) for peer in ("jq", "Miller", "psycopg")]
    found = Digest(int(rows[0]), {"price": round(float(rows[1]), 2), "size": round(float(rows[2]), 2)})
    return Workload("postgres write", "load ticks into PostgreSQL", ticks, tools, ("price", "size"), targets,
                    expected=lambda _: once(ticks), results=lambda: {"fl-load postgres://": found})


def postgres_read(bench):
    ticks = bench.data("unique", bench.lines, "quotes", "-b", "0", "-d", "0")
    service(bench, "postgres", "--durable")
    place = os.environ["FL_PG_TEST"]
    empty_postgres(bench)()
    run(*bench.ours("fl-load", "-q", place, ticks))
    psql("VACUUM ANALYZE quote")
    order = "ts, ts_ns, symbol, provider, tick_id"
    tools = [
        Tool("fl-fetch store postgres://", bench.ours("fl-fetch", "store", place, "--type", "quote"), ours=True),
        Tool("psql \\copy to stdout", ["psql", "-qX", place, "-c",
                                       f"\\copy (SELECT {NAMES} FROM quote ORDER BY {order}) TO STDOUT"]),
    ]
    return Workload("postgres read", "ticks of PostgreSQL, in the order of time", ticks, tools, ("price", "size"),
                    [faster("fl-fetch store postgres://", "psql", round(1 / 0.7, 2))],
                    expected=lambda name: once(ticks) if name.startswith("fl-") else None)


# --- MariaDB ------------------------------------------------------------------


def mariadb(*words):
    user, _, rest = os.environ["FL_MYSQL_TEST"].partition("://")[2].partition("@")
    address, _, database = rest.partition("/")
    host, _, port = address.partition(":")
    return ["mariadb", "--no-defaults", "--skip-ssl", "--local-infile=1", "-BN", "-h", host, "-P", port, "-u", user,
            *words, database]


def maria(statement):
    return run(*mariadb("-e", statement))


def mariadb_write(bench):
    ticks = bench.data("unique", bench.lines, "quotes", "-b", "0", "-d", "0")
    service(bench, "mariadb", "--durable")
    with open(os.environ["FL_MYSQL_PASSWORD_FILE"], encoding="ascii") as file:
        os.environ["MYSQL_PWD"] = file.read().strip()
    place, ready = os.environ["FL_MYSQL_TEST"], bench.path(f"ticks-{bench.lines}.tsv")

    def before():
        maria("TRUNCATE quote")
    run(*bench.ours("fl-load", "-q", "--migrate", place))
    before()
    run(*bench.ours("fl-load", "-q", place, ticks))
    rows = maria("SELECT count(*), sum(price), sum(size) FROM quote").split()
    with open(ready, "w", encoding="ascii") as out:
        # In the order of the lines, as far as the key lets tell.
        subprocess.run(mariadb("--quick", "-e", f"SELECT {NAMES} FROM quote"), stdout=out, check=True)
    load = f"LOAD DATA LOCAL INFILE '{ready}' INTO TABLE quote CHARACTER SET utf8mb4 ({NAMES})"
    tools = [
        Tool("fl-load mysql://", bench.ours("fl-load", place), ticks, ours=True, before=before),
        Tool("LOAD DATA of a ready file", mariadb("-e", load), before=before),
    ]
    found = Digest(int(rows[0]), {"price": round(float(rows[1]), 2), "size": round(float(rows[2]), 2)})
    return Workload("mariadb write", "load ticks into MariaDB", ticks, tools, ("price", "size"),
                    [faster("fl-load mysql://", "LOAD DATA", 1.25)],
                    expected=lambda _: once(ticks), results=lambda: {"fl-load mysql://": found})


def mariadb_read(bench):
    """The order of time is that of the key; the client keeps nothing of it."""
    ticks = bench.data("unique", bench.lines, "quotes", "-b", "0", "-d", "0")
    service(bench, "mariadb", "--durable")
    place = os.environ["FL_MYSQL_TEST"]
    maria("TRUNCATE quote")
    run(*bench.ours("fl-load", "-q", place, ticks))
    order = "ts, ts_ns, symbol, provider, tick_id"
    tools = [
        Tool("fl-fetch store mysql://", bench.ours("fl-fetch", "store", place, "--type", "quote"), ours=True),
        Tool("mariadb --quick", mariadb("--quick", "-e", f"SELECT {NAMES} FROM quote ORDER BY {order}")),
    ]
    return Workload("mariadb read", "ticks of MariaDB, in the order of time", ticks, tools, ("price", "size"), [],
                    expected=lambda name: once(ticks) if name.startswith("fl-") else None)


# --- S3 -----------------------------------------------------------------------


RCLONE = "env -u AWS_CA_BUNDLE rclone"  # to which an empty one is one that is missing


def bucket(bench):
    """The place of a bucket, and how rclone calls it."""
    service(bench, "s3")
    for key, value in {"TYPE": "s3", "PROVIDER": "Other", "ENDPOINT": os.environ["AWS_ENDPOINT_URL_S3"],
                       "ACCESS_KEY_ID": os.environ["AWS_ACCESS_KEY_ID"], "NO_CHECK_BUCKET": "true",
                       "SECRET_ACCESS_KEY": os.environ["AWS_SECRET_ACCESS_KEY"],
                       "REGION": os.environ.get("AWS_REGION", "us-east-1")}.items():
        os.environ[f"RCLONE_CONFIG_FL_{key}"] = value
    os.environ["RCLONE_CONFIG"] = "/dev/null"
    # What a run that was killed has left there is not this one's.
    place = f"{os.environ['FL_S3_TEST']}/{os.getpid()}"
    return place, "fl:" + place.removeprefix("s3://")


def s3_write(bench):
    """A file as it is; and ticks, which rclone gets packed by zstd."""
    ticks = bench.data("unique", bench.lines, "quotes", "-b", "0", "-d", "0")
    place, remote = bucket(bench)
    files = itertools.count()

    def shift(command):
        """Each round has names of its own, so that no one finds its work done."""
        return shell(f'n=$(cat "$1" 2>/dev/null || echo 0); echo $((n + 1)) >"$1"; shift; {command}',
                     bench.path(f"s3-round-{next(files)}"))
    fl_load = bench.ours("fl-load")[0]
    tools = [
        Tool("fl-load --raw s3://", shift(f'"{fl_load}" -q --raw bench {place}/raw$n {ticks} >/dev/null'), ours=True),
        Tool("fl-load s3://", shift(f'"{fl_load}" -q {place}/lake$n {ticks}'), ours=True),
    ] + bench.tools(
        ("rclone", lambda name: Tool(f"{name} copyto", shift(f"{RCLONE} copyto {ticks} {remote}/copy$n/ticks"))),
        ("rclone", lambda name: Tool(f"zstd -3 | {name} rcat", shift(
            f"zstd -3 -T1 -qc {ticks} | {RCLONE} rcat {remote}/cat$n/ticks.zst"))))
    return Workload("s3 write", "ticks into a bucket", ticks, tools, (),
                    [as_fast("fl-load --raw s3://", "rclone", 0.8), as_fast("fl-load s3://", "zstd", 0.8)], results=dict)


def s3_read(bench):
    ticks = bench.data("unique", bench.lines, "quotes", "-b", "0", "-d", "0")
    place, remote = bucket(bench)
    run(*bench.ours("fl-load", "-q", f"{place}/read", ticks))
    run("bash", "-c", f"zstd -3 -T1 -qc {ticks} | {RCLONE} rcat {remote}/cat/ticks.zst")
    tools = [
        Tool("fl-fetch store s3://", bench.ours("fl-fetch", "store", f"{place}/read", "--unordered"), ours=True),
    ] + bench.tools(
        ("rclone", lambda name: Tool(f"{name} cat | zstd -d", shell(f"{RCLONE} cat {remote}/cat/ticks.zst | zstd -dc -T1"))))
    return Workload("s3 read", "ticks of a bucket", ticks, tools, ("price", "size"),
                    [as_fast("fl-fetch store s3://", "rclone", 0.8)],
                    expected=lambda name: once(ticks) if name.startswith("fl-") else None)


ALL = {"postgres write": postgres_write, "postgres read": postgres_read, "mariadb write": mariadb_write,
       "mariadb read": mariadb_read, "s3 write": s3_write, "s3 read": s3_read}
