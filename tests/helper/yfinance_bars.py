#!/usr/bin/env python3
"""yfinance_bars: daily bars as yfinance (PyPI) reads them, beside ours.

  install VENV            makes VENV with yfinance in it; says why it cannot
  compare URL FROM TO     run by VENV's python: asks the stand-in server at URL
                          for ZZZT and compares with the records on standard
                          input; prints "N bars, N values, N events"

Prices are equal to 1e-9 once ours are widened from 32 bits as Yahoo widens
them; prices in pounds once they are pence again.
"""
import json
import math
import os
import subprocess
import sys
import tempfile

PACKAGE = "yfinance>=1.6,<2"


def install(venv):
    """Once; the package's name and version are what is done."""
    done = os.path.join(venv, "package")
    if os.path.exists(done):
        return
    python = os.path.join(venv, "bin", "python")
    for command in [[sys.executable, "-m", "venv", "--clear", venv],
                    [python, "-m", "pip", "--disable-pip-version-check",
                     "install", "-q", "--timeout", "20", "--retries", "1",
                     PACKAGE]]:
        ran = subprocess.run(command, text=True, capture_output=True)
        if ran.returncode:
            lines = (ran.stderr + ran.stdout).strip().splitlines()
            sys.exit(lines[-1] if lines else f"{command[0]} failed")
    with open(done, "w") as file:
        file.write(PACKAGE)


def theirs(url, start, end):
    import yfinance
    from yfinance import base, data
    from yfinance.scrapers import history

    yfinance.set_tz_cache_location(tempfile.mkdtemp())
    for module in (base, history, yfinance.const):
        module._BASE_URL_ = url
    # The chart needs neither cookie nor crumb, and their hosts are not ours.
    data.YfData._get_cookie_and_crumb = lambda self, timeout=30: (None, "basic")
    return yfinance.Ticker("ZZZT").history(
        start=start, end=end, interval="1d", auto_adjust=False, actions=True)


def same(ours, wanted):
    import numpy

    near = 1e-9 * abs(wanted)
    return (abs(ours - wanted) <= near or
            abs(float(numpy.float32(ours)) - wanted) <= near)


def compare(url, start, end):
    frame = theirs(url, start, end)
    bars, events = {}, {}
    for line in sys.stdin:
        record = json.loads(line)
        if record["type"] == "bar":
            bars[record["date"]] = record
        else:
            events[record["type"], record["date"]] = record
    names = {"Open": "open", "High": "high", "Low": "low", "Close": "close",
             "Adj Close": "adj_close"}
    count = values = actions = 0
    for time, row in frame.iterrows():
        date = time.strftime("%Y-%m-%d")
        if any(math.isnan(row[name]) for name in list(names)[:4]):
            assert date not in bars, f"{date} is no whole bar"
            continue
        ours = bars.pop(date)
        scale = ours.get("price_scale", 1)
        for name, key in names.items():
            if math.isnan(row[name]):
                assert key not in ours, f"{date}: {key} is unknown"
                continue
            # As text: pounds are pence again without a rounding of our own.
            assert same(float(f"{ours[key] / scale:.12g}"), row[name]), \
                f"{date}: {key} {ours[key]} / {scale}, not {row[name]!r}"
            values += 1
        assert ours.get("volume", 0) == row["Volume"], f"{date}: volume"
        values += 1
        count += 1
        if row["Dividends"]:
            event = events.pop(("dividend", date))
            amount = event["amount"] / event.get("price_scale", 1)
            assert same(amount, row["Dividends"]), f"{date}: dividend"
            actions += 1
        if row["Stock Splits"]:
            event = events.pop(("split", date))
            ratio = event["numerator"] / event["denominator"]
            assert same(ratio, row["Stock Splits"]), f"{date}: split"
            actions += 1
    assert not bars, f"only ours: {sorted(bars)}"
    assert all(e.get("kind") == "capital_gain" for e in events.values()), \
        f"only ours: {sorted(events)}"
    print(f"{count} bars, {values} values, {actions} events")


if __name__ == "__main__":
    if sys.argv[1] == "install":
        install(sys.argv[2])
    else:
        compare(*sys.argv[2:5])
