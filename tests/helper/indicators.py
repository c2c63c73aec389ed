#!/usr/bin/env python3
"""indicators: what TA-Lib and pandas say of the figures in `ind`.

usage: indicators.py compare NAME... < records
       indicators.py stats FILE < records
       indicators.py golden SPEC... > FILE

compare works every figure of each series out again from its bars alone, and
wants it equal to 1e-9, relative or absolute, and absent where the reference has
none. Each NAME, an indicator of fl-agg --list-indicators, must be met, and needs
a reference here. stats does the same for the records of fl-agg stats --corr, made
of the daily bars in FILE. golden writes made-up bars with the reference in `ind`, for
tests that have neither package at hand; the SPECs are those of the list.
"""
import json
import math
import random
import sys
from datetime import datetime, timedelta

import numpy
import pandas
import talib

PER_YEAR = {"1d": 252, "1wk": 52, "1mo": 12, "3mo": 4, "1y": 1,
            "1h": 252 * 6.5, "1m": 252 * 390}


class Bars:
    """The bars of a series as columns."""

    def __init__(self, records):
        def column(field):
            return numpy.array([float(r.get(field, "nan")) for r in records])
        self.open, self.high = column("open"), column("high")
        self.low, self.close = column("low"), column("close")
        self.volume, self.turnover = column("volume"), column("turnover")
        self.adj_close = column("adj_close")
        self.typical = (self.high + self.low + self.close) / 3
        self.prices = {
            "": self.close, "adj_close": self.adj_close,
            "hl2": (self.high + self.low) / 2, "hlc3": self.typical,
            "ohlc4": (self.open + self.high + self.low + self.close) / 4}
        self.interval = records[0]["interval"]
        daily = self.interval in ("1d", "1wk", "1mo", "3mo", "1y")
        self.days = ["" if daily else r.get("date", r["ts"][:10])
                     for r in records]


def vwap(bars, _):
    money = pandas.Series(numpy.where(numpy.isnan(bars.turnover),
                                      bars.typical * bars.volume,
                                      bars.turnover))
    volume = pandas.Series(bars.volume)
    over = money.groupby(bars.days).cumsum()
    under = volume.groupby(bars.days).cumsum()
    return [(over / under.where(under > 0)).to_numpy()]


def vwma(bars, price, n):
    money = pandas.Series(price * bars.volume).rolling(int(n)).sum()
    return [(money / pandas.Series(bars.volume).rolling(int(n)).sum()).to_numpy()]


def vol(bars, price, n, per_year=None):
    logs = numpy.log(pandas.Series(price)).diff()
    return [(logs.rolling(int(n)).std() *
             math.sqrt(per_year or PER_YEAR[bars.interval])).to_numpy()]


def shift(price, n):
    return pandas.Series(price).shift(int(n)).to_numpy()


# By name: the outputs, "" for the name alone, and a function that gives them
# out of bars, price and parameters.
REFERENCE = {
    "sma": ([""], lambda b, p, n: [talib.SMA(p, int(n))]),
    "ema": ([""], lambda b, p, n: [talib.EMA(p, int(n))]),
    "wma": ([""], lambda b, p, n: [talib.WMA(p, int(n))]),
    "vwma": ([""], vwma),
    "vwap": ([""], vwap),
    "rsi": ([""], lambda b, p, n: [talib.RSI(p, int(n))]),
    "macd": (["", "signal", "hist"], lambda b, p, fast, slow, signal:
             talib.MACD(p, int(fast), int(slow), int(signal))),
    "bb": (["upper", "middle", "lower"],
           lambda b, p, n, k: talib.BBANDS(p, int(n), k, k)),
    "stoch": (["k", "d"], lambda b, p, n, k, d: talib.STOCH(
        b.high, b.low, b.close, int(n), int(k), 0, int(d), 0)),
    "atr": ([""], lambda b, p, n: [talib.ATR(b.high, b.low, b.close, int(n))]),
    "adx": (["", "plus", "minus"], lambda b, p, n: [
        f(b.high, b.low, b.close, int(n))
        for f in (talib.ADX, talib.PLUS_DI, talib.MINUS_DI)]),
    "obv": ([""], lambda b, p: [talib.OBV(p, b.volume)]),
    "roc": ([""], lambda b, p, n: [talib.ROC(p, int(n))]),
    "ret": ([""], lambda b, p, n: [talib.ROCP(p, int(n))]),
    "logret": ([""], lambda b, p, n: [numpy.log(p / shift(p, n))]),
    "vol": ([""], vol),
    "dd": ([""], lambda b, p: [p / numpy.maximum.accumulate(p) - 1]),
}


