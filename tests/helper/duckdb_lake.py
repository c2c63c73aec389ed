#!/usr/bin/env python3
"""duckdb_lake: what DuckDB finds in a lake, by its own NDJSON reader.

usage: duckdb_lake.py LAKE/ TYPE [COLUMN...] < records

The lake's objects of TYPE are read with hive partitioning and compared with the
records on standard input: the count of each partition, the sum of each column
to the last digit, the least and the greatest time. Prints "N records in D
partitions" and ends with 1 at the first difference.
"""
import json
import sys
from collections import defaultdict
from decimal import Decimal

import duckdb


def wanted(lines, columns):
    """partition → (count, sums, first ts, last ts)"""
    found = defaultdict(lambda: [0, [Decimal(0)] * len(columns), None, None])
    for line in lines:
        record = json.loads(line, parse_float=Decimal, parse_int=Decimal)
        part = found[record["ts"][:10]]
        part[0] += 1
        part[1] = [total + record.get(column, 0)
                   for total, column in zip(part[1], columns)]
        part[2] = min(part[2] or record["ts"], record["ts"])
        part[3] = max(part[3] or record["ts"], record["ts"])
    return dict(found)


def found(lake, kind, columns):
    sums = "".join(f", sum({column}::DECIMAL(38,9))" for column in columns)
    # Numbers as text: a double would lose what a sum is to show.
    types = ", ".join(f"'{column}': 'VARCHAR'" for column in ["ts", *columns])
    rows = duckdb.sql(f"""
        SELECT dt::VARCHAR, count(*), min(ts), max(ts){sums}
        FROM read_ndjson('{lake}{kind}/*/*.ndjson.zst', hive_partitioning = true,
                         columns = {{{types}}})
        GROUP BY 1""").fetchall()
    return {row[0]: [row[1], [value or Decimal(0) for value in row[4:]], row[2],
                     row[3]] for row in rows}


def main():
    lake, kind, *columns = sys.argv[1:]
    want = wanted(sys.stdin, columns)
    got = found(lake, kind, columns)
    for part in sorted(want.keys() | got.keys()):
        if want.get(part) != got.get(part):
            sys.exit(f"dt={part}: wanted {want.get(part)}, got {got.get(part)}")
    # As one would type it, types found out by DuckDB itself.
    count = duckdb.sql(f"""SELECT count(*) FROM read_ndjson(
        '{lake}{kind}/*/*.ndjson.zst', hive_partitioning = true)""").fetchall()[0][0]
    if count != sum(part[0] for part in want.values()):
        sys.exit(f"read without being told the types, there are {count} records")
    print(f"{count} records in {len(want)} partitions")


main()
