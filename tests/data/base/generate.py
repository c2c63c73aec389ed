#!/usr/bin/env python3
"""Write decimal.tsv, time.tsv, zone.tsv and zoneinfo/ beside this file.

usage: generate.py [--only NAME] [--count N] [--seed N] [--out DIR]

What is expected comes from Python's decimal, datetime and zoneinfo, which share
nothing with the code under test. The zone files are copies of the system's, so
that the tests know which rules hold, and a few made here for what real ones do
not show: version 1, a footer alone, daylight saving all year.
"""
import argparse
import datetime as dt
import decimal
import io
import math
import os
import random
import struct
import zoneinfo
from decimal import Decimal as D

HERE = os.path.dirname(os.path.abspath(__file__))
decimal.getcontext().prec = 2000
decimal.getcontext().Emax = decimal.MAX_EMAX
decimal.getcontext().Emin = decimal.MIN_EMIN
decimal.getcontext().rounding = decimal.ROUND_HALF_EVEN


# --- decimal -----------------------------------------------------------------

def read(text):
    """The value; exponents beyond all ranges are cut to what Python takes."""
    mant, _, exponent = text.lower().partition("e")
    exponent = max(-900, min(900, int(exponent or "0")))
    return D(f"{mant}e{exponent}")


def settle(value, most_scale=18):
    """'exact 15 1' | 'rounded 15 1' | 'range' for an exact value."""
    if value == 0:
        return "exact 0 0"
    lowest = max(value.adjusted() - 17, -most_scale)
    if lowest > value.as_tuple().exponent:
        result = value.quantize(D((0, (1,), lowest)))
    else:
        result = value
    word = "exact" if result == value else "rounded"
    if result == 0:
        return word + " 0 0"
    sign, digits, exponent = result.as_tuple()
    mant = int("".join(map(str, digits)))
    while mant % 10 == 0:
        mant //= 10
        exponent += 1
    if exponent > 18:
        return "range"
    return f"{word} {-mant if sign else mant} {-exponent}"


def plain(value):
    """Without exponent or trailing zeros."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def nano(value):
    """A sum's digits after rounding to nine decimals, or 'range'."""
    rounded = value.quantize(D("1e-9"))
    count = int(rounded.scaleb(9))
    if abs(count) >= 10 ** 38:
        return "range"
    word = "exact" if rounded == value else "rounded"
    return f"{word} {plain(rounded)}"


def digits(rng, count):
    return str(rng.randrange(10 ** (count - 1), 10 ** count))


def number(rng):
    """A number in normal form, as text with an exponent."""
    mant = int(digits(rng, rng.choice((1, 1, 2, 3, 5, 8, 12, 15, 17, 18))))
    if rng.random() < .2:
        mant = 10 ** rng.randrange(1, 19) - rng.randrange(1, 3)
    while mant and mant % 10 == 0:
        mant //= 10
    scale = rng.choice((0, 0, 1, 2, 2, 4, 6, 9, rng.randrange(-18, 19)))
    return rng.choice(("", "", "-")) + f"{mant}e{-scale}" if mant else "0"


def literal(rng):
    """A JSON number in one of many shapes."""
    shape = rng.randrange(8)
    text = digits(rng, rng.randrange(1, 19)) if rng.random() < .8 else "0"
    if shape == 1:
        text += "." + digits(rng, rng.randrange(1, 9)).zfill(
            rng.randrange(1, 12))
    elif shape == 2:
        text += "." + "0" * rng.randrange(0, 30) + digits(rng, 3) + \
            "0" * rng.randrange(0, 6)
    elif shape == 3 and text != "0":
        text += "0" * rng.randrange(0, 25)
    elif shape == 4:
        text += rng.choice("eE") + rng.choice(("", "+", "-")) + \
            str(rng.randrange(0, 45)).zfill(rng.randrange(1, 4))
    elif shape == 5:
        text = digits(rng, rng.randrange(15, 45))
    elif shape == 6:  # around a tie
        text = digits(rng, 18) + rng.choice(
            ("5", "50", "500000001", "4999999", "51", "49"))
        at = rng.randrange(1, len(text) + 1)
        text = text[:at] + ("." + text[at:] if at < len(text) else "")
    elif shape == 7:
        text = "0." + "0" * rng.randrange(14, 19) + rng.choice(
            ("5", "15", "25", "500", "5001", "4999", "95", "99"))
    return rng.choice(("", "", "-")) + text


