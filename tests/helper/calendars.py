#!/usr/bin/env python3
"""calendars: exchange_calendars' word on what our calendars say.

usage: calendars.py install FOLDER     a venv with the package; says what failed
       FOLDER/bin/python calendars.py compare FROM TO < sessions

compare reads what tests/helper/sessions prints for [FROM, TO) and wants of each
exchange the same trading dates with the same open, close and break. Where the
reference is wrong it is put right first, by CORRECTIONS: what an exchange did,
in its own wall clock, written down here a second time. So every day and every
instant has to be equal in the end.
"""
import datetime
import pathlib
import subprocess
import sys
import zoneinfo

PACKAGES = ["exchange_calendars==4.13.2"]
# Ours to theirs.
NAMES = {"XNYS": "XNYS", "XLON": "XLON", "XETR": "XETR", "XPAR": "XPAR",
         "XTKS": "XTKS", "XHKG": "XHKG", "CRYPTO": "24/7", "FX": "24/5"}
DAY = datetime.timedelta(days=1)

# Exchange, first and last date, what held: open, close, break_start and
# break_end; None: no break. An empty dict: no trading.
CORRECTIONS = [
    ("XNYS", "2002-09-11", "2002-09-11", {"open": "12:00"}),
    ("XETR", "2000-06-02", "2003-10-31", {"close": "20:00"}),
    # The lunch break of 2000 to 2011, and the months after "Livedoor".
    ("XTKS", "2000-01-01", "2011-11-18", {"break_start": "11:00"}),
    ("XTKS", "2006-01-19", "2006-04-21", {"break_end": "13:00"}),
    ("XTKS", "2005-11-01", "2005-11-01",
     {"open": "13:30", "break_start": None, "break_end": None}),
    ("XTKS", "2006-01-18", "2006-01-18", {"close": "14:40"}),
    ("XHKG", "2000-01-01", "2011-03-04",
     {"break_start": "12:30", "break_end": "14:30"}),
    ("XHKG", "2011-03-07", "2012-03-02", {"break_end": "13:30"}),
    ("XHKG", "2020-08-19", "2020-08-19",
     {"open": "13:30", "break_start": None, "break_end": None}),
    ("XHKG", "2021-06-28", "2021-06-28",
     {"open": "13:30", "break_start": None, "break_end": None}),
    # Storms; the reference has these since September 2026, in no release yet.
    ("XHKG", "2023-09-01", "2023-09-01", {}),
    ("XHKG", "2023-09-08", "2023-09-08", {}),
]
# Until the last day of 2008 and the first of 2009 these were mornings.
TOKYO_HALF = {"close": "11:00", "break_start": None, "break_end": None}


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


def reference(name, first, last):
    """{date: {open, close, break_start, break_end}} in seconds or None."""
    import exchange_calendars
    import pandas

    calendar = exchange_calendars.get_calendar(NAMES[name], start=first,
                                               end=last)
    return {date.date(): {column: None if pandas.isna(row[column])
                          else int(row[column].timestamp())
                          for column in ("open", "close", "break_start",
                                         "break_end")}
            for date, row in calendar.schedule.iterrows()}, calendar.tz


def seconds(date, clock, zone):
    hour, minute = map(int, clock.split(":"))
    time = datetime.time(hour, minute)
    return int(datetime.datetime.combine(date, time, zone).timestamp())


def put_right(session, date, facts, zone):
    for column, clock in facts.items():
        # A half day has no break that could move.
        if clock and column.startswith("break") and session[column] is None:
            continue
        session[column] = clock and seconds(date, clock, zone)


def corrected(name, sessions, zone):
    """Returns how many days were changed."""
    before = {date: dict(session) for date, session in sessions.items()}
    for exchange, first, last, facts in CORRECTIONS:
        first, last = map(datetime.date.fromisoformat, (first, last))
        for date in [d for d in sessions
                     if exchange == name and first <= d <= last]:
            if facts:
                put_right(sessions[date], date, facts, zone)
            else:
                del sessions[date]
    if name == "XTKS":
        for year in range(2000, 2010):
            dates = sorted(d for d in sessions if d.year == year)
            for date in dates[:1] + (dates[-1:] if year < 2009 else []):
                put_right(sessions[date], date, TOKYO_HALF, zone)
    if name == "FX":
        # 24/5 goes by days of UTC; the trade's week turns in New York.
        york = zoneinfo.ZoneInfo("America/New_York")
        for date, session in sessions.items():
            session["open"] = seconds(date - DAY, "17:00", york)
            session["close"] = seconds(date, "17:00", york)
    return sum(sessions.get(date) != session
               for date, session in before.items())


def compare(first, end):
    last = str(datetime.date.fromisoformat(end) - DAY)
    ours = {}
    for line in sys.stdin:
        name, date, *instants = line.split()
        ours.setdefault(name, {})[datetime.date.fromisoformat(date)] = dict(
            zip(("open", "close", "break_start", "break_end"),
                (None if i == "-" else int(i) for i in instants)))
    if ours.keys() != NAMES.keys():
        sys.exit(f"exchanges: {' '.join(ours)}")
    wrong = 0
    for name, mine in ours.items():
        theirs, zone = reference(name, first, last)
        changed = corrected(name, theirs, zone)
        for date in sorted(mine.keys() | theirs.keys()):
            if mine.get(date) != theirs.get(date):
                print(f"{name} {date}: ours {mine.get(date)}, "
                      f"theirs {theirs.get(date)}", file=sys.stderr)
                wrong += 1
        print(f"{name} {len(mine)} sessions, {changed} put right")
    if wrong:
        sys.exit(f"{wrong} differences")


def main():
    words = sys.argv[1:]
    if len(words) == 2 and words[0] == "install":
        install(pathlib.Path(words[1]))
    elif len(words) == 3 and words[0] == "compare":
        compare(words[1], words[2])
    else:
        sys.exit(__doc__)


main()
