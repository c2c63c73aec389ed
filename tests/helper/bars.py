#!/usr/bin/env python3
"""bars: what DuckDB and pandas make of the same input as fl-agg bars.

usage: PYTHON bars.py duckdb TICKS < BARS       1-minute bars of a file of ticks
       PYTHON bars.py pandas BARS IV ZONE < OUT bars of IV of a file of bars

Each wants as many bars as there are, and in each of them open, high, low, close,
volume and count exactly, and the VWAP to 1e-9. Bars of a zone: those whose ts is
an instant are put on ZONE's wall clock first.
"""
import json
import sys
from decimal import Decimal


def ours(interval):
    bars = {}
    for line in sys.stdin:
        bar = json.loads(line, parse_float=Decimal, parse_int=Decimal)
        if bar["interval"] == interval:
            bars[bar["symbol"], bar.get("date", bar["ts"])] = bar
    return bars


def close_to(a, b):
    return abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1)


def check(bars, theirs, fields):
    """theirs: (symbol, when) to the values of fields, as text or numbers."""
    wrong = 0
    for key, values in theirs.items():
        bar = bars.pop(key, None)
        for field, value in zip(fields, values):
            got = None if bar is None else bar.get(field)
            if got is not None and field == "vwap":
                good = close_to(float(got), float(value))
            elif isinstance(value, float):
                good = got is not None and float(got) == value
            else:
                good = got == value
            if not good:
                wrong += 1
                if wrong < 6:
                    print(f"{key} {field}: {got}, wanted {value}")
    for key in list(bars)[:5]:
        print(f"{key}: not wanted")
    if wrong or bars:
        sys.exit(f"{wrong} values differ, {len(bars)} bars too many")
    print(f"{len(theirs)} bars")


def duckdb(ticks):
    import duckdb

    # Strings, so that prices stay decimals; DuckDB's rows keep their order.
    rows = duckdb.sql(f"""
        SET preserve_insertion_order = true;
        SELECT symbol, strftime(time_bucket(INTERVAL 1 MINUTE, t),
                                '%Y-%m-%dT%H:%M:%S.000Z'),
               arg_min(p, (t, n)), max(p), min(p), arg_max(p, (t, n)),
               sum(s), count(*), sum(p * s) / sum(s)
        FROM (SELECT symbol, strptime(ts, '%Y-%m-%dT%H:%M:%S.%gZ') AS t,
                     CAST(price AS DECIMAL(18, 6)) AS p,
                     CAST(size AS DECIMAL(18, 0)) AS s,
                     row_number() OVER () AS n
              FROM read_ndjson('{ticks}', columns = {{symbol: 'VARCHAR',
                   ts: 'VARCHAR', price: 'VARCHAR', size: 'VARCHAR'}}))
        GROUP BY ALL""").fetchall()
    theirs = {(row[0], row[1]): (*map(Decimal, row[2:8]), row[8])
              for row in rows}
    check(ours("1m"), theirs, ["open", "high", "low", "close", "volume",
                               "trades", "vwap"])


RULES = {"1wk": "W-MON", "1mo": "MS", "3mo": "QS", "1y": "YS", "1d": "D",
         "4h": "4h"}


def pandas(bars, interval, zone):
    import pandas

    rows = [json.loads(line) for line in open(bars)]
    table = pandas.DataFrame(rows)
    table["when"] = pandas.to_datetime(table["ts"])
    dated = "date" in table
    if not dated:
        table["when"] = table["when"].dt.tz_convert(zone)
    how = {"open": "first", "high": "max", "low": "min", "close": "last",
           "volume": "sum"}
    theirs = {}
    for symbol, group in table.groupby("symbol"):
        made = group.set_index("when").sort_index().resample(
            RULES[interval], label="left", closed="left").agg(how | {"ts": "count"})
        for when, row in made[made["ts"] > 0].iterrows():
            key = (when.strftime("%Y-%m-%d") if interval[-1] not in "hm"
                   else when.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%S.000Z"))
            theirs[symbol, key] = tuple(float(row[field]) for field in how)
    check(ours(interval), theirs, list(how))


if __name__ == "__main__":
    {"duckdb": duckdb, "pandas": pandas}[sys.argv[1]](*sys.argv[2:])