EDGES = """0 -0 0.0 -0.00 0e5 0e-5 0E99999999999999999999 1 -1 10 100 1.0 0.10
1e3 1E+3 1e-3 1e18 1e19 1e-18 1e-19 5e-19 5.1e-19 1.5e-18 2.5e-18 1e-30 1e40
1e99999999999999999999 1e-99999999999999999999 999999999999999999
9999999999999999995 9999999999999999985 999999999999999999e18 15e18 11e19
9999999999999999994 999999999999999999.5 999999999999999998.5
999999999999999999500000000000000000000 12345678901234567850000
1234567890123456785 1234567890123456775 0.999999999999999999
0.9999999999999999995 0.9999999999999999994 -0.0000000000000000005
-0.00000000000000000051 1000000000000000000 10000000000000000000
1000000000000000000000000000000000000 0.000000000000000001
99999999999999999999999999999999999 123456789012345678e18 100.25e-2
184467440737095516150 18446744073709551616 9223372036854775808 101.25
64123.45 0.00001234 1500 123456""".split()

BAD = ["", "-", "+1", "01", "-01", "00", "1.", ".5", "-.5", "1e", "1e+", "1e-",
       "1e1.5", "1.5.5", "1,5", " 1", "1 ", "0x10", "NaN", "inf", "Infinity",
       "--1", "1-", "1e5e5", "e5", ".", "-e", "1_000", "0.1.", "00.5", "0e",
       "12345678901234567890x", "1\u00b2", "123456789012345678901234567890.",
       "1.e5", "0123456789012345678901", "1a", "a", "9:", "1/", "-0x"]

DOUBLES = [0.0, -0.0, 1.0, 0.1, 0.2 + 0.1, 1 / 3, 2 / 3, 101.25, 1e15, 1e16,
           1e17, 1e18, 1e19, 1.5e19, 1e22, 1e35, 1e36, 1e37, 1e300, 5e-324, 1e-18,
           1e-19, 4e-19, 6e-19, 1.5e-17, 123456789.123456789, 9007199254740991.0,
           9007199254740992.0, 9007199254740993.0, 2.0 ** 50, 2.0 ** 50 - .5,
           2.0 ** 63, 2.0 ** 89, 2.0 ** 100, 0.0012345678901234567, math.pi, -math.e,
           5e-1, 100.0, 1234500000.0, .3, 2.675, 1.005, 1e-7, 123e-7,
           4503599627370497.5, 562949953421312.25, 112589990684262.375]


