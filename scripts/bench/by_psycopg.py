"""NDJSON on standard input into PostgreSQL, as its driver for Python does it best.

usage: by_psycopg.py PLACE
"""

import json
import sys

import psycopg

COLUMNS = ("ts", "ts_ns", "provider", "symbol", "price", "size", "currency", "exchange", "tick_id")

with psycopg.connect(sys.argv[1]) as db, db.cursor() as cursor:
    with cursor.copy(f"COPY quote ({', '.join(COLUMNS)}) FROM STDIN") as copy:
        for number, line in enumerate(sys.stdin):
            tick = json.loads(line)
            tick["ts_ns"], tick["tick_id"] = 0, number
            copy.write_row([tick.get(name) for name in COLUMNS])