def parse(figure):
    """("bb", "upper", [20.0, 2.0], "hl2") of bb_upper_20_2_hl2."""
    name, *rest = figure.replace("adj_close", "adj-close").split("_")
    if name not in REFERENCE:
        sys.exit(f"no reference for '{name}': tests/helper/indicators.py wants one")
    price = output = ""
    if rest and rest[-1] in ("hl2", "hlc3", "ohlc4", "adj-close"):
        price = rest.pop().replace("-", "_")
    if rest and not rest[0][0].isdigit():
        output = rest.pop(0)
    return name, output, [float(word.replace("p", ".")) for word in rest], price


def reference(bars, figure):
    name, output, params, price = parse(figure)
    outputs, function = REFERENCE[name]
    values = function(bars, bars.prices[price], *params)
    return numpy.asarray(values[outputs.index(output)])


def compare(names):
    series, met, count = {}, set(), 0
    for line in sys.stdin:
        record = json.loads(line)
        key = [record.get(k) for k in ("provider", "symbol", "interval", "adj")]
        series.setdefault(tuple(key), []).append(record)
    for key, records in series.items():
        bars = Bars(records)
        for figure in sorted({f for r in records for f in r.get("ind", {})}):
            met.add(parse(figure)[0])
            wanted = reference(bars, figure)
            for record, want in zip(records, wanted):
                got = record.get("ind", {}).get(figure, math.nan)
                if math.isnan(want) and math.isnan(got):
                    continue
                if not math.isclose(got, want, rel_tol=1e-9, abs_tol=1e-9):
                    sys.exit(f"{key} {record['ts']} {figure}: {got}, not {want}")
                count += 1
    for name in names:
        if name not in REFERENCE:
            sys.exit(f"no reference for '{name}': tests/helper/indicators.py wants one")
        if name not in met:
            sys.exit(f"no figure of '{name}' among the records")
    print(f"{count} figures of {len(met)} indicators")


def stats(path):
    """By the closes alone, in pandas' words."""
    closes = pandas.read_json(path, lines=True).pivot(
        index="ts", columns="symbol", values="close")
    series = pairs = 0
    for line in sys.stdin:
        record = json.loads(line)
        by, got = record["by"], record["values"]
        if record["stat"] == "correlation":
            both = closes[[by[k].split("/")[0] for k in "ab"]].dropna()
            returns = both.pct_change().dropna()
            want = {"correlation": returns.corr().iloc[0, 1],
                    "count": len(returns)}
            pairs += 1
        else:
            price = closes[by["symbol"]].dropna()
            returns, logs = price.pct_change(), numpy.log(price).diff()
            want = {
                "count": len(price), "first": price.iloc[0],
                "last": price.iloc[-1], "min": price.min(), "max": price.max(),
                "return": price.iloc[-1] / price.iloc[0] - 1,
                "volatility": logs.std() * math.sqrt(252),
                "sharpe": returns.mean() / returns.std() * math.sqrt(252),
                "max_drawdown": (price / price.cummax() - 1).min()}
            series += 1
        if got.keys() != want.keys() or not all(
                math.isclose(got[k], want[k], rel_tol=1e-9, abs_tol=1e-9)
                for k in want):
            sys.exit(f"{record['subject']}: {got}, not {want}")
    print(f"{series} series, {pairs} pairs")


def golden(specs):
    """Two series of daily bars, side by side; one has no volume at times."""
    random.seed(4)
    series = {"ZZZA": [], "ZZZB": []}
    last = {"ZZZA": 100.0, "ZZZB": 20.0}
    for i in range(80):
        date = (datetime(2026, 1, 1) + timedelta(days=i)).strftime("%Y-%m-%d")
        for symbol, records in series.items():
            start = last[symbol]
            end = round(start * math.exp(random.gauss(0, 0.02)), 2)
            spread = [round(abs(random.gauss(0, start / 100)), 2) for _ in "hl"]
            last[symbol] = end
            records.append({
                "type": "bar", "ts": f"{date}T00:00:00.000Z", "provider": "made",
                "symbol": symbol, "interval": "1d", "open": start,
                "high": round(max(start, end) + spread[0], 2),
                "low": round(min(start, end) - spread[1], 2), "close": end,
                "adj": "none", "date": date, "volume": random.randint(1, 9999)})
    for records in series.values():
        bars = Bars(records)
        for spec in specs:
            name, *params = spec.split("[")[0].split(":")
            for output in REFERENCE[name][0]:
                figure = "_".join(w for w in [name, output, *params] if w)
                for record, value in zip(records, reference(bars, figure)):
                    if not math.isnan(value):
                        record.setdefault("ind", {})[figure] = float(value)
    for pair in zip(*series.values()):
        for record in pair:
            print(json.dumps(record, separators=(",", ":")))


def main():
    words = sys.argv[1:]
    if words[:1] == ["compare"]:
        compare(words[1:])
    elif words[:1] == ["stats"] and len(words) == 2:
        stats(words[1])
    elif words[:1] == ["golden"] and len(words) > 1:
        golden(words[1:])
    else:
        sys.exit(__doc__)


main()