def decimal_lines(rng, count):
    for text in EDGES:
        yield "parse", text, settle(read(text))
        yield "sum", text, nano(read(text))
    for text in BAD:
        yield "parse", text, "bad"
        yield "sum", text, "bad"
    for _ in range(count):
        text = literal(rng)
        yield "parse", text, settle(D(text))
        text = literal(rng)
        yield "sum", text, nano(D(text))
    for _ in range(count // 2):
        text = number(rng)
        yield "print", text, plain(D(text))
        yield "double", text, float(D(text)).hex()
    for i in range(2 * count):
        a, b = number(rng), number(rng)
        if rng.random() < .2:
            b = a if rng.random() < .5 else "-" + a.lstrip("-")
        if rng.random() < .05:
            a, b = rng.choice(((a, "0"), ("0", b)))
        x, y = D(a), D(b)
        op = ("add", "mul", "div", "cmp", "product", "ratio")[i % 6]
        if op == "cmp":
            want = str((x > y) - (x < y))
        elif op == "div":
            want = "range" if y == 0 else settle(exact_ratio(x, y))
        elif op == "ratio":
            x, y = x.quantize(D("1e-9")), y.quantize(D("1e-9"))
            if abs(x) >= D("1e29") or abs(y) >= D("1e29"):
                continue
            want = "range" if y == 0 else settle(exact_ratio(x, y), 9)
        elif op == "product":
            want = nano(x * y)
        else:
            want = settle(x + y if op == "add" else x * y)
        yield op, a, b, want.replace("rounded ", "").replace("exact ", "")
    values = list(DOUBLES)
    for _ in range(count // 2):
        values.append(rng.choice((
            rng.uniform(-1e4, 1e4), round(rng.uniform(0, 1e6), rng.randrange(9)),
            math.ldexp(rng.random(), rng.randrange(-60, 120)),
            2.0 ** rng.randrange(-60, 119))))
    for value in values:
        want = D(repr(value))
        if want.as_tuple().exponent < -18:
            want = D(value)
        want = settle(want)
        yield "shortest", value.hex(), want.replace("rounded ", "").replace(
            "exact ", "")


def exact_ratio(x, y):
    """x / y far beyond the places that count; never a false tie."""
    with decimal.localcontext() as context:
        context.prec = 400
        context.rounding = decimal.ROUND_DOWN
        context.clear_flags()
        q = x / y
        if context.flags[decimal.Inexact]:
            q += D((q.is_signed(), (1,), q.adjusted() - 399))
        return q


# --- time --------------------------------------------------------------------

EPOCH = dt.datetime(1970, 1, 1)


def to_ns(when, nanos=0):
    delta = when - EPOCH
    return (delta.days * 86400 + delta.seconds) * 10 ** 9 + nanos


def canonical(when, nanos):
    fraction = f"{nanos:09d}"
    if nanos % 10 ** 6 == 0:
        fraction = fraction[:3]
    elif nanos % 1000 == 0:
        fraction = fraction[:6]
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + fraction + "Z"


BAD_TIMES = """2026-01-31 2026-01-31T09:30:00 2026-01-31T09:30Z
2026-01-31T09:30:00.Z 2026-13-01T00:00:00Z 2026-00-01T00:00:00Z
2026-02-29T00:00:00Z 2100-02-29T00:00:00.000Z 2026-04-31T00:00:00.000Z
2026-01-00T00:00:00.000Z 2026-01-31T24:00:00.000Z 2026-01-31T23:60:00.000Z
2026-01-31T23:59:61.000Z 2026-01-31T09:30:00.000 2026-01-31T09:30:00.000ZZ
2026-01-31T09:30:00.000+1:00 2026-01-31T09:30:00.000+0100
2026-01-31T09:30:00.000+24:00 2026-01-31T09:30:00.000+01:60
2026-01-31T09:30:00.000+01 26-01-31T09:30:00.000Z 2026/01/31T09:30:00.000Z
2026-01-31T09.30.00.000Z 2026-01-31_09:30:00.000Z +2026-01-31T09:30:00Z
2026-1-31T09:30:00.000Z 2026-01-31T9:30:00.000Z 1677-12-31T23:59:59.999Z
2262-01-01T00:00:00.000Z 0000-01-01T00:00:00Z 9999-12-31T23:59:59.999999999Z
1678-01-01T00:00:00+00:01 2261-12-31T23:59:00-00:01 2026-01-31T09:30:00,5Z
2026-W05-6T09:30:00Z 2026-031T09:30:00.000Z 20260131T093000Z - x
2261-12-31T23:59:60Z 2026-01-31T09:30:0:.000Z 2026-01-31T09:30:00.00:Z
2026-01-31T09:30:00.00000/Z 2026-01-31T09:30:00.123456789""".split()


def time_lines(rng, count):
    first, last = dt.datetime(1678, 1, 1), dt.datetime(2261, 12, 31, 23, 59, 59)
    span = int((last - first).total_seconds())
    for text in BAD_TIMES:
        yield "parse", text, "bad"
    for text, ns in (
            ("2026-01-31T23:59:60Z", to_ns(dt.datetime(2026, 2, 1))),
            ("2016-12-31T23:59:60.500Z",
             to_ns(dt.datetime(2017, 1, 1), 5 * 10 ** 8)),
            ("2017-01-01T00:59:60+01:00", to_ns(dt.datetime(2017, 1, 1))),
            ("2026-01-31t09:30:00.000z", to_ns(dt.datetime(2026, 1, 31, 9, 30))),
            ("2026-01-31 09:30:00.000Z", to_ns(dt.datetime(2026, 1, 31, 9, 30))),
            ("2026-01-31T09:30:00Z", to_ns(dt.datetime(2026, 1, 31, 9, 30))),
            ("2026-01-31T09:30:00.000-00:00",
             to_ns(dt.datetime(2026, 1, 31, 9, 30))),
            ("2026-01-31T09:30:00.000000Z",
             to_ns(dt.datetime(2026, 1, 31, 9, 30))),
            ("2026-01-31T09:30:00.120000Z",
             to_ns(dt.datetime(2026, 1, 31, 9, 30), 120000000)),
            ("2026-01-31T09:30:00.123456000Z",
             to_ns(dt.datetime(2026, 1, 31, 9, 30), 123456000)),
            ("2026-01-31T09:30:00.1234567899Z",
             to_ns(dt.datetime(2026, 1, 31, 9, 30), 123456789)),
            ("2026-01-31T09:30:00." + "0" * 60 + "Z",
             to_ns(dt.datetime(2026, 1, 31, 9, 30))),
            ("1678-01-01T00:00:00-00:01",
             to_ns(dt.datetime(1678, 1, 1, 0, 1))),
            ("2262-01-01T00:00:00+00:01",
             to_ns(dt.datetime(2261, 12, 31, 23, 59)))):
        yield "parse", text, f"foreign {ns}"
    for when in (first, last, EPOCH, dt.datetime(1969, 12, 31, 23, 59, 59),
                 dt.datetime(2000, 2, 29), dt.datetime(1900, 2, 28, 12)):
        for nanos in (0, 1, 10 ** 6, 999999999, 1000, 999000000):
            yield "own", canonical(when, nanos), str(to_ns(when, nanos))
    for _ in range(count):
        when = first + dt.timedelta(seconds=rng.randrange(span))
        nanos = rng.randrange(10 ** 9)
        nanos -= nanos % rng.choice((1, 1000, 10 ** 6, 10 ** 9))
        yield "own", canonical(when, nanos), str(to_ns(when, nanos))
        offset = rng.randrange(-1439, 1440)
        width = rng.choice((0, 1, 2, 3, 5, 6, 7, 9))
        nanos -= nanos % 10 ** (9 - width)
        text = (when + dt.timedelta(minutes=offset)).strftime(
            "%Y-%m-%d" + rng.choice("Tt ") + "%H:%M:%S")
        if width:
            text += "." + f"{nanos:09d}"[:width]
        text += f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02d}:" \
            f"{abs(offset) % 60:02d}"
        yield "parse", text, f"foreign {to_ns(when, nanos)}"
    for _ in range(count // 3):  # months back, the day clipped
        when = dt.datetime(1990, 1, 1) + dt.timedelta(
            seconds=rng.randrange(2 * 10 ** 9))
        months = rng.randrange(1, 400)
        y, m = divmod(when.year * 12 + when.month - 1 - months, 12)
        day = when.day
        while True:
            try:
                back = when.replace(year=y, month=m + 1, day=day)
                break
            except ValueError:
                day -= 1
        yield "minus", str(to_ns(when)), f"{months}mo", str(to_ns(back))


# --- zones -------------------------------------------------------------------

REAL = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe",
        "America/Sao_Paulo", "Asia/Kolkata", "Europe/Dublin", "Etc/UTC"]


def tzif(version, changes, types, footer, names=b"AAA\0BBB\0"):
    """A TZif file; types are (offset, is_dst, name index)."""
    def block(size, which):
        head = b"TZif" + version + b"\0" * 15 + struct.pack(
            ">6L", 0, 0, 0, len(which), len(types), len(names))
        return head + b"".join(
            struct.pack(">l" if size == 4 else ">q", at)
            for at, _ in which) + bytes(i for _, i in which) + b"".join(
            struct.pack(">lBB", *t) for t in types) + names
    if version == b"\0":
        return block(4, changes)
    return block(4, []) + block(8, changes) + b"\n" + footer + b"\n"


def seconds(*when):
    return int((dt.datetime(*when) - EPOCH).total_seconds())


MADE = {
    "Made/Version1": tzif(b"\0", [(seconds(2000, 1, 1), 1),
                                  (seconds(2010, 7, 1), 0)],
                          [(3600, 0, 0), (7200, 1, 4)], b""),
    "Made/Footer_North": tzif(b"2", [], [(-18000, 0, 0)],
                              b"EST5EDT,M3.2.0,M11.1.0"),
    "Made/Footer_South": tzif(b"2", [(seconds(1990, 1, 1), 0)],
                              [(37800, 0, 0)],
                              b"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"),
    "Made/Julian": tzif(b"2", [(seconds(1980, 1, 1), 0)], [(0, 0, 0)],
                        b"AAA0BBB,J60/1:30,J300/3"),
    "Made/Day_Of_Year": tzif(b"2", [(seconds(1980, 1, 1), 0)], [(0, 0, 0)],
                             b"AAA0BBB-1:20:30,59,300/25"),
    "Made/Negative": tzif(b"3", [(seconds(1980, 1, 1), 0)], [(-10800, 0, 0)],
                          b"<-03>3<-02>,M3.5.0/-2,M10.5.0/-1"),
    "Made/All_Year": tzif(b"3", [(seconds(1980, 1, 1), 0)], [(-14400, 1, 0)],
                          b"XXX3EDT4,0/0,J365/23"),
    "Made/Fixed": tzif(b"2", [(seconds(1980, 1, 1), 0)], [(3600, 0, 0)],
                       b"CET-1"),
    "Made/No_Footer": tzif(b"2", [(seconds(1980, 1, 1), 1),
                                  (seconds(1990, 5, 5, 5), 0)],
                           [(3600, 0, 0), (-5400, 0, 0)], b""),
}


def zone_files():
    files = dict(MADE)
    for name in REAL:
        for root in zoneinfo.TZPATH:
            path = os.path.join(root, name)
            if os.path.exists(path):
                with open(path, "rb") as f:
                    files[name] = f.read()
                break
    return files


def wall_line(name, zone, wall):
    """What a wall time means, by PEP 495's folds."""
    early = wall.replace(tzinfo=zone, fold=0)
    late = wall.replace(tzinfo=zone, fold=1)
    a = wall - early.utcoffset()
    b = wall - late.utcoffset()
    back = a.replace(tzinfo=dt.timezone.utc).astimezone(zone)
    if back.replace(tzinfo=None, fold=0) != wall:
        return "wall", name, wall.isoformat(), f"skipped {to_ns(a) // 10**9}"
    if a != b:
        return "wall", name, wall.isoformat(), \
            f"repeated {to_ns(a) // 10 ** 9} {to_ns(b) // 10 ** 9}"
    return "wall", name, wall.isoformat(), f"unique {to_ns(a) // 10 ** 9}"


def zone_lines(rng, count, files):
    for name, content in files.items():
        # Python 3.11 counts the days of this form from 1; POSIX, and the C
        # library, from 0.
        content = content.replace(b",59,300/", b",60,301/")
        zone = zoneinfo.ZoneInfo.from_file(io.BytesIO(content), key=name)

        def offset(when):
            return int(when.replace(tzinfo=dt.timezone.utc).astimezone(zone)
                       .utcoffset().total_seconds())

        def offset_line(when):
            return "offset", name, str(to_ns(when) // 10 ** 9), \
                str(offset(when))

        for year in (1900, 1942, 2026, 2037, 2038, 2100, 2250):
            if name == "Made/Version1" and year < 2000:
                continue
            # Find the year's changes by looking at every three hours.
            step = dt.timedelta(hours=3)
            when = dt.datetime(year, 1, 1)
            while when.year == year:
                if offset(when) != offset(when + step):
                    low, high = when, when + step
                    while high - low > dt.timedelta(seconds=1):
                        middle = low + (high - low) // 2
                        middle = middle.replace(microsecond=0)
                        if offset(middle) == offset(low):
                            low = middle
                        else:
                            high = middle
                    yield offset_line(low)
                    yield offset_line(high)
                    for edge in (high + dt.timedelta(seconds=offset(low)),
                                 high + dt.timedelta(seconds=offset(high))):
                        for s in (-1, 0):
                            yield wall_line(name, zone, edge +
                                            dt.timedelta(seconds=s))
                when += step
            if year in (1900, 2037, 2100):
                for _ in range(max(1, count // 100)):
                    when = dt.datetime(year, 1, 1) + dt.timedelta(
                        seconds=rng.randrange(365 * 86400))
                    yield offset_line(when)
                    yield wall_line(name, zone, when)


# --- main --------------------------------------------------------------------

def write(path, lines):
    with open(path, "w", encoding="utf-8", newline="\n") as f:
        f.write("# made by generate.py\n")
        for line in lines:
            f.write("\t".join(line) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", choices=("decimal", "time", "zone"))
    parser.add_argument("--count", type=int, default=90)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", default=HERE)
    args = parser.parse_args()
    rng = random.Random(args.seed)

    if args.only in (None, "decimal"):
        write(os.path.join(args.out, "decimal.tsv"),
              decimal_lines(rng, args.count))
    if args.only in (None, "time"):
        write(os.path.join(args.out, "time.tsv"), time_lines(rng, args.count))
    if args.only in (None, "zone"):
        files = zone_files()
        for name, content in files.items():
            path = os.path.join(args.out, "zoneinfo", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                f.write(content)
        write(os.path.join(args.out, "zone.tsv"),
              zone_lines(rng, args.count, files))


if __name__ == "__main__":
    main()
